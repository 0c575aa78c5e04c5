"""Store lanes: groups of elements of a vector's sums."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value

from cimforge.hdl.engine.channel_table import ChannelTable, channel_fields
from cimforge.hdl.engine.element_slicer import group_stream
from cimforge.hdl.engine.lane_sums import LaneSums, selected
from cimforge.hdl.engine.requantiser import ELEMENT_BITS, Requantiser, requantiser_latency
from cimforge.hdl.engine.store_sequencer import slot_signature
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["StoreLanes"]

FLAGS = ("head", "tail", "closes", "final")  # of a slot, which go beside it
LIMITS = ("zero", "lowest", "highest")


class StoreLanes(Block):
    """The sums of each ``slot``, with their channels, into ``groups`` of an element a lane.

    ``sums_data`` is the vector's sums in the cycle of a slot; ``sums_group`` and ``turn`` say which
    of them go (LaneSums), ``table_group`` which channels (ChannelTable). They are requantised
    (Requantiser), or with ``raw`` sign-extended. A ``lone`` slot brings the vector's sum of ones,
    of row ``ones_group`` by lane ``ones_lane``, to all lanes ahead of its groups. What comes of the
    command stands still from its first slot until its last group is taken.

    Latency 1 cycle of raw sums, of others requantiser_latency more; a slot a cycle. All moves
    together, where ``step`` is high: where a group is taken or none is there. Reset empties it and
    keeps the channels.
    """

    role = "requantise"
    has_reset = True

    def __init__(self, config: EngineConfig):
        self._config = config
        self.latency = 1 + requantiser_latency(config)
        lane, rows = unsigned_width(config.lanes - 1), -(-config.outputs // config.lanes)
        table, lane_block = ChannelTable(config), Requantiser(config)
        own = ("enable", "channels")  # ports of the table that stay here
        passed = {n: port for n, port in table.signature.members.items() if n not in own}
        ones = {"ones_group": In(unsigned_width(rows - 1)), "ones_lane": In(lane)}
        super().__init__(
            config.module,
            "store_lanes",
            {
                **{"slot": In(slot_signature()), "step": Out(1)},
                **{"groups": Out(group_stream(config)), "turn": In(lane)},
                "sums_data": In(config.outputs * config.acc_bits),
                "sums_group": In(unsigned_width(rows - 1)),
                **passed,
                **{"raw": In(1), "rounding": In(2), **{name: In(ELEMENT_BITS) for name in LIMITS}},
                **(ones if config.weight_zeros else {}),
            },
            {"table": table, **{f"lane{n}": lane_block for n in range(config.lanes)}},
        )

    def elaborate(self, platform):
        m = Module()
        sums = self._build_sums(m)
        channels = self._build_channels(m)
        elements = self._build_lanes(m, sums, channels)
        self._build_groups(m)
        values = []
        for total, element in zip(sums, elements, strict=True):
            # above an element's bits only sums are looked at
            low = Mux(self.raw, total[:ELEMENT_BITS], element)
            sign = total[-1].replicate(len(self.groups.elements) // len(sums) - len(total))
            values.append(Cat(low, total[ELEMENT_BITS:], sign))
        m.d.comb += self.groups.elements.eq(Cat(values))
        return m

    def _build_sums(self, m: Module) -> list[Value]:
        """Cycle 1: each lane's sum."""
        m.submodules.sums = sums = LaneSums(self._config)
        slot = self.slot
        m.d.comb += [
            *(sums.enable.eq(self.step & (slot.valid | slot.lone)), sums.data.eq(self.sums_data)),
            *(sums.group.eq(self.value("sums_group")), sums.turn.eq(self.value("turn"))),
        ]
        if self._config.weight_zeros:
            m.d.comb += [sums.lone.eq(slot.lone), sums.lone_group.eq(self.value("ones_group"))]
        return list(sums.lane)

    def _build_channels(self, m: Module) -> list[dict[str, Value]]:
        """Cycle 1: the fields of each lane's channel, as Requantiser calls them."""
        fields = channel_fields(self._config)
        table = next(child.module for child in self.children if child.instance == "table")
        pins = {n: self.value(n) for n in table.ports if n in self.ports and n != "clk"}
        enable, channels = Signal(name="table_read"), Signal(table.ports["channels"].width)
        m.d.comb += enable.eq(self.step & self.slot.valid)
        m.submodules.table = self.instance("table", **pins, enable=enable, channels=channels)
        names = ["weight_zero" if name == "zero" else name for name in fields]
        cut, low = [], 0
        for _ in range(self._config.lanes):
            channel = {}
            for name, width in zip(names, fields.values(), strict=True):
                channel[name] = channels[low : low + width]
                low += width
            cut.append(channel)
        return cut

    def _build_lanes(
        self, m: Module, sums: list[Value], channels: list[dict[str, Value]]
    ) -> list[Signal]:
        """The cycles behind: each lane's element."""
        told = {name: getattr(self, name) for name in ("rounding", *LIMITS)}
        told["enable"] = Signal(name="requantise")
        m.d.comb += told["enable"].eq(self.step & ~self.raw)
        if self._config.weight_zeros:
            told["ones"] = self._build_ones(m, sums)
        elements = [Signal(ELEMENT_BITS, name=f"element_{number}") for number in range(len(sums))]
        for number, (total, channel) in enumerate(zip(sums, channels, strict=True)):
            pins = {**told, **channel, "sum": total, "element": elements[number]}
            m.submodules[f"lane{number}"] = self.instance(f"lane{number}", **pins)
        return elements

    def _build_ones(self, m: Module, sums: list[Value]) -> Signal:
        """Cycle 2 of a slot for it: the sum of ones, beside the first group's sums."""
        came = Signal(name="ones_came")
        ones = Signal(len(sums[0]), name="ones_q", reset_less=True)
        with m.If(self.step):
            m.d.sync += came.eq(self.slot.lone)
        with m.If(self.step & came):
            m.d.sync += ones.eq(selected(m, "ones", sums, self.value("ones_lane")))
        return ones

    def _build_groups(self, m: Module) -> None:
        """What a slot is, beside its sums; raw ones leave the lanes behind cycle 1."""
        groups, slot = self.groups, self.slot
        valid = Signal(self.latency, name="slot_valid")
        m.d.comb += [
            groups.valid.eq(Mux(self.raw, valid[0], valid[-1])),
            self.step.eq(groups.ready | ~groups.valid),
        ]
        with m.If(self.step):
            m.d.sync += valid.eq(Cat(slot.valid, valid[0] & ~self.raw, valid[1:]))
        for name in FLAGS:
            flag = Signal(len(valid), name=f"slot_{name}", reset_less=True)
            with m.If(self.step):
                m.d.sync += flag.eq(Cat(getattr(slot, name), flag))
            m.d.comb += getattr(groups, name).eq(Mux(self.raw, flag[0], flag[-1]))
