"""Random configurations, array files and command lines end in one line of text, never otherwise."""

import contextlib
import io
import os
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cimforge.compiler.npy import load_array
from cimforge.compiler.tiling import make_job
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.hdl.params.presets import PRESETS
from cimforge.scripts.main import FILES, VERBS, main
from cimforge.scripts.options import CheckFailedError

BESIDE = ("way", "verify_macro", "verify_engine", "engine_synth")  # what verbs write through
WRITERS = ("emit_macro", "open_outputs", "write_file")
MANY = settings(max_examples=300, deadline=None, derandomize=True)
TINY = MacroConfig(**PRESETS["tiny"].parameters)

FIELDS = st.sampled_from([*MacroConfig.model_fields])
ODD_KEYS = st.sampled_from(["preset", "self", "rwos", "a.b", '""', '"a b"', "[rows]"])
KEYS = st.one_of(FIELDS, FIELDS, FIELDS, FIELDS, ODD_KEYS, st.text(max_size=8))
VALUES = st.one_of(
    st.integers(-(10**30), 10**30).map(str),
    st.integers(0, 70).map(str),
    st.floats().map(str),
    st.sampled_from(
        ["true", '"csa"', "'flop'", "'auto'", "[]", "['ecc']", "[[1], {a = 2}]", "{}", "{a.b = 1}"]
    ),
    st.sampled_from([f"'{preset}'" for preset in PRESETS]),
    st.sampled_from(["1979-05-27", "07:32:00", "1979-05-27T07:32:00Z", "2024-02-30", "1_0", "0b1"]),
    st.text(max_size=12).map(repr),
)
LINES = st.lists(st.tuples(KEYS, VALUES).map(" = ".join), max_size=3).map("\n".join)

WORDS = st.one_of(
    st.sampled_from([*VERBS, *PRESETS, "digits", "--help", "--json", "--", "-", "-o", "out", "."]),
    st.sampled_from(
        ["--set", "rows=37", "rows=0", "tree=nope", "my.toml", "bad.toml", "--version"]
    ),
    st.sampled_from(["--weights", "--inputs", "x.npy", "w.npy", "--x-precision", "s4", "--config"]),
    st.sampled_from(["--simulator", "icarus", "--seed", "1", "--jobs", "--test", "(", "--images"]),
    st.sampled_from(["\udcff", "\x1b[31m", "a\nb", ""]),
    st.text(max_size=8).filter(lambda word: "\0" not in word),  # no shell can pass one
)


