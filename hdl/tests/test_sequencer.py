"""The sequencer under random traffic: handshakes, order, pass timing, write order and reset."""

from collections import deque
from functools import cache
from itertools import pairwise

import pytest

from cimforge.hdl.tests.configs import macro
from cimforge.hdl.tests.sequencer_run import SOURCES, Cycle, Trace, fired, first_cycle, random_run

CONFIGS = {
    "one_bank": macro(3, 1, 2, 4),
    "one_row": macro(1, 1, 1, 1, banks=2, storage="latch"),
    "latch": macro(2, 1, 2, 4, 2, 2, "latch"),
    "three_banks": macro(5, 1, 2, 6, 3, 3),
    "three_banks_latch": macro(5, 1, 2, 6, 2, 3, "latch", "csa", 2),
    "pipeline": macro(4, 1, 2, 4, 1, 2, "flop", "ripple", 1),
    "digits": macro(3, 1, 2, 6, 2, 2, "flop", "csa", 1).model_copy(update={"multiply": "booth"}),
    "digit_parallel": macro(2, 1, 2, 4, 4, 3, "latch").model_copy(update={"multiply": "booth"}),
}
TRAFFIC = {
    "busy": {"offer": {"x": 1.0, "w": 1.0, "r": 1.0}},
    "mixed": {"offer": {"x": 0.6, "w": 0.4, "r": 0.3}, "take": 0.6},
    "vectors": {"offer": {"x": 0.9, "w": 0.5}, "take": 0.9},
    "resets": {"offer": {"x": 0.8, "w": 0.5, "r": 0.4}, "take": 0.7, "reset": 0.04},
}
CYCLES = 400
every_run = pytest.mark.parametrize(
    ("name", "traffic"), [(name, traffic) for name in CONFIGS for traffic in TRAFFIC]
)
every_config = pytest.mark.parametrize("name", CONFIGS)


@cache
def run(name: str, traffic: str) -> Trace:
    """One run of a config, shared by the tests that look at it."""
    return random_run(CONFIGS[name], CYCLES, seed=len(name) * 10 + len(traffic), **TRAFFIC[traffic])


@every_run
def test_no_ready_depends_on_its_own_valid(name, traffic):
    for cycle in run(name, traffic):
        for source in SOURCES:
            assert cycle[f"{source}_ready"] == cycle[f"{source}_ready_other"]


@every_run
def test_a_result_waits_until_taken_and_holds_everything_behind_it(name, traffic):
    trace = run(name, traffic)
    stalls = 0
    for cycle, after in pairwise(trace):
        stalled = [s for s in "yq" if cycle[f"{s}_valid"] and not cycle[f"{s}_ready"]]
        assert not (cycle["y_valid"] and cycle["q_valid"])
        if not stalled:
            continue
        stalls += 1
        assert cycle["accumulate"] == 0
        assert cycle.get("enable", 0) == 0
        assert after["rst"] or all(after[f"{s}_valid"] for s in stalled)
        if fired(cycle, "x") or fired(cycle, "r") or after["rst"] or cycle["rst"]:
            continue
        assert not cycle["step"], "planes change in a stall"
        kept = [key for key in ("following", "restart", "negate") if key in cycle]
        assert [after[key] for key in kept] == [cycle[key] for key in kept]
    assert stalls > 0 or TRAFFIC[traffic].get("take", 1) == 1


@every_run
def test_reset_closes_every_stream(name, traffic):
    for cycle in run(name, traffic):
        if cycle["rst"]:
            closed = ("x_ready", "w_ready", "r_ready", "y_valid", "q_valid")
            assert [cycle[port] for port in closed] == [0] * 5


def existing(config, number: int, count: int) -> int:
    """The one-hot line of a row or bank; none where it does not exist."""
    return 1 << number if number < count else 0


