"""Programs of a system's core, in C, and what is generated beside them."""
