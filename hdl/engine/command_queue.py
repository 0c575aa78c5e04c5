"""The sequencer of commands: descriptors in order, each to its unit when it may begin."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring

from cimforge.hdl.engine.bank_guard import BankGuard
from cimforge.hdl.engine.descriptor_check import DescriptorCheck
from cimforge.hdl.engine.descriptor_fetch import DescriptorFetch
from cimforge.hdl.engine.descriptor_fields import command_fields, field_value, operation
from cimforge.hdl.engine.error_record import ErrorRecord
from cimforge.hdl.engine.seams import memory_port
from cimforge.hdl.engine.unit_ledger import UnitLedger
from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.descriptors import DESCRIPTOR_WORDS, OPERATIONS, UNITS
from cimforge.hdl.params.engine_config import ADDRESS_BITS, EngineConfig

__all__ = ["CommandQueue", "unit_commands"]

MOST_RUNS = 6  # under way at once: that gathering, those whose vectors or results wait
OF_UNIT = {"fetch": ("load", "copy"), "run": ("run",), "store": ("store",)}


def unit_commands(config: EngineConfig) -> dict[str, wiring.Signature]:
    """The stream of commands of each unit: the fields of its descriptors, and what the queue
    knows."""
    fetch = beat_stream(load=1, **command_fields(config, "load", "copy"))
    run = beat_stream(fuse=config.macro.w_fuse_width, **command_fields(config, "run"))
    return {"fetch": fetch, "run": run, "store": beat_stream(**command_fields(config, "store"))}


class CommandQueue(Block):
    """Reads descriptors from memory, checks them, and hands each to its unit when it may begin.

    ``start``, while ``busy`` is low, begins a queue of ``count`` descriptors at ``base``. Each is
    checked (DescriptorCheck), then waits until of the units that its ``beside`` names at most the
    newest command is under way, of the others none; a LOAD also until no RUN of its bank has
    vectors left (``released`` tells), a RUN until no LOAD of its bank is under way. Units tell the
    end of a command by ``UNIT_done``, and by then that it failed; what they tell while none is
    under way says nothing. ``ended`` is high for a cycle for each descriptor that has ended
    without an error, ``interrupt`` for each of them that asks for it.

    The queue ends with its last descriptor or with END: ``finished``, in the last cycle of
    ``busy``. A descriptor that is refused, or whose unit failed, is the last that is handed out;
    when the units are idle ``failed`` comes in place of ``finished``. ``error_cause``
    (ERROR_CAUSES), ``error_field`` (DescriptorField.number, RESERVED, or 0) and ``error_index``
    tell of the first error until the next start. ``waits_weights`` says that a RUN stands still
    for its bank's LOAD.

    With ``flush`` held nothing more is handed out or asked for; ``idle`` then says that memory owes
    nothing. Latency from a descriptor's last word to its unit, nothing to wait for: 5 cycles; one
    descriptor in max(1, 64 / bus_bytes) + 5 cycles, for those behind it are read meanwhile.
    """

    role = "queue"
    has_reset = True

    def __init__(self, config: EngineConfig):
        self._config = config
        port = memory_port(ADDRESS_BITS, config.bus_bits).members
        inputs = ("start", "flush", "released", "bad_channel", "fetch_failed", "store_failed")
        outputs = ("busy", "idle", "ended", "interrupt", "finished", "failed", "waits_weights")
        commands = unit_commands(config).items()
        super().__init__(
            config.module,
            "queue",
            {
                **{name: In(1) for name in (*inputs, *(f"{unit}_done" for unit in UNITS))},
                **{"base": In(ADDRESS_BITS), "count": In(16)},
                **{"read": port["read"], "read_data": port["read_data"]},
                **{unit: Out(command) for unit, command in commands},
                **{name: Out(1) for name in outputs},
                **{"error_cause": Out(8), "error_field": Out(16), "error_index": Out(16)},
            },
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.descriptors = source = DescriptorFetch(self._config)
        m.submodules.check = check = DescriptorCheck(self._config)
        m.submodules.guard = guard = BankGuard(self._config, MOST_RUNS)
        m.submodules.errors = errors = ErrorRecord()
        ledgers = {unit: UnitLedger(MOST_RUNS if unit == "run" else 1) for unit in UNITS}
        for unit, ledger in ledgers.items():
            m.submodules[unit] = ledger
        for stream in ("read", "read_data"):
            wiring.connect(m, wiring.flipped(getattr(self, stream)), getattr(source, stream))
        self._words = [source.words[32 * n : 32 * n + 32] for n in range(DESCRIPTOR_WORDS)]
        self._code = {name: Signal(name=f"is_{name}") for name in OPERATIONS}
        for number, line in enumerate(self._code.values()):
            m.d.comb += line.eq(self._words[0][:8] == number)

        self._at_hand, self._offers = Signal(name="at_hand"), Signal(name="offers")
        end = Signal(name="at_end")
        handed = self._build_commands(m, guard, ledgers)
        allowed = self._build_fences(m, guard, ledgers)
        self._build_guard(m, guard)
        failed = self._build_failures(m, errors, ledgers)
        told = self._build_ended(m, ledgers, failed, end)
        idle = Cat(told, *(ledger.idle for ledger in ledgers.values()), source.quiet).all()
        m.d.comb += [
            *(check.words.eq(source.words), self.idle.eq(source.quiet)),
            *(source.base.eq(self.base), source.count.eq(self.count)),
        ]
        index = self._build_order(m, source, check, errors, allowed, handed, idle, end)
        self._build_errors(m, errors, index)
        return m

    def _field(self, name: str, of: str) -> Value:
        """The field ``name`` of the operation ``of``, of the descriptor at hand."""
        return field_value(self._words, operation(self._config, of).field(name))

    def _build_commands(self, m: Module, guard: BankGuard, ledgers) -> Value:
        """The descriptor at hand as a command of its unit; returns whether a unit takes it."""
        taken = []
        for unit, names in OF_UNIT.items():
            command = getattr(self, unit)
            mine = Cat(self._code[name] for name in names).any()
            m.d.comb += command.valid.eq(self._offers & mine & ~ledgers[unit].full)
            begins = command.valid & command.ready
            m.d.comb += [
                ledgers[unit].begins.eq(begins),
                ledgers[unit].asks.eq(self._field("interrupt", names[0])),
            ]
            taken.append(begins)
            for name in command_fields(self._config, *names):
                m.d.comb += getattr(command, name).eq(self._of_any(name, names))
        m.d.comb += self.fetch.load.eq(self._code["load"])
        if self._config.macro.w_fuse_width:
            m.d.comb += self.run.fuse.eq(guard.run_fuse)
        return Cat(taken).any()

    def _of_any(self, name: str, operations: tuple[str, ...]) -> Value:
        """The field ``name`` of that of the ``operations`` which is at hand."""
        value: Value | None = None
        for of in operations:
            known = [field.name for field in operation(self._config, of).fields]
            if name in known:
                own = self._field(name, of)
                value = own if value is None else Mux(self._code[of], own, value)
        assert value is not None, name
        return value

    def _build_fences(self, m: Module, guard: BankGuard, ledgers) -> Value:
        """Whether the descriptor at hand may begin, its unit's readiness left out."""
        beside = self._field("beside", "run")
        clear = [
            ledger.idle | (named & ledger.one)
            for named, ledger in zip(beside, ledgers.values(), strict=True)
        ]
        waits = self._code["run"] & ~guard.run_safe
        safe = (~self._code["load"] | guard.load_safe) & ~waits
        m.d.comb += self.waits_weights.eq(waits & self._at_hand)
        return Cat(*clear, safe).all()

    def _build_guard(self, m: Module, guard: BankGuard) -> None:
        """What the guard of the banks is told."""
        loads = self.fetch.valid & self.fetch.ready & self.fetch.load
        m.d.comb += [
            guard.load_bank.eq(self._field("bank", "load")),
            guard.run_bank.eq(self._field("bank", "run")),
            *(guard.loads.eq(loads), guard.loaded.eq(self.fetch_done)),
            guard.runs.eq(self.run.valid & self.run.ready),
            guard.released.eq(self.released),
        ]
        if self._config.macro.w_fuse_width:
            m.d.comb += guard.load_fuse.eq(self._field("fuse", "load"))

    def _build_failures(self, m: Module, errors: ErrorRecord, ledgers) -> dict[str, Value]:
        """Whether what a unit has under way has failed, by units: they say so until they begin the
        next, which may be in the next queue."""
        m.d.comb += [
            errors.fetch_failed.eq(self.fetch_failed & ~ledgers["fetch"].idle),
            errors.bad_channel.eq(self.bad_channel & ~ledgers["fetch"].idle),
            errors.store_failed.eq(self.store_failed & ~ledgers["store"].idle),
        ]
        fetch = self.fetch_failed | self.bad_channel
        return {"fetch": fetch, "run": Const(0), "store": self.store_failed}

    def _build_ended(self, m: Module, ledgers, failed: dict[str, Value], end: Signal) -> Value:
        """Ends of descriptors and their interrupts, told one a cycle; returns whether all are."""
        ends = [getattr(self, f"{unit}_done") & ~failed[unit] for unit in ledgers]
        asked = [done & ledger.asked for done, ledger in zip(ends, ledgers.values(), strict=True)]
        asks_now = end & self._field("interrupt", "end")
        for line, events in ((self.ended, [*ends, end]), (self.interrupt, [*asked, asks_now])):
            untold = Signal(4, name=f"{line.name}_untold")
            come = Signal(3, name=f"{line.name}_come")
            m.d.comb += [come.eq(sum(events)), line.eq(untold != 0)]
            m.d.sync += untold.eq(untold - line + come)
        for unit, ledger in ledgers.items():
            m.d.comb += ledger.ends.eq(getattr(self, f"{unit}_done"))
        return ~self.ended & ~self.interrupt

    def _build_order(
        self, m: Module, source, check, errors, allowed: Value, handed: Value, idle: Value, end
    ) -> Signal:
        """One descriptor after the other; returns the number of the one at hand."""
        index, count = Signal(16, name="index"), Signal(16, name="count_q")
        stop = Signal(name="stop")
        m.d.comb += source.stop.eq(stop | self.flush)
        with m.FSM(name="order"):
            with m.State("IDLE"):
                m.d.comb += [source.start.eq(self.start), errors.clear.eq(self.start)]
                with m.If(self.start):
                    m.d.sync += [index.eq(0), count.eq(self.count), self.busy.eq(1)]
                    m.next = "NEXT"
            with m.State("NEXT"):
                with m.If(errors.failing | (index == count)):
                    m.next = "DRAIN"
                with m.Elif(source.valid):
                    m.next = "COMPARE"
            with m.State("COMPARE"):
                m.next = "VERDICT"
            with m.State("VERDICT"):
                wrong = source.failed | check.wrong
                m.d.comb += [errors.refused.eq(wrong), errors.unread.eq(source.failed)]
                m.next = "OFFER"
                with m.If(wrong):
                    m.next = "DRAIN"
            with m.State("OFFER"):
                m.d.comb += [
                    self._at_hand.eq(1),
                    self._offers.eq(allowed & ~errors.failing & ~self.flush),
                    end.eq(self._offers & self._code["end"]),
                    source.taken.eq(handed),
                ]
                with m.If(end | errors.failing):
                    m.next = "DRAIN"
                with m.Elif(handed):
                    m.d.sync += index.eq(index + 1)
                    m.next = "NEXT"
            with m.State("DRAIN"):
                m.d.comb += stop.eq(1)
                with m.If(idle):
                    m.d.comb += [self.finished.eq(~errors.failing), self.failed.eq(errors.failing)]
                    m.d.sync += self.busy.eq(0)
                    m.next = "IDLE"
        m.d.comb += errors.refused_field.eq(check.field)
        return index

    def _build_errors(self, m: Module, errors: ErrorRecord, index: Signal) -> None:
        """What the record of errors is told, and tells."""
        m.d.comb += [
            errors.at.eq(index),
            errors.fetches.eq(self.fetch.valid & self.fetch.ready),
            errors.stores.eq(self.store.valid & self.store.ready),
            *(self.error_cause.eq(errors.cause), self.error_field.eq(errors.field)),
            self.error_index.eq(errors.index),
        ]
