"""ConfigError, and how a failed field check becomes one clear line."""

import re
from typing import Any

from pydantic import BaseModel, ValidationError

from cimforge.hdl.params.ranges import nearest_word

__all__ = ["ConfigError", "explain", "one_line", "shown", "unknown_key"]

# Characters kept of a longer line: what and where, and what is legal.
LINE_HEAD, LINE_TAIL = 600, 200


def one_line(text: object) -> str:
    """``text`` on one line: white space joined, unprintable characters escaped, the middle of a
    long text left out."""
    joined = " ".join(str(text).split())
    line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in joined)
    if len(line) <= LINE_HEAD + LINE_TAIL:
        return line
    return f"{line[:LINE_HEAD]} ... {line[-LINE_TAIL:]}"


def shown(value: Any) -> str:
    """``value`` in at most 40 characters of Python, whatever it is."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # integers of over 4300 digits, deep nesting
        return f"an unprintable {type(value).__name__}"
    return text if len(text) <= 40 else f"{text[:37]}..."


class ConfigError(Exception):
    """An illegal parameter: ``key`` is the parameter, ``rule`` what is legal, ``nearest`` the
    nearest legal value (None where there is none).

    Not a ValueError, so that it passes through pydantic unchanged.
    """

    def __init__(self, key: str, rule: str, nearest: Any = None):
        name = key if key.isidentifier() and len(key) <= 40 else shown(key)
        hint = "" if nearest is None else f" (nearest legal value: {nearest!r})"
        super().__init__(f"{name} {rule}{hint}")
        self.key = key
        self.rule = rule
        self.nearest = nearest


def unknown_key(key: str, known: list[str]) -> ConfigError:
    """A key that is no parameter, with the most similar one."""
    close = nearest_word(key, known)
    hint = f"did you mean {close!r}?" if close else f"parameters: {', '.join(known)}"
    return ConfigError(key, f"is not a parameter; {hint}")


def explain(error: ValidationError, model: type[BaseModel]) -> ConfigError:
    """The first failed check of a model's field as a ConfigError."""
    first = error.errors(include_url=False)[0]
    key = str(first["loc"][0])
    schema = model.model_json_schema()["properties"][key]
    return ConfigError(key, *_rule_and_nearest(schema, first["input"]))


def _rule_and_nearest(schema: dict[str, Any], value: Any) -> tuple[str, Any]:
    """What the parameter's JSON schema allows, and the nearest value that it allows."""
    forms = schema.get("anyOf", [schema])
    words = [
        word
        for form in forms
        for word in form.get("enum", [form["const"]] if "const" in form else [])
    ]
    number = next((form for form in forms if form.get("type") == "integer"), None)
    if number is None and schema.get("type") == "string" and not words:
        return f"must be text, not {shown(value)}", schema["default"]
    if number is None and not words:
        return f"must be a list of strings, not {shown(value)}", schema["default"]
    if number is None:
        close = nearest_word(value, words) if isinstance(value, str) else None
        return f"must be one of {', '.join(words)}, not {shown(value)}", (
            close or schema["default"] or words[0]
        )
    low, high = number.get("minimum", 0), number.get("maximum")
    span = f"an integer in {low}..{high}" if high else "an integer"
    also = f" or {words[0]!r}" if words else ""
    close = nearest_word(value, words) if isinstance(value, str) else None
    nearest = close or schema["default"] or low
    meant = _number(value)
    if meant is not None:
        nearest = round(max(low, min(meant, high or 2**20)))
    return f"must be {span}{also}, not {shown(value)}", nearest


def _number(value: Any) -> int | float | None:
    """What a value of the wrong type says as a number: 8 of "8" and 8.0; None where nothing."""
    if isinstance(value, str) and re.fullmatch(r"\s*[-+]?\d{1,9}\s*", value):
        return int(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value == value:
        return value
    return None
