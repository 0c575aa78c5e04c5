"""Planes that the array sees come straight from flip-flops, and no flip-flop holds one twice."""

import re

import pytest

from cimforge.hdl.macro.plane_register import build_plane_register
from cimforge.hdl.macro.top import macro_modules
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.tests.configs import macro

REGISTER = re.compile(r"^  reg (?:\[(\d+):0\] )?(\w+);$", re.M)


def registers(text: str) -> dict[str, int]:
    """Bits of each register of a module."""
    return {name: int(top or 0) + 1 for top, name in REGISTER.findall(text)}


def text_of(config: MacroConfig, kind: str) -> str | None:
    """The Verilog of a module of the macro; None where it has none of that kind."""
    return next((m.verilog() for m in macro_modules(config) if m.kind == kind), None)


@pytest.mark.parametrize("k", [1, 2, 4, 8])
def test_there_is_a_flip_flop_for_each_bit_of_a_vector(k):
    config = macro(5, 1, 2, 8, k)
    planes = registers(text_of(config, "plane_register") or "")
    assert planes == {"planes_q": 5 * k}
    held = text_of(config, "input_register")
    assert (registers(held) if held else {}) == ({"x_q": 5 * (8 - k)} if k < 8 else {})


@pytest.mark.parametrize("rows", [4, 5])
@pytest.mark.parametrize("k", [1, 4])
def test_lines_of_pairs_are_registered_in_place_of_planes(rows, k):
    config = MacroConfig(rows=rows, cols=1, bits_per_cycle=k, group=2)
    text = build_plane_register(config).verilog()
    alone, every = rows * k, rows * k + rows // 2 * k
    assert registers(text) == {"lines_q": every}
    assert f"assign alone = lines_q[{alone - 1}:0];" in text
    assert f"assign both_n = lines_q[{every - 1}:{alone}];" in text


@pytest.mark.parametrize("group", [1, 2])
def test_columns_take_the_register_through_drivers_alone(group):
    """No gate stands between the plane register and the columns."""
    config = MacroConfig(rows=6, cols=2, bits_per_cycle=2, group=group)
    top = macro_modules(config)[-1].verilog()
    names = ("alone", "both_n") if group == 2 else ("planes_n",)
    for name in names:
        assert not re.search(rf"assign {name}\b", top)
        users = re.findall(rf"{config.module}_(\w+) \w+ \([^;]*\.{name}\({name}\)", top)
        assert {"column", "plane_register"} <= set(users)


def test_both_select_lines_of_a_binary_row_are_registered():
    config = MacroConfig(
        rows=7, cols=2, weight_bits=1, input_bits=1, multiply="xnor", storage="latch"
    )
    assert registers(text_of(config, "plane_register") or "") == {"planes_q": 14}
    assert text_of(config, "input_register") is None
