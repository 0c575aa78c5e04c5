"""Third-party slaves of memory, with pauses and errors."""

from collections.abc import Iterator
from random import Random

from cocotbext.axi import AxiBus, AxiSlave
from cocotbext.wishbone import monitor as wishbone_monitor
from cocotbext.wishbone.monitor import WishboneSlave

from cimforge.cocotb_tests.bus_fronts.bus_drivers import pauses
from cimforge.cocotb_tests.bus_fronts.faulty_memory import FaultyMemory

__all__ = ["MEMORY_SLAVES", "axi4_slave", "wishbone_slave"]


def axi4_slave(dut, memory: FaultyMemory, rng: Random) -> None:
    """An AXI4 slave, which asserts that bursts keep to a page and end where they must."""
    slave = AxiSlave(AxiBus.from_prefix(dut, "axi"), dut.clk, dut.rst, target=memory)
    sides = {slave.read_if: ("ar", "r"), slave.write_if: ("aw", "w", "b")}
    for side, channels in sides.items():
        side.log.setLevel("ERROR")
        for channel in channels:
            getattr(side, f"{channel}_channel").set_pause_generator(pauses(rng))


def wishbone_slave(dut, memory: FaultyMemory, rng: Random, prefix: str = "wb") -> None:
    """A Wishbone slave of standard cycles, which knows no bursts and takes them word by word."""
    lines = {n: getattr(dut, f"{prefix}_{n}") for n in ("adr", "sel", "we", "dat_w")}

    def address() -> int:
        return int(lines["adr"].value)

    size = len(lines["sel"])

    def words() -> Iterator[int]:
        while True:
            start = address() - memory.base
            held = memory.bytes[start : start + size] if memory.holds(address()) else b""
            yield int.from_bytes(held, "little")

    def answers() -> Iterator[int]:
        while True:
            writes, fails = bool(int(lines["we"].value)), False
            data, select = int(lines["dat_w"].value), int(lines["sel"].value)
            for lane in (n for n in range(size) if select >> n & 1):
                there = memory.holds(address() + lane)
                fails |= not there
                if there and writes:
                    memory.bytes[address() + lane - memory.base] = data >> 8 * lane & 0xFF
            yield 2 if fails else 1  # err or ack

    def waits() -> Iterator[int]:
        while True:
            yield rng.choice((0, 0, 0, 1, 4))

    # Icarus shows values set before the first time step and does not pass them on.
    wishbone_monitor.set_immediate = lambda signal, value: setattr(signal, "value", value)
    names = {name: name for name in ("cyc", "stb", "we", "adr", "ack")}
    names |= {"datwr": "dat_w", "datrd": "dat_r"}
    generators = {"datgen": words(), "ackgen": answers(), "waitreplygen": waits()}
    WishboneSlave(dut, prefix, dut.clk, signals_dict=names, **generators)


MEMORY_SLAVES = {"axi4": axi4_slave, "wishbone": wishbone_slave}
