"""Registers of an engine: decoder, queue, status, interrupt and counters, behind no bus yet."""

from amaranth.hdl import Cat, Const, Module, Mux, ResetInserter, Signal, Value

from cimforge.hdl.bus.engine_map import COUNTERS, INTERRUPTS, EngineMap
from cimforge.hdl.bus.registers import WORD_BITS, Register
from cimforge.hdl.engine.seams import register_port
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.engine_config import ADDRESS_BITS, EngineConfig

__all__ = ["EngineRegisters"]

ALL_BYTES = 0b1111
STATES = ("busy", "resetting")
EVENTS = ("ended", "interrupt", "finished", "failed", "overflow")
SKIPPED_BITS = 8  # planes skipped in a cycle, at most 255
ERROR = {"error_cause": 8, "error_field": 16, "error_index": 16}
COUNTED = {  # counter: the port whose value is added in each cycle
    **{name: f"count_{name}" for name in COUNTERS},
    **{"cycles": "count_cycle", "vectors": "count_vector", "planes_skipped": "planes_skipped"},
    **{"read_words": "count_read", "written_words": "count_written"},
}


class EngineRegisters(Block):
    """Registers of one engine, as EngineMap lists them, on the port ``registers``.

    An access is answered in the cycle after the first one of its request, from registers: latency
    1 cycle, one access in 2. Writes act in the cycle of the answer: ``start``, ``soft_reset`` and
    ``clear`` are high in it, ``queue_base`` and ``queue_count`` have their new values. An access
    that is unmapped, misaligned, not of all four bytes (strobe, of a read too), a write of a
    read-only register, of an illegal word (EngineMap.is_word), or, of the queue's registers and
    ``start``, while ``busy`` or ``resetting`` is high, ends in an error, reads 0 and changes
    nothing.

    The engine raises ``busy`` in the cycle after ``start`` and ``resetting`` in the cycle after
    ``soft_reset`` at the latest, so that the next access sees it. For each start either
    ``finished`` or ``failed`` is high for a cycle, the latter with ``error_*``. An event beats a
    write that clears it in the same cycle. ``soft_reset`` sets every register to its reset value;
    until ``resetting`` has fallen events say nothing.

    Counters add their port's value, a cycle after it; ``clear`` zeroes them, values of its own
    cycle are the first that count again. ``macs`` is macros * macro.macs_1b for each cycle of
    ``count_compute``, modulo 2^64, and rightly read while nothing is counted. ``irq`` is high while
    an event in irq_status is enabled in irq_enable, a gate behind flip-flops.
    """

    role = "bus"
    has_reset = True
    latency = 1

    def __init__(self, config: EngineConfig):
        self._map = EngineMap(config)
        self._macs = config.macros * config.macro.macs_1b
        counted = dict.fromkeys(COUNTED.values(), 1) | {"planes_skipped": SKIPPED_BITS}
        super().__init__(
            config.module,
            "registers",
            {
                "registers": In(register_port(self.address_bits)),
                **{name: Out(1) for name in ("start", "soft_reset", "clear", "irq")},
                **{"queue_base": Out(ADDRESS_BITS), "queue_count": Out(16)},
                **{name: In(1) for name in (*STATES, *EVENTS)},
                **{name: In(width) for name, width in ERROR.items()},
                **{name: In(width) for name, width in counted.items()},
            },
        )

    @property
    def address_bits(self) -> int:
        """Bits of a byte address on ``registers``."""
        return self._map.address_bits

    def elaborate(self, platform):
        m = Module()
        words: dict[str, Value] = {
            name: Const(self._map.register(name).constant, WORD_BITS)
            for name in (*self._map.constants, "control")
        }
        written = self._build_access(m)
        self._build_control(m, written)
        words |= self._build_queue(m, written)
        words |= self._build_status(m)
        words |= self._build_interrupt(m, written)
        words |= self._build_counters(m)
        self._build_answer(m, words, Cat(*written.values()).any())
        return ResetInserter(self.soft_reset)(m)

    def _build_access(self, m: Module) -> dict[str, Signal]:
        """For each register that is written a line, high in the first cycle of a legal write."""
        port = self.registers
        self._first = Signal(name="first")  # cycle of a request, if it asks for a whole word
        whole = Signal()
        m.d.comb += [
            whole.eq((port.address[:2] == 0) & (port.strobe == ALL_BYTES)),
            self._first.eq(port.valid & ~port.ready),
        ]
        self._whole = whole
        written = {}
        for register in self._map.registers():
            if register.access != "ro":
                line = written[register.name] = Signal(name=f"{register.name}_written")
                asked = self._first & whole & port.write & self._addresses(register)
                m.d.comb += line.eq(Cat(asked, *self._legal(register)).all())
        return written

    def _addresses(self, register: Register) -> Value:
        return self.registers.address[2:] == register.offset // 4

    def _legal(self, register: Register) -> list[Value]:
        """What must hold of a write: that of its word, and that the engine is idle."""
        word, name = self.registers.data_w, register.name
        idle = ~(self.busy | self.resetting)
        rules = [(word & register.reserved) == 0] if register.reserved else []
        if self._map.least(name):
            rules.append(word >= self._map.least(name))
        if self._map.needs_idle(name):
            rules.append(idle)
        if name == "control":
            start, reset = (register.field(each).of(word) for each in ("start", "reset"))
            rules.append(~start | (idle & ~reset & self.queue_count.any()))
        return rules

    def _build_control(self, m: Module, written: dict[str, Signal]) -> None:
        """Pulses to the engine, each high in the cycle of the answer."""
        control, word = self._map.register("control"), self.registers.data_w
        pulses = {"start": self.start, "reset": self.soft_reset, "clear": self.clear}
        for name, pulse in pulses.items():
            m.d.sync += pulse.eq(written["control"] & control.field(name).of(word))

    def _build_queue(self, m: Module, written: dict[str, Signal]) -> dict[str, Value]:
        """Where the queue is, and how much of it has ended."""
        field = self._map.register("queue_base").fields[0]
        base, done = Signal(field.width, name="queue_base_q"), Signal(16, name="queue_done_q")
        with m.If(written["queue_base"]):
            m.d.sync += base.eq(field.of(self.registers.data_w))
        with m.If(written["queue_count"]):
            m.d.sync += self.queue_count.eq(self.registers.data_w)
        m.d.comb += self.queue_base.eq(Cat(Const(0, field.low), base))
        with m.If(self.start):
            m.d.sync += done.eq(0)
        with m.Elif(self.ended & ~self.resetting):
            m.d.sync += done.eq(done + 1)
        return {
            **{"queue_base": self.queue_base, "queue_count": self.queue_count},
            "queue_done": done,
        }

    def _build_status(self, m: Module) -> dict[str, Value]:
        """Sticky bits, which an event sets though they are cleared, and the error's record."""
        done, error, overflow = (Signal(name=f"{n}_q") for n in ("done", "error", "overflow"))
        record = {name: Signal(width, name=f"{name}_q") for name, width in ERROR.items()}
        with m.If(self.start | self.clear):
            m.d.sync += [done.eq(0), error.eq(0), *(kept.eq(0) for kept in record.values())]
        with m.If(self.clear):
            m.d.sync += overflow.eq(0)
        for event, bit in ((self.finished, done), (self.failed, error), (self.overflow, overflow)):
            with m.If(event & ~self.resetting):
                m.d.sync += bit.eq(1)
        with m.If(self.failed & ~self.resetting):
            m.d.sync += [kept.eq(getattr(self, name)) for name, kept in record.items()]
        return {
            "status": Cat(self.busy, done, error, overflow, self.resetting),
            "error": Cat(record["error_cause"], Const(0, 8), record["error_field"]),
            "error_index": record["error_index"],
        }

    def _build_interrupt(self, m: Module, written: dict[str, Signal]) -> dict[str, Value]:
        """Events since they were cleared, and those that are enabled."""
        come, enable = (Signal(len(INTERRUPTS), name=f"irq_{n}_q") for n in ("status", "enable"))
        events, cleared = Signal.like(come, name="events"), Signal.like(come, name="cleared")
        lines = Cat(self.finished, self.failed, self.interrupt)
        word = self.registers.data_w[: len(INTERRUPTS)]
        m.d.comb += [
            events.eq(Mux(self.resetting, 0, lines)),
            cleared.eq(Mux(written["irq_status"], word, 0)),
            self.irq.eq((come & enable).any()),
        ]
        m.d.sync += come.eq(come & ~cleared | events)
        with m.If(written["irq_enable"]):
            m.d.sync += enable.eq(word)
        return {"irq_status": come, "irq_enable": enable}

    def _build_counters(self, m: Module) -> dict[str, Value]:
        """Counters behind a rank of flip-flops, so that the engine's lines are not loaded with
        them."""
        words: dict[str, Value] = {}
        for name, port in COUNTED.items():
            line = getattr(self, port)
            seen, count = Signal(len(line), name=f"{port}_q"), Signal(WORD_BITS, name=f"{name}_q")
            m.d.sync += seen.eq(Mux(self.resetting, 0, line))
            m.d.sync += count.eq(Mux(self.clear, 0, count + seen))
            words[name] = count
            if name == "compute":
                words |= self._build_macs(m, seen)
        return words

    def _build_macs(self, m: Module, computes: Signal) -> dict[str, Value]:
        """1b-MACs in two halves, the upper a cycle behind: no carry runs through 64 bits."""
        lower, upper = self._macs & (1 << WORD_BITS) - 1, self._macs >> WORD_BITS
        low, high = Signal(WORD_BITS, name="macs_low_q"), Signal(WORD_BITS, name="macs_high_q")
        total = Signal(WORD_BITS + 1, name="macs_sum")
        step = Signal(range(upper + 2), name="macs_step_q")
        m.d.comb += total.eq(low + Mux(computes, lower, 0))
        m.d.sync += [
            low.eq(Mux(self.clear, 0, total)),
            step.eq(Mux(self.clear, 0, total[WORD_BITS] + Mux(computes, upper, 0))),
            high.eq(Mux(self.clear, 0, high + step)),
        ]
        return {"macs_low": low, "macs_high": high}

    def _build_answer(self, m: Module, words: dict[str, Value], writes: Value) -> None:
        """The answer to a request, in the cycle behind its first."""
        port = self.registers
        word, readable, reads = Signal(WORD_BITS), Signal(), Signal()
        with m.Switch(port.address[2:]):
            for register in self._map.registers():
                with m.Case(register.offset // 4):
                    m.d.comb += [word.eq(words[register.name]), readable.eq(1)]
        m.d.comb += reads.eq(self._first & self._whole & readable & ~port.write)
        m.d.sync += [
            port.ready.eq(self._first),
            port.error.eq(self._first & ~reads & ~writes),
            port.data_r.eq(Mux(reads, word, 0)),
        ]
