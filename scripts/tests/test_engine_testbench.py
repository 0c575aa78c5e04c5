"""The plain Verilog testbench beside an engine: its own masters and memory, and golden's result."""

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from cimforge.hdl.tests.tools import lint, needs_icarus
from cimforge.scripts.main import cli

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
