"""What the engine does in each cycle, for its counters."""

from amaranth.hdl import Module, Mux, Signal, Value

from cimforge.hdl.macro.first_group import FirstGroup
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["EVENTS", "Activity"]

EVENTS = {
    "count_cycle": "a queue is under way",
    "count_compute": "the array takes planes of a vector",
    "count_stall_input": "a RUN has no vector to offer, and nothing is computed",
    "count_stall_output": "a result waits for its sums",
    "count_stall_weights": "a RUN waits for the weights of its bank, and nothing is computed",
    "count_vector": "a vector is handed over",
}


class Activity(Block):
    """Lines that are high in each cycle in which something happens (EVENTS), while ``busy``.

    A vector's planes are taken in the cycles after that in which it is handed over:
    cycles_per_pass(x_bits, x_signed) of them, with zero_skip less those that its pass leaves out,
    whose number ``planes_skipped`` tells in the cycle in which it is handed over. ``marks`` are
    those of the macro's sequencer (build_plane_marks). Latency 1 cycle.
    """

    role = "queue"
    has_reset = True
    latency = 1

    def __init__(self, config: EngineConfig):
        self._config = config
        macro = config.macro
        lines = ("busy", "x_valid", "x_ready", "x_signed", "y_waits", "starved", "waits_weights")
        super().__init__(
            config.module,
            "activity",
            {
                **{name: In(1) for name in lines},
                **{"x_bits": In(macro.x_bits_width), "planes_skipped": Out(8)},
                "marks": In(macro.mark_bits if macro.skips else 0),
                **{name: Out(1) for name in EVENTS},
            },
        )

    def elaborate(self, platform):
        m = Module()
        given = Signal(name="vector_given")
        m.d.comb += given.eq(self.x_valid & self.x_ready)
        left = Signal(range(self._config.macro.max_planes + 1), name="planes_left")
        whole, skipped = self._planes(m)
        m.d.comb += self.planes_skipped.eq(Mux(given & self.busy, skipped, 0))
        with m.If(given):
            m.d.sync += left.eq(whole - skipped)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        computes = left != 0
        happens = {
            "count_cycle": self.busy,
            "count_compute": computes,
            "count_stall_input": self.starved & ~computes,
            "count_stall_output": self.y_waits,
            "count_stall_weights": self.waits_weights & ~computes,
            "count_vector": given,
        }
        m.d.comb += [getattr(self, name).eq(line & self.busy) for name, line in happens.items()]
        return m

    def _planes(self, m: Module) -> tuple[Value, Value]:
        """Cycles of the pass of the vector that is offered, and how many of them zero_skip leaves
        out."""
        macro = self._config.macro
        whole = Signal(range(macro.max_planes + 1), name="planes")
        with m.Switch(self.x_bits):
            for bits in range(1, macro.input_bits + 1):
                with m.Case(bits):
                    m.d.comb += whole.eq(self._cycles(bits))
            with m.Default():
                m.d.comb += whole.eq(self._cycles(0))
        skipped = Signal(range(macro.max_planes + 1), name="skipped")
        if macro.skips:
            first = FirstGroup(m, macro, self.x_bits, self.x_signed, self.marks)
            applied = Signal(range(macro.max_planes + 1), name="applied")
            for number, line in enumerate(first.line):
                with m.If(line):
                    m.d.comb += applied.eq(number + 1)
            m.d.comb += skipped.eq(whole - applied)
        return whole, skipped

    def _cycles(self, bits: int) -> Value:
        """cycles_per_pass of a precision, by the sign."""
        macro = self._config.macro
        return Mux(self.x_signed, macro.cycles_per_pass(bits, True), macro.cycles_per_pass(bits))
