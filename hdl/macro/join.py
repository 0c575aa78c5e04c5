"""Join: the totals of a cycle's planes and the correction as one sum, in front of an
accumulator."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Signal, Value

from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.netlist.leaf import flip_adder
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.ranges import signed_width

__all__ = ["Join", "join_bits"]


def join_bits(config: MacroConfig) -> int:
    """Bits of the sum, two's complement; none beyond y_bits, modulo which it is added."""
    k, weight = config.bits_per_cycle, (1 << config.weight_bits) - 1
    planes, half = (1 << k) - 1, 1 << config.correction_place
    lowest = config.rows * min(-planes * half, -weight << (k - 1))
    return min(signed_width(lowest, config.rows * planes * weight), config.y_bits)


class Join(Block):
    """What a cycle adds to one column: ``joined = sum_j +-2^j total_j + 2^(weight_bits-1)
    correction``, the top plane's total negative where ``negate`` is high (the sign plane of a
    signed pass).

    ``totals`` holds k unsigned results of tree_bits, plane j's at bit j * tree_bits; ``correction``
    is two's complement (TableInputSum), and ``joined``, of join_bits, which hold the extremes or
    are y_bits.
    The first adder takes correction and top total, which a flip inverts on its carry chain
    (cim_flip_add); the +1 of a negation stands in a free place of the correction, or below.
    Latency: config.join_ranks enabled cycles, a register behind each level of adders, or none.
    Not reset.
    """

    role = "accumulate"

    def __init__(self, config: MacroConfig):
        self._config = config
        self.latency = config.join_ranks
        k, self._width = config.bits_per_cycle, join_bits(config)
        # bits of the first adder: from the top plane's place up, and one below for a carry
        self._below = int(config.correction_place < k)
        adder = flip_adder(self._width - (k - 1) + self._below)
        ports = {
            "enable": In(int(self.latency > 0)),
            "negate": In(1),
            "totals": In(k * config.tree_bits),
            "correction": In(config.correction_bits),
            "joined": Out(self._width),
        }
        super().__init__(config.module, "join", ports, {"top": adder})

    def elaborate(self, platform):
        m = Module()
        config, bits = self._config, self._config.tree_bits
        others = [
            _Word(self.totals.word_select(plane, bits), plane)
            for plane in range(config.bits_per_cycle - 1)
        ]
        words = [*self._paired(others), self._build_top(m)]  # the widest last
        level = 1
        words = self._kept(m, words, level)
        while len(words) > 1:
            level += 1
            words = self._kept(m, self._paired(words), level)
        m.d.comb += self.joined.eq(Cat(Const(0, words[0].shift), words[0].value).as_signed())
        return m

    def _build_top(self, m: Module) -> "_Word":
        """The correction and the top plane's total or its negative, two's complement."""
        config = self._config
        k, below = config.bits_per_cycle, self._below
        word = Signal(self._width, name="correction_word")
        free = Const(0, config.correction_place)
        m.d.comb += word.eq(Cat(free, self.correction).as_signed())
        high = word[k - 1 :]
        if below:
            a: Value = Cat(self.negate, high)
        else:
            a = Cat(self.negate, high[1:])
        size = self._width - (k - 1) + below
        flipped, added = Signal(size, name="top_total"), Signal(size, name="top_word")
        total = Signal(size, name="top_sum")
        top = self.totals[(k - 1) * config.tree_bits :]
        m.d.comb += [flipped.eq(Cat(Const(0, below), top)), added.eq(a)]
        m.submodules.top = self.instance("top", a=added, b=flipped, flip=self.negate, y=total)
        if config.correction_place >= k - 1:
            return _Word(total[below:].as_signed(), k - 1)
        return _Word(Cat(word[: k - 1], total[below:]).as_signed(), 0)

    def _paired(self, words: list["_Word"]) -> list["_Word"]:
        """Sums of two words each, the last alone where their number is odd."""
        pairs = [self._sum(a, b) for a, b in zip(words[::2], words[1::2], strict=False)]
        return [*pairs, *words[len(pairs) * 2 :]]

    def _sum(self, first: "_Word", second: "_Word") -> "_Word":
        """Both as one word of no more than the result's bits; low places of one alone pass by."""
        low, high = sorted((first, second), key=lambda word: word.shift)
        free, most = high.shift - low.shift, self._width - low.shift
        rest = low.value[free:]
        if low.value.shape().signed:
            rest = rest.as_signed()
        total = rest + high.value
        value = Cat(low.value[:free], total)[:most]
        return _Word(value.as_signed() if total.shape().signed else value, low.shift)

    def _kept(self, m: Module, words: list["_Word"], level: int) -> list["_Word"]:
        """The words, or their registers where levels have one."""
        made = []
        for number, word in enumerate(words):
            kept = Signal(word.value.shape(), name=f"sum_{level}_{number}", reset_less=True)
            if self.latency:
                with m.If(self.enable):
                    m.d.sync += kept.eq(word.value)
            else:
                m.d.comb += kept.eq(word.value)
            made.append(_Word(kept, word.shift))
        return made


class _Word(NamedTuple):
    """A number ``2^shift value``."""

    value: Value
    shift: int
