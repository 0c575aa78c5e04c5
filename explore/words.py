"""Words of a sweep file: one of those that are legal."""

from collections.abc import Sequence
from typing import Any

from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.errors import shown
from cimforge.hdl.params.ranges import nearest_word

__all__ = ["check_word"]


def check_word(value: Any, legal: Sequence[str], what: str, plural: str) -> None:
    """Raise InputError where ``value`` is none of ``legal``, with the most similar one: ``what`` is
    said before it, ``plural`` before all that are legal."""
    if isinstance(value, str) and value in legal:
        return
    close = nearest_word(value, list(legal)) if isinstance(value, str) else None
    hint = f"did you mean {close!r}?" if close else f"{plural}: {', '.join(legal)}"
    raise InputError(f"{what} {shown(value)}; {hint}")