def load(source: str, *overrides: str) -> None:
    """Load a config; an InputError must be one printable line, and anything else escapes."""
    try:
        load_config(source, overrides)
    except InputError as error:
        message = str(error)
        assert message.isprintable()
        assert 0 < len(message) < 400


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The working folder of all examples, with files of each kind."""
    before, folder = Path.cwd(), tmp_path_factory.mktemp("fuzz")
    os.chdir(folder)
    Path("my.toml").write_text("rows = 5\n")
    Path("bad.toml").write_text("rows = \n")
    np.save("x.npy", np.ones((2, 8), np.int8))
    np.save("w.npy", np.ones((8, 4), np.int8))
    yield folder
    os.chdir(before)


@MANY
@given(text=LINES)
@example("rows = 8\nrows = 9")
@example("preset = 'tiny'\nstorage = 'ram'")
def test_no_text_of_a_config_escapes_as_another_error(folder, text):
    Path("fuzz.toml").write_text(text, encoding="utf-8", newline="")
    load("fuzz.toml")


@MANY
@given(content=st.binary(max_size=64))
def test_no_bytes_of_a_config_escape_as_another_error(folder, content):
    Path("fuzz.toml").write_bytes(content)
    load("fuzz.toml")


@MANY
@given(
    source=st.text(max_size=12).filter(lambda s: "\0" not in s),
    overrides=st.lists(st.tuples(KEYS, VALUES).map("=".join), max_size=4),
)
def test_no_name_and_no_override_escapes_as_another_error(folder, source, overrides):
    load(source, *overrides)
    load("tiny", *overrides)


def _valid_files() -> list[bytes]:
    """Well-formed .npy files of several dtypes, orders and shapes."""
    arrays = [
        np.ones((2, 8), np.int8),
        np.asfortranarray(np.full((3, 8), 15, ">u8")),
        np.zeros((0, 8), bool),
        np.arange(8, dtype=np.int16),
        np.ones((2, 8), np.float16),
    ]
    files = []
    for array in arrays:
        for version in ((1, 0), (2, 0), (3, 0)):
            file = io.BytesIO()
            np.lib.format.write_array(file, array, version=version)
            files.append(file.getvalue())
    return files


VALID_FILES = _valid_files()


NUMBERS = st.one_of(st.integers(-20, 20), st.integers(-(10**25), 10**25)).map(str)


@st.composite
def mutated_files(draw) -> bytes:
    """A valid file with other numbers in its header, or bytes cut out, changed or put in."""
    content = draw(st.sampled_from(VALID_FILES))
    if draw(st.booleans()):
        numbers = list(re.finditer(rb"\d+", content))
        for number in draw(st.lists(st.sampled_from(numbers), max_size=2, unique=True)):
            text = draw(NUMBERS).encode()
            content = content[: number.start()] + text + content[number.end() :]
        return content
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(8, len(content)))  # behind the magic and the version
        end = start + draw(st.integers(0, 6))
        content = content[:start] + draw(st.binary(max_size=6)) + content[end:]
    return content


@settings(MANY, max_examples=500)
@given(content=mutated_files(), weights=st.booleans())
def test_no_damaged_array_escapes_as_another_error(folder, content, weights):
    Path("fuzz.npy").write_bytes(content)
    message = ""
    try:
        found = load_array(Path("fuzz.npy"))
        batch = found[np.newaxis] if found.ndim == 1 else found
        if weights:
            make_job(TINY, np.ones((2, 8), np.int8), found)
        else:
            make_job(TINY, batch, np.ones((8, 4), np.int8))
    except ValueError as error:
        message = str(error)
    assert len(message.splitlines()) <= 1


def verb_module(verb: str) -> ModuleType:
    """The module that holds the command of ``verb``."""
    return import_module(f"cimforge.scripts.{FILES.get(verb, verb)}")


@pytest.fixture(scope="module")
def fenced(folder):
    """The verbs stop, with status 1, where they would write or simulate."""

    def stop(*_) -> None:
        raise CheckFailedError("stopped by the fence")

    with pytest.MonkeyPatch.context() as patch:
        beside = (import_module(f"cimforge.scripts.{name}") for name in BESIDE)
        for module in (*map(verb_module, VERBS), *beside):
            for writer in WRITERS:
                if hasattr(module, writer):
                    patch.setattr(module, writer, stop)
        patch.setattr("cimforge.scripts.doctor.check_machine", list)
        patch.setattr("cimforge.scripts.doctor._compile", str)
        patch.setattr("cimforge.compiler.digits.train", stop)
        patch.setattr("cimforge.scripts.macro_mutants.opened_crew", stop)
        for module in ("verify", "way", "macro_mutants"):
            patch.setattr(f"cimforge.scripts.{module}.check_simulator", lambda _: None)
        yield folder


@settings(MANY, max_examples=500)
@given(words=st.lists(WORDS, max_size=7))
@example(["generate", "tiny"])
@example(["verify", "my.toml", "--test", "a", "--json"])
@example(["synth", "my.toml"])
@example(["fpga", "ulx3s-85f", "tiny"])
@example(["mvm", "tiny", "--weights", "w.npy", "--inputs", "x.npy", "-o", "y.npy"])
@example(["run", "digits", "--config", "my.toml"])
@example(["draw", "tiny"])
@example(["export", "zigzag", "my.toml"])
@example(["size"])
def test_no_command_line_escapes_its_exit_status(fenced, words):
    before = sorted(fenced.iterdir())
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(words)
    lines = err.getvalue().split("\n")[:-1]
    if status == 2:
        assert out.getvalue() == ""
        assert len(lines) == 1
        assert lines[0].startswith("cimforge: ")
        assert lines[0].isprintable()
    elif status == 1:
        assert lines[-1] == "cimforge: stopped by the fence"
    else:
        assert (status, lines) == (0, [])
        assert out.getvalue()
    assert sorted(fenced.iterdir()) == before
