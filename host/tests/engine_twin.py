"""An engine made of the golden model: a port with its registers and memory."""

from cimforge.golden.engine import EngineModel
from cimforge.hdl.bus.engine_map import EngineMap
from cimforge.hdl.params.descriptors import OPERATIONS, operations
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.engine_errors import ERROR_CAUSES

__all__ = ["EngineTwin"]


class EngineTwin:
    """Registers, and memory of ``size`` bytes from ``base`` on. A queue is done at its start, but
    ``busy_reads`` reads of the status still see it busy; None: it never ends. ``resets`` counts
    soft resets, ``resetting`` reads of the status that still see one. ``accesses`` are those of
    registers, (name, value written or None)."""

    def __init__(self, config: EngineConfig, size: int = 1 << 16, base: int = 0):
        self.config, self.map = config, EngineMap(config)
        self.memory, self.base = bytearray(size), base
        self.model = EngineModel(config, self.memory, base)
        self.words = {register.name: register.constant for register in self.map.registers()}
        self.busy_reads: int | None = 0
        self.resetting = self.resets = self._busy = 0
        self.accesses: list[tuple[str, int | None]] = []
        self._names = {register.offset: register.name for register in self.map.registers()}

    def read_register(self, offset: int) -> int:
        """The register at byte ``offset``."""
        name = self._names[offset]
        self.accesses.append((name, None))
        if name != "status":
            return self.words[name]
        register = self.map.register("status")
        if self.resetting:
            self.resetting -= 1
            return register.word(resetting=1)
        if self._busy or (self.busy_reads is None and self.words["status"]):
            self._busy = max(0, self._busy - 1)
            return register.word(busy=1)
        return self.words["status"]

    def write_register(self, offset: int, value: int) -> None:
        """Write it."""
        name = self._names[offset]
        self.accesses.append((name, value))
        assert self.map.is_word(name, value), (name, value)
        register = self.map.register(name)
        if name != "control":
            self.words[name] = value
            return
        if register.field("reset").of(value):
            self.resets += 1
            for each in self.map.registers():
                self.words[each.name] = each.constant
        if register.field("clear").of(value):
            self.model.overflow, self.words["status"] = False, 0
        if register.field("start").of(value):
            self._start()

    def read_memory(self, address: int, count: int) -> bytes:
        """Bytes from ``address`` on."""
        low = address - self.base
        assert 0 <= low <= low + count <= len(self.memory)
        return bytes(self.memory[low : low + count])

    def write_memory(self, address: int, data: bytes) -> None:
        """Write bytes from ``address`` on."""
        low = address - self.base
        assert 0 <= low <= low + len(data) <= len(self.memory)
        self.memory[low : low + len(data)] = data

    def _start(self) -> None:
        """Run the queue; set what the engine's registers tell of it."""
        before = self.model.memory.words_read, self.model.memory.words_written
        result = self.model.run_queue(self.words["queue_base"], self.words["queue_count"])
        status, error = self.map.register("status"), result.error
        states = {"error" if error else "done": 1, "overflow": int(result.overflow)}
        self._busy = self.busy_reads or 0
        self.words |= {
            **{"status": status.word(**states), "queue_done": result.ended},
            "read_words": self.model.memory.words_read - before[0],
            "written_words": self.model.memory.words_written - before[1],
            **{"vectors": self.model.vectors, "macs_low": self.model.macs_1b % (1 << 32)},
            "macs_high": self.model.macs_1b >> 32,
        }
        if error:
            fields = {"cause": list(ERROR_CAUSES).index(error.cause)}
            fields["field"] = self._number(error.index, error.field)
            self.words["error"] = self.map.register("error").word(**fields)
            self.words["error_index"] = error.index

    def _number(self, index: int, name: str | None) -> int:
        """What the error register calls a field."""
        if name in (None, "reserved"):
            return 0xFFFF if name else 0
        code = self.read_memory(self.words["queue_base"] + 64 * index, 1)[0]
        known = operations(self.config)
        return known[code if code < len(OPERATIONS) else 0].field(name).number
