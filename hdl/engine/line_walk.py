"""Which line a piece is in, and where that begins in the activation buffer."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib.wiring import Component

from cimforge.hdl.engine.positions import POSITION, far_sum
from cimforge.hdl.engine.walk_step import STEP
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["LineWalk"]

FIELDS = ("origin_y", "step_y", "stride_y", "line_bytes", "lines")


class LineWalk(Component):
    """Buffer address ``address`` of byte 0 of the line of a piece, modulo act_bytes; ``outside``
    where the image has no such line.

    With ``step.begin`` fields are those of a new command, else they say nothing. A step is one
    addition: addresses advance by step_y * line_bytes, or stride_y * line_bytes, or image_pitch.
    The two products and that of origin_y are made at the start, all bits of one place a cycle
    (``step.multiply``), the lowest first, until none is left: ``more`` says that this is not the
    last. Of a negative origin the bits of its complement are taken: origin_y * b = -b - ~origin_y *
    b, so that origins near 0 take few cycles, too. Latency 1 cycle; lines are exact as far as they
    matter (far_sum).
    """

    latency = 1

    def __init__(self, config: EngineConfig):
        self._config = config
        address = config.act_bits
        super().__init__(
            {
                **dict.fromkeys(FIELDS, In(16)),
                **{"source": In(address), "image_pitch": In(address), "step": In(STEP)},
                **{"more": Out(1), "address": Out(address), "outside": Out(1)},
            }
        )

    def elaborate(self, platform):
        m = Module()
        step_y, stride_y = Signal(16, reset_less=True), Signal(16, reset_less=True)
        with m.If(self.step.begin):
            m.d.sync += [step_y.eq(self.step_y), stride_y.eq(self.stride_y)]
        self._build_line(m, step_y, stride_y)
        self._build_address(m, *self._build_products(m))
        return m

    def _build_line(self, m: Module, step_y: Signal, stride_y: Signal) -> None:
        """The line's number; kept for the first line of the vector, and of the image."""
        step, line = self.step, Signal(POSITION, reset_less=True)
        of_row = Signal(POSITION, reset_less=True, name="line_of_row")
        of_image = Signal(POSITION, reset_less=True, name="line_of_image")
        lines = Signal(16, reset_less=True, name="lines_q")
        base, more = Signal(POSITION, name="line_base"), Signal(16, name="line_more")
        following = far_sum(m, base, more, "line_following")
        m.d.comb += [base.eq(line), more.eq(step_y), self.outside.eq(line.as_unsigned() >= lines)]
        with m.If(step.vector):
            m.d.comb += base.eq(Mux(step.image, of_image, of_row))
            m.d.comb += more.eq(Mux(step.row & ~step.image, stride_y, 0))
        with m.If(step.begin):
            origin = self.origin_y.as_signed()
            m.d.sync += [line.eq(origin), of_row.eq(origin), of_image.eq(origin)]
            m.d.sync += lines.eq(self.lines)
        with m.Elif(step.skip_y | step.line | step.vector):
            m.d.sync += line.eq(following)
            with m.If(~step.line):
                m.d.sync += of_row.eq(following)
            with m.If(step.skip_y):
                m.d.sync += of_image.eq(following)

    def _build_products(self, m: Module) -> tuple[Signal, Signal, Value]:
        """step_y * line_bytes, stride_y * line_bytes, and what the next place of origin_y adds to
        the address."""
        step, width = self.step, self._config.act_bits
        shifted = Signal(width, reset_less=True)
        with m.If(step.begin):
            m.d.sync += shifted.eq(self.line_bytes)
        with m.Elif(step.multiply):
            m.d.sync += shifted.eq(shifted << 1)
        products, factors = [], []
        for name in ("step", "stride"):
            product = Signal(width, reset_less=True, name=f"{name}_bytes")
            factor = Signal(16, reset_less=True, name=f"{name}_factor")
            with m.If(step.begin):
                m.d.sync += [product.eq(0), factor.eq(getattr(self, f"{name}_y"))]
            with m.Elif(step.multiply):
                m.d.sync += product.eq(product + Mux(factor[0], shifted, 0))
                m.d.sync += factor.eq(factor >> 1)
            products.append(product)
            factors.append(factor)
        above = Signal(reset_less=True, name="origin_above")
        origin = Signal(15, reset_less=True, name="origin_factor")
        sign = self.origin_y[-1]
        with m.If(step.begin):
            m.d.sync += [above.eq(sign), origin.eq(self.origin_y[:-1] ^ sign.replicate(15))]
        with m.Elif(step.multiply):
            m.d.sync += origin.eq(origin >> 1)
        m.d.comb += self.more.eq(Cat(factor[1:] for factor in (*factors, origin)).any())
        moved = Signal(width, name="origin_bytes")
        m.d.comb += moved.eq(Mux(origin[0], Mux(above, -shifted, shifted), 0))
        return products[0], products[1], moved

    def _build_address(
        self, m: Module, step_bytes: Signal, stride_bytes: Signal, moved: Value
    ) -> None:
        """The line's address; kept for the first line of the vector, and of the image."""
        step, width = self.step, self._config.act_bits
        address = Signal(width, reset_less=True, name="address_q")
        of_row = Signal(width, reset_less=True, name="address_of_row")
        of_image = Signal(width, reset_less=True, name="address_of_image")
        pitch = Signal(width, reset_less=True, name="image_pitch_q")
        base, more = Signal(width, name="address_base"), Signal(width, name="address_more")
        following = Signal(width, name="address_following")
        m.d.comb += [base.eq(address), more.eq(step_bytes), following.eq(base + more)]
        m.d.comb += self.address.eq(address)
        with m.If(step.begin):
            above = Mux(self.origin_y[-1], self.line_bytes, 0)
            m.d.comb += [base.eq(self.source), more.eq(-above)]
            m.d.sync += pitch.eq(self.image_pitch)
        with m.Elif(step.multiply):
            m.d.comb += more.eq(moved)
        with m.Elif(step.vector):
            m.d.comb += base.eq(Mux(step.image, of_image, of_row))
            m.d.comb += more.eq(Mux(step.image, pitch, Mux(step.row, stride_bytes, 0)))
        prepares = step.begin | step.multiply | step.skip_y
        with m.If(prepares | step.line | step.vector):
            m.d.sync += address.eq(following)
        with m.If(prepares | step.vector):
            m.d.sync += of_row.eq(following)
        with m.If(prepares | step.image):
            m.d.sync += of_image.eq(following)
