"""The designs that a bench measures: a row of results/bench.toml as a figure with a command."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from cimforge.flow.synth.targets import TARGETS
from cimforge.fpga.boards import BOARDS
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.ranges import nearest_word

__all__ = ["Aim", "Bench", "Row", "Table", "load_bench"]

BENCH, BUDGETS = "bench.toml", "budgets.toml"
BOARD = "fpga"  # the verb whose rows are measured on boards
VERBS = {"synth": "synth", "power": "power", "naive": "naive", BOARD: BOARD}  # verb: its sources
LABELS = {"ice40": "iCE40", "ecp5": "ECP5", "gowin": "Gowin", "generic": "gates"}


@dataclass(frozen=True)
class Row:
    """A design measured at one place: a library of the table, a target without one, a board."""

    design: str
    on: str
    config: str
    group: str
    set: tuple[str, ...] = ()
    verb: str = "synth"
    off: str = ""
    options: str = ""
    quick: bool = False
    full: bool = False
    library: str = ""  # its file, where the place is a library

    @property
    def name(self) -> str:
        """The design and the place."""
        return f"{self.design}_{self.on}"

    @property
    def figure(self) -> str:
        """The name of its figure."""
        return f"bench_{self.name}"

    @property
    def command(self) -> str:
        """What measures it: words after the interpreter, as a shell reads them."""
        words = ["-m", *(("cimforge.scripts.ablation", self.off) if self.off else (MAIN,))]
        words += [self.verb, *([self.on] if self.verb == BOARD else []), self.config]
        words += [word for each in self.set for word in ("--set", quote(each))]
        if self.verb not in ("power", BOARD):
            words += ["--target", "liberty" if self.library else self.on]
        words += ["--liberty", self.library] if self.library else []
        words += self.options.split()
        return " ".join([*words, "-o", f"build/bench/{self.name}", "--json"])

    @property
    def told(self) -> str:
        """CONFIG and what is set, as a user writes them."""
        return " ".join([self.config, *(f"--set {quote(each)}" for each in self.set)])

    def entry(self) -> dict[str, Any]:
        """The row as an entry of figures.toml."""
        sources = f"bench_{VERBS[self.verb]}"
        return {
            "name": self.figure,
            "command": self.command,
            "depends": f"{sources}_off" if self.off else sources,
            "designs": "" if self.verb == "naive" else "named",
            "needs": [self.library] if self.library else [],
            "quotes": [],
            "optional": self.full,
        }


MAIN = "cimforge.scripts.main"


@dataclass(frozen=True)
class Table:
    """A marked table of a document: ``line`` is a format string over what a row measured, with
    ``row`` its design, ``told`` its configuration and ``on`` its place; or, where ``order`` is
    aims, over what, bound, value, row and reached of each aim."""

    document: str
    mark: str
    rows: list[str]
    on: list[str]
    head: str
    line: str
    order: str = "on"


@dataclass(frozen=True)
class Aim:
    """A ``value`` that the best of ``rows`` should reach."""

    what: str
    rows: list[str]
    value: str
    at_most: float | None = None
    at_least: float | None = None

    def best(self, values: list[float]) -> float:
        """The best of the measured values."""
        return min(values) if self.at_least is None else max(values)

    def reached(self, value: float) -> bool:
        """Whether a value will do."""
        if self.at_least is not None:
            return value >= self.at_least
        return self.at_most is not None and value <= self.at_most

    @property
    def bound(self) -> str:
        """The aim in words."""
        return f"≥ {self.at_least:g}" if self.at_least is not None else f"≤ {self.at_most:g}"


@dataclass(frozen=True)
class Bench:
    """Rows, the libraries by name (label, path, sha256), further figures, tables and aims; what a
    row may not exceed by its name."""

    rows: list[Row]
    libraries: Mapping[str, Mapping[str, str]]
    figures: list[str]
    tables: list[Table]
    aims: list[Aim]
    budgets: Mapping[str, Mapping[str, float]]

    @property
    def figure_names(self) -> dict[str, str]:
        """The figure of each row, and the further figures."""
        rows = {row.name: row.figure for row in self.rows}
        return rows | {name: name for name in self.figures}

    def label(self, on: str) -> str:
        """A place as documents write it."""
        return self.libraries[on]["label"] if on in self.libraries else LABELS.get(on, on)


def load_bench(folder: Path = Path("results")) -> Bench:
    """The bench of ``folder``. Raises InputError for a row, table, aim or budget that names what is
    not there."""
    table = tomllib.loads((folder / BENCH).read_text())
    libraries = table.get("library", {})
    rows = [row for design in table["design"] for row in _rows(design, libraries)]
    budgets: dict[str, dict[str, float]] = {}
    if (folder / BUDGETS).exists():
        budgets = tomllib.loads((folder / BUDGETS).read_text())
    bench = Bench(
        rows,
        libraries,
        table.get("figures", []),
        [Table(**entry) for entry in table.get("table", [])],
        [Aim(**entry) for entry in table.get("aim", [])],
        budgets,
    )
    _check_names(bench)
    return bench


def _rows(design: dict[str, Any], libraries: Mapping[str, Mapping[str, str]]) -> list[Row]:
    """A line of the table at each place that it names."""
    rest = {**design, "set": tuple(design.get("set", ()))}
    name, places, quick = rest.pop("name"), rest.pop("on"), rest.pop("quick", [])
    known = BOARDS if rest.get("verb") == BOARD else [*libraries, *TARGETS]
    what = "board" if rest.get("verb") == BOARD else "library or target"
    for place in places:
        if place not in known:
            legal = ", ".join(known)
            raise InputError(f"{BENCH}: {name}: no {what} {place!r}; there are {legal}")
    if rest.get("verb", "synth") not in VERBS:
        raise InputError(f"{BENCH}: {name}: no verb {rest['verb']!r}; verbs: {', '.join(VERBS)}")
    try:
        return [
            Row(
                name,
                on,
                **rest,
                quick=on in quick,
                library=libraries[on]["path"] if on in libraries else "",
            )
            for on in places
        ]
    except TypeError as error:
        raise InputError(f"{BENCH}: {name}: {error}") from None


def _check_names(bench: Bench) -> None:
    known = {row.name for row in bench.rows} | set(bench.figures)
    if len({row.name for row in bench.rows}) < len(bench.rows):
        twice = [row.name for i, row in enumerate(bench.rows) if row in bench.rows[:i]]
        raise InputError(f"{BENCH}: {', '.join(twice) or 'a row'} stands there twice")
    used = [(name, "aim") for aim in bench.aims for name in aim.rows]
    used += [(name, BUDGETS) for name in bench.budgets]
    for name, where in used:
        if name not in known:
            near = nearest_word(name, sorted(known)) or "none"
            raise InputError(f"{where}: no row {name!r} (near: {near})")
    designs = {row.design for row in bench.rows}
    for table in bench.tables:
        for name in table.rows:
            if name not in designs:
                raise InputError(f"table {table.mark}: no design {name!r}")
