"""Roles of a netlist's cells, and the blocks of a path's."""

from collections import Counter

import pytest

from cimforge.flow.synth.blocks import BlockNames, name_cells, packed_name
from cimforge.flow.synth.census import area_roles, count_by_role, count_drivers
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.netlist.block import Block
from cimforge.hdl.netlist.leaf import FULL_ADDER
from cimforge.hdl.netlist.structure import Bus, Structure, constant
from cimforge.hdl.params.config import MacroConfig

MACRO = build_macro(MacroConfig(rows=64, cols=64, banks=2, storage="latch"))


def structure(kind: str, role: str) -> Structure:
    """An empty structure of macro m."""
    return Structure("m", kind, "", role=role)


def small_design() -> Structure:
    """Two columns of two full adders each, and a driver."""
    one = constant(0, 1)
    tree, column, top = (
        structure("tree", "tree"),
        structure("column", "storage"),
        structure("", "control"),
    )
    for name in ("fa0", "fa1"):
        tree.place(FULL_ADDER, name, a=one, b=one, ci=one, s=Bus("s"), co=Bus("c"))
    column.place(tree, "tree0")
    buffer = structure("buffer", "storage")
    for name in ("col0", "col1"):
        top.place(column, name)
    top.place(buffer, "drive_x_0_0", role="input", about="driver of x")
    return top


def netlist(**modules):
    """A netlist's modules as Yosys writes them, cells by name and type."""
    return {
        name: {"cells": {cell: {"type": kind} for cell, kind in cells.items()}}
        for name, cells in modules.items()
    }


def test_roles_follow_modules_instances_and_leaves():
    """What was mapped of an instance keeps its name in front; leaves serve where they stand."""
    modules = netlist(
        m={
            "col0": "m_column",
            "col1": "m_column",
            "drive_x_0_0.line[1].driver": "BUF",
            "own": "XOR",
        },
        m_column={"tree0": "m_tree", "inv": "INV"},
        m_tree={"fa0": "cim_fa", "fa1": "cim_fa"},
        cim_fa={"a": "XOR", "b": "MAJ"},
    )
    roles = area_roles(small_design())
    assert count_by_role(modules, "m", roles) == {
        "control": Counter(XOR=1),
        "input": Counter(BUF=1),
        "storage": Counter(INV=2),
        "tree": Counter(XOR=4, MAJ=4),
    }
    assert count_drivers(modules, "m", roles).total() == 1


def test_a_module_without_a_role_is_an_error():
    modules = netlist(m={"x": "m_stranger"}, m_stranger={"a": "XOR"})
    with pytest.raises(ValueError, match="module m_stranger has no role"):
        count_by_role(modules, "m", area_roles(small_design()))
    with pytest.raises(ValueError, match=r"role of m_x must be one of storage, .*, not 'area'"):
        structure("x", "area")

    class Nameless(Block):
        """A block without a role."""

        _MustUse__silence = True  # it is never elaborated

    with pytest.raises(ValueError, match="role of Nameless must be one of"):
        Nameless("m", "x", {})


def test_every_module_of_a_macro_has_a_role():
    roles = area_roles(MACRO)
    assert set(roles.modules.values()) == {
        *("storage", "multiply", "tree", "accumulate", "input", "control", "leaf")
    }
    assert set(roles.instances.values()) <= set(roles.modules.values())


@pytest.mark.parametrize(
    ("instance", "block"),
    [
        ("col3.tree0.fa88.mapped", "tree"),
        ("col3.accumulator.sum.fa2.mapped", "accumulator"),
        ("col3.row7.bank0.bit1.mapped", "store"),
        ("col3.row7.multiplier.g3", "multiplier"),
        ("serialiser12.g4", "serialiser"),
        ("drive_planes_n_0_3.line[5].driver", "driver of planes_n"),
        ("col1.drive_d_0_1.line[2].driver", "driver of d"),
        ("g17", "top"),
    ],
)
def test_blocks_of_instances(instance, block):
    assert BlockNames(MACRO).of(instance) == block


def cell(kind: str, src: str, **pins):
    """A cell of a flattened netlist; output pins are O and Q."""
    return {
        "type": kind,
        "attributes": {"src": src},
        "port_directions": {pin: "output" if pin in "OQ" else "input" for pin in pins},
        "connections": {pin: [bit] for pin, bit in pins.items()},
    }


def test_merged_logic_belongs_to_what_it_computes_into():
    """A LUT named after the store it reads, merged of multiplier and tree, is tree logic."""
    sources = {"m.v": "module m_tree (\n  x\n);\nendmodule\nmodule m_column (\n  y\n);\n"}
    cells = {
        "col0.row0.bank0.q_LUT4_A_Z": cell("LUT4", "cells_map.v:3.1-3.9", A=2, O=3),
        "carry": cell("CCU2C", "m.v:2.3-2.4|arith_map.v:1.1-1.2", A=3, O=4),
        "ff": cell("FF", "m.v:6.3-6.4", D=4, Q=5),
        "loose": cell("LUT4", "", A=5, O=6),
    }
    names = name_cells({"cells": cells}, sources, small_design())
    assert names == {
        "col0.row0.bank0.q_LUT4_A_Z": "tree",
        "carry": "tree",
        "ff": "column",
        "loose": "top",
    }
    assert packed_name("carry$CCU2_COMB0", names) == "tree"
    assert packed_name("ff_LC", names) == "column"
    assert packed_name("elsewhere", names) is None
