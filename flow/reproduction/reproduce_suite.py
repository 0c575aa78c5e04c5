"""One job on which a macro's results were not the golden model's: case.json beside this file holds
the beats of its streams and the results that are right.

Needs cocotb and a simulator, nothing else: make, make SIM=verilator, or python reproduce.py.
"""

import json
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge

CASE = json.loads(Path(__file__).with_name("case.json").read_text())
MOST_CYCLES = 100_000  # without a beat taken or given


class Stream:
    """Offers beats, one after the other, each until it is taken."""

    def __init__(self, dut, name: str):
        self.dut, self.name = dut, name
        self.beats: list[dict[str, str]] = []

    def offer(self) -> None:
        """Show the first beat, if there is one."""
        getattr(self.dut, f"{self.name}_valid").value = int(bool(self.beats))
        for port, value in (self.beats[0] if self.beats else {}).items():
            getattr(self.dut, port).value = int(value, 16)

    def taken(self) -> bool:
        """Whether the beat is taken at the edge to come."""
        if not self.beats or not int(getattr(self.dut, f"{self.name}_ready").value):
            return False
        self.beats.pop(0)
        return True


def values(data) -> list[int]:
    """The signed results in y_data, output 0 lowest."""
    assert data.is_resolvable, f"y_data holds unknown bits: {data}"
    number = int(data)
    bits, sign = CASE["y_bits"], 1 << (CASE["y_bits"] - 1)
    fields = [(number >> (bits * place)) & ((1 << bits) - 1) for place in range(CASE["outputs"])]
    return [(field ^ sign) - sign for field in fields]


@cocotb.test()
async def results_are_right(dut):
    """Every tile's rows are written, then its vectors pass; results come in their order."""
    for port in CASE["idle"]:
        getattr(dut, port).value = 0
    weights, vectors = Stream(dut, "w"), Stream(dut, "x")
    for stream in (weights, vectors):
        stream.offer()
    dut.y_ready.value = 0
    dut.rst.value = 1
    Clock(dut.clk, 10, unit="ns").start()
    for _ in range(2):
        await RisingEdge(dut.clk)
    dut.rst.value = 0
    dut.y_ready.value = 1
    for place, tile in enumerate(CASE["tiles"]):
        weights.beats, waiting = list(tile["w"]), list(tile["x"])
        results: list[list[int]] = []
        quiet = 0
        while len(results) < len(tile["y"]):
            if waiting and not weights.beats:  # a bank takes vectors once all its rows are in
                vectors.beats, waiting = waiting, []
            weights.offer()
            vectors.offer()
            await FallingEdge(dut.clk)
            moved = [weights.taken(), vectors.taken(), bool(int(dut.y_valid.value))]
            if moved[2]:
                results.append(values(dut.y_data.value))
            quiet = 0 if any(moved) else quiet + 1
            assert quiet < MOST_CYCLES, f"tile {place}: the macro neither takes nor gives"
            await RisingEdge(dut.clk)
        for vector, (got, right) in enumerate(zip(results, tile["y"], strict=True)):
            wrong = [
                f"column {column}: got {told}, right is {wanted}"
                for column, (told, wanted) in enumerate(zip(got, right, strict=True))
                if told != wanted
            ]
            assert not wrong, f"tile {place}, vector {vector}: " + "; ".join(wrong)
