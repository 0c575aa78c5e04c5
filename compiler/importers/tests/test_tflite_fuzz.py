"""Files that were changed at random: each is read or refused in one line, soon, in little memory,
and nothing is written. CIMFORGE_FILES says how many (make soak: 10000)."""

import os
import random
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from cimforge.compiler.graph.graph import Graph, GraphError

pytest.importorskip("tflite", reason="package tflite is not installed: no file to write")

from cimforge.compiler.importers.tests.tflite_cases import CASES, drawn
from cimforge.compiler.importers.tflite_import import import_tflite
from cimforge.compiler.reference.execution import execute

pytestmark = pytest.mark.filterwarnings("error")  # a warning would be a second line
FILES = int(os.environ.get("CIMFORGE_FILES", "300"))
EACH = 50  # files a test, so that the seed of a failure is soon found again
MOST_SECONDS = 5.0
MOST_MEMORY = 96 << 20
MOST_ELEMENTS = 1 << 16  # of a network that is run, too
WORDS = (0, 1, 2, 127, 255, 1 << 15, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)


def changed(seed: int) -> bytes:
    """A self-made file with bytes changed, words replaced, or its end cut off."""
    rng = random.Random(seed)
    data = bytearray(drawn(rng.choice(list(CASES)), seed % 3).octets())
    if rng.random() < 0.1:
        del data[rng.randrange(len(data)) :]
    for _ in range(rng.choice((1, 1, 2, 8, 40))):
        if not data:
            break
        # tables lie behind the buffers, and these take most of the file
        place = rng.randrange(len(data)) if rng.random() < 0.5 else -1 - rng.randrange(900)
        place = max(place, -len(data)) % len(data)
        match rng.randrange(3):
            case 0:
                data[place] = rng.randrange(256)
            case 1:
                data[place] ^= 1 << rng.randrange(8)
            case _:
                place &= ~3
                data[place : place + 4] = rng.choice(WORDS).to_bytes(4, "little")
    return bytes(data)


def run(graph: Graph) -> None:
    """Of a network that is small still."""
    if sum(tensor.size for tensor in graph.tensors.values()) > MOST_ELEMENTS:
        return
    feeds = {}
    for name in graph.inputs:
        tensor = graph.tensors[name]
        kind = np.float32 if tensor.kind == "float32" else np.int64
        feeds[name] = np.ones(tensor.shape, kind)
    execute(graph, feeds)


def refusal(path: Path) -> str:
    """Why a file is refused; empty where it is read, and runs."""
    try:
        run(import_tflite(path, "litert"))
    except GraphError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("first", range(0, FILES, EACH))
def test_changed_files_are_one_line_at_most(first, tmp_path):
    path = tmp_path / "m.tflite"
    read = 0
    tracemalloc.start()
    try:
        for seed in range(first, min(first + EACH, FILES)):
            path.write_bytes(changed(seed))
            tracemalloc.reset_peak()
            begun = time.monotonic()
            told = refusal(path)
            assert time.monotonic() - begun < MOST_SECONDS, f"seed {seed}"
            assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY, f"seed {seed}"
            assert "\n" not in told, f"seed {seed}: {told}"
            assert not told or told.startswith(str(path)), f"seed {seed}: {told}"
            assert len(told) < 1200, f"seed {seed}: {told}"
            read += not told
    finally:
        tracemalloc.stop()
    assert list(tmp_path.iterdir()) == [path]
    assert 0 < read < EACH
