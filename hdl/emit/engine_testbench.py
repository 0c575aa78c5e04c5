"""A plain Verilog testbench beside an engine, for users without Python."""

from typing import NamedTuple

from cimforge.hdl.bus.engine_map import EngineMap
from cimforge.hdl.emit.templates import render
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["Program", "engine_testbench"]

PATIENCE = 8  # times the cycles that a program should take
SETTLE = 10_000  # and cycles beside: resets, and what is short


class Program(NamedTuple):
    """Memory from byte 0 on ``before`` and ``after`` a queue of ``commands`` descriptors at
    ``queue`` has run, of equal sizes, whole words of the bus; about ``cycles`` are needed. ``told``
    is what it computes, in a few words."""

    told: str
    queue: int
    commands: int
    cycles: int
    before: bytes
    after: bytes


def engine_testbench(
    config: EngineConfig, top: Structure, control: str, memory: str, program: Program
) -> dict[str, str]:
    """``tb_TOP.v``, Verilog-2005 of a testbench that writes the registers of ``top`` over the bus
    ``control``, answers it as memory on the bus ``memory``, and compares all of memory when it is
    interrupted; and the memory that it reads, ``TOP_before.hex`` and ``TOP_after.hex``, a word of
    the bus a line.
    """
    table = EngineMap(config)
    constants = {name: table.register(name).constant for name in ("id", "version", "hash")}
    offsets = {register.name: register.offset for register in table.registers()}
    text = render(
        "engine_testbench.v.j2",
        name=top.name,
        ports=list(top.ports.values()),
        control=control,
        memory=memory,
        bits=config.bus_bits,
        octets=config.bus_bytes,
        words=len(program.before) // config.bus_bytes,
        program=program,
        constants=constants,
        at=offsets,
        limit=PATIENCE * program.cycles + SETTLE,
    )
    return {
        f"tb_{top.name}.v": text,
        f"{top.name}_before.hex": _lines(config, program.before),
        f"{top.name}_after.hex": _lines(config, program.after),
    }


def _lines(config: EngineConfig, octets: bytes) -> str:
    """Little-endian words of the bus, one a line."""
    size = config.bus_bytes
    words = (octets[place : place + size] for place in range(0, len(octets), size))
    return "".join(f"{int.from_bytes(word, 'little'):0{2 * size}x}\n" for word in words)
