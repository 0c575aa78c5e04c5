"""Requantiser: a kept sum to an element, in one of three roundings."""

from typing import NamedTuple

from amaranth.hdl import Cat, EnableInserter, Module, Mux, Shape, Signal, Value, signed

from cimforge.hdl.engine.channel_writer import CHANNEL_FIELDS
from cimforge.hdl.engine.delayed import delayed
from cimforge.hdl.macro.arbiter import below
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.descriptors import ROUNDINGS
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.ranges import signed_width, unsigned_width

__all__ = ["ELEMENT_BITS", "Requantiser", "requantiser_latency"]

ELEMENT_BITS = 16  # of a requantised element, its zero point and its limits
INT32_BITS = 32
POINT = 31  # fraction bits of a multiplier, Q31
PART_BITS = 16  # of the lower part of a multiplier: each part has a product of its own
COARSE = 32  # the first shift to the right, which every negative shift takes
FINE = (16, 8, 4, 2, 1)


class _Shifted(NamedTuple):
    """A product on its way to the right: ``low`` are those of its bits that may still reach the
    result, the lowest its guard; ``sign`` is above them, unless ``over``: then it is larger than
    that. ``sticky``: ones were shifted out; ``up``: a tie goes up."""

    low: Signal
    sign: Signal
    over: Signal
    sticky: Signal
    up: Signal


def _signed(low: int, high: int) -> Shape:
    return signed(signed_width(low, high))


def requantiser_latency(config: EngineConfig) -> int:
    """Cycles from a sum to its element."""
    return 9 if config.weight_zeros else 8


