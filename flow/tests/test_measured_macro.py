"""What a macro measures is measured once, and again where the content is another."""

import json
import shutil
from pathlib import Path

import pytest

from cimforge.flow import measured_macro
from cimforge.flow.measured_macro import MeasuredMacro, measure_macro
from cimforge.flow.synth.static_timing import Timing
from cimforge.flow.synth.synth_report import NO_PERIOD, SynthReport
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

SG13G2 = Path(__file__).parent / "data" / "sg13g2_typ.lib.gz"
SMALL = Path(__file__).parent / "small.lib"
TINY = MacroConfig(rows=4, cols=2, weight_bits=2, input_bits=2, storage="latch")

needs_timing = pytest.mark.skipif(
    shutil.which("sta") is None, reason="no sta on PATH; install OpenSTA (Debian: opensta)"
)


@pytest.fixture
def measure(tmp_path, monkeypatch):
    """Measures in a folder of its own; returns the figures and what was said."""
    monkeypatch.chdir(tmp_path)

    def run(config=TINY, liberty=SMALL, **options):
        said: list[str] = []
        store = Path("build/measured")
        return measure_macro(config, [liberty], store, announce=said.append, **options), said

    return run


@pytest.fixture
def quick(measure, monkeypatch):
    """The same without a synthesis: the area is the number of rows, the period 2 ns, or none."""
    period: list[float | None] = [2.0]

    def synth(config, folder, target, **options):
        timing = Timing(period[0], ()) if period[0] else None
        notes = ["a note", f"{NO_PERIOD}: no tool"]
        return SynthReport(
            config, target, "um2", float(config.rows), 0, {}, {}, notes, timing=timing
        )

    monkeypatch.setattr(measured_macro, "synth_macro", synth)
    return measure, period


@needs_timing
def test_measured_once(measure):
    first, said = measure(liberty=SG13G2)
    assert said == [f"synthesising {TINY.module}"]
    assert (first.library, first.config) == ("sg13g2_stdcell_typ_1p20V_25C", TINY)
    assert 1000 < first.area < 20_000
    assert first.period
    assert 1 < first.period < 10
    again, said = measure(liberty=SG13G2)
    assert said == []
    assert again == first == MeasuredMacro.from_json(first.as_json())


def test_what_is_broken_is_measured_again(quick, tmp_path):
    measure, _ = quick
    first, _ = measure()
    path = tmp_path / "build" / "measured" / "figures" / f"{first.key}.json"
    for broken in ("broken", "{}", '{"parameters": {"rows": 0}}', "[]"):
        path.write_text(broken)
        again, said = measure()
        assert said
        assert again == first
    assert json.loads(path.read_text())["area_um2"] == TINY.rows


def test_another_macro_or_library_is_measured(quick):
    measure, _ = quick
    first, _ = measure()
    wider, said = measure(TINY.model_copy(update={"rows": 5}))
    assert said
    assert (first.area, wider.area) == (4, 5)
    other, said = measure(liberty=SG13G2)
    assert said
    assert len({first.key, wider.key, other.key}) == 3


def test_another_synthesis_is_measured(quick, monkeypatch):
    measure, _ = quick
    first, _ = measure()
    monkeypatch.setattr(measured_macro, "_synthesis", lambda: "changed")
    again, said = measure()
    assert said
    assert again.key != first.key


def test_figures_that_come_with_the_package_are_taken(quick):
    measure, _ = quick
    first, _ = measure()
    kept = MeasuredMacro(TINY, "kept", 1.0, 2.0, first.key)
    assert measure(kept=[kept]) == (kept, [])
    stale = MeasuredMacro(TINY, "kept", 1.0, 2.0, "another")
    assert measure(kept=[stale])[0].area == TINY.rows


def test_without_a_period_the_cause_is_told_and_nothing_kept(quick):
    measure, period = quick
    period[0] = None
    found, _ = measure()
    assert (found.period, found.why) == (None, f"{NO_PERIOD}: no tool")
    assert measure()[1], "an area without its period was kept"


def test_a_library_that_cannot_be_read_is_named(quick, tmp_path):
    measure, _ = quick
    path = tmp_path / "cut.lib.gz"
    path.write_bytes(SG13G2.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"--liberty .*cut.lib.gz: cannot be read: "):
        measure(liberty=path)
