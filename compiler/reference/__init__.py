"""What a network must compute, by the rules of the framework that it came from."""
