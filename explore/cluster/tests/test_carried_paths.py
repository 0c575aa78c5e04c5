"""Tasks for another file system: contents go, folders become others, results name the sender's."""

from pathlib import Path

import pytest

from cimforge.explore.cluster.carried_paths import (
    Packer,
    pack_result,
    store,
    unpack,
    unpack_result,
)
from cimforge.flow.shared_blocks.mapping_target import MappingTarget


@pytest.fixture
def carried(tmp_path):
    """Packs at one place, unpacks at another; the value there, and how a result goes back."""
    packer = Packer()

    def carry(value):
        payload, digests = packer.pack(value)
        store({digest: packer.contents[digest] for digest in digests}, tmp_path / "contents")
        return unpack(payload, tmp_path / "contents", tmp_path / "scratch")

    return carry


def test_a_file_is_its_content_wherever_it_stands(carried, tmp_path):
    library = tmp_path / "cells.lib"
    library.write_text("library (a) {}")
    target = MappingTarget("liberty", (library,))
    there = carried((target, {"files": [library]})).value
    (copy,) = there[0].libraries
    assert copy != library
    assert (copy.name, copy.read_text()) == ("cells.lib", "library (a) {}")
    assert there[1] == {"files": [copy]}
    assert there[0].kind == "liberty"


def test_a_file_that_has_changed_is_carried_again(carried, tmp_path):
    path = tmp_path / "x.onnx"
    path.write_text("one")
    first = carried(path).value
    path.write_text("other")
    assert (first.read_text(), carried(path).value.read_text()) == ("one", "other")


def test_one_file_is_carried_once(tmp_path):
    path = tmp_path / "x.lib"
    path.write_text("one" * 1000)
    packer = Packer()
    payloads = [packer.pack((number, path))[0] for number in range(3)]
    assert len(packer.contents) == 1
    assert all(b"oneone" not in payload for payload in payloads)


def test_a_folder_is_another_and_results_name_the_senders(carried):
    told = carried((Path("build/work/a"), Path("build/work/b")))
    one, two = told.value
    assert one != two
    assert not one.exists()
    result = (one / "log", [f"ERROR in {two}/x.v: see {one}"], b"bytes", 7)
    back = unpack_result(pack_result(result, told.origins))
    texts = ["ERROR in build/work/b/x.v: see build/work/a"]
    assert back == (Path("build/work/a/log"), texts, b"bytes", 7)


def test_exceptions_name_the_senders_paths_too(carried):
    told = carried(Path("build/work/a"))
    back = unpack_result(pack_result(ValueError(f"{told.value}: no"), told.origins))
    assert str(back) == "build/work/a: no"
