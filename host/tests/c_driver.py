"""The C driver as a shared library, its port the golden engine behind callbacks."""

import ctypes
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from cimforge.hdl.emit.register_views import engine_files
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.engine_table import TABLE_FIELDS
from cimforge.host.tests.engine_twin import EngineTwin

__all__ = ["COMMANDS", "SIGNED", "CDriver", "Device", "compiler", "strict_flags"]

SOURCES = Path(__file__).parents[1] / "c"
SIGNED = {"zero", "lowest", "highest", "origin_x", "origin_y"}
WORD, VOID = ctypes.c_uint32, ctypes.c_void_p
READ = ctypes.CFUNCTYPE(WORD, VOID, WORD)
WRITE = ctypes.CFUNCTYPE(None, VOID, WORD, WORD)
WRITE_MEMORY = ctypes.CFUNCTYPE(None, VOID, WORD, ctypes.POINTER(WORD), WORD)
COMMANDS = {
    "load": "beside source first rows bank is_signed fuse fill",
    "copy": "beside source source_pitch target target_pitch count lines",
    "channels": "beside source first count",
    "run": "beside bank is_signed accumulate bits vectors sums source image_pitch rows length "
    "line_bytes lines segment segments_x segments_y step_x step_y stride_x stride_y "
    "count_x count_y pad skip_x skip_y skip origin_x origin_y",
    "store": "beside target target_pitch vectors sums first outputs channel rounding raw wide ones "
    "zero lowest highest",
}


def compiler() -> list[str] | None:
    """A C compiler's command: cc, or that of the ziglang package; None where there is neither."""
    if shutil.which("cc"):
        return ["cc"]
    return [sys.executable, "-m", "ziglang", "cc"] if find_spec("ziglang") else None


def strict_flags() -> list[str]:
    """What the sources must compile with."""
    return ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror"]


def _words(name: str, members: tuple[str, ...] | list[str]) -> type[ctypes.Structure]:
    kinds = [(m, ctypes.c_int32 if m in SIGNED else WORD) for m in members]
    return type(name, (ctypes.Structure,), {"_fields_": kinds})


class Port(ctypes.Structure):
    _fields_ = (("read", READ), ("write", WRITE), ("write_memory", WRITE_MEMORY), ("context", VOID))


class Device(ctypes.Structure):
    _fields_ = (("port", Port),)


class Queue(ctypes.Structure):
    _fields_ = (
        *(("descriptors", VOID), ("capacity", WORD), ("address", WORD)),
        *(("count", WORD), ("refused", WORD)),
    )


Failure = _words("Failure", ["cause", "index", "field"])
Layer = _words("Layer", TABLE_FIELDS)
STRUCTS = {name: _words(name, members.split()) for name, members in COMMANDS.items()}


class Counters(ctypes.Structure):
    _fields_ = (
        *((f"count{n}", WORD) for n in range(9)),
        ("macs", ctypes.c_uint64),
    )


class CDriver:
    """The driver of an engine of ``config``, built in ``folder``, on a ``twin``."""

    def __init__(self, config: EngineConfig, folder: Path, twin: EngineTwin | None = None):
        files = engine_files(config, "cim_engine")
        header = folder / "cim_engine.h"
        header.write_text(next(text for name, text in files.items() if name.endswith(".h")))
        library = folder / "driver.so"
        sources = [str(path) for path in sorted(SOURCES.glob("*.c"))]
        command = compiler()
        assert command
        build = [*command, *strict_flags(), "-shared", "-fPIC", f"-I{folder}", "-o", str(library)]
        subprocess.run([*build, *sources], check=True)
        self.library = ctypes.CDLL(str(library))
        self.library.cim_linear_length.restype = WORD
        self.config, self.twin = config, twin or EngineTwin(config)
        self.device, self.queue = Device(), Queue()
        self._descriptors = (WORD * (16 * 4096))()
        self._kept = self._callbacks()

    def _callbacks(self) -> Port:
        twin = self.twin

        def write_memory(_, address, words, count):
            twin.write_memory(address, np.array(words[:count], "<u4").tobytes())

        port = Port()
        port.read = READ(lambda _, offset: twin.read_register(offset))
        port.write = WRITE(lambda _, offset, value: twin.write_register(offset, value))
        port.write_memory = WRITE_MEMORY(write_memory)
        return port

    def call(self, name: str, *arguments) -> int:
        """A function of the driver with the device in front; structures go by their address."""
        passed = [ctypes.byref(a) if isinstance(a, ctypes.Structure) else a for a in arguments]
        return self.library[f"cim_{name}"](ctypes.byref(self.device), *passed)

    def init(self, looks: int = 10) -> int:
        """cim_init."""
        return self.call("init", self._kept, looks)

    def begin(self, address: int, capacity: int = 4096) -> int:
        """cim_queue_init."""
        into = ctypes.cast(self._descriptors, VOID)
        return self.library.cim_queue_init(ctypes.byref(self.queue), into, capacity, WORD(address))

    def add(self, kind: str, **members: int) -> int:
        """cim_queue_KIND with these members."""
        command = STRUCTS[kind](**members)
        function = self.library[f"cim_queue_{kind}"]
        return function(ctypes.byref(self.queue), ctypes.byref(command))

    def interrupt(self) -> int:
        """cim_queue_interrupt."""
        return self.library.cim_queue_interrupt(ctypes.byref(self.queue))

    def linear(self, table: dict[str, int], inputs: int, outputs: int, batch: int) -> int:
        """cim_linear."""
        layer, sizes = Layer(**table), (WORD(inputs), WORD(outputs), WORD(batch))
        return self.library.cim_linear(ctypes.byref(self.queue), ctypes.byref(layer), *sizes)

    def length(self, table: dict[str, int], batch: int) -> int:
        """cim_linear_length."""
        return self.library.cim_linear_length(ctypes.byref(Layer(**table)), WORD(batch))

    def run(self, looks: int = 10) -> int:
        """cim_run."""
        return self.call("run", self.queue, looks)

    @property
    def words(self) -> np.ndarray:
        """The queue's descriptors (count, 16)."""
        whole = np.frombuffer(memoryview(self._descriptors).cast("B"), "<u4").reshape(-1, 16)
        return whole[: self.queue.count].copy()

    def failure(self) -> tuple[int, int, int]:
        """cim_failure: cause, index, field."""
        told = Failure()
        self.call("failure", told)
        return told.cause, told.index, told.field

    def counters(self) -> list[int]:
        """cim_counters: the nine, and macs."""
        told = Counters()
        self.call("counters", told)
        return [*(getattr(told, f"count{n}") for n in range(9)), told.macs]
