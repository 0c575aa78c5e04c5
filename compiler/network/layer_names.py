"""Names of layers that people can read."""

from collections.abc import Sequence

__all__ = ["short_names_of"]

PARTS, MOST = 2, 32


def short_names_of(names: Sequence[str]) -> list[str]:
    """Each name's first, of several that an exporter joined by ``;``, with its last two parts
    between slashes; the whole where two would be alike."""
    short = [_short(name) for name in names]
    return [own if short.count(own) == 1 else f"{own} #{n}" for n, own in enumerate(short)]


def _short(name: str) -> str:
    parts = [part for part in name.split(";")[0].split("/") if part]
    own = "/".join(parts[-PARTS:]) or name
    return own if len(own) <= MOST else f"…{own[1 - MOST :]}"
