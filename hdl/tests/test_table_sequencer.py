"""The sequencer of tables under random traffic: what is written to which entry, and when nothing is
ready."""

from functools import cache

import pytest

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.tests.sequencer_run import SOURCES, Cycle, Trace, fired, random_run
from cimforge.hdl.tests.test_tables import choices

SHAPE = {"cols": 2, "weight_bits": 2, "input_bits": 4}
CONFIGS = {
    "lutram": MacroConfig(rows=7, banks=3, storage="lutram", bits_per_cycle=2, **SHAPE),
    "lutram_one_bank": MacroConfig(rows=5, storage="lutram", group=3, **SHAPE),
    "ranks": MacroConfig(
        rows=9, banks=2, storage="lutram", tree="behavioral", tree_stages="auto", **SHAPE
    ),
    "bram": MacroConfig(rows=7, banks=3, storage="bram", group=5, **SHAPE),
    "ice40": MacroConfig(rows=6, banks=2, storage="bram", ram="ice40", group=5, **SHAPE),
    "hybrid": MacroConfig(rows=7, banks=2, storage="hybrid", group=5, **SHAPE),
}
TRAFFIC = {
    "busy": {"offer": {"x": 1.0, "w": 1.0, "r": 1.0}},
    "mixed": {"offer": {"x": 0.6, "w": 0.7, "r": 0.3}, "take": 0.6},
    "rows": {"offer": {"w": 1.0}},
    "resets": {"offer": {"x": 0.8, "w": 0.8, "r": 0.4}, "take": 0.7, "reset": 0.04},
}
CYCLES = 900
every_run = pytest.mark.parametrize(
    ("name", "traffic"), [(name, traffic) for name in CONFIGS for traffic in TRAFFIC]
)


@cache
def run(name: str, traffic: str) -> Trace:
    """One run of a config, shared by the tests that look at it."""
    return random_run(CONFIGS[name], CYCLES, seed=len(name) * 10 + len(traffic), **TRAFFIC[traffic])


def bank_written(config: MacroConfig, cycle: Cycle) -> int:
    """The bank whose tables are written, by its line or number, which agree."""
    lines, number = cycle.get("write_lines"), cycle.get("write_bank")
    if lines is not None:
        assert lines.bit_count() == 1
        assert number in (None, lines.bit_length() - 1)
        return lines.bit_length() - 1
    return number or 0


def writes(config: MacroConfig, cycle: Cycle) -> list[tuple[int, int, int]]:
    """(group, entry, bank) that each kind of tables writes in a cycle; none where it does not."""
    found = []
    for number in range(len(config.parts)):
        lines, rows = cycle[f"write_group{number}"], cycle[f"write_rows{number}"]
        for group in range(lines.bit_length()):
            if lines >> group & 1:
                found.append((number, group, rows, bank_written(config, cycle)))
    return found


@every_run
def test_no_ready_depends_on_its_own_valid(name, traffic):
    for cycle in run(name, traffic):
        for source in SOURCES:
            assert cycle[f"{source}_ready"] == cycle[f"{source}_ready_other"]


@every_run
def test_nothing_is_ready_until_every_bank_is_cleared(name, traffic):
    """In and after a reset ``clear`` is high; in as many cycles behind it as there are banks each
    bank's entry of no row is written in all groups; then readies may be high again."""
    config, left, cleared = CONFIGS[name], None, set()
    ends = 0
    for cycle in run(name, traffic):
        if cycle["rst"]:
            assert cycle["clear"]
            left, cleared = config.reset_cycles, set()
        elif left:
            assert cycle["clear"]
            found = writes(config, cycle)
            groups = [len(part.group_sizes) for part in config.parts]
            assert len(found) == sum(groups)
            assert {rows for _, _, rows, _ in found} == {0}
            cleared |= {bank for *_, bank in found}
            left -= 1
            ends += left == 0
            assert left or cleared == {*range(config.banks)}
        else:
            assert not cycle["clear"]
            continue
        assert not any(cycle[f"{source}_ready"] for source in SOURCES)
    assert ends >= (3 if "reset" in TRAFFIC[traffic] else 1)


@every_run
def test_a_row_writes_each_entry_that_holds_it_and_no_other(name, traffic):
    """In order, once each, in its own group and bank, from the code that it brought, unless a reset
    cuts it off; kinds of tables with fewer entries repeat the last one."""
    config = CONFIGS[name]
    due: list[list[tuple]] = [[] for _ in config.parts]
    last: list[tuple | None] = [None] * len(config.parts)
    rows = 0
    for cycle in run(name, traffic):
        if cycle["clear"]:
            due = [[] for _ in config.parts]
            last = [None] * len(config.parts)
            continue
        renewing = any(due)
        for number, *entry in writes(config, cycle):
            if due[number]:
                assert tuple(entry) == due[number].pop(0)
                last[number] = tuple(entry)
            else:
                assert renewing, "an entry is written that no row renews"
                assert tuple(entry) == last[number]
        if not fired(cycle, "w"):
            continue
        assert not any(due), "a row is accepted before the last one has landed"
        row, bank = cycle.get("w_row", 0), cycle.get("w_bank", 0)
        if row >= config.rows or bank >= config.banks:
            continue
        rows += 1
        for number, part in enumerate(config.parts):
            place, size = row % part.group, part.group_size(row)
            others = range(place) if cycle["w_fill"] else [p for p in range(size) if p != place]
            due[number] = [
                (row // part.group, choice | 1 << place, bank) for choice in choices([*others])
            ]
    assert rows > 3
