"""Blocks with all that is inside them, for Amaranth's simulator, which leaves out instances."""

from collections.abc import Iterator
from contextlib import contextmanager

from amaranth.hdl import Const, Module, Value
from amaranth.lib.memory import Memory

from cimforge.hdl.engine.ram import Ram
from cimforge.hdl.netlist.block import Block

__all__ = ["inlined"]


@contextmanager
def inlined() -> Iterator[None]:
    """While a simulator is made: inner blocks are submodules, a Ram a memory of Amaranth's."""
    kept = Block.instance
    Block.instance = _instance  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        Block.instance = kept  # type: ignore[method-assign]


def _instance(self: Block, name: str, **pins: Value) -> Module:
    """The inner module ``name`` on these pins."""
    module = next(child.module for child in self.children if child.instance == name)
    ports = {key: port for key, port in module.ports.items() if key != "clk"}
    for port in ports.values():
        assert len(Value.cast(pins[port.name])) == port.width, f"{name}: {port}"
    if isinstance(module, Ram):
        return _ram(module, pins)
    assert isinstance(module, Block)
    if sum(child.module is module for child in self.children) > 1:
        module = type(module)(module._config)  # each instance has signals of its own
    m = Module()
    m.submodules[name] = module
    for port, _, value in module.members():
        outward = ports[port].direction == "output"
        m.d.comb += pins[port].eq(value) if outward else value.eq(pins[port])
    return m


def _ram(ram: Ram, pins: dict[str, Value]) -> Module:
    """A memory; what is read and written at once is the old word."""
    m = Module()
    m.submodules.words = memory = Memory(shape=ram.width, depth=ram.words, init=[])
    write, read = memory.write_port(granularity=ram.lane_bits), memory.read_port()
    m.d.comb += [
        *(write.en.eq(pins["write"]), write.data.eq(pins["write_data"])),
        write.addr.eq(pins.get("write_address", Const(0))),
        *(read.en.eq(pins["read"]), read.addr.eq(pins.get("read_address", Const(0)))),
        pins["read_data"].eq(read.data),
    ]
    return m
