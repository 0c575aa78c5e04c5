"""What a pass's precision decides: how many groups of planes, and what the first one holds."""

from amaranth.hdl import Module, Signal, Value

from cimforge.hdl.params.config import MacroConfig

__all__ = ["FirstGroup"]


class FirstGroup:
    """The first group of planes of a vector of ``bits`` and ``signed``, combinational.

    ``group`` is its number (groups count down to 0), ``fill`` marks the planes above the precision
    (plane j at bit j - 1), ``sign_plane`` the plane that carries the sign, none where unsigned.
    ``bits`` 0 or above input_bits means input_bits.
    """

    def __init__(self, m: Module, config: MacroConfig, bits: Value, signed: Value):
        k = config.bits_per_cycle
        self.group = Signal(max(1, (config.max_planes - 1).bit_length()), name="first_group")
        self.fill = Signal(max(1, k - 1), name="first_fill")
        self.sign_plane = Signal(k, name="first_sign_plane")
        with m.Switch(bits):
            for precision in range(1, config.input_bits + 1):
                groups = config.cycles_per_pass(precision)
                used = precision - k * (groups - 1)  # planes of the first group that count
                with m.Case(precision):
                    m.d.comb += self.group.eq(groups - 1)
                    m.d.comb += self.fill.eq(sum(1 << (plane - 1) for plane in range(used, k)))
                    m.d.comb += self.sign_plane.eq(signed << (used - 1))
            with m.Default():
                m.d.comb += self.group.eq(config.max_planes - 1)
                m.d.comb += self.sign_plane.eq(signed << (k - 1))
