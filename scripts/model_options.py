"""Options of networks from files, and what was asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import click

from cimforge.compiler.importers.model_file import SUFFIXES
from cimforge.explore.cluster.cluster_place import HERE, ClusterPlace
from cimforge.hdl.params.config_file import InputError
from cimforge.scripts.way import Way

__all__ = ["MOST_MACROS", "Asked", "chosen_layers", "model_options"]

ARRAYS = click.Path(dir_okay=False, path_type=Path)
MOST_MACROS = 4096
OPTIONS = (
    click.option(
        "--cocotb",
        is_flag=True,
        help="A file's products through cocotb, as a check of the compiled player; slower.",
    ),
    click.option(
        "--sources",
        multiple=True,
        type=click.Path(exists=True, path_type=Path),
        metavar="PATH",
        help="Run a file's products on this Verilog instead of CONFIG's: a file, or a folder "
        "of ours; repeatable.",
    ),
    click.option(
        "--macros",
        type=click.IntRange(1, MOST_MACROS),
        default=1,
        show_default=True,
        metavar="N",
        help="Macros side by side that share a file's layers.",
    ),
    click.option(
        "--layers",
        metavar="LIST",
        help="Of a file's layers with products those that the hardware computes, NumPy the "
        "rest: numbers, ranges or names, for example 0,3-5.  [default: all]",
    ),
    click.option(
        "--rule",
        type=click.Choice(list(dict.fromkeys(chain.from_iterable(SUFFIXES.values())))),
        help="Whose arithmetic a file has: of .tflite TensorFlow Lite 2's and TFLite Micro's, "
        "or LiteRT's, which rounds fully connected layers once.  [default: tflite; onnx]",
    ),
    click.option(
        "--tolerance",
        type=click.FloatRange(min=0),
        metavar="T",
        help="By how much floats may differ from --check's.  [default: not at all]",
    ),
    click.option(
        "--check",
        type=ARRAYS,
        metavar="Y.npy",
        help="Outputs that a file must give, or an .npz of any of its tensors by name.",
    ),
    click.option(
        "--input",
        type=ARRAYS,
        metavar="X.npy",
        help="Inputs of a file, a batch of any size; .npz where it has several.  [default: random]",
    ),
)


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of a network from a file."""
    for decorate in OPTIONS:
        command = decorate(command)
    return command


@dataclass(frozen=True)
class Asked:
    """What ``cimforge run FILE`` was asked for."""

    model: Path
    way: Way
    config: str
    overrides: tuple[str, ...]
    images: int | None
    seed: int
    input: Path | None
    check: Path | None
    tolerance: float | None
    rule: str | None
    layers: str | None
    macros: int
    sources: tuple[Path, ...]
    cocotb: bool
    output: Path | None
    as_json: bool
    cluster: ClusterPlace = HERE


def chosen_layers(text: str | None, names: Sequence[str]) -> set[str] | None:
    """The names that ``--layers`` chooses, of all that have products, in their order; None is all.

    Raises InputError for a number or a name that there is not.
    """
    if text is None:
        return None
    chosen = set()
    for word in filter(None, (word.strip() for word in text.split(","))):
        if word in names:
            chosen.add(word)
            continue
        first, dash, last = word.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            rule = f"{word!r} is no layer with products; they are {_listed(names)}"
            raise InputError(f"--layers: {rule}")
        places = range(int(first), int(last if dash else first) + 1)
        if not places or places[-1] >= len(names):
            rule = f"{word} is beyond 0..{len(names) - 1}, the layers with products"
            raise InputError(f"--layers: {rule}")
        chosen |= {names[place] for place in places}
    if not chosen:
        raise InputError("--layers: names no layer")
    return chosen


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"{place} {name}" for place, name in enumerate(names[:6]))
    return f"{shown}{' ...' if len(names) > 6 else ''}"
