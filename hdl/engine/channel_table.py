"""Channel table: how each output is requantised."""

from amaranth.hdl import Cat, Module, Signal

from cimforge.hdl.engine.channel_writer import CHANNEL_FIELDS
from cimforge.hdl.engine.ram import Ram
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["ChannelTable", "channel_fields"]


def channel_fields(config: EngineConfig) -> dict[str, int]:
    """Bits of each field that a channel has; its zero point of weights only with weight_zeros."""
    return {n: width for n, width in CHANNEL_FIELDS.items() if n != "zero" or config.weight_zeros}


class ChannelTable(Block):
    """``channels`` channels in ``lanes`` RAMs: RAM b holds those whose number is b modulo lanes, so
    that a group, the channels lanes * g .. lanes * g + lanes - 1, is read at once.

    ``channel_write`` stores the fields as channel ``channel_number``. Where ``enable`` is high,
    ``channels`` is in the next cycle the group ``table_group``, its first channel lowest, the
    fields of each side by side in the order of channel_fields, the first lowest; it stands until
    the next such cycle. Latency 1 cycle, a group and a write a cycle; a channel that is read while
    it is written is undefined, and so is one that does not exist or was never written. Not reset.
    """

    role, latency = "requantise", 1

    def __init__(self, config: EngineConfig):
        self._lanes = config.lanes
        self._fields = channel_fields(config)
        bits = sum(self._fields.values())
        words = -(-config.channels // config.lanes)
        ram = Ram(config.module, "channel_ram", self.role, words, lanes=1, lane_bits=bits)
        super().__init__(
            config.module,
            "channel_table",
            {
                **{"channel_write": In(1), "channel_number": In(config.channel_bits)},
                **{f"channel_{name}": In(width) for name, width in self._fields.items()},
                **{"enable": In(1), "table_group": In(unsigned_width(ram.words - 1))},
                "channels": Out(config.lanes * bits),
            },
            {f"lane{lane}": ram for lane in range(config.lanes)},
        )

    def elaborate(self, platform):
        m = Module()
        place = unsigned_width(self._lanes - 1)  # bits of a channel's place in its group
        number = self.value("channel_number")
        fields = Cat(getattr(self, f"channel_{name}") for name in self._fields)
        read = {"read": self.enable, "read_address": self.value("table_group")}
        for lane in range(self._lanes):
            write = Signal(name=f"write_{lane}")
            m.d.comb += write.eq(self.channel_write & (number[:place] == lane))
            m.submodules[f"lane{lane}"] = self.instance(
                f"lane{lane}",
                **{"write": write, "write_address": number[place:], "write_data": fields, **read},
                read_data=self.channels.word_select(lane, len(fields)),
            )
        return m
