"""Timing diagrams of the streams, drawn from a simulation of the macro's own sequencer."""

import json
from collections import deque
from typing import Any

import wavedrom
from amaranth.sim import Simulator

from cimforge.hdl.macro.choose_sequencer import build_sequencer
from cimforge.hdl.macro.streams import SINKS, SOURCES, macro_streams
from cimforge.hdl.params.config import MacroConfig

__all__ = ["Beat", "Trace", "draw", "record", "scenario"]

Trace = dict[str, list[int]]
Beat = dict[str, int]

STALL = 2  # cycles that the second result waits
TAIL = 3  # cycles drawn after the last result


def scenario(config: MacroConfig) -> dict[str, list[tuple[int, Beat]]]:
    """What is drawn: beats of each source as (first cycle offered, fields).

    Two vectors of full precision back to back, a row written to their bank and a read-back offered
    while they run, and a third vector; the second result waits for STALL cycles. With several banks
    the read-back is of the last one, and a row is written to it too. In tables the row is the first
    of a group on the fast path, which renews one entry: any other takes up to hundreds of cycles.
    """
    bits, other = config.input_bits, config.banks - 1
    vector = {"bits": bits, "signed": 1, "bank": 0}
    row = {"row": 0, "fill": 1} if config.tables else {"row": config.rows - 1}
    rows = [{"bank": bank, **row, "signed": 1} for bank in (0, other, 0)]
    return {
        "w": list(zip((1, 2, 5), rows, strict=True)),
        "x": [(3, vector), (3, vector), (3, vector)],
        "r": [(4 + config.latency(bits, True), {"bank": other, "row": row["row"]})],
    }


def record(config: MacroConfig) -> Trace:
    """Every stream port of the sequencer in each cycle of the scenario, by name, and TAIL more."""
    block = build_sequencer(config)
    values = {name: value for name, _, value in block.members() if name[1] == "_"}
    waiting = {stream: deque(offers) for stream, offers in scenario(config).items()}
    results = len(waiting["x"]) + len(waiting["r"])
    trace: Trace = {name: [] for name in values if name[0] in (*SOURCES, *SINKS)}
    limit = 100 + config.reset_cycles + 8 * config.latency()

    def moved(stream: str) -> int:
        return sum(map(int.__and__, trace[f"{stream}_valid"], trace[f"{stream}_ready"]))

    async def drive(ctx):
        stall, tail = STALL, TAIL
        if "marks" in block.signature.members:
            ctx.set(block.marks, -1)  # vectors that need every plane
        for cycle in range(limit):
            for stream, offers in waiting.items():
                offered = bool(offers) and offers[0][0] <= cycle
                fields = offers[0][1] if offered else {}
                for name, value in {**fields, "valid": int(offered)}.items():
                    if f"{stream}_{name}" in values:
                        ctx.set(values[f"{stream}_{name}"], value)
            stalled = stall > 0 and moved("y") == 1 and ctx.get(values["y_valid"])
            stall -= stalled
            ctx.set(values["y_ready"], int(not stalled))
            ctx.set(values["q_ready"], 1)
            for name in trace:
                trace[name].append(int(ctx.get(values[name])))
            for stream, offers in waiting.items():
                if trace[f"{stream}_valid"][-1] and trace[f"{stream}_ready"][-1]:
                    offers.popleft()
            await ctx.tick()
            tail -= moved("y") + moved("q") == results
            if tail == 0:
                return

    simulator = Simulator(block)
    simulator.add_clock(1e-8)
    simulator.add_testbench(drive)
    simulator.run()
    return trace


def draw(config: MacroConfig, trace: Trace) -> tuple[str, str]:
    """WaveJSON source and SVG of a trace: every stream port of the macro that exists."""
    cycles = len(trace["x_valid"])
    lanes: list[Any] = [{"name": "clk", "wave": "p" + "." * (cycles - 1)}]
    for stream, signature in macro_streams(config).items():
        valid, ready = trace[f"{stream}_valid"], trace[f"{stream}_ready"]
        group: list[Any] = [stream]
        for part in signature.members:
            name = f"{stream}_{part}"
            if part in ("valid", "ready"):
                group.append(_bits(name, trace[name]))
            elif part == "data":
                group.append(_beats(name, valid, ready, None))
            else:
                group.append(_beats(name, valid, ready, trace[name]))
        lanes += [{}, group]
    cycles_a_pass = config.pass_interval(x_signed=True)
    told = f"{config.input_bits}-bit signed vectors, {cycles_a_pass} cycles a pass"
    source = {
        "signal": lanes,
        "head": {"text": f"{config.module}: {told}", "tick": 0},
        "foot": {"text": "a beat moves at the edge that ends a cycle with valid and ready high"},
        "config": {"hscale": 1},
    }
    text = json.dumps(source, indent=1)
    return text + "\n", wavedrom.render(text).tostring() + "\n"


def _bits(name: str, values: list[int]) -> dict[str, str]:
    wave = "".join("." if i and v == values[i - 1] else str(v) for i, v in enumerate(values))
    return {"name": name, "wave": wave}


def _beats(
    name: str, valid: list[int], ready: list[int], values: list[int] | None
) -> dict[str, Any]:
    """A payload's lane while a beat is offered: its values, or the beat's number where there are
    none."""
    wave, labels, number, stalled = "", [], 0, False
    for cycle, (offered, taken) in enumerate(zip(valid, ready, strict=True)):
        if not offered:
            wave += "." if wave.rstrip(".").endswith("x") else "x"
        elif stalled:
            wave += "."
        else:
            wave += "="
            labels.append(str(values[cycle]) if values else f"{name[0]}{number}")
        stalled = bool(offered and not taken)
        number += bool(offered and taken)
    return {"name": name, "wave": wave, "data": labels}
