"""Published figures: measured by a command, kept with a stamp, quoted in the documents.

``python -m cimforge.scripts.figures [--quick|--check] [NAME ...]`` measures figures of
``results/figures.toml`` and writes ``results/NAME.json``; ``--check`` only compares what is there
with the documents, ``--quick`` also measures again what is marked quick and compares it. Run in a
checkout.
"""

import argparse
import ast
import hashlib
import json
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cimforge.scripts.bench_table import BENCH, load_bench
from cimforge.scripts.bench_tables import table_complaints
from cimforge.scripts.figure_designs import design_text

__all__ = [
    "Figure",
    "complaints",
    "keep",
    "kept_result",
    "load_figures",
    "main",
    "measure",
    "source_stamp",
]

RESULTS = Path("results")
VOLATILE = ("seconds", "bitstream", "per_s", "ratio", "numpy", "cpus", "library", "files")


@dataclass(frozen=True)
class Figure:
    """What one command measures: ``depends`` are globs of the sources that decide it, ``quotes``
    the texts that a document must hold, as format strings over the measured object ``r``.

    ``designs`` says whose emitted Verilog decides it: "named", the macro that the command names, or
    "mutated", those that mutants are drawn from. That text then stands for the sources of the
    generator: a change that leaves it as it is leaves the figure.

    ``quick`` figures take less than a minute and are measured again in every continuous
    integration run; ``needs`` names files without which the command cannot run; an
    ``optional`` figure may be missing."""

    name: str
    command: str
    depends: list[str]
    quotes: list[list[str]]
    quick: bool = False
    designs: str = ""
    needs: list[str] = field(default_factory=list)
    optional: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        """The committed result."""
        return RESULTS / f"{self.name}.json"

    def stamp(self, root: Path = Path()) -> str:
        """The stamp of all that decides it."""
        return source_stamp(self.depends, root, design_text(self.designs, self.command))


def load_figures(path: Path = RESULTS / "figures.toml") -> list[Figure]:
    """The figures of the table, in its order, then the rows of the bench beside it; a group's
    ``depends`` is a name of [sources]."""
    table = tomllib.loads(path.read_text())
    sources, entries = table["sources"], table["figure"]
    if (path.parent / BENCH).exists():
        entries += [row.entry() for row in load_bench(path.parent).rows]
    return [Figure(**{**entry, "depends": sources[entry["depends"]]}) for entry in entries]


def source_stamp(globs: list[str], root: Path = Path(), text: str = "") -> str:
    """SHA-256, 16 digits, of ``text`` and the files that match: of Python what it does, without
    comments and docstrings. A glob behind ! leaves its files out. Raises ValueError for a glob
    that matches nothing."""
    digest = hashlib.sha256(text.encode())
    left_out = {path for glob in globs if glob[0] == "!" for path in root.glob(glob[1:])}
    for pattern in (glob for glob in globs if glob[0] != "!"):
        found = sorted({path for path in root.glob(pattern) if path.is_file()} - left_out)
        if not found:
            raise ValueError(f"{pattern}: no such source; mend results/figures.toml")
        for path in found:
            digest.update(f"{path.relative_to(root)}\n".encode() + _meaning(path))
    return digest.hexdigest()[:16]


def _meaning(path: Path) -> bytes:
    if path.suffix != ".py":
        return path.read_bytes()
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(node, (ast.Module, *DOCUMENTED)):
            first = body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                del body[0]
    return ast.dump(tree).encode()


DOCUMENTED = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def measure(figure: Figure, quiet: bool = False) -> dict[str, Any]:
    """What the figure's command prints, as JSON data; its progress is shown unless ``quiet``.
    Raises RuntimeError where it fails, or says why it could not measure."""
    words = [sys.executable, *shlex.split(figure.command)]
    errors = subprocess.PIPE if quiet else None
    run = subprocess.run(words, stdout=subprocess.PIPE, stderr=errors, text=True, check=False)
    try:
        told = json.loads(run.stdout)
    except ValueError:
        said = [line.strip() for line in (run.stderr or "").splitlines() if line.strip()]
        cause = said[-1] if said else "it printed no JSON object; its messages are above"
        raise RuntimeError(f"{figure.name}: {figure.command}: {cause}") from None
    if isinstance(told.get("failed"), str):
        raise RuntimeError(f"{figure.name}: {figure.command}: {told['failed']}")
    return told


