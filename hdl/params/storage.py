"""What a configuration must know of each storage style: pure data, no hardware."""

from typing import NamedTuple

from cimforge.hdl.params.registry import Registry

__all__ = ["ASIC", "FPGA", "STORAGE", "StorageTraits"]

ASIC = ("generic", "liberty")  # synthesis targets
FPGA = ("ice40", "ecp5", "gowin")


class StorageTraits(NamedTuple):
    """One style. Cycles are counted with the array idle.

    ``write_cycles`` a row occupies the write stream; ``landing`` cycles after its acceptance in
    which a row still changes, so that a vector for its bank waits; ``lead`` registers between a
    plane and the operands it makes. A write holds up the passes of its own bank only. ``targets``
    are the synthesis targets that have a cell for it. ``control_ports`` are further
    input ports of the macro, by name and width. ``max_bits`` of weights is the most it may hold.
    ``rows_per_operand`` rows of a column make one operand of its tree together.
    """

    about: str
    targets: tuple[str, ...] = (*ASIC, *FPGA)
    write_cycles: int = 1
    landing: int = 0
    lead: int = 0
    control_ports: tuple[tuple[str, int], ...] = ()
    max_bits: int = 2**24
    rows_per_operand: int = 1


STORAGE: Registry[StorageTraits] = Registry("storage")

STORAGE.register(
    "flop", StorageTraits("one flip-flop a bit: any target, simplest to time and to scan")
)
STORAGE.register(
    "latch",
    StorageTraits(
        "one latch a bit, a row written through a clock gate: standard cells only",
        targets=ASIC,
        landing=1,
        control_ports=(("test_en", 1),),
    ),
)
