"""Front ends of buses as tools see them: lint, paths through logic; arguments that are refused."""

import re

import pytest

from cimforge.hdl.bus.apb_slave import ApbSlave
from cimforge.hdl.bus.axi4_master import Axi4Master
from cimforge.hdl.bus.axi4lite_slave import Axi4LiteSlave
from cimforge.hdl.bus.axi_streams import AxiStreamIn, AxiStreamOut
from cimforge.hdl.bus.bus_wrapper import build_bus_wrapper
from cimforge.hdl.bus.register_adapter import RegisterAdapter
from cimforge.hdl.bus.wishbone_master import WishboneMaster
from cimforge.hdl.bus.wishbone_registers import WishboneRegisterSlave
from cimforge.hdl.netlist.block import Block
from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.tests.test_bus_paths import sources_of
from cimforge.hdl.tests.tools import lint, netlist

# A block whose arguments are refused is never elaborated.
pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
FRONTS = [
    *(kind("front", 12, 5) for kind in (Axi4LiteSlave, ApbSlave, WishboneRegisterSlave)),
    *(RegisterAdapter("front", 12), Axi4Master("front", 32, 64), WishboneMaster("front", 32, 64)),
    *(AxiStreamIn("front", 32), AxiStreamOut("front", 32)),
]
every_front = pytest.mark.parametrize("front", FRONTS, ids=lambda front: front.kind)

# what a front end is told and does not need: protection, identifiers, the last word of a burst
UNUSED = re.compile(r"'(axil_a[wr]prot|apb_pprot|axi_[br]id|axi_[br]resp|memory_write_data_last)'")


@every_front
def test_lint_finds_only_lines_that_nobody_needs(front, tmp_path):
    (tmp_path / f"{front.name}.v").write_text(front.verilog())
    found = lint(tmp_path, "--top-module", front.name, f"{front.name}.v")
    wrong = [line for line in found if not ("UNUSEDSIGNAL" in line and UNUSED.search(line))]
    wrong = [line for line in wrong if not ("UNUSEDSIGNAL" in line and "'n_" in line)]
    assert wrong == []


def from_inputs(front: Block, folder) -> dict[str, set[str]]:
    """Inputs that reach each output through logic alone."""
    (folder / "front.v").write_text(front.verilog())
    script = f"read_verilog front.v\nsynth -flatten -noabc -top {front.name}\nclean\n"
    design = netlist(folder, script)[front.name]
    ports = design["ports"].items()
    outputs = {name: port["bits"] for name, port in ports if port["direction"] == "output"}
    return {name: sources_of(design, bits) - {"register"} for name, bits in outputs.items()}


@pytest.mark.parametrize(
    "front",
    [f for f in FRONTS if f.kind in ("axi4lite", "axis_in", "axis_out")],
    ids=lambda f: f.kind,
)
def test_no_path_runs_through_to_or_from_amba(front, tmp_path):
    bus = ("axil_", "axis_", "beats_")
    paths = from_inputs(front, tmp_path)
    assert {name: seen for name, seen in paths.items() if name.startswith(bus) and seen} == {}


def test_valids_and_payloads_of_axi4_are_registers(tmp_path):
    """Ready of R and B is the engine's; nothing else on the bus follows from an input, and no line
    of a channel from its own ready."""
    paths = from_inputs(Axi4Master("front", 32, 64), tmp_path)
    bus = {name: seen for name, seen in paths.items() if name.startswith("axi_") and seen}
    assert bus == {
        "axi_rready": {"memory_read_data_ready"},
        "axi_bready": {"memory_write_done_ready"},
    }


def test_wishbone_requests_do_not_follow_from_answers(tmp_path):
    paths = from_inputs(WishboneMaster("front", 32, 64), tmp_path)
    for name, seen in paths.items():
        if name.startswith("wb_"):
            assert all(source.startswith("memory_write_data_") for source in seen), name


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Axi4LiteSlave("f", 2), "address_bits must be an integer in 3..64, not 2"),
        (lambda: ApbSlave("f", "12"), "address_bits must be an integer in 3..64, not '12'"),
        (
            lambda: WishboneRegisterSlave("f", 65),
            "address_bits must be an integer in 3..64, not 65",
        ),
        (lambda: RegisterAdapter("f", 0), "address_bits must be an integer in 3..64, not 0"),
        (lambda: Axi4Master("f", 32, 48), "data_bits must be a power of 2 in 8..1024, not 48"),
        (lambda: WishboneMaster("f", 32, 4), "data_bits must be a power of 2 in 8..1024, not 4"),
        (lambda: AxiStreamIn("f", 2048), "data_bits must be a power of 2 in 8..1024, not 2048"),
        (lambda: AxiStreamOut("f", 0), "data_bits must be a power of 2 in 8..1024, not 0"),
        (lambda: ApbSlave("f", 12, -1), "patience must be an integer in 0..65535, not -1"),
        (
            lambda: Axi4LiteSlave("f", 12, 65536),
            "patience must be an integer in 0..65535, not 65536",
        ),
        (
            lambda: build_bus_wrapper(load_config("tiny"), "ahb"),
            "bus must be one of axi4lite, apb, not 'ahb'",
        ),
    ],
)
def test_arguments_that_make_no_bus_are_refused(make, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        make()


@pytest.mark.parametrize(("bus", "tail", "latency"), [("axi4lite", "axil", 4), ("apb", "apb", 2)])
def test_a_wrapper_has_the_bus_and_its_lines(bus, tail, latency):
    config = load_config("tiny")
    wrapper = build_bus_wrapper(config, bus, patience=100)
    assert wrapper.name == f"{config.module}_{tail}"
    assert wrapper.latency == latency
    front = wrapper.children[0].module
    bus_ports = {n: p for n, p in front.ports.items() if not n.startswith("registers_")}
    assert {n: p for n, p in wrapper.ports.items() if n not in ("irq", "busy")} == bus_ports
    assert [child.instance for child in wrapper.children] == ["front", "adapter", "slave", "macro"]
