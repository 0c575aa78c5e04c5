"""The benchmark's output, and that the model is not slower than NumPy's int64 matmul."""

import json

import pytest

from cimforge.golden import mvm_speed as bench
from cimforge.golden.macro import MacroModel


def test_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    status = bench.main(["--json", "--runs", "3"])
    result = json.loads(capsys.readouterr().out)
    assert result["macro"] == "256x256x8b"
    assert result["vectors"] == 1000
    assert result["runs"] == 3
    # Some 25 times is usual: a machine busy with other work leaves a wide margin over 1.
    assert result["ratio"] > 1
    speed_ratio = result["golden_mac_per_s"] / result["numpy_int64_mac_per_s"]
    assert 0.99 * result["ratio_min"] <= speed_ratio <= 1.01 * result["ratio_max"]
    assert status == 0


def test_text_names_both_and_their_ratio(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = {"golden_mac_per_s": 2e9, "numpy_int64_mac_per_s": 4e9, "ratio": 0.5}
    spread = {"macro": "256x256x8b", "ratio_min": 0.4, "ratio_max": 0.6}
    monkeypatch.setattr(bench, "measure", lambda runs: measured | spread)
    assert bench.main(["--runs", "1"]) == 1
    text = capsys.readouterr().out
    assert "golden      2.00 GMAC/s" in text
    assert "int64 @     4.00 GMAC/s" in text
    assert "0.50 (0.4..0.6)" in text


def test_a_wrong_result_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    right = MacroModel.mvm
    monkeypatch.setattr(MacroModel, "mvm", lambda self, x, **modes: right(self, x, **modes) + 1)
    with pytest.raises(RuntimeError, match=r"golden and int64 @ differ \(seed 1\)"):
        bench.measure(1, vectors=2)


def test_runs_must_be_positive(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        bench.main(["--runs", "0"])
    assert stop.value.code == 2
    assert "--runs must be an integer >= 1, not 0" in capsys.readouterr().err
