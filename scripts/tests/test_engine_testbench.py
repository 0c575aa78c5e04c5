"""The plain Verilog testbench beside an engine: its own masters and memory, and golden's result."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cimforge.hdl.tests.tools import lint, needs_icarus
from cimforge.scripts.main import cli, main

CASES = {
    "axi": ["engine_small", "--set", "rows=5"],
    "apb": [
        *("tiny", "--control", "apb", "--memory", "wishbone", "--set", "storage=latch"),
        *("--set", "engine.bus_bits=64", "--set", "banks=3", "--set", "engine.streams=true"),
    ],
    "binary": [
        *("tiny", "--control", "wishbone", "--set", "multiply=xnor", "--set", "weight_bits=1"),
        *("--set", "input_bits=1", "--set", "cols=9", "--set", "engine.macros=2"),
    ],
    "tables": [
        *("fpga_lutram", "--memory", "wishbone", "--set", "rows=7", "--set", "cols=3"),
        *("--set", 'features=["zero_skip"]'),
    ],
}
every_case = pytest.mark.parametrize("case", CASES)
# What delays, and a testbench's ways, are told as.
WAIVED = (
    *("UNUSEDSIGNAL", "STMTDLY", "INITIALDLY", "BLKSEQ", "WIDTHTRUNC", "WIDTHEXPAND"),
    *("DECLFILENAME", "PROCASSINIT", "BLKANDNBLK"),
)


@pytest.fixture
def written(case: str, tmp_path: Path) -> tuple[Path, str, list[str]]:
    """The folder of a case, its top, and its sources, the testbench first."""
    done = CliRunner().invoke(cli, ["engine", *CASES[case], "--json", "-o", str(tmp_path / "e")])
    assert done.exit_code == 0, done.output
    top = json.loads(done.stdout)["top"]
    names = (tmp_path / "e" / f"{top}.f").read_text().split()
    return tmp_path / "e", top, [f"tb_{top}.v", *names]


def simulated(folder: Path, names: list[str]) -> str:
    """What Icarus prints, the compiler's complaints first."""
    files = [name for name in names if not name.endswith(".vlt")]
    command = ["iverilog", "-g2005", "-Wall", "-o", "tb.vvp", *files]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    ran = subprocess.run(["vvp", "tb.vvp"], cwd=folder, capture_output=True, text=True)
    return built.stdout + built.stderr + ran.stdout


@needs_icarus
@every_case
def test_it_passes_and_tells_a_wrong_word(written):
    folder, top, names = written
    assert simulated(folder, names).startswith("PASS ")
    wanted = folder / f"{top}_after.hex"
    lines = wanted.read_text().splitlines()
    lines[-1] = lines[-1].translate(str.maketrans("0123456789abcdef", "123456789abcdef0"))
    wanted.write_text("\n".join(lines))
    told = simulated(folder, names)
    assert "FAIL memory at " in told
    assert told.splitlines()[-1].startswith("FAIL 1 differences, 0 accesses refused")


@every_case
def test_verilator_takes_it(written):
    folder, top, names = written
    options = [f"-Wno-{name}" for name in WAIVED]
    assert lint(folder, "--timing", "--top-module", f"tb_{top}", *options, *names) == []


@needs_icarus
def test_a_product_of_ones_own_is_run(tmp_path):
    draw = np.random.default_rng(5)
    x, w = draw.integers(-8, 8, (5, 20)), draw.integers(-8, 8, (20, 7))
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "w.npy", w)
    folder = tmp_path / "e"
    words = ["--weights", str(tmp_path / "w.npy"), "--inputs", str(tmp_path / "x.npy")]
    done = CliRunner().invoke(cli, ["engine", "tiny", *words, "--json", "-o", str(folder)])
    assert done.exit_code == 0, done.output
    top = json.loads(done.stdout)["top"]
    names = [f"tb_{top}.v", *(folder / f"{top}.f").read_text().split()]
    assert simulated(folder, names).startswith("PASS ")
    told = (folder / f"tb_{top}.v").read_text()
    start, pitch = map(int, re.search(r"from byte (\d+) on, (\d+) bytes apart", told).groups())
    words = [int(line, 16) for line in (folder / f"{top}_after.hex").read_text().split()]
    memory = np.array(words, "<u4").view(np.uint8)[start:]
    got = [memory[v * pitch :][: 4 * 7].copy().view("<i4") for v in range(5)]
    assert (np.array(got) == x @ w).all()


@pytest.mark.parametrize(
    ("x", "w", "told"),
    [
        (
            np.zeros((2, 3), int),
            np.zeros((4, 5), int),
            "x (batch, K) and w (K, N) need the same K, not",
        ),
        (np.zeros((2, 3)), np.zeros((3, 5), int), "x must hold integers, not float64; quantise it"),
        (np.zeros((2, 3), int), np.full((3, 5), 99), "weights must fit weight_bits = 4, unsigned"),
        (np.zeros((0, 3), int), np.zeros((3, 5), int), "x must hold at least one number, and has"),
        (np.zeros((1, 9000), int), np.zeros((9000, 9), int), "w is 3375 tiles of 8 x 4, and a"),
        (np.full((2, 3), 99), np.zeros((3, 5), int), "x[0, 0] must be an integer in 0..15"),
    ],
)
def test_a_product_that_it_does_not_compute_is_one_line(x, w, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", x)
    np.save("w.npy", w)
    assert main(["engine", "tiny", "--weights", "w.npy", "--inputs", "x.npy"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"cimforge: {told}")
    assert err.count("\n") == 1
    assert main(["engine", "tiny", "--weights", "w.npy"]) == 2
    assert capsys.readouterr().err == "cimforge: --weights: only together with --inputs\n"
