"""What a datasheet keeps of its checks and tells first: without running them, but for how one that
is interrupted ends."""

import json
import re
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from cimforge.flow.datasheet.checks import CHECKS, checks_of
from cimforge.flow.datasheet.port_table import PORTS, STREAMS, port_rows, stream_of
from cimforge.flow.datasheet.print_strips import print_strips
from cimforge.hdl.macro.streams import macro_streams
from cimforge.hdl.params.config import MacroConfig
from cimforge.scripts import datasheet_runs
from cimforge.scripts.datasheet_progress import check_progress, seconds_left
from cimforge.scripts.datasheet_runs import due, ended

TINY = ("datasheet", "tiny", "--simulator", "icarus", "-o", "out")
LIBRARY = Path(__file__).parents[2] / "flow" / "tests" / "small.lib"
NOTHING = {key: None for check in CHECKS.values() for key in check.told}
VERIFIED = {"tests": 9, "failed": 0, "skipped": 2, "passes": 31, "seed": 1, "simulator": "icarus"}
VERIFIED |= {"coverage": {"hit": 27, "bins": 29, "waived": 1}, "failures": [], "holes": ["a bin"]}
SIZED = {"total": 682, "unit": "luts", "ffs": 220, "ram_blocks": {"EBR": 3}}
RESULTS = {
    "verify": VERIFIED,
    "prove": {**NOTHING, "adders": {"tree": 28, "sum": 7}, "laws": {"cim_ha": "a + b = s + 2 co"}},
    "mutants": {"generated": 20, "killed": 17, "proven": 1, "bounded": 2, "survived": 0}
    | {"seed": 1, "simulator": "icarus"},
    "power": {**NOTHING, "fj_per_1b_mac": 125.02, "tops_per_w": 15.9, "wire_ff": 0.0}
    | {"vectors": 200, "data": "uniform", "seed": 0, "period_ns": 3.64},
}


def result_of(program: list[str]) -> dict:
    """What a command of this kind prints, of no macro in particular."""
    if program[3] != "synth":
        return RESULTS[program[3]]
    target = program[program.index("--target") + 1]
    if target != "liberty":
        return {**SIZED, "target": target}
    period = {"min_period_ns": 4.779, "tops": 0.054, "tops_per_mm2": 2.387, "wire_load": "1k"}
    period |= {"ram": {"cell": None}}
    return {**NOTHING, **period, "total": 22439.71, "unit": "um2", "notes": [], "target": target}


@pytest.fixture
def ran(monkeypatch):
    """Programs that were run, each of which ends at once with a result."""
    programs: list[list[str]] = []

    def run(program, told):
        programs.append(program)
        return 0, json.dumps(result_of(program)), ""

    monkeypatch.setattr(datasheet_runs, "ended", run)
    monkeypatch.setattr(datasheet_runs, "program_version", lambda name: f"{name} of a test")
    return programs


def rows_of(sheet: dict) -> dict[str, dict]:
    """What was measured, by what it is."""
    return {row["what"]: row for row in sheet["measured"]}


def test_measured_figures_come_first_and_are_those_of_the_results(cimforge, ran):
    sheet = cimforge(*TINY, "--run", "--liberty", LIBRARY, "--json").json
    rows = rows_of(sheet)
    page = next(Path("out/datasheet").glob("*.html")).read_text()
    assert page.index("<h2>Measured</h2>") < page.index("<h2>Parameters</h2>")
    expected = {
        "area of cells": (22439.71, "µm²"),
        "shortest clock period": (4.779, "ns"),
        "rate": (0.054, "TOPS"),
        "rate an area": (2.387, "TOPS/mm²"),
        "energy": (125.02, "fJ a product of bits"),
        "efficiency": (15.9, "TOPS/W"),
        "size, ecp5": (682, "LUT sites"),
        "tests passed, regression of the Verilog": (7, ""),
        "coverage bins hit": (27, ""),
        "adders proven, Verilog": (35, ""),
        "adders proven, library cells": (35, ""),
        "mutants killed": (17, ""),
    }
    assert {what: (rows[what]["value"], rows[what]["unit"]) for what in expected} == expected
    for what in ("area of cells", "rate", "energy"):
        assert "small.lib" in rows[what]["condition"], what
    assert "at 3.64 ns" in rows["energy"]["condition"]
    faster = "this clock is faster than the shortest period above, which counts wire loads"
    assert faster in rows["energy"]["condition"]
    assert rows["size, ecp5"]["condition"] == "beside them 220 flip-flops; RAM blocks: 3 EBR"
    assert rows["area of cells"]["condition"].endswith("; RAMs not counted")
    assert rows["coverage bins hit"]["condition"] == "of 29, 1 of them waived"
    assert "of 9; 2 are not for this macro" in rows[list(expected)[7]]["condition"]
    assert "27</span> of <span" in page  # under Proof too