class Model:
    """Passes, planes and signs as the docstring of Sequencer tells them, one cycle at a time."""

    def __init__(self, config):
        self.config = config
        self.running: dict | None = None
        self.ranks: deque = deque([None] * (config.pipeline_stages + 1))
        self.signs = [None] * config.banks
        self.landing: Cycle | None = None
        self.counts = {"y": 0, "q": 0, "same_cycle": 0, "held": 0}

    def check(self, cycle: Cycle) -> None:
        """Compare a cycle's outputs, and take over what its edge does."""
        config = self.config
        result = self.ranks[-1]
        arriving = self.ranks[-2] if config.pipeline_stages else self._plane()
        ends = {"y": bool(result and result["last"] and not result["read"])}
        ends["q"] = bool(result and result["last"] and result["read"])
        if not cycle["rst"]:
            assert {s: bool(cycle[f"{s}_valid"]) for s in "yq"} == ends
        enable = not any(cycle[f"{s}_valid"] and not cycle[f"{s}_ready"] for s in "yq")
        assert cycle["accumulate"] == bool(arriving and enable)
        if "enable" in cycle:
            on_the_way = [self._plane(), *list(self.ranks)[:-2]]
            assert cycle["enable"] == (enable and any(on_the_way))
        if arriving:
            for key in ("restart", "negate", "sign"):
                told = {"restart": True}.get(key, not config.digits)
                assert not told or arriving[key] in (None, cycle[key]), key
        self._check_array(cycle)
        self._check_next_planes(cycle, enable)
        self._check_writes(cycle, enable)
        self._advance(cycle, enable)

    def _plane(self) -> dict | None:
        """The plane that stands at the trees' inputs."""
        now = self.running
        if now is None:
            return None
        bank_sign = self.signs[now["bank"]] if now["bank"] < self.config.banks else 0
        first = now["left"] == now["planes"]
        return {
            "restart": first,
            "negate": bool(first and now["signed"]),
            "sign": bank_sign,
            "last": now["left"] == 1,
            "read": now["read"],
        }

    def _check_array(self, cycle: Cycle) -> None:
        now = self.running
        if now and self.config.banks > 1:
            assert cycle["bank_select"] == existing(self.config, now["bank"], self.config.banks)
        plane = self._plane()
        if self.config.digits and plane:
            assert plane["sign"] in (None, cycle["plane_sign"])
            assert cycle["plane_ending"] == plane["last"]

    def _check_next_planes(self, cycle: Cycle, enable: bool) -> None:
        """What the plane register takes: the group that comes next, one line, or a row."""
        now, starts, reads = self.running, fired(cycle, "x"), fired(cycle, "r")
        left = now["left"] - 1 if now else 0
        assert cycle["step"] == (starts or reads or bool(left and enable))
        assert cycle.get("following", 0) == (1 << left >> 1)
        assert cycle.get("load", starts) == starts
        row = existing(self.config, cycle.get("r_row", 0), self.config.rows)
        if cycle["step"]:  # else nothing of this is taken
            assert cycle["read_row"] == (row if reads else 0)
        if not starts:
            assert not cycle["step"] or cycle["first"] == 0
            return
        accepted = self._accept(cycle)
        assert cycle["first"] == 1 << accepted["planes"] - 1
        fill, sign_plane = first_cycle(self.config, accepted["x_bits"], accepted["signed"])
        assert cycle.get("fill", 0) == fill
        assert not fill or cycle["sign_plane"] == sign_plane

    def _check_writes(self, cycle: Cycle, enable: bool) -> None:
        """Lines of a write come in its cycle, or one later with latches; not in a pass."""
        config, now = self.config, self.running
        write = cycle if fired(cycle, "w") else None
        landing = self.landing if config.write_landing else write
        row = existing(config, landing.get("w_row", 0), config.rows) if landing else 0
        assert cycle["write_row"] == row
        if landing and config.banks > 1:
            assert cycle["write_bank"] == existing(config, landing["w_bank"], config.banks)
        if config.write_landing:
            assert cycle["capture"] == bool(write)
            for source in ("x", "r"):
                same = write and write.get("w_bank", 0) == cycle.get(f"{source}_bank", 0)
                if same and same_bank_exists(config, write):
                    assert not fired(cycle, source), "a pass starts before its write lands"
        if write and now and write.get("w_bank", 0) == now["bank"] < config.banks:
            assert now["left"] == 1, "a write enters the bank of a running pass"
            assert enable
        self.landing = write

    def _advance(self, cycle: Cycle, enable: bool) -> None:
        if enable:
            self.ranks.appendleft(self._plane())
            self.ranks.pop()
            if self.running:
                self.running["left"] -= 1
                if self.running["left"] == 0:
                    self.running = None
        if fired(cycle, "x") or fired(cycle, "r"):
            assert self.running is None, "a pass starts before the last one ends"
            assert not (fired(cycle, "x") and fired(cycle, "r"))
            self.running = self._accept(cycle)
        if fired(cycle, "w"):
            bank, row = cycle.get("w_bank", 0), cycle.get("w_row", 0)
            if bank < self.config.banks and row < self.config.rows:
                self.signs[bank] = cycle["w_signed"]
        for stream in "yq":
            self.counts[stream] += fired(cycle, stream)
        if cycle["rst"]:
            self.running = None
            self.ranks = deque([None] * len(self.ranks))

    def _accept(self, cycle: Cycle) -> dict:
        read = fired(cycle, "r")
        ways = cycle["x_bits"], bool(cycle["x_signed"])
        planes = 1 if read else self.config.cycles_per_pass(*ways)
        return {
            "read": read,
            "x_bits": self.config.effective_x_bits(cycle["x_bits"]),
            "bank": cycle.get("r_bank" if read else "x_bank", 0),
            "row": cycle.get("r_row", 0),
            "signed": not read and cycle["x_signed"],
            "planes": planes,
            "left": planes,
        }


