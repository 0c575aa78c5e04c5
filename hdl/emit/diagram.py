"""Timing diagrams of the streams, drawn from a simulation of the macro's own sequencer."""

import json
from collections import deque
from typing import Any

import wavedrom
from amaranth.sim import Simulator

from cimforge.hdl.macro.sequencer import Sequencer
from cimforge.hdl.params.config import MacroConfig

__all__ = ["STREAMS", "Trace", "draw", "record", "scenario"]

STREAMS = ("x", "y", "w", "r", "q")
Trace = dict[str, list[int]]
Beat = dict[str, int]

STALL = 2  # cycles that the second result waits
TAIL = 3  # cycles drawn after the last result
MOST_CYCLES = 1000


def scenario(config: MacroConfig) -> dict[str, list[tuple[int, Beat]]]:
    """What is drawn: beats of each source as (first cycle offered, fields).

    Two vectors back to back, a row written to their bank and a read-back offered while they run,
    and a third vector; the second result waits for STALL cycles.
    """
    bits = min(config.input_bits, 4 * config.bits_per_cycle)
    vector = {"x_bits": bits, "x_signed": 1, "x_bank": 0}
    row = {"w_bank": 0, "w_row": 0, "w_signed": 1}
    return {
        "w": [(1, row), (5, row)],
        "x": [(3, vector), (3, vector), (3, vector)],
        "r": [(4 + config.latency(bits), {"r_bank": 0, "r_row": 0})],
    }


def record(config: MacroConfig) -> Trace:
    """Every stream port of the sequencer in each cycle of the scenario, by name, and TAIL more."""
    block = Sequencer(config)
    waiting = {stream: deque(offers) for stream, offers in scenario(config).items()}
    results = len(waiting["x"]) + len(waiting["r"])
    ports = [name for name in block.signature.members if name[:2] in {f"{s}_" for s in STREAMS}]
    trace: Trace = {name: [] for name in ports}

    def moved(stream: str) -> int:
        return sum(map(int.__and__, trace[f"{stream}_valid"], trace[f"{stream}_ready"]))

    async def drive(ctx):
        stall, tail = STALL, TAIL
        for cycle in range(MOST_CYCLES):
            for stream, offers in waiting.items():
                offered = bool(offers) and offers[0][0] <= cycle
                ctx.set(getattr(block, f"{stream}_valid"), int(offered))
                for name, value in (offers[0][1] if offered else {}).items():
                    if hasattr(block, name):
                        ctx.set(getattr(block, name), value)
            held = stall > 0 and moved("y") == 1 and ctx.get(block.y_valid)
            stall -= held
            ctx.set(block.y_ready, int(not held))
            ctx.set(block.q_ready, 1)
            for name in ports:
                trace[name].append(int(ctx.get(getattr(block, name))))
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
    """WaveJSON source and SVG of a trace."""
    cycles = len(trace["x_valid"])
    lanes: list[Any] = [{"name": "clk", "wave": "p" + "." * (cycles - 1)}]
    for stream in STREAMS:
        valid, ready = trace[f"{stream}_valid"], trace[f"{stream}_ready"]
        lanes += [
            {},
            [
                stream,
                _bits(f"{stream}_valid", valid),
                _bits(f"{stream}_ready", ready),
                _beats(stream, valid, ready),
            ],
        ]
    source = {
        "signal": lanes,
        "head": {"text": config.module, "tick": 0},
        "foot": {"text": "a beat moves at the edge that ends a cycle with valid and ready high"},
        "config": {"hscale": 1},
    }
    text = json.dumps(source, indent=1)
    return text + "\n", wavedrom.render(text).tostring() + "\n"


def _bits(name: str, values: list[int]) -> dict[str, str]:
    wave = "".join("." if i and v == values[i - 1] else str(v) for i, v in enumerate(values))
    return {"name": name, "wave": wave}


def _beats(stream: str, valid: list[int], ready: list[int]) -> dict[str, Any]:
    """Payload lane: the number of the beat while it is offered."""
    wave, labels, number, held = "", [], 0, False
    for offered, taken in zip(valid, ready, strict=True):
        if not offered:
            wave += "." if wave.endswith("x") or (wave and wave.rstrip(".").endswith("x")) else "x"
        elif held:
            wave += "."
        else:
            wave += "="
            labels.append(f"{stream}{number}")
        held = bool(offered and not taken)
        number += bool(offered and taken)
    payload = "r_row" if stream == "r" else f"{stream}_data"
    return {"name": payload, "wave": wave, "data": labels}
