"""Wishbone slave: registers and windows in front of a macro's streams."""

from amaranth.hdl import Cat, Const, Module, Mux, ResetSignal, Signal, Value

from cimforge.hdl.bus.registers import STATUS_BITS, WORD_BITS, RegisterMap
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["WishboneSlave", "bus_ports", "stream_ports"]

FULL_SELECT = 0b1111


def bus_ports(config: MacroConfig) -> dict[str, tuple[str, int]]:
    """Bus side: direction and width of each port, without clk and rst."""
    return {
        "wb_cyc": ("input", 1),
        "wb_stb": ("input", 1),
        "wb_we": ("input", 1),
        "wb_adr": ("input", RegisterMap(config).address_bits),
        "wb_sel": ("input", WORD_BITS // 8),
        "wb_dat_w": ("input", WORD_BITS),
        "wb_dat_r": ("output", WORD_BITS),
        "wb_ack": ("output", 1),
        "wb_err": ("output", 1),
        "irq": ("output", 1),
    }


def stream_ports(config: MacroConfig) -> dict[str, tuple[str, int]]:
    """The macro's stream ports: direction as seen by the macro, and width."""
    others = ("clk", "rst", *(name for name, _ in config.storage_traits.control_ports))
    ports = (port for port in macro_ports(config) if port.name not in others)
    return {port.name: (port.direction, port.width) for port in ports}


class WishboneSlave(Block):
    """Registers and windows of one macro behind a Wishbone B4 slave (standard cycles, 32 bits).

    The map is RegisterMap's. Every access is answered in the cycle after the request, with ack, or
    with err where it is unmapped, misaligned (address not a multiple of 4), partial (not all bytes
    selected), of the wrong direction, names a row or bank that does not exist, sets a command's
    reserved bits, or comes while its stream is not ready; then it changes nothing. Reads that end
    in err carry 0. So no access waits, whatever the macro does. Latency 1 cycle, one access in 2
    cycles.

    x, w and r each have one beat in waiting, held stable until the macro takes it. Results pass
    into a result register, from which the Y window reads: the next pass runs meanwhile, and one
    more result waits in the macro. Reset (``rst``, or 1 written to control) drops all three,
    enables no interrupt, and resets the macro for a cycle; weights are kept. Source: Wishbone B4,
    3.1.3.
    """

    role, latency = "bus", 1
    has_reset = True

    def __init__(self, config: MacroConfig):
        self._config = config
        self._map = RegisterMap(config)
        bus = {n: (In if way == "input" else Out)(w) for n, (way, w) in bus_ports(config).items()}
        streams = {
            n: (Out if way == "input" else In)(w) for n, (way, w) in stream_ports(config).items()
        }
        ports = {**bus, "macro_rst": Out(1), **streams}
        super().__init__(config.module, "wishbone", ports)

    def elaborate(self, platform):
        m = Module()
        reset_q = Signal()
        m.d.comb += self.macro_rst.eq(ResetSignal() | reset_q)
        request = Signal()
        whole = Signal()
        legal = Signal()
        commit = Signal()  # a legal write takes effect
        ack_q = Signal()
        err_q = Signal()
        m.d.comb += request.eq(self.wb_cyc & self.wb_stb & ~ack_q & ~err_q)
        m.d.comb += whole.eq((self.wb_adr[:2] == 0) & (self.wb_sel == FULL_SELECT))
        m.d.comb += commit.eq(request & whole & legal & self.wb_we)

        held = {stream: self._build_source(m, stream, commit, reset_q) for stream in "xwr"}
        full, kept = {}, {}
        for stream in "yq":
            full[stream], kept[stream] = self._build_sink(m, stream, commit, reset_q)
        self._build_windows(m, commit)

        states = [~held["x"], ~held["w"], ~held["r"], full["y"], full["q"]]
        enable_q = Signal(len(STATUS_BITS))
        with m.If(commit & self._addresses("irq_enable")):
            m.d.sync += enable_q.eq(self.wb_dat_w)
        with m.If(reset_q):
            m.d.sync += enable_q.eq(0)
        m.d.sync += reset_q.eq(commit & self._addresses("control") & self.wb_dat_w[0])
        m.d.comb += self.irq.eq((Cat(states) & enable_q).any())

        data = Signal(WORD_BITS)
        readable = {"status": Cat(states), "irq_enable": enable_q, "control": Const(0, 1)}
        with m.Switch(self._segment):
            with m.Case(0):
                self._decode_registers(m, legal, data, readable, held, full)
            for place, window in enumerate(self._map.windows(), 1):
                with m.Case(place):
                    self._decode_window(m, window, legal, data, held, full, kept)

        read = request & whole & legal & ~self.wb_we
        m.d.sync += [
            ack_q.eq(request & whole & legal),
            err_q.eq(request & ~(whole & legal)),
            self.wb_dat_r.eq(data & read.replicate(WORD_BITS)),
        ]
        answered = self.wb_cyc & self.wb_stb
        m.d.comb += [self.wb_ack.eq(ack_q & answered), self.wb_err.eq(err_q & answered)]
        return m

    @property
    def _index(self) -> Value:
        """Word of the addressed segment."""
        return self.wb_adr[2 : self._map.segment_bits]

    @property
    def _segment(self) -> Value:
        return self.wb_adr[self._map.segment_bits :]

    def _addresses(self, register: str) -> Value:
        """Whether the address is that of a register."""
        word = self._map.register(register).offset // 4
        return (self._segment == 0) & (self._index == word)

    def _build_source(self, m: Module, stream: str, commit: Value, clear: Value) -> Signal:
        """A beat of x, w or r in waiting: its command raises it, the macro takes it; returns
        whether one waits."""
        held_q = Signal(name=f"{stream}_held_q")
        m.d.comb += getattr(self, f"{stream}_valid").eq(held_q)
        number, bank, sign = self.wb_dat_w[:16], self.wb_dat_w[16:24], self.wb_dat_w[31]
        fields = {f"{stream}_bank": bank, f"{stream}_signed": sign, f"{stream}_row": number}
        if stream == "x":
            fields["x_bits"] = Mux(number <= self._config.input_bits, number, 0)
        with m.If(commit & self._addresses(f"{stream}_start")):
            m.d.sync += held_q.eq(1)
            m.d.sync += [getattr(self, n).eq(v) for n, v in fields.items() if hasattr(self, n)]
        with m.Elif(getattr(self, f"{stream}_ready")):
            m.d.sync += held_q.eq(0)
        with m.If(clear):
            m.d.sync += held_q.eq(0)
        return held_q

    def _build_sink(
        self, m: Module, stream: str, commit: Value, clear: Value
    ) -> tuple[Signal, Signal]:
        """Result register of y or q: whether it is full, and what it holds."""
        valid, ready = getattr(self, f"{stream}_valid"), getattr(self, f"{stream}_ready")
        arriving = getattr(self, f"{stream}_data")
        full_q = Signal(name=f"{stream}_full_q")
        kept_q = Signal(len(arriving), name=f"{stream}_kept_q", reset_less=True)
        m.d.comb += ready.eq(~full_q | (commit & self._addresses(f"{stream}_next")))
        with m.If(ready):
            m.d.sync += [full_q.eq(valid), kept_q.eq(arriving)]
        with m.If(clear):
            m.d.sync += full_q.eq(0)
        return full_q, kept_q

    def _build_windows(self, m: Module, commit: Value) -> None:
        """The X and W windows: payload of the next beat, written word by word."""
        for stream in "xw":
            port, window = getattr(self, f"{stream}_data"), self._map.window(stream)
            kept_q = Signal(len(port), name=f"{stream}_data_q", reset_less=True)
            m.d.comb += port.eq(kept_q)
            here = self._segment == window.offset >> self._map.segment_bits
            for word in range(window.words):
                with m.If(commit & here & (self._index == word)):
                    part = kept_q[word * WORD_BITS : (word + 1) * WORD_BITS]
                    m.d.sync += part.eq(self.wb_dat_w)

    def _decode_registers(self, m, legal, data, readable, held, full) -> None:
        """What the registers carry, and which accesses of them are legal now."""
        bank = (self.wb_dat_w[16:24] < self._config.banks) & (self.wb_dat_w[24:31] == 0)
        row = self.wb_dat_w[:16] < self._config.rows
        conditions = {
            "x_start": bank & ~held["x"],
            "w_start": bank & row & ~held["w"],
            "r_start": bank & row & ~self.wb_dat_w[31] & ~held["r"],
            "y_next": full["y"],
            "q_next": full["q"],
        }
        with m.Switch(self._index):
            for register in self._map.registers():
                command = conditions.get(register.name, Const(1))
                allowed = {"ro": ~self.wb_we, "rw": Const(1), "wo": self.wb_we & command}
                with m.Case(register.offset // 4):
                    m.d.comb += legal.eq(allowed[register.access])
                    if register.access != "wo":
                        constant = Const(register.constant, WORD_BITS)
                        m.d.comb += data.eq(readable.get(register.name, constant))

    def _decode_window(self, m, window, legal, data, held, full, kept) -> None:
        """What a window carries, and which accesses of it are legal now."""
        exists = self._index < window.words
        if window.access == "wo":
            m.d.comb += legal.eq(self.wb_we & exists & ~held[window.name])
            return
        m.d.comb += legal.eq(~self.wb_we & exists & full[window.name])
        with m.Switch(self._index):
            for word, value in enumerate(self._window_words(window.name, kept[window.name])):
                with m.Case(word):
                    m.d.comb += data.eq(value)

    def _window_words(self, stream: str, kept: Signal) -> list[Value]:
        """The words of the Y or Q window."""
        if stream == "q":
            return [kept[low : low + WORD_BITS] for low in range(0, len(kept), WORD_BITS)]
        width, parts = self._config.y_bits, range(self._map.result_words)
        results = [kept[low : low + width].as_signed() for low in range(0, len(kept), width)]
        # Still signed, so that a short last word is extended by its sign.
        return [result >> (part * WORD_BITS) for result in results for part in parts]
