"""Axes of a sweep: the values that a parameter takes, as a list or as a range."""

from collections.abc import Mapping
from typing import Any

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.errors import shown, unknown_key
from cimforge.hdl.params.ranges import nearest_word

__all__ = ["MOST_VALUES", "check_parameter", "read_axis"]

MOST_VALUES = 4096  # of one axis
RANGE_KEYS = ("from", "to", "step", "factor")
EXAMPLES = "[16, 32, 64] or { from = 16, to = 64, factor = 2 }"


def check_parameter(name: str, where: str) -> None:
    """Raise InputError where ``name`` is no parameter of a macro, or its name, which changes
    nothing that is measured."""
    known = [key for key in MacroConfig.model_fields if key != "name"]
    if name not in known:
        raise InputError(f"{where}: {unknown_key(name, known)}")


def read_axis(name: str, told: Any, where: str) -> tuple[Any, ...]:
    """The values of the parameter ``name``, in the order of the file: those of a list, or of a
    range ``{ from, to, step }`` (each more by ``step``, default 1) or ``{ from, to, factor }``
    (each ``factor`` times the one before), both ends included. Raises InputError."""
    check_parameter(name, where)
    place = f"{where}.{name}"
    if isinstance(told, Mapping):
        return _range(told, place)
    if not isinstance(told, list) or not told:
        raise InputError(f"{place}: must be a list or a range, not {shown(told)}; as {EXAMPLES}")
    if len(told) > MOST_VALUES:
        raise InputError(f"{place}: {len(told)} values; at most {MOST_VALUES}")
    for number, value in enumerate(told):
        if any(type(value) is type(other) and value == other for other in told[:number]):
            raise InputError(f"{place}: {shown(value)} stands twice; name it once")
    return tuple(told)


def _range(told: Mapping[str, Any], place: str) -> tuple[int, ...]:
    for key, value in told.items():
        if key not in RANGE_KEYS:
            close = nearest_word(key, list(RANGE_KEYS))
            hint = f"did you mean {close!r}?" if close else f"keys: {', '.join(RANGE_KEYS)}"
            raise InputError(f"{place}: no key {shown(key)} in a range; {hint}")
        least = {"factor": 2, "step": 1}.get(key)
        if type(value) is not int or (least is not None and value < least):
            bound = "" if least is None else f" of at least {least}"
            near = 0 if least is None else least
            rule = f"must be an integer{bound}, not {shown(value)}"
            raise InputError(f"{place}.{key}: {rule} (nearest legal value: {near})")
    missing = next((key for key in ("from", "to") if key not in told), None)
    if missing:
        raise InputError(f"{place}: a range needs {missing!r}; as {EXAMPLES}")
    if {"step", "factor"} <= set(told):
        raise InputError(f"{place}: 'step' or 'factor', not both; leave one out")
    first, last = told["from"], told["to"]
    if last < first:
        rule = f"must be at least 'from' ({first}), not {last}"
        raise InputError(f"{place}.to: {rule} (nearest legal value: {first})")
    if "factor" in told and first < 1:
        rule = f"must be at least 1 where each is 'factor' times the one before, not {first}"
        raise InputError(f"{place}.from: {rule} (nearest legal value: 1)")
    return _steps(first, last, told.get("step", 1), told.get("factor"), place)


def _steps(first: int, last: int, step: int, factor: int | None, place: str) -> tuple[int, ...]:
    values: list[int] = []
    value = first
    while value <= last:
        if len(values) == MOST_VALUES:
            raise InputError(f"{place}: more than {MOST_VALUES} values; take a larger step")
        values.append(value)
        value = value * factor if factor else value + step
    return tuple(values)