def test_what_was_not_run_is_there_with_its_command(cimforge):
    sheet = cimforge(*TINY, "--json").json
    rows = rows_of(sheet)
    assert {row["status"] for row in rows.values()} == {"not run"}
    assert {row["value"] for row in rows.values()} == {None}
    made = f"cimforge {' '.join(TINY)} --run --liberty FILE"
    assert rows["energy on a library"]["command"] == made
    sizes = rows["size on gowin"]
    assert sizes["command"] == "cimforge synth tiny --target gowin -o out --json"


def test_a_rerun_without_the_library_keeps_its_results_and_runs_no_more(cimforge, ran):
    before = cimforge(*TINY, "--run", "--liberty", LIBRARY, "--json").json
    assert before["checks"]["library-synth"]["status"] == "passed"
    count = len(ran)
    again = cimforge("datasheet", "tiny", "-o", "out", "--run", "--json")  # nor the simulator
    assert (again.json, len(ran)) == (before, count)


def test_of_a_library_that_is_gone_nothing_is_kept(cimforge, folder, ran):
    copy = folder / "mine.lib"
    copy.write_bytes(LIBRARY.read_bytes())
    cimforge(*TINY, "--run", "--only", "library-synth", "--liberty", "mine.lib")
    copy.unlink()
    done = cimforge(*TINY, "--json")
    assert "library-synth" not in done.json["checks"]
    assert "mine.lib is gone" in done.err


def test_a_missing_program_is_not_run_with_the_way_to_get_it(cimforge, ran, monkeypatch):
    monkeypatch.setattr(datasheet_runs, "program_version", lambda _: None)
    words = ("--run", "--only", "library-power", "--liberty", LIBRARY, "--json")
    done = cimforge(*TINY, *words)
    entry = done.json["checks"]["library-power"]
    assert (done.status, ran) == (0, [])
    assert (entry["status"], entry["why"]) == (
        "not run",
        "needs OpenSTA (Debian: apt install opensta)",
    )


def test_another_release_of_a_program_asks_for_its_checks_again(cimforge, ran, monkeypatch):
    cimforge(*TINY, "--run", "--liberty", LIBRARY)
    releases = {"OpenSTA": "3"}
    monkeypatch.setattr(
        datasheet_runs, "program_version", lambda name: releases.get(name, f"{name} of a test")
    )
    sheet = cimforge(*TINY, "--json").json
    stale = [name for name, told in sheet["checks"].items() if told["why"]]
    assert stale == ["library-synth", "library-power"]
    assert sheet["versions"]["OpenSTA"] == "3"
    assert sheet["versions"]["iverilog"] == "iverilog of a test"


def test_progress_tells_which_of_how_many_and_the_time_left(cimforge, ran):
    done = cimforge(*TINY, "--run", "--only", "prove", "--only", "synth")
    lines = [line for line in done.err.splitlines() if " of 2: " in line]
    assert lines[0] == "1 of 2: running the formal proof of the adders …"
    assert lines[1].startswith("2 of 2: running the size, about ")


def test_time_left_is_that_of_earlier_runs_and_else_of_the_pace():
    assert seconds_left(["prove"], {}) is None
    assert seconds_left(["prove"], {"prove": 7.0}) == 7
    pace = 2 * CHECKS["verify"].effort
    assert seconds_left(["prove", "verify"], {"verify": pace}) == pace + 2 * CHECKS["prove"].effort


def test_ctrl_c_keeps_what_was_finished_and_a_rerun_goes_on(cimforge, ran, monkeypatch):
    run = datasheet_runs.ended

    def interrupted(program, told):
        if program[3] == "synth":
            raise KeyboardInterrupt
        return run(program, told)

    only = ("--run", "--only", "prove", "--only", "synth", "--json")
    with monkeypatch.context() as patched:
        patched.setattr(datasheet_runs, "ended", interrupted)
        done = cimforge(*TINY, *only)
    assert (done.status, done.out, len(done.messages)) == (130, "", 1)
    assert "1 of 11 checks have passed and are kept in out/datasheet/" in done.messages[0]
    again = cimforge(*TINY, *only)
    assert [program[3] for program in ran] == ["prove", "synth"]
    assert again.json["checks"]["prove"]["status"] == "passed"


def test_a_check_that_runs_tells_how_many_of_its_tasks_have_ended(monkeypatch):
    monkeypatch.setattr(datasheet_runs, "LOOK_S", 0.05)
    lines = "".join(f"{n} of 20 trials: killed, about 3 s left …\n" for n in (1, 2))
    text = f"import sys, time; sys.stderr.buffer.write({lines.encode()!r}); sys.stderr.flush()"
    counts = []
    status, out, err = ended([sys.executable, "-c", f"{text}; time.sleep(2)"], counts.append)
    assert (status, out, err) == (0, "", lines)
    assert set(counts) == {"2 of 20 trials"}


