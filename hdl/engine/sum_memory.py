"""Sum memory: results of passes, summed over tiles."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import connect, flipped

from cimforge.hdl.engine.kept_reader import KeptReader, sum_command
from cimforge.hdl.engine.ram import Ram
from cimforge.hdl.engine.result_adder import ResultAdder, results_bits
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["SumMemory"]


class SumMemory(Block):
    """Kept sums of an engine: acc_vectors x outputs of acc_bits, into which results of passes go.

    Each ``command`` names ``vectors`` beats of y, in order: the v-th replaces kept vector ``sums``
    + v, or with ``accumulate`` is added to it (ResultAdder; y in the mode ``fuse``). ``overflow``
    is high in the cycle after an addition left the range of acc_bits, ``done`` in that after a
    command's last beat; its sums may be read from then on. ``idle``: no beat is to come.

    ``sums_vector`` asks for a kept vector, which stands in ``sums_data`` from the cycle after that
    with ``sums_ready`` on, until the next such.

    There is one port to read. What y is added to is read ahead (KeptReader), so that a beat is
    taken in every cycle, and its sum written in that cycle, but for one that is added to one of the
    two vectors before. A beat waits for at most two reads of the store's, a read of the store's for
    one of y's. Latency 1 cycle from y to its sum in memory. Reset drops commands and keeps sums,
    which are undefined until written, as is a vector read while it is written.
    """

    role = "sums"
    has_reset = True
    latency = 1

    def __init__(self, config: EngineConfig):
        self._config = config
        address, width = config.acc_address_bits, config.outputs * config.acc_bits
        ram = Ram(config.module, "sum_ram", self.role, config.acc_vectors, 1, width)
        super().__init__(
            config.module,
            "sums",
            {
                "command": In(sum_command(config)),
                **{"y_valid": In(1), "y_ready": Out(1), "y_data": In(results_bits(config))},
                **{"sums_valid": In(1), "sums_ready": Out(1), "sums_vector": In(address)},
                "sums_data": Out(width),
                **{"done": Out(1), "overflow": Out(1), "idle": Out(1)},
            },
            {"ram": ram},
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.reader = reader = KeptReader(self._config)
        m.submodules.adder = adder = ResultAdder(self._config)
        connect(m, flipped(self.command), reader.command)
        taken, token = Signal(name="y_taken"), reader.token
        m.d.comb += [
            *(self.y_ready.eq(reader.valid), taken.eq(self.y_valid & self.y_ready)),
            *(reader.taken.eq(taken), self.idle.eq(reader.idle)),
            *(adder.data.eq(self.y_data), adder.fuse.eq(token.fuse), adder.kept.eq(reader.kept)),
            *(reader.sums_valid.eq(self.sums_valid), self.sums_ready.eq(reader.sums_ready)),
            *(reader.sums_vector.eq(self.sums_vector), self.sums_data.eq(reader.sums_data)),
        ]
        m.d.sync += [
            self.done.eq(taken & token.last),
            self.overflow.eq(taken & adder.overflow),
        ]
        written = {"write": taken, "write_address": token.vector, "write_data": adder.sums}
        read = {name: getattr(reader, name) for name in ("read", "read_address", "read_data")}
        m.submodules.ram = self.instance("ram", **written, **read)
        return m
