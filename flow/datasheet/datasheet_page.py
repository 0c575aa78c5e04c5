"""A datasheet as one HTML page that prints: every value it shows says where in the JSON it is."""

from collections.abc import Iterable, Iterator
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cimforge.flow.datasheet.print_strips import print_strips

__all__ = ["pointed", "render_datasheet", "shown_value"]

TEMPLATE = "datasheet.html.j2"


def render_datasheet(sheet: dict[str, Any], drawing: str) -> str:
    """The page of ``sheet``, JSON data, with the SVG ``drawing`` of its timing in it.

    The template types no number: a value stands in an element whose ``data-from`` is its JSON
    pointer (RFC 6901) in the sheet, the name of an entry in one whose ``data-key`` is.
    """

    def value(*path: Any) -> Markup:
        pointer = _pointer(path)
        text = shown_value(pointed(sheet, pointer))
        return Markup('<span data-from="{}">{}</span>').format(pointer, text)

    def key(*path: Any) -> Markup:
        pointer = _pointer(path)
        pointed(sheet, pointer)
        return Markup('<span data-key="{}">{}</span>').format(pointer, str(path[-1]))

    loader = PackageLoader("cimforge.flow.datasheet", ".")
    environment = Environment(
        loader=loader,
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    page = environment.get_template(TEMPLATE)
    strips = print_strips(drawing)
    return page.render(sheet=sheet, v=value, k=key, drawing=Markup(drawing), strips=strips)


def pointed(sheet: Any, pointer: str) -> Any:
    """The value at a JSON pointer. Raises KeyError or IndexError where there is none."""
    for step in pointer.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        sheet = sheet[int(step)] if isinstance(sheet, list) else sheet[step]
    return sheet


def shown_value(value: Any) -> str:
    """A value as the page has it: numbers as in the JSON."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {shown_value(each)}" for key, each in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(shown_value, value)) or "none"
    return str(value)


def _flat(path: Iterable[Any]) -> Iterator[str | int]:
    """Steps, of which some may be paths themselves: a template's ``at``."""
    for step in path:
        if isinstance(step, tuple):
            yield from _flat(step)
        else:
            yield step


def _pointer(path: Iterable[Any]) -> str:
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in _flat(path))
