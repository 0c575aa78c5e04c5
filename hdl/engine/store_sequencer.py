"""Store sequencer: the order in which kept sums go to the lanes."""

from enum import IntEnum
from typing import NamedTuple

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import Component, Signature

from cimforge.hdl.engine.delayed import delayed
from cimforge.hdl.engine.descriptor_fields import command_fields, operation
from cimforge.hdl.engine.element_slicer import raw_size
from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["StoreSequencer", "slot_signature"]

# fields of the command that others need
PASSED = (
    *("target", "target_pitch", "rounding", "raw", "zero", "lowest", "highest"),
    "stream",
)


class _State(IntEnum):
    IDLE = 0
    PREPARE = 1  # what is derived from the command is computed,
    SETTLE = 2  # and what is derived from that (ElementSlicer)
    FETCH = 3  # a vector's sums are asked for
    ONES = 4  # its sum of ones goes to the lanes
    GROUPS = 5  # its outputs go
    DRAIN = 6  # all are on their way to memory


class _Vector(NamedTuple):
    """Of each vector: the row of sums and the group of channels with which it begins, and its
    groups but one; ``dense``: the next one follows without a gap in memory."""

    sums: Signal
    table: Signal
    groups: Signal
    dense: Signal


def slot_signature() -> Signature:
    """What goes to the lanes in a cycle: with ``valid`` a group of outputs, with ``lone`` the sum
    of ones; ``head``, ``tail``, ``closes`` and ``final`` as in group_stream."""
    return Signature(dict.fromkeys(("valid", "lone", "head", "tail", "closes", "final"), Out(1)))


def _field_bits(config: EngineConfig) -> dict[str, int]:
    """Bits of each field of a STORE, as many as its values take."""
    fields = operation(config, "store").fields
    bits = {f.name: f.width if f.least < 0 else unsigned_width(f.most) for f in fields}
    return {name: bits[name] for name in command_fields(config, "store")}