def same_bank_exists(config, write: Cycle) -> bool:
    return write.get("w_bank", 0) < config.banks


@every_run
def test_planes_signs_and_results_follow_the_accepted_beats(name, traffic):
    config, trace = CONFIGS[name], run(name, traffic)
    model = Model(config)
    for cycle in trace:
        model.check(cycle)
    assert model.counts["y"] > 10
    assert model.counts["q"] > 0 or "r" not in TRAFFIC[traffic]["offer"]


@every_config
@pytest.mark.parametrize(("x_bits", "signed"), [(0, False), (1, True), (3, False), (4, True)])
def test_latency_and_rate_are_the_configs(name, x_bits, signed):
    config = CONFIGS[name]
    if x_bits > config.input_bits:
        return
    fixed = {"x_bits": x_bits, "x_signed": int(signed)}
    trace = random_run(config, 90, 1, offer={"x": 1.0}, fixed=fixed)
    starts = [t for t, cycle in enumerate(trace) if fired(cycle, "x")]
    ends = [t for t, cycle in enumerate(trace) if cycle["y_valid"]]
    assert len(ends) > 10
    assert [end - start for start, end in zip(starts, ends, strict=False)] == [
        config.latency(x_bits, signed)
    ] * len(ends)
    periods = {b - a for a, b in pairwise(starts)}
    assert periods == {config.cycles_per_pass(x_bits, signed)}


@every_config
def test_read_latency_is_the_configs(name):
    config = CONFIGS[name]
    trace = random_run(config, 60, 1, offer={"r": 1.0})
    starts = [t for t, cycle in enumerate(trace) if fired(cycle, "r")]
    ends = [t for t, cycle in enumerate(trace) if cycle["q_valid"]]
    assert len(ends) > 10
    assert {e - s for s, e in zip(starts, ends, strict=False)} == {config.read_latency}


@every_config
@pytest.mark.parametrize("streams", ["xw", "xr", "wr", "xwr"])
def test_no_side_starves_and_one_row_goes_between_passes(name, streams):
    """All sources want bank 0 in every cycle: each moves again within a few passes."""
    config = CONFIGS[name]
    fixed = {"x_bank": 0, "w_bank": 0, "r_bank": 0, "x_bits": 0}
    trace = random_run(config, 150, 3, offer=dict.fromkeys(streams, 1.0), fixed=fixed)[2:]
    longest = 4 * (config.max_planes + 2)
    for source in streams:
        moves = [t for t, cycle in enumerate(trace) if fired(cycle, source)]
        gaps = [b - a for a, b in zip([0, *moves], [*moves, len(trace)], strict=True)]
        assert max(gaps) <= longest, f"{source} waits {max(gaps)} cycles"
    beats = "".join(
        s for cycle in trace for s in ("w", "x", "r") if s in streams and fired(cycle, s)
    )
    assert "ww" not in beats
    between_vectors = beats.split("x")[1:-1] if "x" in streams else []
    assert all(beats.count("w") <= 1 for beats in between_vectors)
