"""Energy constants: one table, with units and source, that a user may change."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from importlib.resources import files
from math import isfinite
from pathlib import Path
from typing import Any

from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.errors import shown, unknown_key

__all__ = ["DEFAULT", "EnergyConstants", "load_constants"]

DEFAULT = "survey"


@dataclass(frozen=True)
class EnergyConstants:
    """Energy of an access in pJ and the bits that it moves, of off-chip (``dram``) and on-chip
    memory (``sram``); ``compute_pj`` of a multiply-accumulate of the von Neumann machine, in which
    an operand read from on-chip memory serves ``reuse`` of them. ``source`` says where they are
    from."""

    source: str
    dram_pj: float
    dram_bits: float
    sram_pj: float
    sram_bits: float
    compute_pj: float
    reuse: float

    @property
    def dram_byte(self) -> float:
        """pJ a byte: ``8 * dram_pj / dram_bits``."""
        return 8 * self.dram_pj / self.dram_bits

    @property
    def sram_byte(self) -> float:
        """pJ a byte: ``8 * sram_pj / sram_bits``."""
        return 8 * self.sram_pj / self.sram_bits

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def load_constants(table: str = DEFAULT, changes: Sequence[str] = ()) -> EnergyConstants:
    """The constants of ``table``, a name in constants.toml or a TOML file of the user's, with
    ``changes`` (``key=value``) applied.

    Raises InputError where there is no such table, key or number.
    """
    text = files("cimforge.compiler.energy").joinpath("constants.toml").read_text()
    tables = {name: EnergyConstants(**told) for name, told in tomllib.loads(text).items()}
    if table in tables:
        constants = tables[table]
    else:
        told = _read(table, list(tables))
        source = {"source": f"{table}, else {tables[DEFAULT].source}"}
        constants = _changed(tables[DEFAULT], {**source, **told}, f"--energy {table}")
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals:
            rule = f"must be KEY=VALUE, for example sram_pj=20, not {shown(change)}"
            raise InputError(f"--constant: {rule}")
        where = f"--constant {change}"
        constants = _changed(constants, {key.strip(): _number(value, where)}, where)
    if changes:
        changed = f"{constants.source}; changed: {', '.join(changes)}"
        constants = replace(constants, source=changed)
    return constants


def _read(path: str, names: Sequence[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text())
    except FileNotFoundError:
        rule = f"neither a file nor one of {', '.join(names)}"
        raise InputError(f"--energy {path}: {rule}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        told = str(error).split("\n")[0]
        raise InputError(f"--energy {path}: is not read as TOML: {told}") from None


def _changed(constants: EnergyConstants, told: Mapping[str, Any], where: str) -> EnergyConstants:
    names = [field.name for field in fields(constants)]
    for key, value in told.items():
        if key not in names:
            raise InputError(f"{where}: {unknown_key(key, names)}")
        if key == "source":
            fits = isinstance(value, str)
            rule = "must be a text"
        else:
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            least = 0.0 if key.endswith("_pj") else 1.0
            fits = number and isfinite(value) and value >= least
            rule = f"must be a number of at least {least:g}"
        if not fits:
            raise InputError(f"{where}: {key} {rule}, not {shown(value)}")
    return replace(constants, **told)


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{where}: must be a number, not {shown(text)}") from None
