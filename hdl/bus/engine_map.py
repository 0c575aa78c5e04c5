"""The register map of an engine: one table for hardware, software and documents."""

from collections.abc import Iterator

from cimforge.hdl.bus.registers import WORD_BITS, Field, Register
from cimforge.hdl.params.descriptors import DESCRIPTOR_BYTES
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.engine_errors import ERROR_CAUSES
from cimforge.hdl.params.interface import ENGINE_VERSION

__all__ = ["ACCESS", "ENGINE_MAGIC", "EngineMap"]

ENGINE_MAGIC = 0x43494D45  # "CIME"
ACCESS = {
    "ro": "read only",
    "rw": "read and write",
    "wo": "write only",
    "w1c": "read; a bit written as 1 is cleared",
    "w1p": "a bit written as 1 acts once; reads 0",
}
INTERRUPTS = {
    "done": "the queue has ended without an error",
    "error": "the queue was stopped by an error",
    "descriptor": "a descriptor that asks for it has ended",
}
COUNTERS = {  # in the order of their addresses
    "cycles": "cycles in which the engine was busy",
    "compute": "cycles in which the array applied planes",
    "stall_input": "cycles in which the array stood still for want of a vector",
    "stall_output": "cycles in which the array stood still because its result was not taken",
    "stall_weights": "cycles in which a run waited for weights that were still being loaded",
    "vectors": "vectors whose results were taken",
    "planes_skipped": "groups of bit planes, of a cycle each, that zero_skip left out",
    "read_words": "words of the bus read from memory",
    "written_words": "words of the bus written to memory",
}


