"""What a pass's precision decides: how many groups of planes, and what the first one holds."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from cimforge.hdl.params.config import MacroConfig

__all__ = ["FirstGroup"]


class FirstGroup:
    """The first group of planes of a vector of ``bits`` and ``signed``, combinational.

    ``line`` has the bit of its number set (groups count down to 0), ``fill`` marks the planes above
    the precision (plane j at bit j - 1, with digits at bit j), ``sign_plane`` the plane that
    carries the sign, none where unsigned. ``bits`` 0 or above input_bits means input_bits.

    Where passes skip (zero_skip), ``marks`` holds a bit for each plane from k up, set where some
    row needs the plane (build_plane_marks): the pass begins at the highest group with a mark below
    the precision, at 0 without any. Planes left out repeat the sign, which the first group's top
    plane then carries, or are 0.
    """

    def __init__(
        self,
        m: Module,
        config: MacroConfig,
        bits: Value,
        signed: Value,
        marks: Value | None = None,
    ):
        k = config.bits_per_cycle
        self.line: Value = Signal(config.max_planes, name="first_line")
        self.fill: Value = Signal(max(1, config.fill_bits), name="first_fill")
        self.sign_plane: Value = Signal(k, name="first_sign_plane")
        if config.digits:
            self._begin_digits(m, config, bits, signed)
        else:
            self._begin_planes(m, config, bits, signed)
        if marks is not None:
            self._skip(m, config, bits, signed, marks)

    def _begin_planes(self, m: Module, config: MacroConfig, bits: Value, signed: Value) -> None:
        """The group of the highest plane that counts."""
        k = config.bits_per_cycle
        with m.Switch(bits):
            for precision in range(1, config.input_bits + 1):
                groups = config.cycles_per_pass(precision)
                used = precision - k * (groups - 1)  # planes of the first group that count
                with m.Case(precision):
                    m.d.comb += self.line.eq(1 << (groups - 1))
                    m.d.comb += self.fill.eq(sum(1 << (plane - 1) for plane in range(used, k)))
                    m.d.comb += self.sign_plane.eq(signed << (used - 1))
            with m.Default():
                m.d.comb += self.line.eq(1 << (config.max_planes - 1))
                m.d.comb += self.sign_plane.eq(signed << (k - 1))

    def _begin_digits(self, m: Module, config: MacroConfig, bits: Value, signed: Value) -> None:
        """The group of the highest digit, which an unsigned vector may have one plane higher."""
        k = config.bits_per_cycle
        with m.Switch(bits):
            for precision in range(1, config.input_bits + 1):
                groups = [config.cycles_per_pass(precision, sign) for sign in (False, True)]
                used = [precision - k * (count - 1) for count in groups]
                fills = [(1 << k) - (1 << count) for count in used]
                # input_bits stands for all others
                with m.Case(precision) if precision < config.input_bits else m.Default():
                    lines = [1 << (count - 1) for count in groups]
                    m.d.comb += self.line.eq(Mux(signed, lines[1], lines[0]))
                    m.d.comb += self.fill.eq(Mux(signed, fills[1], fills[0]))
                    m.d.comb += self.sign_plane.eq(signed << (used[1] - 1))

    def _skip(
        self, m: Module, config: MacroConfig, bits: Value, signed: Value, marks: Value
    ) -> None:
        """Begin at the highest group that is needed, if that is below the precision's."""
        k = config.bits_per_cycle
        counted = Signal(len(marks), name="planes_counted")
        with m.Switch(bits):
            for precision in range(1, config.input_bits):
                with m.Case(precision):
                    m.d.comb += counted.eq(_counted(config, precision, signed))
            with m.Default():
                m.d.comb += counted.eq(_counted(config, config.input_bits, signed))
        needed = Signal(config.max_planes - 1, name="groups_needed")
        m.d.comb += needed.eq(
            Cat((marks & counted)[low : low + k].any() for low in range(0, len(marks), k))
        )
        begin = Signal(config.max_planes, init=1, name="begin_line")
        for group in range(1, config.max_planes):
            with m.If(needed[group - 1]):
                m.d.comb += begin.eq(1 << group)
        skips = Signal(name="skips")
        m.d.comb += skips.eq(begin != self.line)
        self.line = begin
        self.fill = Mux(skips, 0, self.fill)
        self.sign_plane = Mux(skips, signed << (k - 1), self.sign_plane)


def _counted(config: MacroConfig, precision: int, signed: Value) -> Value:
    """The marks that count at a precision: those below it, of unsigned digits at it, too."""
    below = max(0, precision - config.bits_per_cycle)
    through = max(0, precision + 1 - config.bits_per_cycle)
    masks = (1 << below) - 1, (1 << through) - 1
    return Mux(signed, *masks) if config.digits else Const(masks[0], config.mark_bits)
