"""Boards: the TOML files of this folder, and a user's own."""

import os
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from cimforge.flow.board import BITS_OFF, Board
from cimforge.flow.families import FAMILIES
from cimforge.fpga.board_link import LINK_PORTS
from cimforge.fpga.uart import LEAST_DIVISOR
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.errors import shown
from cimforge.hdl.params.ranges import nearest_word

__all__ = ["BOARDS", "PORTS", "check_baud", "find_board", "parse_board"]

PORTS = ("clk", *LINK_PORTS["uart"], "busy")
SPI_PORTS = LINK_PORTS["spi"]
MAX_FILE_BYTES = 2**16
READER = TypeAdapter(Board)
RULES = {
    "missing": "is missing; a board has it",
    "string_type": "must be text",
    "int_type": "must be an integer",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list of strings",
    "dict_type": "must be a table of strings",
}


def find_board(source: str) -> tuple[str, Board]:
    """The name and the board of ``source``: one of BOARDS, or a TOML file's, named as the file is.

    Raises InputError naming the file, the key, the rule and the nearest legal value.
    """
    if source in BOARDS:
        return source, BOARDS[source]
    path = Path(source)
    if not (path.suffix == ".toml" or os.sep in source):
        close = nearest_word(source, list(BOARDS))
        hint = f"did you mean {close!r}?" if close else f"boards: {', '.join(BOARDS)}"
        raise InputError(f"BOARD: no board {shown(source)}; {hint} (one of your own: FILE.toml)")
    if not path.stem.replace("-", "_").isidentifier():
        raise InputError(f"{source}: a board's file is named as it is, of letters, digits and -_")
    try:
        with path.open("rb") as file:  # bounded, as a device or pipe has no size
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise InputError(f"{source}: larger than 64 KiB; a board is a short TOML file")
        return path.stem, parse_board(data.decode("utf-8-sig"), source)
    except OSError as error:
        raise InputError(f"{source}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{source}: not TOML: {error}") from None


def parse_board(text: str, source: str) -> Board:
    """The board that ``text``, of the file ``source``, describes; InputError as in find_board."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source}: not TOML: {error or type(error).__name__}") from None
    try:
        board = READER.validate_python(table)
    except ValidationError as error:
        raise InputError(f"{source}: {_complaint(error)}") from None
    _check_words(board, source)
    check_baud(board, source)
    return board


def check_baud(board: Board, where: str) -> None:
    """Raise InputError where the clock makes no bits of the baud rate: a bit is a whole number of
    at least LEAST_DIVISOR cycles, and BITS_OFF of its length at most off."""
    if board.divisor >= LEAST_DIVISOR and board.baud_error <= BITS_OFF:
        return
    cycles = max(LEAST_DIVISOR, board.divisor)
    near = f"{cycles * board.baud / 1e6:g} MHz make {cycles} cycles a bit"
    if board.divisor < LEAST_DIVISOR:
        rule = f"only {board.clock_hz / board.baud:.3g} cycles a bit, fewer than {LEAST_DIVISOR}"
    else:
        rule = f"bits of {board.divisor} cycles, {board.baud_error:.1%} off"
    told = f"baud {board.baud} has {rule}, at {board.clock_hz / 1e6:g} MHz"
    raise InputError(f"{where}: {told} (nearest legal clock: {near})")


def _complaint(error: ValidationError) -> str:
    """The first failed check: key, rule, nearest legal value."""
    first: dict[str, Any] = dict(error.errors(include_url=False)[0])
    key, kind = ".".join(map(str, first["loc"])), first["type"]
    if kind == "extra_forbidden":
        close = nearest_word(key, list(Board._fields))
        hint = f"did you mean {close!r}?" if close else f"keys: {', '.join(Board._fields)}"
        return f"{shown(key)} is no key of a board; {hint}"
    if kind in RULES:
        told = "" if kind == "missing" else f", not {shown(first['input'])}"
        return f"{key} {RULES[kind]}{told}"
    bound = first["ctx"].get("ge", first["ctx"].get("le"))
    side = "at least" if "ge" in first["ctx"] else "at most"
    rule = f"must be {side} {bound}, not {shown(first['input'])}"
    return f"{key} {rule} (nearest legal value: {bound})"


def _check_words(board: Board, source: str) -> None:
    """Raise InputError where a word is none of those that are legal in its place."""
    _check_word(source, "family", board.family, list(FAMILIES))
    for port in PORTS:
        if port not in board.pins:
            raise InputError(f"{source}: pins.{port} is missing; ports: {', '.join(PORTS)}")
    legal = {"pins": PORTS, "io": (*PORTS, *SPI_PORTS), "spi": SPI_PORTS}
    for key, ports in legal.items():
        for port in getattr(board, key):
            _check_word(source, key, port, list(ports))
    taken: dict[str, str] = {}
    for port, pin in {**board.pins, **{f"spi.{p}": pin for p, pin in board.spi.items()}}.items():
        if pin in taken:
            raise InputError(f"{source}: pins.{port} is {pin!r}, which pins.{taken[pin]} has")
        taken[pin] = port
    for port in SPI_PORTS if board.spi else ():
        if port not in board.spi:
            raise InputError(f"{source}: spi.{port} is missing; ports: {', '.join(SPI_PORTS)}")


def _check_word(source: str, key: str, word: str, legal: list[str]) -> None:
    if word not in legal:
        near = nearest_word(word, legal) or legal[0]
        rule = f"must be one of {', '.join(legal)}, not {shown(word)}"
        raise InputError(f"{source}: {key} {rule} (nearest legal value: {near!r})")


def _shipped() -> dict[str, Board]:
    """The boards of this package, by name."""
    found = sorted(files("cimforge.fpga.boards").iterdir(), key=lambda path: path.name)
    tables = [path for path in found if path.name.endswith(".toml")]
    return {p.name.removesuffix(".toml"): parse_board(p.read_text(), p.name) for p in tables}


BOARDS = _shipped()
