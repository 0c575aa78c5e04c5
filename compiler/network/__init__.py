"""A network from a file at work: its inputs, its run on a backend, and what differs."""
