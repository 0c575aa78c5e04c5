"""cimforge naive: a source for verify, figures as JSON, refusals in a line."""

import json

import pytest

from cimforge.scripts.main import main


def test_it_writes_a_source_and_names_it(tmp_path, capsys):
    assert main(["naive", "tiny", "-o", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert f"module {told['top']} (" in (tmp_path / "naive" / f"{told['top']}.v").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--set", "storage=latch"], "has no registers inside its sums"),
        (["--target", "ice40", "--liberty", "x.lib"], "only with --target liberty, not ice40"),
    ],
)
def test_refusals_are_one_line(tmp_path, capsys, words, message):
    assert main(["naive", "tiny", "-o", str(tmp_path / "out"), *words]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()
