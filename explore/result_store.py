"""The store of a sweep: one SQLite file of points, their figures and the blocks they share."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

__all__ = ["STORE", "ResultStore"]

STORE = "results.db"
APPLICATION = 0x63696D66  # "cimf": tells the file from others of SQLite's
WAIT = 60.0  # seconds for another process that writes
ONCE = "ON CONFLICT DO NOTHING"  # what is known stays; OR IGNORE would drop faulty rows too
TABLES = """
CREATE TABLE IF NOT EXISTS points (
  key TEXT PRIMARY KEY, target TEXT NOT NULL, parameters TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS figures (
  key TEXT NOT NULL REFERENCES points, metric TEXT NOT NULL, value REAL NOT NULL,
  PRIMARY KEY (key, metric)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS apart (
  key TEXT NOT NULL, quantity TEXT NOT NULL, value REAL NOT NULL, PRIMARY KEY (key, quantity)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blocks (
  target TEXT NOT NULL, name TEXT NOT NULL, netlist BLOB NOT NULL, PRIMARY KEY (target, name)
);
"""


class ResultStore:
    """Points and blocks by content, each written once: whole, in one transaction, or not at all.

    ``points``: key, target and parameters (JSON) of a macro; ``figures``: a metric's value each;
    ``apart``: what was measured by itself, a quantity each; ``blocks``: mapped modules by target
    and name, zlib-compressed JSON. A process that is killed loses what it had not finished; several
    may write at once, and may read meanwhile (WAL). Raises InputError where the file is not such a
    store, or its disk is full.
    """

    def __init__(self, path: Path):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._file = sqlite3.connect(path, timeout=WAIT, isolation_level=None)
            self._prepare()
        except sqlite3.Error as error:
            rule = f"is no store of cimforge explore ({error})"
            raise InputError(f"{path}: {rule}; move it away, or choose another -o") from None

    def _prepare(self) -> None:
        tables = self._file.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        mark = self._file.execute("PRAGMA application_id").fetchone()[0]
        if mark != APPLICATION and (tables or mark):
            raise sqlite3.DatabaseError("another program's")
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = NORMAL")
        self._file.executescript(
            f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION}; {TABLES} COMMIT;"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Everything into the one file."""
        self._file.close()

    def figures(self, keys: Iterable[str]) -> dict[str, dict[str, float]]:
        """The figures of those points that are known, by key."""
        return self._values("SELECT metric, value FROM figures WHERE key = ?", keys)

    def apart(self, keys: Iterable[str]) -> dict[str, dict[str, float]]:
        """Those measurements by themselves that are known, by key."""
        return self._values("SELECT quantity, value FROM apart WHERE key = ?", keys)

    def _values(self, query: str, keys: Iterable[str]) -> dict[str, dict[str, float]]:
        found: dict[str, dict[str, float]] = {}
        for key in dict.fromkeys(keys):
            if told := dict(self._file.execute(query, (key,)).fetchall()):
                found[key] = told
        return found

    def blocks(self, target: str, names: Iterable[str]) -> dict[str, bytes]:
        """The mapped modules that are known on a target (by digest)."""
        found: dict[str, bytes] = {}
        for name in names:
            row = self._file.execute(
                "SELECT netlist FROM blocks WHERE target = ? AND name = ?", (target, name)
            ).fetchone()
            if row:
                found[name] = row[0]
        return found

    def add_blocks(self, target: str, netlists: Mapping[str, bytes]) -> None:
        """Keep mapped modules; those that are known stay."""
        rows = [(target, name, netlist) for name, netlist in netlists.items()]
        with self._transaction() as write:
            write(f"INSERT INTO blocks VALUES (?, ?, ?) {ONCE}", rows)

    def add_apart(self, key: str, numbers: Mapping[str, float]) -> None:
        """Keep what was measured by itself, all of it or nothing."""
        with self._transaction() as write:
            rows = [(key, quantity, value) for quantity, value in numbers.items()]
            write(f"INSERT INTO apart VALUES (?, ?, ?) {ONCE}", rows)

    def add_point(
        self, key: str, target: str, config: MacroConfig, figures: Mapping[str, float]
    ) -> None:
        """Keep a point with its figures, all or none; what is known stays."""
        parameters = json.dumps({k: v for k, v in config.parameters().items() if k != "name"})
        rows = [(key, metric, value) for metric, value in figures.items()]
        with self._transaction() as write:
            write(f"INSERT INTO points VALUES (?, ?, ?) {ONCE}", [(key, target, parameters)])
            write(f"INSERT INTO figures VALUES (?, ?, ?) {ONCE}", rows)

    @contextmanager
    def _transaction(self) -> Iterator[Callable[[str, list[tuple]], object]]:
        """What writes rows, all of them or none."""
        try:
            with self._file:
                self._file.execute("BEGIN IMMEDIATE")
                yield self._file.executemany
        except sqlite3.Error as error:
            raise InputError(f"{self.path}: cannot be written: {error}") from None
