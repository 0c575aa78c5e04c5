"""The Verilog that decides a figure: a generator may change around it and leave the figure true."""

import re
import shlex
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from cimforge.cocotb_tests.mutation.subjects import SUBJECTS
from cimforge.hdl.emit.outputs import CELLS
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.scripts.main import cli

__all__ = ["DESIGNS", "design_text", "mutated_designs", "named_design"]


def mutated_designs(command: str = "") -> str:
    """The Verilog of the designs that mutants are drawn from, and of the leaf cells they place."""
    texts = []
    with TemporaryDirectory() as folder:
        for subject in SUBJECTS:
            design = subject.emit(Path(folder) / subject.name)
            texts.append(_placed(design.folder, design.sources))
    return "".join(texts)


def named_design(command: str) -> str:
    """The macro and the leaf cells it places, of the CONFIG and ``--set`` that ``command`` ("-m
    cimforge.scripts.main VERB ...", or with an idea before the verb) names. Raises InputError as
    the verb would."""
    words = shlex.split(command)[2:]
    context = click.Context(cli)
    place = next((i for i, word in enumerate(words) if cli.get_command(context, word)), None)
    found = None if place is None else cli.get_command(context, words[place])
    if place is None or found is None:
        raise InputError(f"{command}: names no verb")
    verb, *words = words[place:]
    given = found.make_context(verb, words).params
    return _macro_text(given["config"], tuple(given["overrides"]))


@cache
def _macro_text(config: str, overrides: tuple[str, ...]) -> str:
    with TemporaryDirectory() as folder:
        macro = load_config(config, overrides)
        emit_macro(macro, Path(folder))
        return _placed(Path(folder), (CELLS, f"{macro.module}.v"))


def _placed(folder: Path, sources: Sequence[str]) -> str:
    """The Verilog of ``sources``; of the leaf cells those that the rest places: a new cell that a
    design does not use leaves it as it is."""
    own = "".join((folder / s).read_text() for s in sources if s.endswith(".v") and s != CELLS)
    cells = MODULE.findall((folder / CELLS).read_text())
    return own + "".join(text for text, name in cells if re.search(rf"\b{name}\b", own))


MODULE = re.compile(r"(^module (\w+).*?^endmodule$)", re.M | re.S)

DESIGNS: dict[str, Callable[[str], str]] = {"mutated": mutated_designs, "named": named_design}


def design_text(kind: str, command: str) -> str:
    """Emitted text of ``kind`` (of DESIGNS, or empty), which decides what ``command`` measures."""
    return DESIGNS[kind](command) if kind else ""
