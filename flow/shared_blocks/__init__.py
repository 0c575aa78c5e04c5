"""Blocks by content: macros that hold the same block have it synthesised once, between them."""
