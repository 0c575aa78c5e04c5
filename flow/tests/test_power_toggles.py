"""Toggles counted in a VCD: by cycle, kind of cycle, and whether they lead anywhere."""

import pytest

from cimforge.flow.power.clock_network import ClockNetwork
from cimforge.flow.power.energy import net_activity
from cimforge.flow.power.toggles import ToggleCounter

VCD = """$timescale 1ps $end
$scope module core $end
$var wire 1 ! n0 $end
$var wire 1 " n1 $end
$var wire 1 !! n2 $end
$var wire 1 % computing $end
$var wire 1 & idle $end
$var wire 1 ' other $end
$upscope $end
$enddefinitions $end
#3
$dumpvars
0!
x"
1!!
0%
0&
0'
$end
#5
1!
1"
1%
#10
0!
#12
0!!
#14
1!!
#15
1!
0"
#20
0!
#25
1!
0%
1&
#27
0!!
#30
0!
#45
1!
0&
x"
#50
0!
"""


def counted(text: str, size: int) -> ToggleCounter:
    """The toggles of a text that comes in pieces of ``size`` bytes: clock n0 rises at 5, 15, ..."""
    counter = ToggleCounter(3, ("computing", "idle"), start=5, period=10)
    data = text.encode()
    for at in range(0, len(data), size):
        counter.feed(data[at : at + size])
    counter.finish()
    return counter


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
def test_toggles_by_cycle_and_mark(size):
    """Computing are the cycles from 5 and from 15, idle those from 25 and, without a change, 35."""
    kinds = counted(VCD, size).kinds
    computing, idle = kinds["computing"], kinds["idle"]
    assert (computing.cycles, idle.cycles) == (2, 2)
    assert computing.all.tolist() == [4, 2, 2]
    assert computing.functional.tolist() == [0, 2, 0]
    assert computing.high.tolist() == [0, 1, 2]
    assert idle.all.tolist() == [2, 0, 1]
    assert idle.functional.tolist() == [0, 0, 1]
    assert (computing.unknown, idle.unknown) == (0, 0)


def test_unknown_values_are_told():
    text = VCD.replace("#14\n1!!", "#14\nx!!")
    assert counted(text, 100).kinds["computing"].unknown == 1


def test_nets_that_the_simulator_made_one_toggle_alike():
    """Two names, one code."""
    text = VCD.replace("$var wire 1 !! n2 $end", "$var wire 1 ! n2 $end")
    computing = counted(text, 100).kinds["computing"]
    assert computing.all[0] == computing.all[2] == 4


def test_glitches_are_all_but_the_functional_and_the_clock_has_none():
    computing = counted(VCD, 100).kinds["computing"]
    activity = net_activity(computing, ClockNetwork({0: False}, set()).nets)
    assert activity.rate.tolist() == [2.0, 1.0, 1.0]
    assert activity.glitches.tolist() == [0.0, 0.0, 1.0]
    assert activity.duty.tolist() == [0.5, 0.5, 1.0]
    inverted = net_activity(computing, {2: True})
    assert inverted.glitches.tolist() == [1.0, 0.0, 0.0]
    assert inverted.duty[2] == 0.75, "low for half of every second cycle"
