"""Driver trees: every user is served, no driver or source has more pins than it may."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimforge.hdl.macro.top import macro_modules
from cimforge.hdl.netlist.drivers import LOADS, SPREAD, driver_levels, root_pins, spread
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig

DRIVER = r"cim_driver #\(\.WIDTH\((\d+)\), \.LOADS\((\d+)\)\) (\w+) \(\.a\((\w+)\), \.y\((\w+)\)\);"


def place(leaves: int, loads: int):
    """A structure with one driver tree: its drivers as (pins, source, net), and each user's net."""
    out = Structure("m", "", "", role="storage")
    users = spread(out, out.port("input", "line", 3), leaves, loads, "input")
    drivers = [(int(pins), a, y) for _, pins, _, a, y in re.findall(DRIVER, out.verilog())]
    return drivers, [str(users(leaf)) for leaf in range(leaves)]


@given(leaves=st.integers(1, 3000), loads=st.integers(1, 100))
def test_no_driver_has_more_pins_than_it_may(leaves, loads):
    drivers, users = place(leaves, loads)
    pins = Counter()
    for user in users:
        pins[user] += loads
    for _, source, _ in drivers:
        pins[source] += 1
    assert pins.pop("line") == root_pins(leaves, loads)
    assert pins == {net: count for count, _, net in drivers}
    assert all(count <= max(LOADS, loads, SPREAD) for count in pins.values())
    assert len(drivers) == sum(driver_levels(leaves, loads))


@pytest.mark.parametrize(
    ("leaves", "loads", "levels"),
    [(4, 8, ()), (5, 8, (2,)), (16, 8, (4,)), (64, 8, (16,)), (256, 8, (4, 64)), (3, 40, (3,))],
)
def test_levels_worked_by_hand(leaves, loads, levels):
    assert driver_levels(leaves, loads) == levels


@pytest.mark.parametrize("storage", ["flop", "latch"])
@pytest.mark.parametrize("banks", [1, 2])
def test_broadcast_nets_of_a_macro_are_driven(storage, banks):
    """The lines that every column or row takes leave their source through drivers."""
    config = MacroConfig(rows=64, cols=64, banks=banks, storage=storage, tree_stages=4)
    text = {m.name: m.verilog() for m in macro_modules(config) if isinstance(m, Structure)}
    driven = {a for _, _, _, a, _ in re.findall(DRIVER, text[config.module])}
    shared = {"planes_n", "gate", "accumulate", "restart", "negate", "correction", "enable"}
    assert shared | {"first", "following"} <= driven
    assert ("bank_select" in driven) == (banks > 1)
    column = {a for _, _, _, a, _ in re.findall(DRIVER, text[f"{config.module}_column"])}
    assert column >= ({"d", "bank_select"} if banks > 1 else {"d"})
    assert ("test_en" in driven) == (storage == "latch")
    assert "enable" in {a for _, _, _, a, _ in re.findall(DRIVER, text[f"{config.module}_tree"])}