def test_the_count_of_a_check_s_tasks_is_printed_once(capsys):
    with check_progress(["mutants"], {}) as begin:
        counted = begin("mutants")
        for count in ("1 of 20 trials", "1 of 20 trials", "2 of 20 trials"):
            counted(count)
    told = capsys.readouterr().err.splitlines()
    name = "running the mutants of this macro"
    assert told[1:] == [f"{name}: 1 of 20 trials …", f"{name}: 2 of 20 trials …"]


def test_ctrl_c_ends_the_check_and_what_it_began(tmp_path):
    mine = tmp_path / "pid"
    text = f"import subprocess; p = subprocess.Popen(['sleep', '60']); open({str(mine)!r}, 'w')"
    text += ".write(str(p.pid)); p.wait()"

    def interrupt(number, frame):
        if mine.exists() and mine.read_text():
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise KeyboardInterrupt

    old = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    try:
        with pytest.raises(KeyboardInterrupt):
            ended([sys.executable, "-c", text])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    state = subprocess.run(["ps", "-o", "stat=", "-p", mine.read_text()], capture_output=True)
    assert state.stdout.strip()[:1] in (b"", b"Z")  # a zombie is nobody's work


def test_targets_are_those_with_cells_for_the_storage_each_once():
    latch = checks_of(MacroConfig(storage="latch"))
    assert [name for name in latch if name.split("-")[0] in ("ice40", "ecp5", "gowin")] == []
    assert "library-power" in latch
    tables = checks_of(MacroConfig(storage="lutram", ram="ecp5"))
    assert list(tables) == ["verify", "netlist", "prove", "mutants", "synth"]
    assert "library-power" not in checks_of(MacroConfig(storage="sram"))


@pytest.mark.parametrize(
    ("storage", "name", "expected"),
    [
        ("latch", "ecp5-synth", "--only ecp5-synth: storage latch has no cell on ecp5 (nearest"),
        ("sram", "library-power", "--only library-power: not of this macro, which has verify, "),
    ],
)
def test_a_check_that_the_macro_cannot_have_is_refused(cimforge, folder, storage, name, expected):
    done = cimforge("datasheet", "tiny", "--set", f"storage={storage}", "--run", "--only", name)
    assert (done.status, done.out, len(done.messages)) == (2, "", 1)
    assert expected in done.err
    assert list(folder.iterdir()) == []


def test_netlists_of_fpgas_are_checked_only_where_they_are_named():
    entries = {name: {"status": "not run"} for name in CHECKS}
    assert "ecp5-synth" in due(entries, ())
    assert "ecp5-netlist" not in due(entries, ())
    assert due(entries, ("ecp5-netlist",)) == ["ecp5-netlist"]


def test_a_wide_timing_prints_in_strips_that_miss_no_cycle():
    head = '<svg class="WaveDrom" height="862" id="svgcontent_0" viewBox="0,0,{0},862" width="{0}">'
    lanes = '<g id="lanes_0" transform="translate(120.5,66.5)">'
    assert print_strips(head.format(1050) + lanes) == []
    strips = print_strips(head.format(3260) + lanes)
    views = [re.findall(r'viewBox="(\d+) \d+ (\d+) \d+"', strip) for strip in strips]
    assert [view[1] for view in views] == [("0", "120")] * 4  # the names
    windows = [tuple(map(int, view[2])) for view in views]
    assert windows[0][0] == 120
    for (begin, wide), (then, _) in pairwise(windows):
        assert begin + wide == then
        assert wide % 40 == 0  # whole cycles
    assert sum(windows[-1]) >= 3260
    assert all(strip.count('<use href="#svgcontent_0"/>') == 2 for strip in strips)


def test_the_document_s_table_of_ports_is_the_datasheet_s():
    text = (Path(__file__).parents[2] / "hdl" / "README.md").read_text()
    assert f"| port | width | meaning |\n|---|---|---|\n{port_rows()}\n" in text


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"storage": "latch", "banks": 3, "group": 2},
        {"slice_bits": 4, "storage": "sram"},
        {"multiply": "xnor", "weight_bits": 1, "input_bits": 1, "slice_bits": 1},
    ],
)
def test_every_port_has_a_meaning_and_a_stream(told):
    config = MacroConfig(**told)
    for stream, signature in macro_streams(config).items():
        for member in signature.members:
            assert f"{stream}_{member}" in PORTS
            assert stream_of(f"{stream}_{member}") == stream in STREAMS
    for port, _ in config.storage_traits.control_ports:
        assert port in PORTS
        assert stream_of(port) == "own"
