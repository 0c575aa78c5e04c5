"""Which line a piece is in, and where that begins in the activation buffer."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import Component

from cimforge.hdl.engine.positions import POSITION, far_sum
from cimforge.hdl.engine.walk_step import FACTORS, STEP
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["LineWalk"]

FIELDS = ("origin_y", "step_y", "stride_y", "line_bytes", "lines")


class LineWalk(Component):
    """Buffer address ``address`` of byte 0 of the line of a piece, modulo act_bytes; ``outside``
    where the image has no such line.

    Fields are taken over with ``takes``; where ``moves`` is high, what ``step`` says is done,
    ``begin`` not before the last piece of the command before has gone. A step is one addition:
    addresses advance by step_y * line_bytes, stride_y * line_bytes or image_pitch. These products,
    and origin_y * line_bytes, are made by steps that ``multiply`` by the bits of ``factors``
    (LineFactors), one place each. Latency 1 cycle from a step; lines are exact as far as they
    matter (far_sum).
    """

    latency = 1

    def __init__(self, config: EngineConfig):
        self._config = config
        address = config.act_bits
        super().__init__(
            {
                **dict.fromkeys(FIELDS, In(16)),
                **{"source": In(address), "image_pitch": In(address)},
                **{"takes": In(1), "moves": In(1), "step": In(STEP)},
                **{"factors": In(FACTORS), "address": Out(address), "outside": Out(1)},
            }
        )

    def elaborate(self, platform):
        m = Module()
        names = {**dict.fromkeys(FIELDS, 16), "source": self._config.act_bits}
        names["image_pitch"] = self._config.act_bits
        field = {n: Signal(w, reset_less=True, name=f"{n}_q") for n, w in names.items()}
        with m.If(self.takes):
            m.d.sync += [value.eq(getattr(self, name)) for name, value in field.items()]
        self._build_line(m, field)
        self._build_address(m, field, *self._build_products(m, field["line_bytes"]))
        return m

    def _build_line(self, m: Module, field: dict[str, Signal]) -> None:
        """The line's number; kept for the first line of the vector, and of the image."""
        step, line = self.step, Signal(POSITION, reset_less=True)
        of_row = Signal(POSITION, reset_less=True, name="line_of_row")
        of_image = Signal(POSITION, reset_less=True, name="line_of_image")
        lines = Signal(16, reset_less=True)
        base, more = Signal(POSITION, name="line_base"), Signal(16, name="line_more")
        following = far_sum(m, base, more, "line_following")
        m.d.comb += [base.eq(line), more.eq(field["step_y"])]
        m.d.comb += self.outside.eq(line.as_unsigned() >= lines)
        with m.If(step.begin):
            m.d.comb += [base.eq(field["origin_y"].as_signed()), more.eq(0)]
        with m.Elif(step.vector):
            m.d.comb += base.eq(Mux(step.image, of_image, of_row))
            m.d.comb += more.eq(Mux(step.row & ~step.image, field["stride_y"], 0))
        prepares = step.begin | step.skip_y
        with m.If(self.moves):
            with m.If(prepares | step.line | step.vector):
                m.d.sync += line.eq(following)
            with m.If(prepares | step.vector):
                m.d.sync += of_row.eq(following)
            with m.If(prepares):
                m.d.sync += of_image.eq(following)
            with m.If(step.begin):
                m.d.sync += lines.eq(field["lines"])

    def _build_products(self, m: Module, line_bytes: Signal) -> tuple[Signal, Signal, Signal]:
        """step_y * line_bytes, stride_y * line_bytes, and what the bit of origin_y adds to the
        address."""
        step, width = self.step, self._config.act_bits
        shifted = Signal(width, reset_less=True)
        with m.If(self.moves & step.begin):
            m.d.sync += shifted.eq(line_bytes)
        with m.Elif(self.moves & step.multiply):
            m.d.sync += shifted.eq(shifted << 1)
        products = []
        for name, bit in (("step", self.factors.step), ("stride", self.factors.stride)):
            product = Signal(width, reset_less=True, name=f"{name}_bytes")
            with m.If(self.moves & step.begin):
                m.d.sync += product.eq(0)
            with m.Elif(self.moves & step.multiply & bit):
                m.d.sync += product.eq(product + shifted)
            products.append(product)
        moved = Signal(width, name="origin_bytes")
        m.d.comb += moved.eq(
            Mux(self.factors.origin, Mux(self.factors.above, -shifted, shifted), 0)
        )
        return products[0], products[1], moved

    def _build_address(
        self, m: Module, field: dict[str, Signal], step_bytes: Signal, stride_bytes: Signal, moved
    ) -> None:
        """The line's address; kept for the first line of the vector, and of the image."""
        step, width = self.step, self._config.act_bits
        address = Signal(width, reset_less=True, name="address_q")
        of_row = Signal(width, reset_less=True, name="address_of_row")
        of_image = Signal(width, reset_less=True, name="address_of_image")
        base, more = Signal(width, name="address_base"), Signal(width, name="address_more")
        following = Signal(width, name="address_following")
        m.d.comb += [base.eq(address), more.eq(step_bytes), following.eq(base + more)]
        m.d.comb += self.address.eq(address)
        with m.If(step.begin):
            m.d.comb += base.eq(field["source"])
            m.d.comb += more.eq(Mux(field["origin_y"][-1], -field["line_bytes"], 0))
        with m.Elif(step.multiply):
            m.d.comb += more.eq(moved)
        with m.Elif(step.vector):
            pitch = field["image_pitch"]
            m.d.comb += base.eq(Mux(step.image, of_image, of_row))
            m.d.comb += more.eq(Mux(step.image, pitch, Mux(step.row, stride_bytes, 0)))
        prepares = step.begin | step.multiply | step.skip_y
        with m.If(self.moves):
            with m.If(prepares | step.line | step.vector):
                m.d.sync += address.eq(following)
            with m.If(prepares | step.vector):
                m.d.sync += of_row.eq(following)
            with m.If(prepares | step.image):
                m.d.sync += of_image.eq(following)
