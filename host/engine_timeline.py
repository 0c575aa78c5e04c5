"""When the commands of a plan begin and end: the engine's queue and units, cycle by cycle."""

from collections import deque
from collections.abc import Sequence

from cimforge.hdl.params.descriptors import DESCRIPTOR_BYTES, UNITS
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.engine_fences import Command
from cimforge.host.engine_pace import DESCRIPTORS_AHEAD, MOST_RUNS
from cimforge.host.engine_passes import Passes, Rows
from cimforge.host.engine_reads import ANSWER, Fetch, ReadPort
from cimforge.host.engine_stores import Reads, store_cycles

__all__ = ["timeline"]

FIRST_REQUEST = 2  # of a descriptor, in the cycles of a queue, and behind one that is taken
REQUEST_GAP = 2
SHIFTED = 3  # from a descriptor's last word to its check
CHECKED = 3  # from there to its unit
LAST = 2  # from the last command's end to the queue's
UNIT = {"load": "fetch", "copy": "fetch", "run": "run", "store": "store"}


def timeline(config: EngineConfig, commands: Sequence[Command], answer: int = ANSWER) -> int:
    """Cycles from start to interrupt of a queue of commands (with ``beside``, as in a plan), of
    memory that answers reads ``answer`` cycles after it was asked, a word in each cycle, and takes
    what is written.

    It follows each burst, row of weights, RUN and STORE by the rules of the units' docstrings.
    With zero_skip it is the most.
    """
    queue = _Queue(config, commands, answer)
    for number, command in enumerate(commands):
        queue.hand(command, queue.begins(command, queue.checked(number)))
    return queue.ends() + LAST


class _Queue:
    """The command queue, and what its units have under way."""

    def __init__(self, config: EngineConfig, commands: Sequence[Command], answer: int):
        self._config, self._left = config, len(commands)
        self._port, self._passes = ReadPort(answer), Passes(config)
        self._words = max(1, DESCRIPTOR_BYTES // config.bus_bytes)
        self._beats = min(config.burst, self._words)
        self._arrived: list[int] = []  # the last word of each descriptor
        self._taken = -self._words  # when the last descriptor went
        self._fetch: Fetch | None = None
        self._rows: Rows | None = None
        self._bank = -1  # that is loaded
        self._landed: dict[int, int] = {}  # when a bank's rows had, where they take longer
        self._ends = {unit: deque([0, 0], 2) for unit in ("fetch", "store")}
        self._store: tuple[int, Command] | None = None  # under way, its end not yet known
        self._runs: list[tuple[int, int]] = []  # the number in passes, and the bank
        for number in range(DESCRIPTORS_AHEAD):
            self._ask(FIRST_REQUEST + number * REQUEST_GAP * (self._words // self._beats))

    def _ask(self, cycle: int) -> None:
        """The next descriptor is asked for, from a cycle on, ahead of what the fetch unit asks in
        the same cycle."""
        if not self._left:
            return
        self._left -= 1
        last = 0
        for number in range(self._words // self._beats):
            wanted = cycle + REQUEST_GAP * number
            if self._fetch:
                self._fetch.advance(wanted)
            last = self._port.burst(self._port.earliest(wanted), self._beats)
        self._arrived.append(last)

    def checked(self, number: int) -> int:
        """When a descriptor may go, if nothing is to be waited for: its words are shifted in when
        the one before has gone."""
        shifted = max(self._arrived[number] + SHIFTED, self._taken + self._words + 1)
        return shifted + CHECKED

    def begins(self, command: Command, cycle: int) -> int:
        """The cycle, that or a later one, in which its unit takes a command."""
        fields, unit = command.fields, UNIT[command.name]
        for bit, other in enumerate(UNITS):
            beside = bool(fields["beside"] >> bit & 1) and (other != unit or unit == "run")
            cycle = max(cycle, self._free(other, beside) + 1)
        if command.name == "load":
            return max(cycle, self._released(fields["bank"]) + 1)
        if command.name == "run":
            if self._fetch and self._fetch.load and self._bank == fields["bank"]:
                cycle = max(cycle, self._end_fetch() + 1)
            if self._runs:
                self._settle(self._runs[-1][0])
                cycle = max(cycle, self._passes.accepts())
            if len(self._runs) >= MOST_RUNS:
                cycle = max(cycle, self._passes.ends(self._runs[-MOST_RUNS][0]) + 1)
        return cycle

    def hand(self, command: Command, cycle: int) -> None:
        """A command to its unit; and the next descriptor is asked for."""
        fields, self._taken = command.fields, cycle
        if self._fetch:
            self._fetch.advance(cycle)
        if command.name == "store":
            self._end_store()
            self._store = cycle, command
        elif command.name == "run":
            landed = self._landed.get(fields["bank"], 0)
            self._runs.append((self._passes.run(fields, cycle, landed), fields["bank"]))
        else:
            self._begin_fetch(command, cycle)
        self._ask(cycle + FIRST_REQUEST)

    def _begin_fetch(self, command: Command, cycle: int) -> None:
        if command.name == "load":
            self._bank = command.fields["bank"]
            if not Rows.keep_up(self._config, command.fields["rows"]):
                landed = max(self._landed.values(), default=0)
                self._rows = Rows(self._config, self._passes, landed)
        take = self._rows.take if self._rows else None
        self._fetch = Fetch(self._config, self._port, command, cycle, take)

    def _end_fetch(self) -> int:
        """When the fetch unit has nothing under way."""
        if self._fetch:
            end = self._fetch.told + 1
            if self._fetch.load:  # its last row goes behind its last word
                end = (self._rows.accepted if self._rows else end) + 1
                self._landed[self._bank] = self._rows.landed if self._rows else 0
            self._ends["fetch"].append(end)
            self._fetch = self._rows = None
        return self._ends["fetch"][-1]

    def _end_store(self) -> int:
        """When the store unit has nothing under way: by now those RUNs are known that read sums
        meanwhile."""
        if self._store:
            began, command = self._store
            reads = []
            for number, _ in self._runs[-MOST_RUNS:]:
                self._settle(number)
                told = self._passes.reads(number)
                if told and told[1] > began:
                    reads.append(Reads(told[0] - began, told[1] - began, told[2]))
            taken, stood = store_cycles(self._config, command.fields, tuple(reads))
            if stood:
                self._passes.stand(stood)
            self._ends["store"].append(began + taken)
            self._store = None
        return self._ends["store"][-1]

    def _settle(self, number: int) -> None:
        """The rows that come before a RUN's last vector goes, which wait for the array and keep it
        waiting."""
        while self._rows and self._fetch and self._fetch.asks < self._passes.likely_end(number):
            self._fetch.step()

    def _free(self, unit: str, beside: bool) -> int:
        """When a unit has nothing under way; ``beside`` its newest command."""
        if unit == "run":
            runs = self._runs[:-1] if beside else self._runs
            if not runs:
                return 0
            self._settle(runs[-1][0])
            return self._passes.ends(runs[-1][0])
        if unit == "fetch" and self._fetch:
            return self._ends["fetch"][-1] if beside else self._end_fetch()
        if unit == "store" and self._store:
            return self._ends["store"][-1] if beside else self._end_store()
        return self._ends[unit][-2 if beside else -1]

    def _released(self, bank: int) -> int:
        """When no RUN has vectors left for a bank."""
        for number, used in reversed(self._runs):
            if used == bank:
                self._settle(number)
                return self._passes.last_taken(number) + 1
        return 0

    def ends(self) -> int:
        """When all units have nothing under way."""
        return max(self._end_fetch(), self._end_store(), self._free("run", False))
