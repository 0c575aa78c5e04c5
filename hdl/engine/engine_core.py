"""The engine: macros between a queue of commands and memory."""

from cimforge.hdl.engine.activity import EVENTS, Activity
from cimforge.hdl.engine.assembly import Assembly
from cimforge.hdl.engine.command_queue import CommandQueue
from cimforge.hdl.engine.fetch_unit import FetchUnit
from cimforge.hdl.engine.read_arbiter import ReadArbiter
from cimforge.hdl.engine.run_unit import RunUnit
from cimforge.hdl.engine.soft_reset import SoftReset
from cimforge.hdl.engine.store_unit import StoreUnit
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.netlist.structure import Net, Structure, concat, constant
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["CONTROL", "build_engine"]

# What the registers tell the engine, and what it tells them: direction and width.
CONTROL = {
    **dict.fromkeys(("start", "soft_reset"), ("input", 1)),
    **{"queue_base": ("input", 32), "queue_count": ("input", 16)},
    **dict.fromkeys(("busy", "resetting", "ended", "interrupt"), ("output", 1)),
    **dict.fromkeys(("finished", "failed", "overflow"), ("output", 1)),
    **{"error_cause": ("output", 8), "error_field": ("output", 16), "error_index": ("output", 16)},
    **dict.fromkeys((*EVENTS, "count_read", "count_written"), ("output", 1)),
    "planes_skipped": ("output", 8),
}
# What a block calls otherwise than the engine, by the beginning of its ports' names.
QUEUE = {
    **{"base": "queue_base", "count": "queue_count", "idle": "queue_idle"},
    **{"read": "queue_read", "read_data": "queue_data"},
    **{unit: f"{unit}_command" for unit in ("fetch", "run", "store")},
    **{f"{unit}_done": f"{unit}_done" for unit in ("fetch", "run", "store")},
    **{f"{unit}_failed": f"{unit}_failed" for unit in ("fetch", "store")},
}


def build_engine(config: EngineConfig) -> Structure:
    """The engine's top: ports clk, rst (synchronous, active high), the macro's control ports,
    CONTROL, a memory_port (``read`` … ``write_done``), and with ``streams`` the streams ``into``
    and ``out``.

    ``soft_reset`` empties everything but weights, kept sums and activations, once memory owes
    nothing any more: ``resetting`` is high until then. Latency and rates are those of the units
    (CommandQueue, FetchUnit, RunUnit, StoreUnit).
    """
    sentence = "Engine: macros fed from memory by a queue of commands."
    engine = Assembly(Structure(config.module, "", sentence, role="queue"))
    fetch, run, store = FetchUnit(config), RunUnit(config), StoreUnit(config)
    arbiter = ReadArbiter(config)
    for name in ("clk", "rst"):
        engine.port("input", name)
    for name, width in config.macro.storage_traits.control_ports:
        engine.port("input", name, width)
    for name, (way, width) in CONTROL.items():
        engine.port(way, name, width)
    engine.ports_of(arbiter, "read", "read_data")
    engine.ports_of(store, "write", "write_data", "write_done", "out")
    engine.ports_of(fetch, "into")

    engine.place(SoftReset(config), "soft_resetting")
    engine.nets["rst"] = engine.nets["core_rst"]  # of all that follow
    engine.place(CommandQueue(config), "queue", QUEUE)
    engine.place(arbiter, "read_arbiter")
    engine.place(fetch, "fetch", _of("fetch", read="fetch_read", read_data="fetch_data"))
    engine.place(run, "run", _of("run"))
    engine.place(store, "store", _of("store"))
    _place_macros(engine, config)

    out, nets = engine.out, engine.nets
    out.assign(nets["y_waits"], f"{nets['y_valid']} & ~{nets['y_ready']}")
    out.assign(nets["count_read"], f"{nets['read_data_valid']} & {nets['read_data_ready']}")
    out.assign(nets["count_written"], f"{nets['write_data_valid']} & {nets['write_data_ready']}")
    return out


def _of(unit: str, **others: str) -> dict[str, str]:
    """What a unit's own lines are called."""
    own = {name: f"{unit}_{name}" for name in ("command", "done", "failed", "idle")}
    return {**own, **others}


def _place_macros(engine: Assembly, config: EngineConfig) -> None:
    """The macros side by side, and who counts what they do. They are asked the same, and answer
    in the same cycles: the first one's answers are taken for all."""
    out, nets = engine.out, engine.nets
    macro = build_macro(config.macro)
    shared: dict[str, Net] = {**nets, "r_valid": constant(0, 1), "q_ready": constant(1, 1)}
    for port in macro.ports.values():
        if port.name.startswith("r_") and port.direction == "input" and port.name != "r_valid":
            shared[port.name] = constant(0, port.width)
    results = []
    for number in range(config.macros):
        pins: dict[str, Net] = {}
        for port in macro.ports.values():
            name, width = port.name, port.width
            if port.direction == "input":
                own = name == "w_data" and config.macros > 1
                pins[name] = out.wire(f"w_data{number}", width) if own else shared[name]
                if own:
                    out.assign(pins[name], nets[name].bits(number * width, width))
                continue
            alone = number == 0 and not name.endswith("_data") and name in nets
            pins[name] = nets[name] if alone else out.wire(f"{name}{number}", width)
        results.append(pins["y_data"])
        out.place(macro, f"macro{number}", **pins)
    out.assign(nets["y_data"], concat(results))
    _place_activity(engine, config, macro)


def _place_activity(engine: Assembly, config: EngineConfig, macro: Structure) -> None:
    """What is counted; with zero_skip the planes that a vector needs are looked at once more."""
    if config.macro.skips:
        marks = next(child.module for child in macro.children if child.module.kind == "plane_marks")
        traits, out = config.macro, engine.out
        bits, low = traits.input_bits, traits.bits_per_cycle - 1
        x = engine.nets["x_data"]
        planes = concat(x.bits(row * bits + low, bits - low) for row in range(traits.rows))
        engine.nets["marks"] = out.wire("marks", traits.mark_bits)
        lines = {name: engine.nets[name] for name in ("x_signed", "marks")}
        out.place(marks, "plane_marks", x=planes, **lines)
    engine.place(Activity(config), "activity")
