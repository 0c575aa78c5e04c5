"""AXI4-Stream front ends: in and out."""

from amaranth.hdl import Module

from cimforge.hdl.bus.bus_ports import axi_stream
from cimforge.hdl.bus.stream_buffer import StreamBuffer
from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import Block, In, Out

__all__ = ["AxiStreamIn", "AxiStreamOut"]

FIELDS = {"data": "tdata", "strobe": "tkeep", "last": "tlast"}  # of a beat, and of AXI4-Stream


def _beats(data_bits: int) -> dict[str, int]:
    """Fields of a beat and their widths."""
    return {"data": data_bits, "strobe": data_bits // 8, "last": 1}


class AxiStreamIn(Block):
    """Beats from AXI4-Stream: ``axis`` is received, ``beats`` sent on, in order and unchanged.

    tdata, tkeep and tlast become data, strobe and last; tstrb, tid, tdest and tuser are not there.
    Registers cut both ways (StreamBuffer): latency 1 cycle, a beat in every cycle, no path through.
    Reset drops what is inside. Raises ValueError where ``data_bits`` make no bus. Source: AMBA
    AXI-Stream protocol specification, issue B.
    """

    role = "bus"
    has_reset = True
    latency = StreamBuffer.latency

    def __init__(self, prefix: str, data_bits: int):
        self._data_bits = data_bits
        axis = In(axi_stream(data_bits))
        members = {"axis": axis, "beats": Out(beat_stream(**_beats(data_bits)))}
        super().__init__(prefix, "axis_in", members)

    def elaborate(self, platform):
        m = Module()
        m.submodules.buffer = buffer = StreamBuffer(**_beats(self._data_bits))
        for inner, outer in {**FIELDS, "valid": "tvalid"}.items():
            m.d.comb += getattr(buffer.given, inner).eq(getattr(self.axis, outer))
            m.d.comb += getattr(self.beats, inner).eq(getattr(buffer.taken, inner))
        m.d.comb += self.axis.tready.eq(buffer.given.ready)
        m.d.comb += buffer.taken.ready.eq(self.beats.ready)
        return m


class AxiStreamOut(Block):
    """Beats to AXI4-Stream: ``beats`` are received, ``axis`` is sent, in order and unchanged.

    data, strobe and last become tdata, tkeep and tlast; tstrb, tid, tdest and tuser are not there.
    Registers cut both ways (StreamBuffer): latency 1 cycle, a beat in every cycle, no path through.
    Reset drops what is inside. Raises ValueError where ``data_bits`` make no bus. Source: AMBA
    AXI-Stream protocol specification, issue B.
    """

    role = "bus"
    has_reset = True
    latency = StreamBuffer.latency

    def __init__(self, prefix: str, data_bits: int):
        self._data_bits = data_bits
        axis = Out(axi_stream(data_bits))
        members = {"beats": In(beat_stream(**_beats(data_bits))), "axis": axis}
        super().__init__(prefix, "axis_out", members)

    def elaborate(self, platform):
        m = Module()
        m.submodules.buffer = buffer = StreamBuffer(**_beats(self._data_bits))
        for inner, outer in {**FIELDS, "valid": "tvalid"}.items():
            m.d.comb += getattr(buffer.given, inner).eq(getattr(self.beats, inner))
            m.d.comb += getattr(self.axis, outer).eq(getattr(buffer.taken, inner))
        m.d.comb += self.beats.ready.eq(buffer.given.ready)
        m.d.comb += buffer.taken.ready.eq(self.axis.tready)
        return m
