"""The way without Python: what is emitted simulates anywhere, at a bearable speed, and ends."""

import re
import resource
import subprocess
from pathlib import Path

import pytest

from cimforge.flow.macro_files import macro_extras
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.macro.top import macro_modules
from cimforge.hdl.netlist.structure import Structure, concat
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.tests.tools import lint, needs_icarus

CONFIGS = [
    load_config("base"),
    MacroConfig(rows=12, cols=3, input_bits=8, bits_per_cycle=4, storage="latch", banks=2),
    MacroConfig(rows=40, cols=2, tree_stages=2, bits_per_cycle=2, tree="behavioral"),
    MacroConfig(rows=11, cols=3, banks=5, bits_per_cycle=2, storage="lutram", tree="behavioral"),
    MacroConfig(rows=11, cols=4, weight_bits=4, storage="bram", ram="ice40"),
    MacroConfig(
        **{"rows": 15, "cols": 5, "weight_bits": 4, "storage": "hybrid", "banks": 2},
        **{"tree": "behavioral", "tree_stages": "auto"},
    ),
    MacroConfig(rows=10, cols=4, weight_bits=4, storage="bram", ram="gowin"),
]
TABLES = [config for config in CONFIGS if config.tables]
VERILOG = Path(__file__).parents[1]


def emitted(config, folder):
    """The testbench's file list, emitted into ``folder``."""
    emit_macro(config, folder, macro_extras(config))
    models = [f"{name}.v" for name in config.models]
    return [f"tb_{config.module}.v", f"{config.module}.v", *models, "cim_cells.v"]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.module)
def test_instances_drive_whole_nets(config):
    """A net that many instances drive slice by slice costs Icarus all its bits at every change."""
    modules = macro_modules(config)
    outputs = {
        module.name: {name for name, port in module.ports.items() if port.direction == "output"}
        for module in modules
    }
    seen = 0
    for module in modules:
        for kind, pins in re.findall(r"^  (\w+) \w+ \((\..*)\);$", module.verilog(), re.M):
            for port, net in re.findall(r"\.(\w+)\(([^()]*)\)", pins):
                if port in outputs.get(kind, ()):
                    seen += 1
                    assert "[" not in net, f"{module.name}: {kind} drives {net}"
    assert seen > config.rows * (1 if config.tables else config.banks)


def test_slices_become_nets_that_make_up_their_bus():
    half = Structure("m", "half", "Half.", "control")
    half.port("output", "y", 2)
    whole = Structure("m", "", "Whole.", "control")
    full, part = whole.port("output", "full", 4), whole.port("output", "part", 3)
    whole.place(half, "low", y=full.bits(0, 2))
    whole.place(half, "high", y=full.bits(2, 2))
    whole.place(half, "mixed", y=concat([part.bits(2), part.bits(0)]))
    lines = [line.strip() for line in whole.verilog().splitlines()]
    assert "assign full = {full_at2, full_at0};" in lines
    assert "wire [1:0] full_at0, full_at2;" in lines
    assert "m_half mixed (.y({part_at0, part_at2}));" in lines
    assert {"assign part[2] = part_at2;", "assign part[0] = part_at0;"} <= set(lines)


@needs_icarus
def test_ten_vectors_of_base_take_seconds(tmp_path):
    """27 s before instances drove whole nets, 2.3 s since, on the machine that measured both."""
    files = emitted(load_config("base"), tmp_path)
    subprocess.run(["iverilog", "-g2005", "-o", "tb.vvp", *files], cwd=tmp_path, check=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(["vvp", "tb.vvp"], cwd=tmp_path, capture_output=True, text=True)
    seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    assert "PASS 10 of 10 vectors" in done.stdout
    assert seconds < 8


@needs_icarus
@pytest.mark.parametrize("config", CONFIGS[1:], ids=lambda config: config.module)
def test_icarus_has_no_complaint_about_the_testbench(tmp_path, config):
    files = emitted(config, tmp_path)
    command = ["iverilog", "-g2005", "-Wall", "-o", "tb.vvp", *files]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
    ran = subprocess.run(["vvp", "tb.vvp"], cwd=tmp_path, capture_output=True, text=True)
    assert "PASS 10 of 10 vectors" in ran.stdout


@pytest.mark.parametrize("config", [CONFIGS[1], *TABLES], ids=lambda config: config.module)
def test_verilator_takes_the_testbench_too(tmp_path, config):
    files = emitted(config, tmp_path)
    waived = (
        "UNUSEDSIGNAL",
        "STMTDLY",
        "INITIALDLY",
        "BLKSEQ",
        "WIDTHTRUNC",
        "DECLFILENAME",
        "PROCASSINIT",
    )
    options = [f"-Wno-{name}" for name in waived]
    top, waivers = f"tb_{config.module}", f"{config.module}.vlt"
    assert lint(tmp_path, "--timing", "--top-module", top, *options, waivers, *files) == []


def test_no_emitted_file_has_a_timescale(tmp_path):
    """One with and one without are refused by strict simulators, in whatever order they come."""
    emit_macro(CONFIGS[1], tmp_path, macro_extras(CONFIGS[1], "wishbone"))
    files = [*tmp_path.glob("*.v"), *VERILOG.rglob("*.v")]
    assert len(files) > 4
    for file in files:
        text = file.read_text()
        assert "`timescale" not in text, file
        assert not re.search(r"#\s*[\d.]+\s*[munpf]?s\b", text), file


@needs_icarus
def test_a_macro_that_hangs_ends_the_testbench(tmp_path):
    config = load_config("tiny")
    files = emitted(config, tmp_path)
    macro = tmp_path / f"{config.module}.v"
    macro.write_text(
        re.sub(r"(assign w_ready = )[^;]*;", r"\g<1>1'b0;", macro.read_text(), count=1)
    )
    subprocess.run(["iverilog", "-g2005", "-o", "tb.vvp", *files], cwd=tmp_path, check=True)
    command = ["vvp", "tb.vvp"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert "FAIL not finished after 18000 cycles" in done.stdout
