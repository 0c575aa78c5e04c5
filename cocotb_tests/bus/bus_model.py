"""What a wrapped macro must answer: each access's outcome and data, from the contract alone."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from cimforge.cocotb_tests.packing import as_patterns, pack, unpack
from cimforge.golden.macro import MacroModel
from cimforge.hdl.bus.registers import MAGIC, RegisterMap
from cimforge.hdl.params.config import MacroConfig

__all__ = ["Access", "BusModel", "Expected"]

STATUS = ("x_ready", "w_ready", "r_ready", "y_valid", "q_valid")


@dataclass(frozen=True)
class Access:
    """One bus access: a read where ``data`` is None."""

    address: int
    data: int | None = None
    select: int = 0xF


@dataclass(frozen=True)
class Expected:
    """Outcomes that are right (``ack``, ``err``), and the data of a read that ends in ack."""

    outcomes: frozenset[str]
    data: int | None = None
    mask: int = 0xFFFFFFFF  # bits of data that are known


ACK, ERR = Expected(frozenset({"ack"})), Expected(frozenset({"err"}))
EITHER = frozenset({"ack", "err"})


@dataclass
class BusModel:
    """Follows the accesses that were accepted; weights and results come from golden.

    When the macro takes a beat or delivers a result is not predicted: ``sure`` holds what must be
    ready (None: either), from resets and from status reads.
    """

    config: MacroConfig
    model: MacroModel = field(init=False)

    def __post_init__(self) -> None:
        self.map = RegisterMap(self.config)
        self._registers = {each.offset: each for each in self.map.registers()}
        self._windows = self.map.windows()
        self.model = MacroModel(self.config)
        self.x_words = [0] * self.map.window("x").words
        self.w_words = [0] * self.map.window("w").words
        self.reset()

    def reset(self) -> None:
        """What rst or control.reset leaves: weights and window contents stay."""
        self.results: deque[list[int | None]] = deque()
        self.rows: deque[list[int | None]] = deque()
        self.enabled = 0
        self.sure: dict[str, bool | None] = dict.fromkeys(("x", "w", "r"), True)
        self.full: dict[str, bool | None] = dict.fromkeys(("y", "q"), False)
        self.started = dict.fromkeys(("x", "r"), 0)
        self.taken = dict.fromkeys(("y", "q"), 0)

    # what must be answered

    def expect(self, access: Access) -> Expected:
        """The right answers to an access now."""
        if access.select != 0xF or access.address % 4:
            return ERR
        if register := self._registers.get(access.address):
            return self._register(register.name, register.access, access.data)
        for window in self._windows:
            word = (access.address - window.offset) // 4
            if 0 <= word < window.words:
                return self._window(window.name, word, access.data)
        return ERR

    def _register(self, name: str, kind: str, data: int | None) -> Expected:
        if (kind == "ro" and data is not None) or (kind == "wo" and data is None):
            return ERR
        if data is None:
            return self._read(name)
        stream = name[0]
        if name.endswith("_start"):
            return self._when(self.sure[stream]) if self._fields_exist(stream, data) else ERR
        if name.endswith("_next"):
            return self._when(self.full[stream])
        return ACK

    @staticmethod
    def _when(ready: bool | None) -> Expected:
        return Expected(EITHER) if ready is None else ACK if ready else ERR

    def _fields_exist(self, stream: str, data: int) -> bool:
        """Row, bank and mode exist, reserved bits are 0."""
        row, bank, reserved, sign = data & 0xFFFF, data >> 16 & 0xFF, data >> 24 & 0x7F, data >> 31
        if stream == "w" and self.config.grouped:
            reserved &= 0x3F  # the bit above is fill
        if stream == "w" and reserved < len(self.config.modes):
            reserved = 0  # the lowest are the mode
        if bank >= self.config.banks or reserved:
            return False
        return stream == "x" or (row < self.config.rows and not (stream == "r" and sign))

    def _read(self, name: str) -> Expected:
        config = self.config
        constants = {
            "id": MAGIC,
            "hash": int(config.digest[:8], 16),
            "geometry": config.rows | config.cols << 16,
            "precision": config.input_bits
            | config.weight_bits << 8
            | config.y_bits << 16
            | config.banks << 24,
            "control": 0,
            "irq_enable": self.enabled,
        }
        if name != "status":
            return Expected(ACK.outcomes, constants[name])
        known = self._states()
        mask = sum((bit is not None) << place for place, bit in enumerate(known))
        return Expected(ACK.outcomes, self.status(), mask)

    def _states(self) -> list[bool | None]:
        return [self.sure["x"], self.sure["w"], self.sure["r"], self.full["y"], self.full["q"]]

    def status(self, read: int = 0) -> int:
        """What status must read, where the bits that are not predicted are as in ``read``: y_tag
        and q_tag count what was released and what the window holds."""
        states = [
            bool(read >> place & 1) if bit is None else bit
            for place, bit in enumerate(self._states())
        ]
        tags = (
            *(self.started["x"], self.started["r"]),
            *(self.taken["y"] + states[3], self.taken["q"] + states[4]),
        )
        word = sum(bit << place for place, bit in enumerate(states))
        return word | sum(tag % 64 << 8 + 6 * place for place, tag in enumerate(tags))

    def _window(self, name: str, word: int, data: int | None) -> Expected:
        if name in "xw":
            return ERR if data is None else self._when(self.sure[name])
        if data is not None or self.full[name] is False:
            return ERR
        waiting = self.results if name == "y" else self.rows
        outcomes, known = ACK.outcomes if self.full[name] else EITHER, waiting[0][word]
        if known is None:  # a word of another mode than the result's
            return Expected(outcomes, 0, 0)
        return Expected(outcomes, known & 0xFFFFFFFF)

    # what was answered

    def account(self, access: Access, data: int) -> None:
        """An access was acknowledged; ``data`` is what a read carried."""
        for window in self._windows:
            word = (access.address - window.offset) // 4
            if 0 <= word < window.words and access.data is not None:
                {"x": self.x_words, "w": self.w_words}[window.name][word] = access.data
                self.sure[window.name] = True
            elif 0 <= word < window.words:
                self.full[window.name] = True
        if register := self._registers.get(access.address):
            self._account_register(register.name, access.data, data)

    def _account_register(self, name: str, written: int | None, read: int) -> None:
        if name == "status" and written is None:
            self._learn(read)
        elif written is not None:
            commands = {
                "x_start": self._start_pass,
                "w_start": self._start_write,
                "r_start": self._start_read,
            }
            if name in commands:
                commands[name](written)
            elif name.endswith("_next"):
                waiting = self.results if name[0] == "y" else self.rows
                waiting.popleft()
                self.taken[name[0]] += 1
                self.full[name[0]] = None if waiting else False
            elif name == "irq_enable":
                self.enabled = written & (1 << len(STATUS)) - 1
            elif name == "control" and written & 1:
                self.reset()

    def _learn(self, status: int) -> None:
        for place, stream in enumerate("xwr"):
            if status >> place & 1:
                self.sure[stream] = True
        for place, stream in enumerate("yq", 3):
            if status >> place & 1:
                self.full[stream] = True

    def _start_pass(self, word: int) -> None:
        config = self.config
        value = sum(each << 32 * place for place, each in enumerate(self.x_words))
        value &= (1 << config.rows * config.input_bits) - 1
        patterns = unpack(value, config.input_bits, config.rows)
        bits, bank = word & 0xFFFF, word >> 16 & 0xFF
        counted = {"x_rows" if config.binary else "x_bits": bits}
        y = self.model.mvm(patterns, x_signed=bool(word >> 31), bank=bank, **counted)
        parts, fuse = range(self.map.result_words), self.model.fuse(bank)
        shown: list[int | None] = []
        for number, mode in enumerate(config.modes):
            words = [int(each) >> 32 * part for each in y for part in parts]
            shown += words if number == fuse else [None] * (mode.outputs * len(parts))
        self.results.append(shown)
        self.started["x"] += 1
        self.sure["x"], self.full["y"] = None, self.full["y"] or None

    def _start_write(self, word: int) -> None:
        config = self.config
        value = sum(each << 32 * place for place, each in enumerate(self.w_words))
        value &= (1 << config.cols * config.weight_bits) - 1
        place, fill, fuse = (word >> 16 & 0xFF, word & 0xFFFF), bool(word >> 30 & 1), word >> 24 & 7
        mode = config.modes[fuse]
        patterns = unpack(value, mode.weight_bits, mode.outputs)
        self.model.write(*place, patterns, bool(word >> 31), fill, fuse)
        self.sure["w"] = None

    def _start_read(self, word: int) -> None:
        config = self.config
        patterns = self.model.read(word >> 16 & 0xFF, word & 0xFFFF)
        bits = config.modes[self.model.fuse(word >> 16 & 0xFF)].weight_bits
        value = pack(as_patterns(np.asarray(patterns), bits), bits)
        words = self.map.window("q").words
        self.rows.append([value >> 32 * place & 0xFFFFFFFF for place in range(words)])
        self.started["r"] += 1
        self.sure["r"], self.full["q"] = None, self.full["q"] or None
