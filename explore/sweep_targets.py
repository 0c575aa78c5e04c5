"""Reads the targets of a sweep file: of synthesis, cell libraries, boards."""

from collections.abc import Mapping, Sequence
from typing import Any

from cimforge.explore.measurements.handed_in import HandedIn
from cimforge.explore.sweep import SweepTarget
from cimforge.explore.words import check_word
from cimforge.flow.families import FAMILIES
from cimforge.flow.liberty.library import read_library
from cimforge.flow.liberty.library_path import find_libraries
from cimforge.flow.synth.targets import LIBERTY, TARGETS
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.errors import shown

__all__ = ["read_targets"]

BOARD = "board"
KEYS = {LIBERTY: (LIBERTY, "name"), BOARD: (BOARD, "name", "clock", "seeds")}
LIBRARY_TABLE = "{ liberty = FILE }"
SEEDS = (1,)  # of the placer, as cimforge fpga has them
MOST_SEED = 999_999_999


def read_targets(told: Any, place: str, handed_in: HandedIn | None) -> tuple[SweepTarget, ...]:
    """The targets of a list: a target of synthesis, ``liberty``, a board by name, tables
    ``{ liberty, name }`` and ``{ board, clock, seeds, name }``. Boards are those that are handed
    in. Raises InputError, which begins with ``place``."""
    if not isinstance(told, list) or not told:
        known = ", ".join(TARGETS)
        rule = f"must be a list of {known}, {{ liberty = FILE }} and {{ board = NAME }}"
        raise InputError(f"{place}: {rule}, not {shown(told)}")
    targets = tuple(_target(each, place, handed_in) for each in told)
    names = [target.name for target in targets]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise InputError(f"{place}: two are named {shown(twice)}; give one a name = of its own")
    return targets


def _target(told: Any, place: str, handed_in: HandedIn | None) -> SweepTarget:
    boards = tuple(handed_in.boards) if handed_in else ()
    if not isinstance(told, Mapping):
        check_word(told, (*TARGETS, LIBERTY, *boards), f"{place}: no target", "targets")
        if told in boards:
            return _board({BOARD: told}, place, handed_in)
        if told == LIBERTY:
            return _of_libraries((), None, place)
        return SweepTarget(told, told)
    kind = BOARD if BOARD in told else LIBERTY
    for key in told:
        check_word(key, KEYS[kind], f"{place}: no key", "keys")
    if "name" in told and (not isinstance(told["name"], str) or not told["name"]):
        raise InputError(f"{place}: name: must be a text, not {shown(told['name'])}")
    return _board(told, place, handed_in) if kind == BOARD else _library(told, place)


def _library(told: Mapping[str, Any], place: str) -> SweepTarget:
    named = told.get(LIBERTY, [])
    files = [named] if isinstance(named, str) else named
    if not isinstance(files, list) or not files or not all(isinstance(f, str) for f in files):
        raise InputError(f"{place}: liberty: must be a file or a list of files, not {shown(named)}")
    return _of_libraries(files, told.get("name"), place)


def _of_libraries(files: Sequence[str], name: str | None, place: str) -> SweepTarget:
    """The target of these libraries, of the one that is found where none is named; what is wrong
    with one is told as the sweep's key, not as the option of other verbs."""
    try:
        paths = find_libraries(files).paths
        library = read_library(*paths)
    except InputError as error:
        text = str(error).removeprefix("--target ").replace("--liberty FILE", LIBRARY_TABLE)
        raise InputError(f"{place}: {text.replace('--liberty', LIBERTY)}") from None
    return SweepTarget(name or library.name, LIBERTY, paths)


def _board(told: Mapping[str, Any], place: str, handed_in: HandedIn | None) -> SweepTarget:
    if handed_in is None:
        raise InputError(f"{place}: boards are placed by the verb cimforge explore alone")
    named, clock = told[BOARD], told.get("clock")
    if not isinstance(named, str) or not named:
        raise InputError(f"{place}: board: must be a name or a file, not {shown(named)}")
    if clock is not None and (type(clock) not in (int, float) or not 1 <= clock <= 500):
        rule = f"must be a number of 1..500 MHz, not {shown(clock)}"
        raise InputError(f"{place}: clock: {rule} (nearest legal value: {_nearest_clock(clock)})")
    try:
        name, board = handed_in.find_board(named, clock)
    except InputError as error:
        raise InputError(f"{place}: {error}") from None
    at = f" at {clock:g} MHz" if clock else ""
    kind = FAMILIES[board.family].target
    seeds = _seeds(told.get("seeds", list(SEEDS)), place)
    return SweepTarget(told.get("name") or f"{name}{at}", kind, (), name, board, seeds)


def _nearest_clock(clock: Any) -> int:
    return 500 if type(clock) in (int, float) and clock > 500 else 1


def _seeds(told: Any, place: str) -> tuple[int, ...]:
    """Seeds of the placer, each once."""
    whole = isinstance(told, list) and all(type(s) is int and 0 <= s <= MOST_SEED for s in told)
    if not whole or not told or len(set(told)) < len(told):
        rule = f"must be a list of different integers of 0..{MOST_SEED}, not {shown(told)}"
        raise InputError(f"{place}: seeds: {rule} (nearest legal value: {list(SEEDS)})")
    return tuple(told)
