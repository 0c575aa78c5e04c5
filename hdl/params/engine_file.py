"""Reads an EngineConfig from a preset's name or a TOML file with a table ``[macro]``."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, canonical_command, load_config
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.errors import ConfigError, shown
from cimforge.hdl.params.presets import PRESETS
from cimforge.hdl.params.ranges import nearest_word

__all__ = ["ENGINES", "engine_command", "load_engine", "names_engine"]

PREFIX = "engine."
MOST_BYTES = 2**20

# Engines with a name: the macro's preset and what is changed there, and their own parameters.
ENGINES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # fed: a layer of 640 x 128 and a batch of 128 keep its array busy
    "engine_base": (
        {"preset": "base", "banks": 2},
        {"acc_vectors": 1024, "act_bytes": 32768, "lanes": 4},
    ),
    # leaves room for a processor on a small board
    "engine_small": (
        {"preset": "fpga_small", "weight_bits": 8, "banks": 2},
        {"acc_vectors": 64, "act_bytes": 2048, "channels": 64},
    ),
}


def load_engine(source: str, overrides: Iterable[str] = ()) -> EngineConfig:
    """The EngineConfig of a name in ENGINES, of a macro's preset or TOML file, or of a TOML file of
    the engine's parameters with a table ``[macro]`` of the macro's, ``preset`` among them.

    Of the ``key=value`` overrides those that begin ``engine.`` are the engine's, others the
    macro's. Raises InputError naming the file, preset or override, the key, the rule and the
    nearest legal value.
    """
    every = [override.strip() for override in overrides]
    own = [override for override in every if override.startswith(PREFIX)]
    changed = [override for override in every if not override.startswith(PREFIX)]
    told, parameters = _read(source)
    if told is None:
        _check_names(source, changed)
    macro = load_config(source, changed) if told is None else _macro(source, told, changed)
    where = dict.fromkeys(parameters, source)
    for override in own:
        key, value = _parse(override)
        parameters[key], where[key] = value, f"--set {PREFIX}{key}"
    if "macro" in parameters:
        raise InputError(f"{where['macro']}: the macro's parameters are set without {PREFIX}")
    try:
        return EngineConfig(macro=macro, **parameters)
    except ConfigError as error:
        raise InputError(f"{where.get(error.key, source)}: {error}") from None


def _check_names(source: str, changed: Iterable[str]) -> None:
    """Raise InputError where a name is nearly an engine's, or a macro is told what is the
    engine's."""
    near = nearest_word(source, [*PRESETS, *ENGINES])
    if near in ENGINES:
        raise InputError(f"no preset {shown(source)}; did you mean {near!r}?")
    for override in changed:
        key, _, value = override.partition("=")
        if key in EngineConfig.model_fields and key != "macro":
            rule = f"is a parameter of the engine: --set {PREFIX}{key}={value}"
            raise InputError(f"--set {key}: {rule}")


def names_engine(source: str, overrides: Iterable[str] = ()) -> bool:
    """Whether ``source`` is an engine to verbs that take macros too: a name in ENGINES, a TOML file
    with a table ``[macro]``, or a macro of which an override sets a parameter of the engine."""
    if any(override.strip().startswith(PREFIX) for override in overrides):
        return True
    return _read(source)[0] is not None


def engine_command(config: EngineConfig) -> str:
    """A ``cimforge engine`` command that makes this engine again."""
    fields = EngineConfig.model_fields
    told = config.model_dump(exclude={"macro"})
    changed = {key: value for key, value in told.items() if value != fields[key].default}
    options = (f"--set {PREFIX}{key}={json.dumps(value)}" for key, value in changed.items())
    macro = canonical_command(config.macro).replace("cimforge generate", "cimforge engine", 1)
    return " ".join([macro, *options])


def _read(source: str) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """The macro's table, None where the whole source is the macro's, and the engine's
    parameters."""
    if source in ENGINES:
        macro, parameters = ENGINES[source]
        return dict(macro), dict(parameters)
    if source in PRESETS or not source.endswith(".toml"):
        return None, {}
    try:
        with Path(source).open("rb") as file:
            table = tomllib.loads(file.read(MOST_BYTES).decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None, {}  # load_config says what is wrong with it
    if "macro" not in table:
        return None, {}
    macro = table.pop("macro")
    if not isinstance(macro, dict):
        raise InputError(f"{source}: macro must be a table, not {shown(macro)}")
    return macro, table


def _macro(source: str, told: Mapping[str, Any], changed: list[str]) -> MacroConfig:
    """The macro of an engine's table."""
    preset = told.get("preset", "base")
    if preset not in PRESETS:
        raise InputError(f"{source}: macro.preset: no preset {shown(preset)}")
    given = [f"{key}={json.dumps(value)}" for key, value in told.items() if key != "preset"]
    try:
        load_config(preset, given)
    except InputError as error:
        raise InputError(f"{source}: macro: {str(error).removeprefix('--set: ')}") from None
    return load_config(preset, [*given, *changed])


def _parse(override: str) -> tuple[str, Any]:
    """Key and value of an override of the engine's."""
    key, equals, text = override.removeprefix(PREFIX).partition("=")
    if not equals or not key.strip():
        raise InputError(f"--set {override}: must be {PREFIX}key=value, for example engine.lanes=4")
    try:
        table = tomllib.loads(f"value = {text}")
    except ValueError:
        table = {}
    return key.strip(), table["value"] if list(table) == ["value"] else text.strip()
