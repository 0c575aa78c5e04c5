"""Mutants that Yosys draws: read, applied, compared and counted rightly."""

import json
import resource
from pathlib import Path

import pytest

from cimforge.cocotb_tests.mutation import __main__ as mutation
from cimforge.cocotb_tests.mutation.equivalence import settle
from cimforge.cocotb_tests.mutation.mutation_list import Mutation, Origin
from cimforge.cocotb_tests.mutation.pair import proven_equal, write_pair
from cimforge.cocotb_tests.mutation.score import Score
from cimforge.cocotb_tests.mutation.subjects import SUBJECTS
from cimforge.cocotb_tests.mutation.trial import Mutant, Trial, cpu_limited
from cimforge.flow.simulate.simulator import Design

LINE = (
    "mutate -mode cnot0 -module m_column -cell tree0 -port terms -portbit 2 -ctrlbit 18"
    " -wire products_0 -wirebit 2 -src m.v:249.15-249.25 -src m.v:259.45-259.120"
)
INNER = "module inner(input a, input b, output y);\n  assign y = a & b;\nendmodule\n"
TOP = "module top(input clk, input a, input b, output reg q);\n  wire y;\n"
TOP += "  inner i(.a(a), .b(b), .y(y));\n  always @(posedge clk) q <= y;\nendmodule\n"


@pytest.fixture
def folder(place):
    """A folder that Yosys can see."""
    place.mkdir(parents=True, exist_ok=True)
    (place / "d.v").write_text(INNER + TOP)
    return place


def test_a_line_of_the_list_is_read_whole():
    read = Mutation.parse(LINE)
    assert (read.mode, read.module) == ("cnot0", "m_column")
    assert (read.cell, read.port) == ("tree0", "terms")
    assert (read.bit, read.control, read.wire) == (2, 18, "products_0")
    assert read.line == ("m.v", 259)
    assert read.command == LINE.partition(" -wire")[0]
    assert Mutation("inv", "m", "c", "Y", 0, None, "", ()).line == ("", 0)


@pytest.mark.parametrize("line", ["", "select top", "mutate -mode"])
def test_any_other_line_is_refused(line):
    with pytest.raises(ValueError, match=r"must be a line of mutate -list, not|not enough values"):
        Mutation.parse(line)


def test_equal_seeds_draw_equal_mutations_of_the_modules_asked_for(folder):
    origin = Origin(folder, ["d.v"], "top")
    first = origin.draw(["inner"], 4, seed=3)
    assert first == origin.draw(["inner"], 4, seed=3)
    assert {one.module for one in first} == {"inner"}
    everywhere = origin.draw([], 12, seed=3)
    assert {one.module for one in everywhere} == {"inner", "top"}


def test_each_text_is_broken_in_its_own_module_only(folder):
    origin = Origin(folder, ["d.v"], "top")
    mutations = origin.draw([], 6, seed=1)
    base, texts = origin.apply(mutations)
    for one, text in zip(mutations, texts, strict=True):
        assert text != base
        start = text.index(f"module {one.module}(")
        end = text.index("endmodule", start)
        assert base.startswith(text[:start])
        assert base.endswith(text[end:])


def test_a_single_instance_can_be_broken(folder):
    (folder / "d.v").write_text(
        INNER + TOP.replace("inner i(", "inner other(.a(b), .b(a));  inner i(")
    )
    origin = Origin(folder, ["d.v"], "top", single=True)
    mutations = origin.draw([], 12, seed=1)
    assert {one.module for one in mutations} == {"top", "top.i", "top.other"}
    base, texts = origin.apply(mutations)
    for one, text in zip(mutations, texts, strict=True):
        assert base.count("&") == 2
        if one.module == "top.i":
            assert f"module \\{one.module} (" in text
            assert not proven_equal(base, text, one.module, folder)
        elif one.module == "top.other":  # its output is not connected
            assert proven_equal(base, text, "top", folder)


def test_only_equal_modules_are_proven_equal(folder):
    other = INNER.replace("a & b", "~(~a | ~b)")
    assert proven_equal(INNER, other, "inner", folder)
    assert proven_equal(INNER + TOP, other + TOP, "top", folder)
    assert not proven_equal(INNER, INNER.replace("&", "|"), "inner", folder)
    assert not proven_equal(INNER + TOP, INNER + TOP.replace("<= y", "<= ~y"), "top", folder)


