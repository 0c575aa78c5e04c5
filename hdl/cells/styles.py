"""The styles that come with the generator; importing them registers each under its name."""

from cimforge.hdl.cells import flop, latch, plain_multiply

__all__ = ["flop", "latch", "plain_multiply"]
