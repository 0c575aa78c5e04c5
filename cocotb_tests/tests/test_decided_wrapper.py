"""The regression of the wrapper, on the macro behind the slave of boards.

Left out: busy's exact cycles, which are the plain slave's, and what needs a result register, which
this slave has not; hdl/tests/test_decided_rules.py proves what it does instead.
"""

from pathlib import Path

import pytest

from cimforge.cocotb_tests.regression import BUS_SUITE, run_regression
from cimforge.cocotb_tests.tests.test_wrapper import ACCESSES, CONFIGS
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.simulate.simulator import Design
from cimforge.hdl.bus.signatures import wrapper_ports
from cimforge.hdl.bus.wrapper import build_wrapper
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.emit.waivers import WRAPPER_WAIVERS, lint_waivers
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig

OTHERS = ("busy_follows_work", "reset_empties_every_state", "passes_go_on_while_a_result_is_unread")


def emit_late(config: MacroConfig, folder: Path) -> Design:
    """The macro behind that slave, emitted."""
    emit_macro(config, folder, macro_extras(config))
    top = build_wrapper(config, decided=True)
    (folder / f"{top.name}.v").write_text(modules_to_verilog([top.children[0].module, top]))
    (folder / f"{top.name}.vlt").write_text(lint_waivers(top.name, WRAPPER_WAIVERS))
    own = (f"{top.name}.vlt", f"{top.name}.v")
    sources = (*(folder / f"{config.module}.f").read_text().split(), *own)
    return Design(config, folder, sources, top.name, tuple(wrapper_ports(config)))


@pytest.mark.parametrize("name", ["sliced", "tables"])
def test_the_wrapper_of_boards_passes(name, tmp_path):
    report = run_regression(
        emit_late(CONFIGS[name], tmp_path),
        tmp_path / "verify",
        simulator="verilator",
        jobs=2,
        suite=BUS_SUITE,
        options={"accesses": ACCESSES[name]},
        test_filter=rf"^(?!.*test_({'|'.join(OTHERS)}))",
        announce=lambda _: None,
    )
    assert report.failures == []
    assert report.tests == 9
    assert [bin for bin in report.missed if not bin.startswith("reset: ")] == []
