"""Text with structure: the templates of this room, rendered."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

__all__ = ["render"]


@cache
def _environment() -> Environment:
    loader = PackageLoader("cimforge.hdl.emit", ".")
    return Environment(loader=loader, undefined=StrictUndefined, keep_trailing_newline=True)


def render(template: str, **values: Any) -> str:
    """The text of a template; a value it asks for and does not get raises UndefinedError."""
    return _environment().get_template(template).render(**values)
