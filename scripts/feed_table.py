"""How many vectors keep an engine busy, as a table: ``python -m cimforge.scripts.feed_table``."""

from collections.abc import Iterator
from typing import Any

import click

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.errors import ConfigError
from cimforge.hdl.params.multiply import MULTIPLY
from cimforge.hdl.params.storage import STORAGE
from cimforge.host.engine_feed import Feed, feed_of

__all__ = ["feed_rows"]

INPUTS, OUTPUTS = 640, 128
BUSES = (32, 64, 128)
PLANES = (1, 2, 4, 8)


def engine(bus_bits: int, macro: MacroConfig) -> EngineConfig:
    """An engine whose sums and buffer hold any part: what they hold does not decide here."""
    lanes = min(16, bus_bits // 8)
    return EngineConfig(
        macro=macro, bus_bits=bus_bits, lanes=lanes, acc_vectors=65535, act_bytes=1 << 20
    )


def macros() -> Iterator[tuple[str, MacroConfig]]:
    """64 x 16 macros of two banks: each storage style by each multiply style and number of planes
    that are legal together, of 8 bits or of -1 and 1, with the groups that a style has itself."""
    for multiply, style in MULTIPLY.items():
        for storage, traits in STORAGE.items():
            for k in PLANES:
                told: dict[str, Any] = {"storage": storage, "multiply": multiply, "banks": 2}
                told |= {"bits_per_cycle": k}
                if style.binary:
                    told |= {"weight_bits": 1, "input_bits": 1}
                if traits.parts:
                    told |= {"tree": "behavioral"}
                try:
                    yield f"{storage} {multiply}", MacroConfig(**told)
                except ConfigError:
                    continue


def told(feed: Feed) -> str:
    """The least batch, or what keeps any below."""
    least = feed.least_batch()
    return f"never: {feed.limit()}" if least is None else f"{least}"


def feed_rows() -> list[tuple[str, ...]]:
    """Styles, planes a cycle, and for each of BUSES the least batch of 90 %; styles of the same
    numbers stand together."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for name, macro in macros():
        found = [told(feed_of(engine(bus, macro), INPUTS, OUTPUTS)) for bus in BUSES]
        key = (name.split()[1], f"{macro.bits_per_cycle}", *found)
        rows.setdefault(key, []).append(name.split()[0])
    return [(", ".join(names), *key) for key, names in rows.items()]


@click.command()
def main() -> None:
    """Print the table of hdl/docs/engine.md."""
    heads = ("storage", "multiply", "k", *(f"{bus} bits" for bus in BUSES))
    for row in (heads, ("---",) * len(heads), *feed_rows()):
        click.echo(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
