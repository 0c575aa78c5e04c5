"""The store: whole or not at all, once, by several processes, and nothing of another program's."""

import sqlite3

import pytest

from cimforge.explore.result_store import ResultStore
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

CONFIG = MacroConfig(rows=4)


def test_what_is_kept_is_read_again_and_stays(tmp_path):
    path = tmp_path / "results.db"
    with ResultStore(path) as store:
        assert store.figures(["a"]) == {}
        store.add_point("a", "generic", CONFIG, {"area": 3.5, "ffs": 2})
        store.add_blocks("t", {"b1": b"one", "b2": b"two"})
    with ResultStore(path) as store:
        store.add_point("a", "generic", CONFIG, {"area": 4.0, "period": 1.5})
        store.add_blocks("t", {"b1": b"other"})
        assert store.figures(["a", "b"]) == {"a": {"area": 3.5, "ffs": 2, "period": 1.5}}
        assert store.blocks("t", ["b1", "b3"]) == {"b1": b"one"}
        assert store.blocks("u", ["b1"]) == {}
    assert [each.name for each in tmp_path.iterdir()] == ["results.db"]


def test_a_person_can_query_it(tmp_path):
    path = tmp_path / "results.db"
    with ResultStore(path) as store:
        store.add_point("a", "generic", CONFIG, {"area": 3.5})
    query = """SELECT target, json_extract(parameters, '$.rows'), value FROM points
               JOIN figures USING (key) WHERE metric = 'area'"""
    with sqlite3.connect(path) as file:
        assert file.execute(query).fetchall() == [("generic", 4, 3.5)]


def test_half_a_point_is_none(tmp_path):
    """A figure that cannot be kept takes the whole point with it."""
    with ResultStore(tmp_path / "results.db") as store:
        with pytest.raises(InputError, match=r"results\.db: cannot be written: "):
            store.add_point("a", "generic", CONFIG, {"area": 1.0, "tops": None})
        store.add_point("b", "generic", CONFIG, {"area": 2.0})
        assert store.figures(["a", "b"]) == {"b": {"area": 2.0}}
        assert store._file.execute("SELECT key FROM points").fetchall() == [("b",)]


def test_two_write_at_once(tmp_path):
    path = tmp_path / "results.db"
    with ResultStore(path) as one, ResultStore(path) as other:
        one.add_point("a", "generic", CONFIG, {"area": 1.0})
        other.add_point("b", "generic", CONFIG, {"area": 2.0})
        other.add_point("a", "generic", CONFIG, {"area": 1.0})
        assert one.figures("ab") == other.figures("ab") == {"a": {"area": 1.0}, "b": {"area": 2.0}}


@pytest.mark.parametrize("content", [b"no database, and long enough to be read as one" * 9, None])
def test_another_programs_file_is_refused_and_kept(tmp_path, content):
    path = tmp_path / "results.db"
    if content is None:
        with sqlite3.connect(path) as file:
            file.execute("CREATE TABLE theirs (x)")
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"results\.db: is no store of cimforge explore .*move it"):
        ResultStore(path)
    assert path.read_bytes() == before
