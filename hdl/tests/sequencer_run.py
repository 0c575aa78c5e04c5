"""Random traffic through the sequencer in the Python simulator, kept as a trace of every port."""

from random import Random

from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from cimforge.hdl.macro.choose_sequencer import build_sequencer
from cimforge.hdl.params.config import MacroConfig

__all__ = ["PAYLOAD", "SOURCES", "Cycle", "Trace", "fired", "first_cycle", "random_run"]

SOURCES = ("x", "w", "r")
PAYLOAD = {
    "x": ("x_bits", "x_signed", "x_bank"),
    "w": ("w_bank", "w_row", "w_signed", "w_fill"),
    "r": ("r_bank", "r_row"),
}
Cycle = dict[str, int]
Trace = list[Cycle]


def fired(cycle: Cycle, stream: str) -> bool:
    """Whether a beat of ``stream`` moves at the edge that ends the cycle."""
    return bool(cycle[f"{stream}_valid"] and cycle[f"{stream}_ready"])


def first_cycle(config: MacroConfig, x_bits: int, signed: bool) -> tuple[int, int]:
    """``fill`` and ``sign_plane`` of the first cycle, from the docstring of Serialiser, or that of
    BoothSerialiser."""
    k = config.bits_per_cycle
    used = x_bits - k * (config.cycles_per_pass(x_bits, signed) - 1)
    lowest = k - config.fill_bits
    fill = sum(1 << (plane - lowest) for plane in range(used, k))
    return fill, (1 << (used - 1)) if signed else 0


def random_run(
    config: MacroConfig,
    cycles: int,
    seed: int,
    *,
    offer: dict[str, float],
    take: float = 1.0,
    reset: float = 0.0,
    fixed: dict[str, int] | None = None,
) -> Trace:
    """Every port in each cycle.

    ``offer`` says how often an idle source offers a beat, ``take`` how often results are taken,
    ``fixed`` gives payload fields one value. A source holds its beat until it is taken or a reset.
    ``S_ready_other`` is the ready of source S with its valid inverted.
    """
    random = Random(seed)
    block = build_sequencer(config)
    top = Module()
    top.domains.sync = domain = ClockDomain()
    top.submodules.sequencer = block
    trace: Trace = []
    ports = {name: value for name, _, value in block.members()}

    def draw(name: str) -> int:
        value = random.getrandbits(len(ports[name]))
        return (fixed or {}).get(name, value)

    async def drive(ctx):
        waiting = dict.fromkeys(SOURCES, False)
        for number in range(cycles):
            rst = number < 2 or random.random() < reset
            ctx.set(domain.rst, rst)
            for source in SOURCES:
                if waiting[source] and not rst:
                    continue
                waiting[source] = random.random() < offer.get(source, 0)
                ctx.set(ports[f"{source}_valid"], waiting[source])
                for name in PAYLOAD[source]:
                    if name in ports:
                        ctx.set(ports[name], draw(name))
            ctx.set(ports["y_ready"], random.random() < take)
            ctx.set(ports["q_ready"], random.random() < take)
            cycle = {"rst": int(rst)}
            for source in SOURCES:
                valid = ports[f"{source}_valid"]
                ctx.set(valid, not waiting[source])
                cycle[f"{source}_ready_other"] = ctx.get(ports[f"{source}_ready"])
                ctx.set(valid, waiting[source])
            cycle |= {name: int(ctx.get(value)) for name, value in ports.items()}
            trace.append(cycle)
            waiting = {s: waiting[s] and not cycle[f"{s}_ready"] for s in SOURCES}
            await ctx.tick()

    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.run()
    return trace
