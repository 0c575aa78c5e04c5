"""Run unit: vectors from the activation buffer through the macros into kept sums."""

from amaranth.hdl import Module, ResetSignal, Signal, Value

from cimforge.hdl.engine.activation_buffer import ActivationBuffer
from cimforge.hdl.engine.descriptor_fields import command_fields
from cimforge.hdl.engine.gather import Gather
from cimforge.hdl.engine.result_adder import results_bits
from cimforge.hdl.engine.sum_memory import SumMemory
from cimforge.hdl.macro.streams import beat_stream, macro_streams
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.netlist.module import Module as NetlistModule
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["RunUnit"]

ACT_PINS = ("write", "address", "data", "strobe")  # of the activation buffer


class RunUnit(Block):
    """Run unit of an engine: carries out RUN, by an ActivationBuffer, a Gather and a SumMemory.

    ``command`` has the fields of the descriptor and ``fuse``, the mode of its bank, valid with its
    acceptance. It is taken with the last piece of the one before, so that vectors follow on ``x``
    without a gap (Gather); results of up to WAITING_COMMANDS + 1 commands may be outstanding.
    ``y_data`` is the results of all macros, which answer together, macro 0 lowest. ``released`` is
    high for a cycle when all vectors of a command are taken, ``done`` when all its sums are
    written, both in the order of commands; ``overflow`` after an addition that left the range of
    acc_bits; ``starved`` while a command is under way and no vector offered.

    ``act_write`` puts the bytes of ``act_data`` that ``act_strobe`` selects into the activation
    buffer; ``sums_valid`` asks for a kept vector (SumMemory). Latency from command to the first
    vector: Gather's. Reset empties all streams and keeps activations and sums.
    """

    role = "gather"
    has_reset = True
    latency = Gather.latency

    def __init__(self, config: EngineConfig):
        self._config = config
        fields = command_fields(config, "run")
        inner = {"gather": Gather(config), "sums": SumMemory(config)}
        super().__init__(
            config.module,
            "run",
            {
                "command": In(beat_stream(**fields, fuse=config.macro.w_fuse_width)),
                **{"x": Out(macro_streams(config.macro)["x"])},
                **{"y_valid": In(1), "y_ready": Out(1), "y_data": In(results_bits(config))},
                **{"act_write": In(1), "act_address": In(config.act_bits)},
                **{"act_data": In(config.bus_bits), "act_strobe": In(config.bus_bytes)},
                **{"sums_valid": In(1), "sums_ready": Out(1)},
                **{"sums_vector": In(config.acc_address_bits)},
                **{"sums_data": Out(config.outputs * config.acc_bits)},
                **dict.fromkeys(("released", "done", "overflow", "starved", "idle"), Out(1)),
            },
            {**inner, "buffer": ActivationBuffer(config)},
        )

    def elaborate(self, platform):
        m = Module()
        gather, sums, buffer = (child.module for child in self.children)
        given, ready = Signal(2, name="given"), Signal(2, name="takes")
        enable = Signal(name="read_enable")
        read = {
            "read_address": Signal(self._config.act_bits, name="read_address"),
            "word": Signal(buffer.ports["word"].width, name="read_word"),
        }
        m.d.comb += [
            self.command.ready.eq(ready.all()),
            given[0].eq(self.command.valid & ready[1]),
            given[1].eq(self.command.valid & ready[0]),
        ]
        handshake = {"command_valid": given[0], "command_ready": ready[0]}
        pins = self._same(gather) | handshake | read | {"read_enable": enable}
        m.submodules.gather = self.instance("gather", **pins)
        handshake = {"command_valid": given[1], "command_ready": ready[1]}
        m.submodules.sums = self.instance("sums", **(self._same(sums) | handshake))
        written = {name: self.value(f"act_{name}") for name in ACT_PINS}
        m.submodules.buffer = self.instance("buffer", **written, **read, enable=enable)
        return m

    def _same(self, inner: NetlistModule) -> dict[str, Value]:
        """What goes straight to ports of the same names, of fields the bits that count."""
        own = {name: value for name, _, value in self.members()}
        widths = {port.name: port.width for port in inner.ports.values() if port.name in own}
        return {"rst": ResetSignal()} | {n: own[n][:width] for n, width in widths.items()}