def kept_result(figure: Figure, root: Path = Path()) -> dict[str, Any] | None:
    """What the committed result measured, or None."""
    path = root / figure.path
    return json.loads(path.read_text())["measured"] if path.exists() else None


def keep(figure: Figure, measured: dict[str, Any], stamp: str) -> None:
    """Write a figure's result with the ``stamp`` of the sources from before it was measured: those
    that change meanwhile make it stale."""
    result = {"command": figure.command, "stamp": stamp, "measured": measured}
    figure.path.write_text(json.dumps(result, indent=1) + "\n")


def complaints(figure: Figure, root: Path = Path()) -> Iterator[str]:
    """What is wrong with a committed figure: missing, stale, or quoted otherwise."""
    path = root / figure.path
    again = f"python -m cimforge.scripts.figures {figure.name}"
    if not path.exists() and figure.optional:
        return
    if not path.exists():
        yield f"{figure.path} is missing; run {again}"
        return
    kept = json.loads(path.read_text())
    if kept["stamp"] != figure.stamp(root):
        yield f"{figure.path} is stale: its sources changed; run {again}"
    for document, template in figure.quotes:
        text = template.format(r=kept["measured"])
        if text not in (root / document).read_text():
            yield f"{document} must say {text!r} ({figure.path})"


def differences(kept: Any, fresh: Any, where: str = "") -> Iterator[str]:
    """Where two measurements differ, volatile keys left out."""
    if isinstance(kept, Mapping) and isinstance(fresh, Mapping):
        for key in sorted({*kept, *fresh}):
            if not any(word in key for word in VOLATILE):
                yield from differences(kept.get(key), fresh.get(key), f"{where}.{key}")
    elif kept != fresh:
        yield f"{where.lstrip('.')} was {kept}, is {fresh}"


def main(arguments: list[str] | None = None) -> int:
    """Measure, or check; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m cimforge.scripts.figures")
    parser.add_argument("names", nargs="*", help="figures (default: all)")
    parser.add_argument("--check", action="store_true", help="compare results with documents only")
    parser.add_argument("--quick", action="store_true", help="and measure the quick ones again")
    options = parser.parse_args(arguments)
    figures = load_figures()
    known = [figure.name for figure in figures]
    for name in options.names:
        if name not in known:
            parser.error(f"no figure {name!r}; figures: {', '.join(known)}")
    chosen = [figure for figure in figures if not options.names or figure.name in options.names]
    wrong: list[str] = []
    for figure in chosen:
        missing = [name for name in figure.needs if not Path(name).exists()]
        if options.check or options.quick:
            wrong += complaints(figure)
        if missing and not options.check:
            print(f"skipped: {figure.name} needs {', '.join(missing)}", flush=True)
        elif options.quick and figure.quick:
            wrong += _compare(figure)
        elif not (options.check or options.quick) and (options.names or not figure.optional):
            print(f"{figure.name}: {figure.command}", flush=True)
            wrong += _keep(figure)
    if (options.check or options.quick) and not options.names:
        wrong += _table_complaints()
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"{len(chosen)} figures, {len(wrong)} complaints")
    return int(bool(wrong))


def _keep(figure: Figure) -> list[str]:
    """Measure a figure and write its result; what went wrong."""
    stamp = figure.stamp()
    try:
        keep(figure, measure(figure), stamp)
    except RuntimeError as error:
        return [str(error)]
    return []


def _compare(figure: Figure) -> list[str]:
    kept = kept_result(figure)
    if kept is None:
        return []  # and complained about
    try:
        fresh = measure(figure)
    except RuntimeError as error:
        return [str(error)]
    found = [f"{figure.name}: {line}" for line in differences(kept, fresh)]
    print(f"{'differs' if found else 'ok'}: {figure.command}", flush=True)
    return found


def _table_complaints() -> list[str]:
    bench, figures = load_bench(RESULTS), {figure.name: figure for figure in load_figures()}
    named = bench.figure_names.items()
    kept = {name: kept_result(figures[figure]) or {} for name, figure in named}
    return list(table_complaints(bench, kept))


if __name__ == "__main__":
    sys.exit(main())
