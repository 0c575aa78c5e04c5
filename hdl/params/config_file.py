"""Reads a MacroConfig from a preset name or a TOML file, with overrides."""

import json
import os
import shlex
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.errors import ConfigError, one_line, shown
from cimforge.hdl.params.presets import PRESETS
from cimforge.hdl.params.ranges import nearest_word

__all__ = ["InputError", "canonical_command", "load_config", "plain_overrides", "plain_toml"]

SETTLED = ("ram", "group", "ram_cols")  # whose defaults others decide, the earlier ones too
MAX_FILE_BYTES = 2**20
MAX_DOTS = 10_000  # tomllib's time grows with the square of a dotted key's parts


class InputError(Exception):
    """Bad input from a user: one line that says what, where and what is legal."""

    def __init__(self, text: str):
        super().__init__(one_line(text))


def load_config(source: str, overrides: Iterable[str] = ()) -> MacroConfig:
    """The MacroConfig of a preset name or TOML file ``source``, changed by ``key=value`` overrides.

    Raises InputError naming the file, preset or override, the key, the rule and the nearest legal
    value.
    """
    parameters = _preset(source, "preset") if source in PRESETS else _read_toml(source)
    where = dict.fromkeys(parameters, source)
    for override in overrides:
        key, value = _parse_override(override)
        if key == "preset":
            raise InputError("--set preset: choose the preset as CONFIG, not with --set")
        parameters[key] = value
        where[key] = "--set"
    try:
        return MacroConfig(**parameters)
    except ConfigError as error:
        raise InputError(f"{where.get(error.key, source)}: {error}") from None


def canonical_command(config: MacroConfig) -> str:
    """The shortest ``cimforge generate`` command that makes this config again, from a preset and
    --set."""
    options = [
        (name, _differing(config, preset.parameters))
        for name, preset in PRESETS.items()
        if _reaches(config, preset.parameters)
    ]
    name, changed = min(options, key=lambda option: len(option[1]))
    chosen = (f"--set {_override(key, value)}" for key, value in changed.items())
    return " ".join(["cimforge generate", name, *chosen])


def plain_toml(config: MacroConfig) -> str:
    """The config as a TOML file: the parameters that differ from the defaults, a line each."""
    differing = _differing(config, {})
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in differing.items())


def plain_overrides(config: MacroConfig) -> list[str]:
    """The config as KEY=VALUE, one each that differs from the defaults: on ``base``, which has
    none, load_config makes it again of them."""
    differing = _differing(config, {})
    return [shlex.split(_override(key, value))[0] for key, value in differing.items()]


def _reaches(config: MacroConfig, given: dict[str, Any]) -> bool:
    """Whether parameters can be changed to those of the config: what is given, and left out there,
    cannot."""
    told = config.model_dump()
    return all(told[key] is not None for key in given)


def _differing(config: MacroConfig, given: dict[str, Any]) -> dict[str, Any]:
    """The parameters that must be changed, or told, to make the config of those ``given``. Whole
    weights are a slice of their own (slice_bits None), whatever their width; what is left out of
    SETTLED is as the others say."""
    base, wanted = MacroConfig(**given), config.parameters()
    told = base.parameters()

    def differs(key: str, value: Any) -> bool:
        if key == "slice_bits":
            return config.slice_bits != base.slice_bits
        return value != told[key] and getattr(config, key) is not None

    free = [key for key in SETTLED if key not in given]
    changed = {key: v for key, v in wanted.items() if key not in free and differs(key, v)}
    for key in free:
        if _settled(given | changed, key) != wanted[key]:
            changed[key] = wanted[key]
    return {key: value for key, value in wanted.items() if key in changed}


def _settled(parameters: dict[str, Any], key: str) -> Any:
    """What the others make of a parameter that is left out; None where they go together only with
    one that is told."""
    try:
        return MacroConfig(**parameters).parameters()[key]
    except ConfigError:
        return None


def _override(key: str, value: Any) -> str:
    """KEY=VALUE for a shell that is read back as this value: a list, or a word that TOML takes for
    another thing (true, inf), is quoted."""
    plain = f"{key}={value}"
    read = _parse_override(plain)[1]
    same = read == value and type(read) is type(value) and shlex.quote(plain) == plain
    return plain if same else f"'{key}={json.dumps(value)}'"


def _preset(name: Any, where: str) -> dict[str, Any]:
    if not isinstance(name, str) or name not in PRESETS:
        close = nearest_word(name, list(PRESETS)) if isinstance(name, str) else None
        hint = f"did you mean {close!r}?" if close else f"presets: {', '.join(PRESETS)}"
        raise InputError(f"{where}: no preset {shown(name)}; {hint}")
    return dict(PRESETS[name].parameters)


def _read_toml(source: str) -> dict[str, Any]:
    path = Path(source)
    try:
        named_as_path = path.suffix == ".toml" or os.sep in source
        if not source or not (named_as_path or path.exists()):
            return _preset(source, "CONFIG")
        with path.open("rb") as file:  # bounded, as a device or pipe has no size
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise InputError(f"{source}: larger than 1 MiB; a config is a short TOML file")
        table = _parse_toml(data.decode("utf-8-sig"))
    except OSError as error:
        raise InputError(f"{source}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source}: not TOML: {error or type(error).__name__}") from None
    parameters = _preset(table.pop("preset"), f"{source}: preset") if "preset" in table else {}
    return parameters | table


def _parse_toml(text: str) -> dict[str, Any]:
    if text.count(".") > MAX_DOTS:
        raise ValueError(f"more than {MAX_DOTS} dots")
    return tomllib.loads(text)


def _parse_override(override: str) -> tuple[str, Any]:
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise InputError(f"--set {override}: must be key=value, for example rows=37")
    try:
        override.encode()  # bytes of the shell that are not UTF-8 arrive as lone surrogates
    except UnicodeEncodeError:
        raise InputError(f"--set {override}: not UTF-8") from None
    try:
        table = _parse_toml(f"value = {text}")
    except (ValueError, RecursionError):
        table = {}
    value = table["value"] if list(table) == ["value"] else text.strip()  # a bare word
    return key.strip(), value
