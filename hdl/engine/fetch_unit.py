"""Fetch unit: weights, activations and channels from memory into the engine."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import Member, Signature, connect, flipped

from cimforge.hdl.engine.burst_reader import BurstReader
from cimforge.hdl.engine.channel_writer import CHANNEL_BITS, CHANNEL_FIELDS, ChannelWriter
from cimforge.hdl.engine.descriptor_fields import command_fields
from cimforge.hdl.engine.line_writer import LineWriter
from cimforge.hdl.engine.row_assembler import RowAssembler
from cimforge.hdl.engine.seams import memory_port
from cimforge.hdl.engine.stream_reader import data_stream
from cimforge.hdl.engine.word_source import WordSource
from cimforge.hdl.macro.streams import beat_stream, macro_streams
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.engine_config import ADDRESS_BITS, EngineConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["FetchUnit", "row_stream"]

TOLD = ("bank", "signed", "fuse", "fill")  # fields of a LOAD that go with each row


def row_stream(config: EngineConfig) -> Signature:
    """The macro's stream w, with the data of all macros side by side, macro 0 lowest."""
    members: dict[str, Member] = dict(macro_streams(config.macro)["w"].members)
    return Signature(members | {"data": Out(config.row_bits)})


def _most_words(config: EngineConfig) -> int:
    """Most words of a run: those of a whole bank, of a line or of all channels."""
    channels = -(-min(config.channels, config.act_bytes) * CHANNEL_BITS // config.bus_bits)
    line = config.act_bytes // config.bus_bytes
    return max(config.macro.rows * config.row_words, channels, line)


class FetchUnit(Block):
    """Fetch unit of an engine: carries out LOAD and COPY.

    A ``command`` (``load`` 1: LOAD, 0: COPY; fields as in their descriptors, those of the other
    say nothing) is taken where nothing is under way. Its words come from memory, ``read`` and
    ``read_data`` (BurstReader), or where its ``stream`` is 1 from ``into``, dense: each row, line,
    and all channels together, in whole words. Rows go to ``w`` (RowAssembler), lines are written by
    ``act_write`` into the activation buffer (LineWriter), channels by ``channel_write`` into the
    channel table (ChannelWriter). Writes never wait.

    ``done`` is high for a cycle when all rows are taken or all words written; with it ``failed``
    says that memory answered with an error, ``bad_channel`` that a multiplier or shift was illegal
    (only that channel is left out). From the first word with an error on nothing is written, no
    burst is asked for that was not offered by then, and what is outstanding is dropped; rows that
    had come whole still go.

    Latency: 2 cycles from ``command`` to the first ``read``; words are written in the cycle in
    which they come, a row is offered one later; ``done`` comes in the cycle after the last write or
    the last row's acceptance, readiness for a command in that after ``done``. Rate: a word a cycle,
    rows and lines without a gap, as BurstReader and RowAssembler say. So n words from memory that
    answers L >= 1 cycles after it was asked take n + L + 3 cycles from one command to the next, of
    a LOAD n + L + 4; from a stream L is 0.

    ``flush`` ends what is under way without ``done``: bursts already offered are taken, their words
    dropped; ``w_valid`` may fall. ``idle`` says that nothing is under way or outstanding; until
    then no command is taken. Reset likewise, but forgets what is outstanding.
    """

    role = "dma"
    has_reset = True
    latency = 2

    def __init__(self, config: EngineConfig):
        self._config = config
        port = memory_port(ADDRESS_BITS, config.bus_bits).members
        channel = {"number": config.channel_bits, **CHANNEL_FIELDS}
        super().__init__(
            config.module,
            "fetch",
            {
                "command": In(beat_stream(load=1, **command_fields(config, "load", "copy"))),
                **{"read": port["read"], "read_data": port["read_data"]},
                **({"into": In(data_stream(config))} if config.streams else {}),
                **{"w": Out(row_stream(config)), "act_write": Out(1)},
                **{"act_address": Out(config.act_bits), "act_data": Out(config.bus_bits)},
                **{"act_strobe": Out(config.bus_bytes), "channel_write": Out(1)},
                **{f"channel_{name}": Out(width) for name, width in channel.items()},
                **{"done": Out(1), "failed": Out(1), "bad_channel": Out(1)},
                **{"flush": In(1), "idle": Out(1)},
            },
        )

    def elaborate(self, platform):
        m = Module()
        config, command, most = self._config, self.command, _most_words(self._config)
        m.submodules.source = source = (WordSource if config.streams else BurstReader)(config, most)
        begins = Signal()
        busy = Signal()
        ended = Signal()
        m.d.comb += [
            *(self.idle.eq(~busy & source.idle), command.ready.eq(self.idle & ~self.flush)),
            *(begins.eq(command.valid & command.ready), self.done.eq(ended & ~self.flush)),
            source.drain.eq(~busy | self.flush | self.failed),
        ]
        with m.If(begins):
            m.d.sync += busy.eq(1)
        with m.Elif(ended | self.flush):
            m.d.sync += busy.eq(0)
        connect(m, source.read, flipped(self.read))
        connect(m, flipped(self.read_data), source.read_data)
        if config.streams:
            connect(m, flipped(self.into), source.into)
            m.d.comb += source.stream.eq(self._kept(m, begins, "stream"))

        less, more = self._build_lengths(m, most)
        pending = self._build_runs(m, begins, source.run, more)
        m.submodules.rows = rows = RowAssembler(config)
        m.d.comb += rows.clear.eq(~busy | self.flush)
        self._build_w(m, begins, rows.rows)
        m.submodules.lines = lines = LineWriter(config, most)
        self._build_lines(m, begins, lines, more, less)
        m.submodules.channels = channels = ChannelWriter(config)
        self._build_channels(m, begins, channels)
        self._build_words(m, begins, source.words, rows.words, lines.words, channels.words)
        m.d.comb += ended.eq(busy & ~pending & source.idle & ~rows.rows.valid)
        return m

    def _kept(self, m: Module, begins: Signal, name: str, width: int | None = None) -> Signal:
        """The lowest bits of a field of the command under way."""
        field = getattr(self.command, name)
        kept = Signal(len(field) if width is None else width, name=f"{name}_kept", reset_less=True)
        with m.If(begins):
            m.d.sync += kept.eq(field)
        return kept

    def _build_lengths(self, m: Module, most: int) -> tuple[Signal, Signal]:
        """Of the command offered: rows, bytes of a line or channels, less one; and words of a run,
        less one."""
        config, command = self._config, self.command
        less = Signal(range(max(config.macro.rows, config.act_bytes)), name="count_less_one")
        more = Signal(unsigned_width(most - 1), name="words_less_one")
        m.d.comb += less.eq(Mux(command.load, command.rows, command.count) - 1)
        with m.If(command.load):
            m.d.comb += more.eq(_times(less, config.row_words) + (config.row_words - 1))
        with m.Elif(command.channels & (config.bus_bits <= CHANNEL_BITS)):
            parts = CHANNEL_BITS // config.bus_bits  # words of a channel
            m.d.comb += more.eq(Cat(Const(parts - 1, unsigned_width(parts - 1)), less))
        with m.Elif(command.channels):
            m.d.comb += more.eq(less[unsigned_width(config.bus_bits // CHANNEL_BITS - 1) :])
        with m.Else():
            m.d.comb += more.eq(less[self._place :])
        return less, more

    @property
    def _place(self) -> int:
        """Bits of a byte's place in a word of the bus."""
        return unsigned_width(self._config.bus_bytes - 1)

    def _build_runs(self, m: Module, begins: Signal, run, more: Signal) -> Signal:
        """The command's runs: one, or of a COPY one a line. Returns whether some are left."""
        command = self.command
        pending = Signal(name="runs_pending")
        first = Signal(len(run.first), name="run_first", reset_less=True)
        left = Signal(len(command.lines), name="runs_left", reset_less=True)
        pitch = Signal(len(first), name="run_pitch", reset_less=True)
        length = Signal(len(run.more), name="run_more", reset_less=True)
        m.d.comb += [run.valid.eq(pending), run.first.eq(first), run.more.eq(length)]
        with m.If(begins):
            m.d.sync += [pending.eq(1), left.eq(Mux(command.load, 1, command.lines))]
            m.d.sync += [first.eq(command.source[self._place :]), length.eq(more)]
            m.d.sync += pitch.eq(command.source_pitch[self._place :])
        with m.Elif(self.failed):
            m.d.sync += pending.eq(0)
        with m.Elif(run.valid & run.ready):
            m.d.sync += [pending.eq(left != 1), left.eq(left - 1), first.eq(first + pitch)]
        return pending

    def _build_words(self, m: Module, begins: Signal, words, rows, lines, channels) -> None:
        """Words to what the command is for; an error ends it, whether or not its word is taken."""
        load, table = self._kept(m, begins, "load"), self._kept(m, begins, "channels")
        right = Signal(name="word_right")
        m.d.comb += [
            right.eq(words.valid & ~words.error),
            words.ready.eq(Mux(load, rows.ready, ~table | channels.ready)),
        ]
        sinks = (rows, load), (channels, ~load & table), (lines, ~load & ~table)
        for sink, chosen in sinks:
            m.d.comb += [sink.valid.eq(right & chosen), sink.data.eq(words.data)]
        with m.If(begins):
            m.d.sync += self.failed.eq(0)
        with m.Elif(words.valid & words.error):
            m.d.sync += self.failed.eq(1)

    def _build_w(self, m: Module, begins: Signal, rows) -> None:
        """Rows to the macros, with what the command says of them."""
        w = self.w
        m.d.comb += [w.valid.eq(rows.valid), w.data.eq(rows.data), rows.ready.eq(w.ready)]
        for name in TOLD:
            if name in w.signature.members:
                told = getattr(w, name)
                m.d.comb += told.eq(self._kept(m, begins, name, len(told)))
        if "row" in w.signature.members:
            row = Signal(len(w.row), name="row_number", reset_less=True)
            m.d.comb += w.row.eq(row)
            with m.If(begins):
                m.d.sync += row.eq(self.command.first)
            with m.Elif(w.valid & w.ready):
                m.d.sync += row.eq(row + 1)

    def _build_lines(
        self, m: Module, begins: Signal, lines: LineWriter, more: Signal, less: Signal
    ) -> None:
        """Lines to the activation buffer."""
        command = self.command
        m.d.comb += [
            *(lines.start.eq(begins), lines.target.eq(command.target)),
            *(lines.target_pitch.eq(command.target_pitch), lines.more.eq(more)),
            *(lines.tail.eq(less), self.act_write.eq(lines.write)),
            *(self.act_address.eq(lines.address), self.act_data.eq(lines.data)),
            self.act_strobe.eq(lines.strobe),
        ]

    def _build_channels(self, m: Module, begins: Signal, channels: ChannelWriter) -> None:
        """Channels to their table."""
        command = self.command
        m.d.comb += [
            *(channels.start.eq(begins), channels.first.eq(command.target)),
            *(channels.count.eq(command.count), self.bad_channel.eq(channels.bad)),
            self.channel_write.eq(channels.write),
        ]
        if self._config.channel_bits:
            m.d.comb += self.channel_number.eq(channels.number)
        for name in CHANNEL_FIELDS:
            m.d.comb += getattr(self, f"channel_{name}").eq(getattr(channels, name))


def _times(value: Value, factor: int) -> Value:
    """The product, of shifts and adders, so that no multiplier is spent on it."""
    bits = (bit for bit in range(factor.bit_length()) if factor >> bit & 1)
    return sum((value << bit for bit in bits), Const(0))
