"""The whole regression on synthesised netlists, and that it notices a broken one."""

import pytest

from cimforge.cocotb_tests import netlist
from cimforge.cocotb_tests.draw import quickest_simulator
from cimforge.cocotb_tests.regression import run_regression
from cimforge.cocotb_tests.tests.conftest import assert_passed
from cimforge.flow.synth.netlist_models import NETLISTS, netlist_design, used_models
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config_file import load_config

TINY = load_config("tiny")


@pytest.mark.parametrize("target", NETLISTS)
def test_tiny_netlists_pass(target, tmp_path):
    """As many tests as on the Verilog, which test_configs runs."""
    emit_macro(TINY, tmp_path)
    report = run_regression(
        netlist_design(TINY, tmp_path, target),
        tmp_path / "verify",
        simulator=quickest_simulator(TINY),
        announce=lambda _: None,
    )
    assert_passed(report)
    assert report.tests == 76


def test_a_latch_netlist_passes(tmp_path):
    config = load_config("tiny", ["storage=latch", "banks=2"])
    emit_macro(config, tmp_path)
    report = run_regression(
        netlist_design(config, tmp_path, "generic"),
        tmp_path / "verify",
        simulator=quickest_simulator(config),
        announce=lambda _: None,
    )
    assert_passed(report)


def test_a_broken_netlist_fails(tmp_path):
    emit_macro(TINY, tmp_path)
    design = netlist_design(TINY, tmp_path, "generic")
    text = (design.folder / "netlist.v").read_text()
    assert "\\$_NOR_ " in text
    (design.folder / "netlist.v").write_text(text.replace("\\$_NOR_ ", "\\$_NAND_ ", 1))
    report = run_regression(
        design,
        tmp_path / "verify",
        simulator=quickest_simulator(TINY),
        test_filter="values",
        announce=lambda _: None,
    )
    assert not report.passed


def test_only_models_in_use_are_kept():
    text = """`ifdef SOME
`define X 1
`endif
module A (input a); B b (a); endmodule
(* box *)
module B (input a);
`ifdef DEEP
`endif
endmodule
module \\$_C_ (input a); endmodule
module D (input a);
`ifdef LATE
  assign x = 1; endmodule
`else
  endmodule
`endif
"""
    kept = used_models(text, {"A"})
    assert "module A" in kept
    assert "module B" in kept
    assert "$_C_" not in kept
    assert "module D" not in kept
    assert kept.count("`if") == kept.count("`endif")
    assert "$_C_" in used_models(text, {"$_C_"})
    assert netlist.HEADER in kept
