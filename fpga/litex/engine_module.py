"""An engine as a module of a LiteX system."""

from pathlib import Path
from typing import Any

from litex.gen import LiteXModule
from litex.soc.integration.soc import SoCRegion
from litex.soc.interconnect import wishbone
from litex.soc.interconnect.csr_eventmanager import EventManager, EventSourceLevel
from migen import Cat, ClockSignal, Constant, Instance, ResetSignal, Signal

from cimforge.fpga.litex.engine_verilog import CONTROL, MEMORY, write_engine
from cimforge.hdl.bus.engine_map import EngineMap
from cimforge.hdl.bus.engine_top import build_engine_top
from cimforge.hdl.params.engine_config import ADDRESS_BITS, EngineConfig

__all__ = ["EngineModule", "add_engine"]

WORD_BITS = 32  # of the registers
GIVEN = ("cyc", "stb", "we", "sel", "dat_w")  # by who asks
BURST = ("cti", "bte")
ANSWERED = ("dat_r", "ack", "err")


class EngineModule(LiteXModule):
    """The engine of ``config`` in the clock domain ``sys``, for LiteX's buses.

    ``registers`` is a Wishbone slave of 32 bits and ``register_bytes`` bytes, ``memory`` a master
    of ``config.bus_bits`` bits and 32-bit addresses; addresses of both count words. ``memory``
    makes bursts (cti, bte), or standard cycles where a slave knows none. ``ev.done`` is LiteX's
    event of the interrupt line: a level, high for as long as the engine's own registers say.

    Latency: an access of registers 1 cycle, of memory as WishboneMaster has it.
    """

    def __init__(self, config: EngineConfig):
        top = build_engine_top(config, CONTROL, MEMORY)
        bits = EngineMap(config).address_bits
        self.register_bytes = 1 << bits
        self.registers = wishbone.Interface(data_width=WORD_BITS, address_width=ADDRESS_BITS)
        self.memory = wishbone.Interface(data_width=config.bus_bits, address_width=ADDRESS_BITS)
        self.ev = EventManager()
        self.ev.done = EventSourceLevel(description="The engine's interrupt line.")
        self.ev.finalize()

        place = Signal(ADDRESS_BITS)
        skipped = (config.bus_bits // 8 - 1).bit_length()
        self.comb += self.memory.adr.eq(place[skipped:])
        words = self.registers.adr[: bits - 2]
        pins: dict[str, Any] = {
            **{"i_clk": ClockSignal("sys"), "i_rst": ResetSignal("sys")},
            **{"o_irq": self.ev.done.trigger, "o_wbm_adr": place},
            "i_wb_adr": Cat(Constant(0, 2), words),
            **{f"i_wb_{name}": getattr(self.registers, name) for name in GIVEN},
            **{f"o_wb_{name}": getattr(self.registers, name) for name in ANSWERED},
            **{f"o_wbm_{name}": getattr(self.memory, name) for name in (*GIVEN, *BURST)},
            **{f"i_wbm_{name}": getattr(self.memory, name) for name in ANSWERED},
        }
        pins |= {f"i_{name}": 0 for name, _ in config.macro.storage_traits.control_ports}
        self.specials += Instance(top.name, name="engine_top", **pins)


def add_engine(
    soc: Any,
    config: EngineConfig,
    folder: Path,
    name: str = "engine",
    origin: int | None = None,
) -> EngineModule:
    """Put the engine of ``config`` into ``soc``, an SoC of LiteX, as its module ``name``.

    Its Verilog is written into ``folder``, one for each configuration, and becomes part of the
    platform's sources, but for files of a name that these have. Registers are
    a slave of the main bus from ``origin`` on, where LiteX likes without; memory is a master of the
    same bus, so the engine sees what the core sees at the same addresses; the interrupt is ``name``
    where the core has interrupts. LiteX's converters fit a bus of another width. LiteX's headers
    then have NAME_BASE, CSR_NAME_EV_* and NAME_INTERRUPT.

    A core with a data cache does not see what the engine writes until software flushes it. An
    access that no slave answers ends as LiteX's time-out has it: as words of ones, not as an error.

    Raises InputError as write_engine does, for an engine with streams for example.
    """
    there = {Path(source).name for source, *_ in soc.platform.sources}
    for source in write_engine(config, folder):
        if source.name not in there:  # leaf cells are all engines' own
            soc.platform.add_source(str(source))
    module = EngineModule(config)
    soc.add_module(name=name, module=module)
    region = SoCRegion(origin=origin, size=module.register_bytes, cached=False)
    soc.bus.add_slave(name=name, slave=module.registers, region=region)
    soc.bus.add_master(name=f"{name}_memory", master=module.memory)
    if soc.irq.enabled:
        soc.irq.add(name, use_loc_if_exists=True)
    return module