def test_the_numbers_of_wires_are_no_pairs(folder):
    """Yosys numbers what has no name; two texts of one design may differ in the numbers alone."""
    text = "module m(input clk, input a, input b, output y, output z);\n  reg _0_, _1_;\n"
    text += "  always @(posedge clk) _0_ <= a;\n  always @(posedge clk) _1_ <= b;\n"
    first = text + "  assign y = ~_0_;\n  assign z = ~_1_;\nendmodule\n"
    second = first.replace("_0_", "_2_").replace("_1_", "_0_").replace("_2_", "_1_")
    assert proven_equal(first, second, "m", folder)
    assert not proven_equal(first, first.replace("z = ~_1_", "z = ~_0_"), "m", folder)


def test_a_pair_has_the_designs_ports_and_a_comparison(folder):
    ports = write_pair(INNER + TOP, INNER + TOP, "top", folder)
    assert ports == ("clk", "a", "b", "q", "differs")
    text = (folder / "pair.v").read_text()
    assert "gold gold (" in text
    assert "(1 !== 1'b0 && q !== other_q)" in text


def _plain(folder: Path, change) -> Mutant:
    """The plain macro with a change in its text, laid to a mutation of the sequencer."""
    subject = SUBJECTS[0]
    whole = subject.emit(folder)
    base, _ = Origin(folder, ["cim_cells.v", f"{subject.name}.v"], whole.top).apply([])
    named = Mutation("inv", "plain_sequencer", "c", "Y", 0, None, "", ())
    return Mutant(subject, whole, named, base, change(base))


def test_what_no_test_noticed_is_compared_by_chance(folder):
    mutant = _plain(folder, lambda text: text.replace("assign x_ready = ", "assign x_ready = ~"))
    assert mutant.broken != mutant.unbroken
    settled = settle(Trial(mutant, "survived", ""), folder / "one", _simulator())
    assert settled.outcome == "survived"
    assert settled.by.startswith("differs before cycle")
    same = _plain(folder, str)
    assert settle(Trial(same, "survived", ""), folder / "two", _simulator()).outcome == "proven"


def test_the_limit_of_a_simulator_is_not_left_to_whoever_called():
    before = resource.getrlimit(resource.RLIMIT_CPU)
    with cpu_limited():
        assert 0 < resource.getrlimit(resource.RLIMIT_CPU)[0] < 2**31
        with cpu_limited():
            pass
        assert resource.getrlimit(resource.RLIMIT_CPU) != before
    assert resource.getrlimit(resource.RLIMIT_CPU) == before


def _simulator() -> str:
    return "icarus" if mutation.shutil.which("iverilog") else "verilator"


def _score(folder: Path, **counts: int) -> Score:
    design = Design(SUBJECTS[0].config, folder, ("d.v",), "top", ())
    place = ("d.v:2.3-2.9",)
    trials = []
    for outcome, count in counts.items():
        for bit in range(count):
            named = Mutation("inv", "inner", "$and", "Y", bit, None, "y", place)
            by = "values.test_corners/w" if outcome == "killed" else "x"
            trials.append(Trial(Mutant(SUBJECTS[0], design, named, "", ""), outcome, by))
    return Score(1, "icarus", trials)


def test_the_score_counts_what_is_not_equivalent(folder):
    score = _score(folder, killed=98, proven=5, bounded=4, survived=2)
    assert score.passed
    assert not _score(folder, killed=97, survived=3).passed
    told = json.loads(json.dumps(score.as_json()))
    assert (told["generated"], told["killed"], told["share"]) == (109, 98, 0.98)
    assert told["share_without_bound"] == round(98 / 104, 4)
    assert told["by_design"] == {"plain": told["by_mode"]["inv"]}
    assert told["killers"] == {"values.test_corners": 98}
    first = told["survivors"][0]
    assert (first["source"], first["text"]) == ("d.v:2", "assign y = a & b;")
    assert any("d.v:2: assign y = a & b;" in line for line in score.lines())


def test_a_draw_is_run_and_counted(capsys):
    arguments = ["--count", "2", "--only", "plain", "-o", "build/tests/mutation", "--json"]
    assert mutation.main(arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["generated"] == 2
    assert told["killed"] + told["proven"] + told["bounded"] == 2


def all_killed(mutant: Mutant, folder: Path, simulator: str) -> Trial:
    """What a broken test bench would say."""
    return Trial(mutant, "killed", "everything")


def test_an_unbroken_design_that_fails_is_no_score(monkeypatch, capsys):
    monkeypatch.setattr(mutation, "judge", all_killed)
    assert mutation.main(["--count", "1", "--only", "plain", "-o", "build/tests/all-killed"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "the unbroken design plain fails" in said.err


@pytest.mark.parametrize("arguments", [["--count", "x"], ["--only", "nosuch"]])
def test_bad_arguments_are_refused(arguments):
    with pytest.raises(SystemExit, match="2"):
        mutation.main(arguments)
