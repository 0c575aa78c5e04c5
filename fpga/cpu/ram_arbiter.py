"""Who has the RAM in a cycle: the core, or a word of an engine's burst."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value

from cimforge.fpga.cpu.burst_server import fetch_port, store_port
from cimforge.fpga.cpu.core_port import CORE_BYTES, core_port
from cimforge.fpga.cpu.memory_map import Region
from cimforge.hdl.netlist.block import Block, In, Out

__all__ = ["RamArbiter"]


class RamArbiter(Block):
    """One port of RAM for the core, and for words that a BurstServer fetches and stores.

    The core, whose port is ``ram``, goes first and never waits: as it asks at most every other
    cycle, bursts have every other one at least, and all while it does not use RAM. Fetches and
    stores take turns where both wait. RAM is read with ``word_enable`` and written with
    ``word_strobe``, at the word ``word_address``; ``word_data_r`` is the word of the cycle before,
    which ``fetch`` takes from there.

    A word of RAM has several of the core's where the engine's bus is wider: the lowest is the
    first. No ready depends on its own valid. Latency 1 cycle, of RAM; a word a cycle. Reset brings
    the turn to fetches.
    """

    role = "bus"
    has_reset = True
    latency = 1

    def __init__(self, prefix: str, ram: Region, data_bits: int):
        self._lanes = data_bits // 8 // CORE_BYTES
        self._low = (data_bits // 8 - 1).bit_length()
        word_bits = ram.address_bits - self._low
        super().__init__(
            prefix,
            "ram_arbiter",
            {
                "ram": In(core_port(ram.address_bits)),
                "fetch": In(fetch_port(word_bits)),
                "store": In(store_port(word_bits, data_bits)),
                **{"word_address": Out(word_bits), "word_enable": Out(1)},
                **{"word_strobe": Out(data_bits // 8), "word_data_w": Out(data_bits)},
                "word_data_r": In(data_bits),
            },
        )

    def elaborate(self, platform):
        m = Module()
        core, fetch, store = self.ram, self.fetch, self.store
        turn = Signal(name="turn_of_store")
        m.d.comb += [
            fetch.ready.eq(~core.enable & ~(store.valid & turn)),
            store.ready.eq(~core.enable & ~(fetch.valid & ~turn)),
        ]
        with m.If(~core.enable & fetch.valid & store.valid):
            m.d.sync += turn.eq(~turn)
        self._build_word(m, store.valid & store.ready)
        self._build_lane(m)
        return m

    @property
    def _lane(self) -> Value:
        """Which of a word's parts the core's access is to."""
        return self.ram.address[2 : self._low]

    def _build_word(self, m: Module, stores: Value) -> None:
        """The word that is read or written."""
        core, fetch, store = self.ram, self.fetch, self.store
        strobe = Cat(
            Mux((self._lane == place) & core.write, core.strobe, 0) for place in range(self._lanes)
        )
        bursts = Mux(stores, store.address, fetch.address)
        reads = fetch.valid & fetch.ready
        m.d.comb += [
            self.word_address.eq(Mux(core.enable, core.address[self._low :], bursts)),
            self.word_enable.eq(Mux(core.enable, ~core.write, reads)),
            self.word_strobe.eq(Mux(core.enable, strobe, Mux(stores, store.strobe, 0))),
            self.word_data_w.eq(Mux(core.enable, core.data_w.replicate(self._lanes), store.data)),
        ]

    def _build_lane(self, m: Module) -> None:
        """The core's part of the word that comes."""
        core = self.ram
        if self._lanes == 1:
            m.d.comb += core.data_r.eq(self.word_data_r)
            return
        lane = Signal(len(self._lane), name="lane_q", reset_less=True)
        m.d.sync += lane.eq(self._lane)
        m.d.comb += core.data_r.eq(self.word_data_r.word_select(lane, 32))