class EngineMap:
    """Registers of one engine, of 32 bits at offsets of 4 bytes from 0 on; access is one of ACCESS.

    Offsets and fields are those of every engine of the same ENGINE_VERSION; only values of constant
    fields are the configuration's. Reset, by ``rst`` or by control, leaves each register
    ``Register.constant``: what is not constant is 0.
    """

    def __init__(self, config: EngineConfig):
        self._config = config
        named = [*self._identity(), *self._control(), *self._queue(), *self._counters()]
        self._registers = {
            name: Register(name, 4 * place, access, meaning, tuple(fields))
            for place, (name, access, meaning, fields) in enumerate(named)
        }

    @property
    def address_bits(self) -> int:
        """Bits of a byte address."""
        return 2 + (len(self._registers) - 1).bit_length()

    def register(self, name: str) -> Register:
        """The register ``name``; KeyError where there is none."""
        return self._registers[name]

    def registers(self) -> tuple[Register, ...]:
        """The registers, in the order of their addresses."""
        return tuple(self._registers.values())

    @property
    def constants(self) -> tuple[str, ...]:
        """Registers that never change, by name."""
        return tuple(name for name, *_ in self._identity())

    def least(self, name: str) -> int:
        """The least word that may be written to a register."""
        return 1 if name == "queue_count" else 0

    def needs_idle(self, name: str) -> bool:
        """Whether a write of the register is refused while the engine is busy or resets."""
        return name in ("queue_base", "queue_count")

    def is_word(self, name: str, word: int) -> bool:
        """Whether ``word`` may be written to a register, whatever the engine does: reserved bits
        are 0, it is not below the least, and control has not start and reset at once."""
        register = self.register(name)
        both = register.word(start=1, reset=1) if name == "control" else 0
        clash = both and word & both == both
        return not word & register.reserved and word >= self.least(name) and not clash

    def _identity(self) -> Iterator[tuple[str, str, str, list[Field]]]:
        config, macro = self._config, self._config.macro
        text = f"0x{ENGINE_MAGIC:08x}, the letters CIME"
        yield "id", "ro", "says that this is an engine", [Field("magic", 0, 32, text, ENGINE_MAGIC)]
        version = Field("version", 0, 32, "of registers and descriptors", ENGINE_VERSION)
        yield "version", "ro", "of the interface; software for another must not go on", [version]
        digest = int(config.digest[:8], 16)
        hashed = Field("digest", 0, 32, "first 8 hex digits of the configuration's SHA-256", digest)
        yield "hash", "ro", "says which configuration this is", [hashed]
        rows = Field("rows", 0, 16, "inputs of a vector", macro.rows)
        outputs = Field("outputs", 16, 16, "outputs of mode 0, of all macros", self._outputs())
        yield "geometry", "ro", "size of a pass", [rows, outputs]
        widths = [
            Field("input_bits", 0, 8, "most bits of an input", macro.input_bits),
            Field("weight_bits", 8, 8, "bits of a weight in mode 0", macro.weight_bits),
            Field("acc_bits", 16, 8, "bits of a kept sum", config.acc_bits),
            Field("banks", 24, 8, "weight sets", macro.banks),
        ]
        yield "precision", "ro", "widths, and weight sets", widths
        yield "size", "ro", "how many of each, and what it can do", [*self._sizes()]
        room = (
            ("act_bytes", "bytes", "size of the activation buffer"),
            ("acc_vectors", "vectors", "vectors whose sums are kept at once"),
            ("channels", "channels", "channels whose requantisation is kept at once"),
        )
        for name, unit, text in room:
            yield name, "ro", text, [Field(unit, 0, WORD_BITS, unit, getattr(config, name))]

    def _outputs(self) -> int:
        return self._config.modes[0].outputs

    def _sizes(self) -> Iterator[Field]:
        config = self._config
        yield Field("macros", 0, 8, "macros side by side", config.macros)
        yield Field("bus_bytes", 8, 8, "bytes of a word of the memory bus", config.bus_bytes)
        yield Field("lanes", 16, 8, "results requantised in a cycle", config.lanes)
        yield Field("element_bytes", 24, 2, "bytes of an input in memory", config.element_bytes)
        text = "1: channels have a zero point of weights"
        yield Field("weight_zeros", 26, 1, text, int(config.weight_zeros))
        yield Field("streams", 27, 1, "1: data may come and go by streams", int(config.streams))
        text = "1: inputs and weights are -1 and 1"
        yield Field("binary", 28, 1, text, int(config.macro.binary))
        yield Field("modes", 29, 3, "modes of a bank's weights", len(config.modes))

    def _control(self) -> Iterator[tuple[str, str, str, list[Field]]]:
        start = (
            "begin the queue: an error while busy or resetting, with reset, or before a queue_count"
        )
        reset = "stop lawfully and set all registers to their reset values; at any time"
        clear = "zero the counters, the sticky bits of status, error and error_index; at any time"
        texts = {"start": start, "reset": reset, "clear": clear}
        yield "control", "w1p", "what the engine is to do", _bits(texts)
        states = {
            "busy": "a queue is under way, from the cycle after its start on",
            "done": "sticky: the last queue ended without an error; start and clear clear it",
            "error": "sticky: the last queue was stopped by an error; start and clear clear it",
            "overflow": "sticky: a sum left the range of acc_bits; clear clears it",
            "resetting": "a reset is under way: outstanding accesses to memory are awaited",
        }
        yield "status", "ro", "what is under way, and what was", _bits(states)
        yield "irq_status", "w1c", "events since they were cleared", _bits(INTERRUPTS)
        enabled = {name: f"1: interrupt while irq_status.{name} is 1" for name in INTERRUPTS}
        yield "irq_enable", "rw", "events that hold the interrupt line high", _bits(enabled)

    def _queue(self) -> Iterator[tuple[str, str, str, list[Field]]]:
        low = (DESCRIPTOR_BYTES - 1).bit_length()
        text = f"upper bits of a byte address that is a multiple of {DESCRIPTOR_BYTES}"
        base = Field("address", low, WORD_BITS - low, text)
        refused = "an error while busy or resetting"
        yield "queue_base", "rw", f"byte address of the first descriptor; {refused}", [base]
        count = Field("count", 0, 16, "1..65535; 0 until it is written")
        yield "queue_count", "rw", f"descriptors of the queue; {refused}", [count]
        ended = Field("count", 0, 16, "descriptors")
        yield "queue_done", "ro", "descriptors that have ended since the start", [ended]
        told = ", ".join(f"{number} {name}" for number, name in enumerate(ERROR_CAUSES))
        place = "of a descriptor: 32 * word + lowest bit, 65535 for reserved bits; else 0"
        fields = [Field("cause", 0, 8, told), Field("field", 16, 16, place)]
        yield "error", "ro", "why the last queue was stopped", fields
        index = Field("index", 0, 16, "the first is 0")
        yield "error_index", "ro", "number in the queue of the descriptor that failed", [index]

    def _counters(self) -> Iterator[tuple[str, str, str, list[Field]]]:
        whole = Field("count", 0, WORD_BITS, f"modulo 2^{WORD_BITS}")
        for name, text in COUNTERS.items():
            yield name, "ro", text, [whole]
        macs = "1b-MACs done, 64 bits"
        low = Field("count", 0, WORD_BITS, "low half")
        yield "macs_low", "ro", f"{macs}; while busy read macs_high before and after", [low]
        yield "macs_high", "ro", macs, [Field("count", 0, WORD_BITS, "high half")]


def _bits(texts: dict[str, str]) -> list[Field]:
    """Fields of one bit each, from bit 0 on."""
    return [Field(name, place, 1, text) for place, (name, text) in enumerate(texts.items())]
