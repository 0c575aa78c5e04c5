"""RAM blocks of FPGAs in which tables of sums are kept: pure data, no hardware."""

from typing import NamedTuple

from cimforge.hdl.params.registry import Registry

__all__ = ["BLOCK_RAM", "LUT_RAM", "RamBlock"]


class RamBlock(NamedTuple):
    """One block: ``words`` of ``bits``, a port to write and one to read.

    ``cell`` is the vendor's name of it. ``registers`` between an address and a word that is read: 0
    where it comes at once (a LUT RAM), else the block's read register and, where it has one, its
    output register, both in use. ``banks``: several share a block, their number above the rows'
    bits; else each has blocks of its own. ``front`` and ``behind`` count the fabric's registers
    between a plane and an address, and between a word and the trees: more where they are free and
    ways are long.
    """

    cell: str
    words: int
    bits: int
    registers: int
    about: str
    banks: bool = True
    front: int = 1
    behind: int = 0

    @property
    def lead(self) -> int:
        """Registers between a plane and the trees."""
        return self.front + self.registers + self.behind

    @property
    def address_bits(self) -> int:
        """Bits of a word's number."""
        return (self.words - 1).bit_length()


LUT_RAM: Registry[RamBlock] = Registry("ram")
BLOCK_RAM: Registry[RamBlock] = Registry("ram")

# Lattice, ECP5 and ECP5-5G Family Data Sheet (FPGA-DS-02012), distributed RAM; Memory User Guide
# (FPGA-TN-02204): the 512 x 36 shape has a port to write and one to read.
LUT_RAM.register(
    "ecp5",
    RamBlock("TRELLIS_DPR16X4", 16, 4, 0, "LUT RAM of ECP5, 16 x 4", False, front=2, behind=1),
)
BLOCK_RAM.register(
    "ecp5", RamBlock("DP16KD", 512, 36, 2, "block RAM of ECP5, 512 x 36", front=2, behind=1)
)
# Lattice, Memory Usage Guide for iCE40 Devices (FPGA-TN-02002): no output register.
BLOCK_RAM.register("ice40", RamBlock("SB_RAM40_4K", 256, 16, 1, "block RAM of iCE40, 256 x 16"))
# Gowin, BSRAM & SSRAM User Guide (UG285): the simple dual port with nine-bit bytes.
BLOCK_RAM.register("gowin", RamBlock("SDPX9B", 512, 36, 2, "block RAM of Gowin, 512 x 36"))