class Requantiser(Block):
    """One lane: ``element = clamp(round(v * multiplier * 2^(shift - 31)) + zero)`` of ``v = sum +
    bias - weight_zero * ones``, exact up to the rounding.

    ``sum`` and ``ones`` have acc_bits, two's complement as all but ``multiplier``; ``ones`` and
    ``weight_zero`` are there with weight_zeros only. The channel's fields come with the sum;
    ``rounding`` (ROUNDINGS by number), ``zero``, ``lowest`` and ``highest`` stand still while sums
    are under way. With t = 31 - shift and P the product:

    - ``double``: v << max(shift, 0) is saturated to int32; P / 2^31 is rounded to nearest, ties up;
      where the shift is to the right, that is shifted and rounded to nearest again, ties away from
      zero. A left shift that saturates nothing is a shift of P by t; one that does takes the
      extreme in place of v, and t = 31. So there is no shifter before the multiplier.
    - ``single``: P / 2^t to nearest, ties up. ``half_even``: likewise, ties to even.

    P is shifted right with one bit of fraction kept, the guard; what goes beyond it is collected in
    a sticky bit, and the two decide on the increment. The coarse shift comes first: then only the
    bits that can still reach the result are kept, and one flag says that P has more. What is beyond
    17 bits ends at a limit, whatever zero point is added.

    ``latency`` cycles, requantiser_latency, one sum a cycle; all registers move where ``enable`` is
    high and hold otherwise. Not reset: who feeds it knows which cycles count. The multiplier is
    used in two parts, with registers before and behind their products, as DSP blocks want.

    Source: the roundings are those of TensorFlow Lite (gemmlowp's SaturatingRoundingDoublingHighMul
    and RoundingDivideByPOT; its single-rounding build) and of IEEE 754.
    """

    role = "requantise"

    def __init__(self, config: EngineConfig):
        self._config = config
        self.latency = requantiser_latency(config)
        channel = {name: In(width) for name, width in CHANNEL_FIELDS.items() if name != "zero"}
        ones = {"ones": In(signed(config.acc_bits)), "weight_zero": In(signed(ELEMENT_BITS))}
        limits = ("zero", "lowest", "highest")
        super().__init__(
            config.module,
            "requantiser",
            {
                **{"enable": In(1), "sum": In(signed(config.acc_bits)), **channel},
                **(ones if config.weight_zeros else {}),
                **{"rounding": In(2), **{name: In(signed(ELEMENT_BITS)) for name in limits}},
                "element": Out(signed(ELEMENT_BITS)),
            },
        )

    def elaborate(self, platform):
        m = Module()
        double, half_even = (self.rounding == ROUNDINGS.index(n) for n in ("double", "half_even"))
        value, multiplier, shift = self._build_value(m)
        factor, multiplier, places = self._build_factor(m, value, multiplier, shift, double)
        product = self._build_product(m, factor, multiplier)
        for stage in ("part", "product"):
            places = delayed(m, f"{stage}_places", places)
        shifted = self._build_coarse(m, product, places[-1], double, half_even)
        shifted = self._build_fine(m, shifted, delayed(m, "fine_places", places[:-1]))
        self._build_element(m, shifted, half_even)
        return EnableInserter(self.enable)(m)

    def _build_value(self, m: Module) -> tuple[Signal, Signal, Signal]:
        """Cycle 1, with weight_zeros 2: v, and the channel's multiplier and shift beside it."""
        most = (1 << len(self.sum) - 1) + (1 << len(self.bias) - 1)
        biased = delayed(m, "biased", self.sum + self.bias.as_signed(), _signed(-most, most - 2))
        multiplier = delayed(m, "multiplier", self.multiplier)
        shift = delayed(m, "shift", self.shift)
        if not self._config.weight_zeros:
            return biased, multiplier, shift
        largest = 1 << len(self.ones) + ELEMENT_BITS - 2
        off = delayed(m, "off", self.ones * self.weight_zero, _signed(-largest, largest))
        most += largest
        value = delayed(m, "value", biased - off, _signed(-most, most))
        kept = (("multiplier", multiplier), ("shift", shift))
        return value, *(delayed(m, f"value_{name}", each) for name, each in kept)

    def _build_factor(
        self, m: Module, value: Signal, multiplier: Signal, shift: Signal, double: Value
    ) -> tuple[Signal, Signal, Signal]:
        """The next cycle: what is multiplied, and the places t to shift the product by."""
        sign, right, left = value[-1], shift[-1], ~shift[:-1]
        room = Signal(unsigned_width(POINT))  # bits that a shift to the left leaves a magnitude
        wrong = Signal(POINT)
        over = Signal(name="saturates")
        m.d.comb += room.eq(left | right.replicate(len(room)))  # 31 - max(shift, 0)
        fitting = below(m, "fitting", room, POINT)
        beyond = value[POINT:-1] ^ sign.replicate(len(value) - POINT - 1)
        m.d.comb += [
            wrong.eq((value[:POINT] ^ sign.replicate(POINT)) & ~fitting),
            over.eq(double & (wrong.any() | beyond.any())),
        ]
        extreme = Cat((~sign).replicate(INT32_BITS - 1), sign).as_signed()
        factor = delayed(m, "factor", Mux(over, extreme, value), signed(len(value)))
        places = Cat(left | (over & ~right).replicate(len(left)), right)
        return (
            factor,
            delayed(m, "factor_multiplier", multiplier),
            delayed(m, "factor_places", places),
        )

    def _build_product(self, m: Module, factor: Signal, multiplier: Signal) -> Signal:
        """Two cycles: the products of the multiplier's parts, and their sum."""
        low, high = (
            delayed(m, f"{name}_product", factor * part)
            for name, part in (("low", multiplier[:PART_BITS]), ("high", multiplier[PART_BITS:]))
        )
        total = Signal(signed(len(high) + 1))
        m.d.comb += total.eq((low >> PART_BITS) + high)
        product = Cat(low[:PART_BITS], total).as_signed()
        return delayed(m, "product", product, signed(len(factor) + len(multiplier)))

    def _build_coarse(
        self, m: Module, product: Signal, right: Value, double: Value, half_even: Value
    ) -> _Shifted:
        """The next cycle: the product and its guard, shifted by COARSE or not; a shift to the right
        rounds ``double`` for the first time, at the bit that then is the guard's neighbour."""
        shape = signed(len(product) + 1)
        far = Signal(shape)
        whole = Signal(shape)
        m.d.comb += [
            far.eq((product >> COARSE - 1) + (double & product[POINT - 1])),
            whole.eq(Mux(right, far, product << 1)),
        ]
        keep, sign = ELEMENT_BITS + 1 + sum(FINE), whole[-1]
        beyond = whole[keep:-1] ^ sign.replicate(len(whole) - keep - 1)
        lost = product[: COARSE - 1].any() & right & half_even
        up = ~half_even & ~(double & right & sign)
        return _Shifted(
            delayed(m, "coarse", whole[:keep]),
            delayed(m, "coarse_sign", sign),
            delayed(m, "coarse_over", beyond.any()),
            delayed(m, "coarse_sticky", lost),
            delayed(m, "coarse_up", up),
        )

    def _build_fine(self, m: Module, shifted: _Shifted, places: Value) -> _Shifted:
        """The next cycle: the rest of the shift; 16 bits and the guard are left."""
        low, sign, over, sticky, up = shifted
        keep = len(low)
        for line, distance in zip(reversed(places), FINE, strict=True):
            keep -= distance
            moved, lost = Signal(keep, name=f"right_{distance}"), low[:distance].any()
            m.d.comb += moved.eq(Mux(line, low[distance:], low))
            beyond = ~line & (low[keep:] ^ sign.replicate(distance)).any()
            low, over, sticky = moved, over | beyond, sticky | (line & lost)
        return _Shifted(
            delayed(m, "fine", low),
            delayed(m, "fine_sign", sign),
            delayed(m, "fine_over", over),
            delayed(m, "fine_sticky", sticky),
            delayed(m, "fine_up", up),
        )

    def _build_element(self, m: Module, shifted: _Shifted, half_even: Value) -> None:
        """Two cycles: increment and zero point; limits."""
        low, sign, over, sticky, up = shifted
        guard, result = low[0], low[1:]
        rounded = Cat(Mux(over, (~sign).replicate(ELEMENT_BITS), result), sign).as_signed()
        increment = guard & (sticky | up | (half_even & result[0]))
        most = (1 << ELEMENT_BITS) + (1 << ELEMENT_BITS - 1)
        moved = delayed(m, "moved", rounded + self.zero + increment, _signed(-most, most))
        clamped = Mux(moved > self.highest, self.highest, moved)
        clamped = Mux(moved < self.lowest, self.lowest, clamped)
        m.d.comb += self.element.eq(delayed(m, "element", clamped, signed(ELEMENT_BITS)))
