"""Store unit: kept sums to memory, requantised or as they are."""

from amaranth.hdl import Module, Mux, ResetSignal, Signal, Value
from amaranth.lib.wiring import Component, Flow, PureInterface, connect, flipped

from cimforge.hdl.engine.burst_writer import BurstWriter
from cimforge.hdl.engine.byte_packer import BytePacker
from cimforge.hdl.engine.channel_table import channel_fields
from cimforge.hdl.engine.descriptor_fields import command_fields
from cimforge.hdl.engine.element_slicer import ElementSlicer
from cimforge.hdl.engine.requantiser import requantiser_latency
from cimforge.hdl.engine.seams import memory_port
from cimforge.hdl.engine.store_lanes import StoreLanes
from cimforge.hdl.engine.store_sequencer import StoreSequencer
from cimforge.hdl.engine.stream_writer import StreamWriter
from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.engine_config import ADDRESS_BITS, EngineConfig

__all__ = ["RAW_LATENCY", "StoreUnit"]

RAW_LATENCY = 8  # cycles from a command to the first request, of sums as they are


class StoreUnit(Block):
    """Store unit of an engine: carries out STORE, by StoreSequencer, StoreLanes, ElementSlicer,
    BytePacker and BurstWriter, or StreamWriter.

    ``command`` has the fields of the descriptor, valid with its acceptance; it is taken where
    nothing is under way. ``sums_valid`` asks for the kept sums of ``sums_vector``; from the cycle
    after the one with ``sums_ready`` they are in ``sums_data``, output 0 lowest, and stand until
    the next such cycle. ``channel_write`` writes a channel of the table (Requantiser says what its
    fields mean; ``channel_zero`` with weight_zeros only). Elements of vector v go to memory from
    byte target + v * target_pitch on, and no other byte is strobed; or where ``stream`` is 1 to
    ``out``, dense, ``last`` with the last word, which is strobed as far as it is filled.

    ``done`` is high for a cycle when all words are written and answered (streamed: taken), with it
    ``failed`` where an answer was an error.

    Latency: ``latency`` cycles from a command to the first ``write``, where that asks for a
    vector's first group alone, without a stall; RAW_LATENCY of sums as they are. A burst is asked
    for when its last word is there, up to ``burst`` words later, and its words follow from the
    cycle after (BurstWriter).
    Rate: a vector takes max(1, lanes * size / bus_bytes) * ceil((channel mod lanes + outputs) /
    lanes) cycles for elements of ``size`` bytes, one more with weight_zeros (unless raw), one more
    where there is a gap behind it and its last group reaches into another word, and one for each
    in which its sums or memory wait. So with n the sum of that over all vectors, ``done`` comes at
    most n + latency + burst + 1 cycles after the command, and what memory takes to answer.

    ``flush`` forgets the command, without ``done``: nothing is asked for any more (``sums_valid``
    may fall), the words of bursts that were follow with strobe 0, a beat of ``out`` stays until it
    is taken, and a packet begun there is ended (StreamWriter). ``idle`` says that nothing is under
    way or outstanding; in a flush reset must follow. Reset likewise, but forgets what is
    outstanding; channels are kept.
    """

    role = "dma"
    has_reset = True

    def __init__(self, config: EngineConfig):
        self._config = config
        self.latency = RAW_LATENCY + requantiser_latency(config) + int(config.weight_zeros)
        port = memory_port(ADDRESS_BITS, config.bus_bits).members
        channel = {"number": config.channel_bits, **channel_fields(config)}
        beat = beat_stream(data=config.bus_bits, strobe=config.bus_bytes, last=1)
        super().__init__(
            config.module,
            "store",
            {
                "command": In(beat_stream(**command_fields(config, "store"))),
                **{"done": Out(1), "failed": Out(1), "sums_valid": Out(1), "sums_ready": In(1)},
                "sums_vector": Out(config.acc_address_bits),
                **{"sums_data": In(config.outputs * config.acc_bits), "channel_write": In(1)},
                **{f"channel_{name}": In(width) for name, width in channel.items()},
                **{name: port[name] for name in ("write", "write_data", "write_done")},
                **({"out": Out(beat)} if config.streams else {}),
                **{"flush": In(1), "idle": Out(1)},
            },
            {"lanes": StoreLanes(config), "writer": BurstWriter(config)},
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.sequencer = sequencer = StoreSequencer(self._config)
        m.submodules.slicer = slicer = ElementSlicer(self._config)
        m.submodules.packer = packer = BytePacker(self._config)
        step, finished = Signal(name="step"), Signal(name="finished")
        nets: dict[str, Value] = {name: value for name, _, value in self.members()}
        nets |= {"rst": ResetSignal(), "step": step, "idle": Signal(name="writer_idle")}
        told = {n: v for n, v in _plain(sequencer, Out).items() if n not in nets}
        nets |= told | _fields("slot", sequencer.slot) | _fields("groups", slicer.groups)
        nets |= _fields("words", packer.words)
        connect(m, flipped(self.command), sequencer.command)
        connect(m, slicer.pieces, packer.pieces)
        quiet = nets["idle"]
        if self._config.streams:
            quiet &= self._build_stream(m, sequencer.stream, packer.words, nets)
        for part in (sequencer, slicer):
            inputs = {n: port for n, port in _plain(part, In).items() if n in nets}
            m.d.comb += [port.eq(nets[name]) for name, port in inputs.items()]
        for name in ("lanes", "writer"):
            module = next(child.module for child in self.children if child.instance == name)
            pins = {port: nets[port] for port in module.ports if port != "clk"}
            m.submodules[name] = self.instance(name, **pins)

        taken = packer.words.valid & packer.words.ready
        with m.If(sequencer.begins):
            m.d.sync += finished.eq(0)
        with m.Elif(taken & packer.words.final):
            m.d.sync += finished.eq(1)
        m.d.comb += [
            *(packer.start.eq(sequencer.start), packer.before.eq(slicer.before)),
            *(packer.target.eq(sequencer.target), packer.pitch.eq(sequencer.target_pitch)),
            *(self.sums_valid.eq(sequencer.sums_valid), self.sums_vector.eq(sequencer.sums_vector)),
            *(self.done.eq(sequencer.done), sequencer.drained.eq(finished & quiet)),
            self.idle.eq((sequencer.idle | self.flush) & quiet),
        ]
        return m

    def _build_stream(
        self, m: Module, streams: Value, words: PureInterface, nets: dict[str, Value]
    ) -> Value:
        """Words to ``out`` where the command ``streams``, else, by ``nets``, to memory; whether
        none waits for ``out``."""
        m.submodules.stream = stream = StreamWriter(self._config)
        connect(m, flipped(self.out), stream.out)
        valid, ready = Signal(name="memory_valid"), Signal(name="memory_ready")
        nets |= {"words_valid": valid, "words_ready": ready}
        m.d.comb += [
            *(valid.eq(words.valid & ~streams), stream.words.valid.eq(words.valid & streams)),
            words.ready.eq(Mux(streams, stream.words.ready, ready)),
            *(stream.words.data.eq(words.data), stream.words.strobe.eq(words.strobe)),
            *(stream.words.last.eq(words.final), stream.flush.eq(self.flush)),
        ]
        return stream.idle


def _plain(part: Component, flow: Flow) -> dict[str, Value]:
    """The ports of a component that are no streams, by name."""
    members = part.signature.members.items()
    return {name: getattr(part, name) for name, m in members if m.is_port and m.flow == flow}


def _fields(name: str, stream: PureInterface) -> dict[str, Value]:
    """The lines of a stream by the names of a block's ports."""
    return {f"{name}_{field}": getattr(stream, field) for field in stream.signature.members}