class StoreSequencer(Component):
    """Groups of a STORE's outputs, vector by vector: channel c comes to lane c modulo ``lanes``, so
    that the channel table need not be turned; the sums are, by ``turn`` (LaneSums).

    A vector is ceil((channel mod lanes + outputs) / lanes) groups, and with weight_zeros, unless
    raw, a slot for its sum of ones before them. ``slot`` tells what the present cycle brings to the
    lanes, of ``sums_group`` and ``table_group``; it goes where ``step`` is high. In the cycle in
    which a vector's last group goes the next one is asked for, so that no cycle is lost where its
    sums are ready.

    ``command`` is taken where nothing is under way, ``begins`` is high then, and ``start`` three
    cycles later: by then the fields that are passed on stand, and what comes of them: ``size``,
    log2 of an element's bytes, ``first`` and ``last``, lanes of a vector's first and last output,
    ``turn``, ``ones_group`` and ``ones_lane``. Where all slots have gone ``drained`` ends it with
    ``done``. Latency 4 cycles from the command to the first slot. ``flush`` forgets the command.
    """

    def __init__(self, config: EngineConfig):
        self._config = config
        self._bits = _field_bits(config)
        rows = [-(-count // config.lanes) for count in (config.outputs, config.channels)]
        passed = {name: Out(self._bits[name]) for name in PASSED if name in self._bits}
        lanes = ("first", "last", "turn", *(["ones_lane"] if config.weight_zeros else []))
        super().__init__(
            {
                "command": In(beat_stream(**command_fields(config, "store"))),
                **{"flush": In(1), "step": In(1), "drained": In(1), "slot": Out(slot_signature())},
                **{"sums_valid": Out(1), "sums_ready": In(1)},
                "sums_vector": Out(config.acc_address_bits),
                "sums_group": Out(unsigned_width(rows[0] - 1)),
                "table_group": Out(unsigned_width(rows[1] - 1)),
                **{**passed, "size": Out(2)},
                **({"ones_group": Out(unsigned_width(rows[0] - 1))} if config.weight_zeros else {}),
                **dict.fromkeys(lanes, Out(unsigned_width(config.lanes - 1))),
                **dict.fromkeys(("begins", "start", "idle", "done"), Out(1)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        slot = self.slot
        state = Signal(_State)
        field = self._build_fields(m)
        vector = self._build_vector(m, field)
        left = Signal(len(vector.groups), name="groups_left", reset_less=True)
        more = Signal(len(field["vectors"]), name="vectors_left", reset_less=True)  # to ask for
        taken, ends, final = (Signal(name=f"vector_{n}") for n in ("taken", "ends", "is_last"))
        m.d.comb += [
            *(taken.eq(self.sums_valid & self.sums_ready), final.eq(more == 0)),
            *(slot.valid.eq(state == _State.GROUPS), slot.lone.eq(state == _State.ONES)),
            *(slot.tail.eq(left == 0), slot.final.eq(slot.tail & final)),
            slot.closes.eq(slot.tail & (final | ~vector.dense)),
            ends.eq(slot.valid & slot.tail & self.step),
            self.sums_valid.eq(((state == _State.FETCH) | (ends & ~final)) & ~self.flush),
            *(self.idle.eq(state == _State.IDLE), self.command.ready.eq(self.idle & ~self.flush)),
            self.begins.eq(self.command.valid & self.command.ready),
            self.done.eq((state == _State.DRAIN) & self.drained & ~self.flush),
        ]
        m.d.sync += self.start.eq(state == _State.SETTLE)
        self._build_states(m, state, taken, ends, final)
        self._build_walk(m, vector, left, taken)
        with m.If(self.begins):
            m.d.sync += more.eq(self.command.vectors)
        with m.Elif(taken):
            m.d.sync += more.eq(more - 1)
        return m

    def _build_fields(self, m: Module) -> dict[str, Signal]:
        """The fields of the command, kept."""
        field = {n: Signal(w, name=f"{n}_q", reset_less=True) for n, w in self._bits.items()}
        with m.If(self.begins):
            m.d.sync += [kept.eq(getattr(self.command, name)) for name, kept in field.items()]
        m.d.comb += [getattr(self, name).eq(field[name]) for name in PASSED if name in field]
        if self._config.streams:  # which begin with byte 0 of a word
            place = self.target[: unsigned_width(self._config.bus_bytes - 1)]
            with m.If(self.stream):
                m.d.comb += place.eq(0)
        return field

    def _build_vector(self, m: Module, field: dict[str, Signal]) -> _Vector:
        """What comes of the fields, a cycle after them."""
        config, lane_bits = self._config, len(self.first)
        lane, outputs = field["channel"][:lane_bits], field["outputs"]
        most = raw_size(config)
        span = Signal(unsigned_width(config.lanes + config.outputs - 2))
        shift = Signal(len(self.sums_group) + lane_bits)
        size = Signal(2, name="element_size")
        row_bytes = Signal(len(outputs) + most)
        m.d.comb += [
            *(span.eq(lane + outputs - 1), shift.eq(field["first"] - lane)),
            *(size.eq(Mux(self.raw, most, field["wide"])), row_bytes.eq(outputs << size)),
            *(self.first.eq(lane), self.size.eq(delayed(m, "size", size))),
            self.last.eq(delayed(m, "last", span[:lane_bits])),
            self.turn.eq(delayed(m, "turn", shift[:lane_bits])),
        ]
        if config.weight_zeros:
            ones_lane = (field["ones"] - field["first"] + lane)[:lane_bits]
            m.d.comb += self.ones_lane.eq(delayed(m, "ones_lane", ones_lane))
            m.d.comb += self.ones_group.eq(field["ones"][lane_bits:])
        dense = row_bytes == self.target_pitch
        return _Vector(
            sums=delayed(m, "vector_sums", shift[lane_bits:]),
            table=field["channel"][lane_bits:],
            groups=delayed(m, "vector_groups", span[lane_bits:]),
            dense=delayed(m, "dense", dense | self.stream if config.streams else dense),
        )

    def _build_states(
        self, m: Module, state: Signal, taken: Signal, ends: Signal, final: Signal
    ) -> None:
        """From a command to its end."""
        ones = self._config.weight_zeros
        fetched = Mux(self.raw, _State.GROUPS, _State.ONES) if ones else _State.GROUPS
        with m.Switch(state):
            with m.Case(_State.IDLE), m.If(self.begins):
                m.d.sync += state.eq(_State.PREPARE)
            with m.Case(_State.PREPARE):
                m.d.sync += state.eq(_State.SETTLE)
            with m.Case(_State.SETTLE):
                m.d.sync += state.eq(_State.FETCH)
            with m.Case(_State.FETCH), m.If(taken):
                m.d.sync += state.eq(fetched)
            with m.Case(_State.ONES), m.If(self.step):
                m.d.sync += state.eq(_State.GROUPS)
            with m.Case(_State.GROUPS), m.If(ends):
                following = Mux(taken, fetched, _State.FETCH)
                m.d.sync += state.eq(Mux(final, _State.DRAIN, following))
            with m.Case(_State.DRAIN), m.If(self.drained):
                m.d.sync += state.eq(_State.IDLE)
        with m.If(self.flush):
            m.d.sync += state.eq(_State.IDLE)

    def _build_walk(self, m: Module, vector: _Vector, left: Signal, taken: Signal) -> None:
        """Which vector is asked for next, and which group of the present one goes next."""
        number, sums, table = (
            Signal(len(port), name=f"{name}_q", reset_less=True)
            for name, port in (
                *(("vector", self.sums_vector), ("sums_group", self.sums_group)),
                ("table_group", self.table_group),
            )
        )
        head = Signal(name="head_q", reset_less=True)
        m.d.comb += [
            *(self.sums_vector.eq(number), self.sums_group.eq(sums), self.table_group.eq(table)),
            self.slot.head.eq(head),
        ]
        with m.If(self.begins):
            m.d.sync += number.eq(self.command.sums)
        with m.Elif(taken):
            m.d.sync += number.eq(number + 1)
        with m.If(taken):
            m.d.sync += [sums.eq(vector.sums), table.eq(vector.table)]
            m.d.sync += [left.eq(vector.groups), head.eq(1)]
        with m.Elif(self.slot.valid & self.step):
            m.d.sync += [sums.eq(sums + 1), table.eq(table + 1), left.eq(left - 1), head.eq(0)]
