"""cimforge verify --draw N: drawn macros, each checked once, told in one table."""

import pytest

from cimforge.cocotb_tests.draw import draw_configs
from cimforge.hdl.params.config import MacroConfig
from cimforge.scripts import verify_drawn
from cimforge.scripts.tests.conftest import SIMULATOR

PASSED = {"passed": True, "tests": 9, "failed": 0, "skipped": 2, "passes": 1234}
PASSED |= {"failures": [], "holes": []}
DRAW = ("verify", "--draw", "4", "--seed", "7", "--simulator", SIMULATOR, "-o", "out")
HERE = ("--cluster", "local:1")  # in this process


@pytest.fixture
def checked(monkeypatch) -> list:
    """Configurations that were checked; the third fails."""
    seen: list = []

    def check(config, simulator, seed, limit, folder):
        seen.append((config, simulator, seed))
        if config == draw_configs(4, 7)[2]:
            failure = {"test": "values.test_x", "message": "got 1, not 2"}
            return {**PASSED, "passed": False, "failed": 1, "failures": [failure]}
        return PASSED

    monkeypatch.setattr(verify_drawn, "check_drawn", check)
    return seen


def test_each_is_checked_and_what_fails_can_be_replayed(cimforge, folder, checked):
    done = cimforge(*DRAW, *HERE, "--json")
    assert done.status == 1
    assert [config for config, _, _ in checked] == draw_configs(4, 7)
    assert {(simulator, seed) for _, simulator, seed in checked} == {(SIMULATOR, 7)}
    told = done.json
    keys = ["seed", "draws", "failed", "passed", "seconds", "configs"]
    assert list(told) == keys
    assert (told["seed"], told["draws"], told["failed"], told["passed"]) == (7, 4, 1, False)
    assert [row["passed"] for row in told["configs"]] == [True, True, False, True]
    assert [row["config"] for row in told["configs"]] == [c.parameters() for c, _, _ in checked]
    assert "FAILED draw 2: values.test_x: got 1, not 2" in done.err
    replay = f"replay: cimforge verify out/draw-0002.toml --simulator {SIMULATOR} --seed 7"
    assert replay in done.err
    assert done.messages[-1] == "cimforge: 1 of 4 drawn configurations failed"
    assert cimforge("generate", "out/draw-0002.toml", "-o", "again").status == 0
    assert not (folder / "out/kept").exists()


def test_a_run_that_is_cut_off_goes_on(cimforge, folder, checked, monkeypatch):
    whole = verify_drawn.check_drawn

    def interrupted(*arguments):
        if len(checked) == 3:
            raise KeyboardInterrupt
        return whole(*arguments)

    monkeypatch.setattr(verify_drawn, "check_drawn", interrupted)
    assert cimforge(*DRAW, *HERE).status == 130
    monkeypatch.setattr(verify_drawn, "check_drawn", whole)
    done = cimforge(*DRAW, *HERE)
    assert len(checked) == 4  # the first three were known
    assert "4 configurations, seed 7" in done.out
    assert "1,234" in done.out


def test_a_real_one_passes(tmp_path):
    config = MacroConfig(rows=2, cols=1, weight_bits=2, input_bits=2)
    told = verify_drawn.check_drawn(config, SIMULATOR, 1, 600.0, tmp_path / "work")
    assert told["passed"], told
    assert (told["failures"], told["passes"] > 100) == ([], True)
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("tiny",), "CONFIG: not with --draw, which draws macros of its own"),
        (("--netlist", "generic"), "--netlist: not with --draw"),
        (("--set", "rows=3"), "--set: not with --draw"),
        (("--cluster", "local:2", "--jobs", "3"), "--jobs: not with --cluster, where local:N says"),
        (
            ("--cluster", "tcp://h:1", "--jobs", "3"),
            "--jobs: not with --cluster, where its workers",
        ),
    ],
)
def test_options_that_contradict_a_draw(cimforge, folder, words, rule):
    done = cimforge("verify", "--draw", "2", *words)
    assert (done.status, done.out) == (2, "")
    assert rule in done.messages[-1]
