"""What a bench says: figures derived from measurements, marked tables of documents, deltas."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import Any

from cimforge.scripts.bench_report import aims_reached
from cimforge.scripts.bench_table import Bench, Table

__all__ = ["derived", "refresh_tables", "table_complaints"]

MARKED = r"(<!-- bench {mark} -->\n)(.*?)(<!-- end -->)"


def derived(measured: Mapping[str, Any]) -> dict[str, Any]:
    """A measurement with what follows from it: tree and accumulate a 1b-MAC, the macro without its
    input registers and serialiser, seconds that 256 x 256 x 8b took to generate."""
    result = dict(measured)
    if roles := measured.get("breakdown"):
        compute = roles["tree"] + roles["accumulate"]
        result["compute_per_1b_mac"] = round(compute / measured["macs_1b"], 4)
        result["without_input"] = round(measured["total"] - roles["input"], 2)
    if "emission" in measured:
        result["generate_256_s"] = measured["emission"]["256x256x8b"]["seconds"]
    return result


class _Formatter(Formatter):
    """Formats what is not known, None or below None, as a dash."""

    def get_field(self, name: str, arguments: Any, values: Any) -> Any:
        try:
            return super().get_field(name, arguments, values)
        except (KeyError, TypeError):
            return None, name

    def format_field(self, value: Any, spec: str) -> str:
        return "-" if value is None else super().format_field(value, spec)


def table_text(table: Table, bench: Bench, kept: Mapping[str, Mapping[str, Any]]) -> str:
    """A table as Markdown, of the rows that ``kept`` (measurements by row) holds."""
    columns = table.head.count("|") - 1
    lines = [table.head, "|" + "---|" * columns]
    told = _of_aims(bench, kept) if table.order == "aims" else _of_rows(table, bench, kept)
    lines += [_Formatter().vformat(table.line, (), values) for values in told]
    return "\n".join(lines) + "\n"


def _of_rows(
    table: Table, bench: Bench, kept: Mapping[str, Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """What a line says of each row that was measured."""
    pairs = [(row, on) for on in table.on for row in table.rows]
    if table.order == "rows":
        pairs = [(row, on) for row in table.rows for on in table.on]
    told = {row.name: row.told for row in bench.rows}
    for row, on in pairs:
        if measured := kept.get(name := f"{row}_{on}"):
            facts = {"row": row, "on": bench.label(on), "told": told.get(name, row)}
            yield {**derived(measured), **facts}


def _of_aims(bench: Bench, kept: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """What a line says of each aim."""
    words = {True: "yes", False: "**no**", None: "not measured"}
    for aim in aims_reached(bench, {name: derived(value) for name, value in kept.items()}):
        yield {**aim, "reached": words[aim["reached"]]}


def _marked(table: Table, text: str) -> re.Match[str]:
    found = re.search(MARKED.format(mark=re.escape(table.mark)), text, re.S)
    if found is None:
        raise ValueError(f"{table.document} has no <!-- bench {table.mark} --> … <!-- end -->")
    return found


def table_complaints(
    bench: Bench, kept: Mapping[str, Mapping[str, Any]], root: Path = Path()
) -> Iterator[str]:
    """Documents whose tables say something else than what was measured."""
    for table in bench.tables:
        found = _marked(table, (root / table.document).read_text())
        if found[2] != table_text(table, bench, kept):
            again = "python -m cimforge.scripts.bench --tables"
            yield f"{table.document}: table {table.mark} is not what was measured; run {again}"


def refresh_tables(
    bench: Bench, kept: Mapping[str, Mapping[str, Any]], root: Path = Path()
) -> list[str]:
    """Write the tables into their documents; those that changed."""
    changed = []
    for table in bench.tables:
        path = root / table.document
        text = path.read_text()
        found = _marked(table, text)
        fresh = f"{text[: found.start(2)]}{table_text(table, bench, kept)}{text[found.end(2) :]}"
        if fresh != text:
            path.write_text(fresh)
            changed.append(f"{table.document}: {table.mark}")
    return changed
