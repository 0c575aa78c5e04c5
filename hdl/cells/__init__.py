"""Storage and multiply styles; importing the room registers those that come with the generator."""

from cimforge.hdl.cells import flop, latch, plain_multiply, sram, xnor_multiply

__all__ = ["flop", "latch", "plain_multiply", "sram", "xnor_multiply"]
