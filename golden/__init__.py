"""Golden model in NumPy: what the macro must compute, and in how many cycles."""
