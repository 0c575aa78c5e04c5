"""Where the words of runs come from: memory or a stream."""

from amaranth.hdl import Module, Mux
from amaranth.lib.wiring import Component, connect, flipped

from cimforge.hdl.engine.burst_reader import BurstReader
from cimforge.hdl.engine.stream_reader import StreamReader
from cimforge.hdl.netlist.block import In
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["WordSource"]


class WordSource(Component):
    """A BurstReader and a StreamReader as one: while ``stream`` is high, runs are the latter's and
    words come from ``into``, without errors. It changes only where ``idle`` is high.

    Latency, rates, ``drain`` and reset are theirs: a cycle from a run to its first burst, or to the
    first word of the stream.
    """

    def __init__(self, config: EngineConfig, most: int):
        self._memory, self._stream = BurstReader(config, most), StreamReader(config, most)
        ports = self._memory.signature.members
        into = self._stream.signature.members["into"]
        super().__init__({**ports, "into": into, "stream": In(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory, m.submodules.tap = memory, tap = self._memory, self._stream
        connect(m, memory.read, flipped(self.read))
        connect(m, flipped(self.read_data), memory.read_data)
        connect(m, flipped(self.into), tap.into)
        run, words = self.run, self.words
        for reader, chosen in ((memory, ~self.stream), (tap, self.stream)):
            m.d.comb += [
                *(reader.run.valid.eq(run.valid & chosen), reader.run.first.eq(run.first)),
                *(reader.run.more.eq(run.more), reader.drain.eq(self.drain)),
                reader.words.ready.eq(words.ready),
            ]
        m.d.comb += [
            run.ready.eq(Mux(self.stream, tap.run.ready, memory.run.ready)),
            words.valid.eq(tap.words.valid | memory.words.valid),
            words.data.eq(Mux(self.stream, tap.words.data, memory.words.data)),
            words.error.eq(memory.words.error & ~self.stream),
            self.idle.eq(tap.idle & memory.idle),
        ]
        return m
