"""Work for other processes and other machines: the same tasks, the same results."""
