"""The regression notices broken hardware: a handful of mutants here, all of them in ``make
mutants``."""

from pathlib import Path

import pytest

from cimforge.cocotb_tests import mutants
from cimforge.cocotb_tests.mutants import CONFIGS, MUTANTS, applicable


def test_five_mutants_are_killed(capsys):
    assert mutants.main(["--count", "5", "--seed", "2", "-o", "build/tests/mutants"]) == 0
    assert capsys.readouterr().out == "killed 5/5\n"


def test_every_mutant_changes_something_and_there_are_enough():
    trials = applicable(Path("build/tests/mutants"))
    assert {trial.mutant for trial in trials} == {mutant.name for mutant in MUTANTS}
    for config in CONFIGS:
        assert sum(trial.config == config for trial in trials) >= 20


def test_a_survivor_fails(monkeypatch, capsys):
    harmless = mutants.Mutant("a comment", lambda text, name: text + "// nothing\n")
    monkeypatch.setattr(mutants, "MUTANTS", (harmless,))
    monkeypatch.setattr(mutants, "CONFIGS", CONFIGS[:1])
    assert mutants.main(["-o", "build/tests/survivor"]) == 1
    assert capsys.readouterr().out == "killed 0/1\n"


def test_pins_and_nets_are_edited_where_named():
    text = "  m_column col0 (.clk(clk), .y(y[1:0]));\n"
    assert mutants._pin("column", "y", "~{old}")(text, "m") == text.replace("y[1:0]", "~y[1:0]")
    assert mutants._pin("other", "y", "~{old}")(text, "m") == text
    body = "module m_sequencer(a);\n  assign x = a;\nendmodule\n"
    assert mutants._assign("sequencer", "x", "!({old})")(body, "m") == body.replace(
        "= a;", "= !(a);"
    )
    two = text + text.replace("col0", "col1").replace("1:0", "3:2")
    assert mutants._swap("column", "y", "col0", "col1")(two, "m").index("3:2") < two.index("3:2")


@pytest.mark.parametrize("arguments", [["--count", "x"], ["--nonsense"]])
def test_bad_arguments_are_refused(arguments):
    with pytest.raises(SystemExit, match="2"):
        mutants.main(arguments)
