"""Lane sums: those of a vector's sums that the lanes take in a cycle."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import Component

from cimforge.hdl.macro.arbiter import below
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["LaneSums", "selected"]


def selected(m: Module, name: str, words: Sequence[Value], index: Value) -> Value:
    """The word ``index``, by a tree of multiplexers; undefined where there is none."""
    for level, bit in enumerate(index):
        pairs = [words[low : low + 2] for low in range(0, len(words), 2)]
        words = []
        for place, pair in enumerate(pairs):
            words.append(Signal(len(pair[0]), name=f"{name}_{level}_{place}"))
            m.d.comb += words[-1].eq(Mux(bit, pair[-1], pair[0]))
    return words[0]


def _turned(m: Module, words: Sequence[Value], turn: Value) -> Sequence[Value]:
    """The words from number ``turn`` on, then those before it."""
    for level, bit in enumerate(turn):
        moved = [*words[1 << level :], *words[: 1 << level]]
        chosen = [Signal(len(word), name=f"turned_{level}_{n}") for n, word in enumerate(words)]
        m.d.comb += [c.eq(Mux(bit, *pair)) for c, *pair in zip(chosen, moved, words, strict=True)]
        words = chosen
    return words


class LaneSums(Component):
    """``lane[l] = data[lanes * group + turn + l]``, l in 0..lanes-1: sums of acc_bits of the
    ``outputs`` in ``data``, output 0 lowest, a cycle later.

    ``group`` counts modulo a power of 2, from -1 on where a vector's first output comes to a lane
    that is not the first. Lanes to which no output comes are undefined; who uses them knows.
    With weight_zeros ``lone`` takes instead data[lanes * lone_group + column] for each column of
    the sums, below; so column n goes to lane (n - turn) modulo lanes.

    Output n stands in column n modulo lanes; each column takes one of its sums, those below
    ``turn`` from the next row, and the columns are turned to their lanes: so the widest
    multiplexers are as many as a single lane has. Latency 1 cycle, a group a cycle; ``lane``
    moves where ``enable`` is high and holds otherwise. Not reset.
    """

    def __init__(self, config: EngineConfig):
        self._config = config
        rows = -(-config.outputs // config.lanes)
        ones = {"lone": In(1), "lone_group": In(unsigned_width(rows - 1))}
        super().__init__(
            {
                **{"enable": In(1), "data": In(config.outputs * config.acc_bits)},
                "group": In(unsigned_width(rows - 1)),
                "turn": In(unsigned_width(config.lanes - 1)),
                **(ones if config.weight_zeros else {}),
                "lane": Out(config.acc_bits).array(config.lanes),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config, lanes, bits = self._config, self._config.lanes, self._config.acc_bits
        outputs = [self.data[low : low + bits] for low in range(0, len(self.data), bits)]
        row, next_row = (Signal(len(self.group), name=name) for name in ("row", "next_row"))
        m.d.comb += [row.eq(self.group), next_row.eq(self.group + 1)]
        if config.weight_zeros:
            with m.If(self.lone):
                m.d.comb += [each.eq(self.lone_group) for each in (row, next_row)]

        passed = Cat(below(m, "passed", self.turn, lanes - 1) if lanes > 1 else [], Const(0, 1))
        columns = []
        for column in range(lanes):
            index = Signal(len(row), name=f"row_{column}")
            m.d.comb += index.eq(Mux(passed[column], next_row, row))
            own = outputs[column::lanes] or [Const(0, bits)]
            columns.append(selected(m, f"column_{column}", own, index))
        for lane, word in zip(self.lane, _turned(m, columns, self.turn), strict=True):
            held = Signal(bits, name="lane_q", reset_less=True)
            with m.If(self.enable):
                m.d.sync += held.eq(word)
            m.d.comb += lane.eq(held)
        return m
