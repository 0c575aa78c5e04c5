"""Bus and macro are apart: no path through logic alone joins them; the wrapper's constraints."""

import re
from fnmatch import fnmatchcase

import pytest

from cimforge.hdl.bus.signatures import bus_ports, stream_ports
from cimforge.hdl.bus.wrapper import build_wrapper
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.emit.wrapper_files import wrapper_files
from cimforge.hdl.netlist.module import walk
from cimforge.hdl.tests.configs import DIVERSE, macro
from cimforge.hdl.tests.tools import netlist

LATCHES = macro(5, 3, 3, 6, 2, 3, "latch")
CONFIGS = {"tiny": DIVERSE["tiny"], "latches": LATCHES, "many": macro(40, 30, 5, 7, banks=5)}
REGISTER = re.compile(r"\$_(S?DFF|ALDFF|DLATCH)")


def wrapper_netlist(config, folder, edit=lambda text: text) -> dict:
    """The wrapper in gates, the macro in it a black box."""
    emit_macro(config, folder, wrapper_files(config))
    path = folder / f"{config.module}_wb.v"
    path.write_text(edit(path.read_text()))
    sources = f"cim_cells.v {config.module}.v {config.module}_wb.v"
    top = f"{config.module}_wb"
    script = f"read_verilog {sources}\nblackbox {config.module}\nhierarchy -check -top {top}\n"
    return netlist(folder, f"{script}synth -flatten -noabc -top {top}\nclean\n")[top]


def sources_of(design: dict, bits: list) -> set[str]:
    """Where the logic in front of these bits begins: ports, registers, pins of the macro."""
    drivers = {}
    for name, port in design["ports"].items():
        if port["direction"] == "input":
            drivers |= dict.fromkeys(port["bits"], (name, None))
    for cell in design["cells"].values():
        ways = cell["port_directions"]
        inside = "register" if REGISTER.match(cell["type"]) else None
        for pin, connected in cell["connections"].items():
            if ways[pin] == "output":
                origin = inside or (None if cell["type"].startswith("$") else f"macro.{pin}")
                drivers |= dict.fromkeys(connected, (origin, cell))
    found, seen, waiting = set(), set(), list(bits)
    while waiting:
        bit = waiting.pop()
        if bit in seen or isinstance(bit, str):
            continue
        seen.add(bit)
        origin, cell = drivers[bit]
        if origin:
            found.add(origin)
            continue
        for pin, connected in cell["connections"].items():
            if cell["port_directions"][pin] == "input":
                waiting += connected
    return found


def joined(config, design: dict) -> set[str]:
    """Ports of the bus and pins of the macro that logic alone joins."""
    (block,) = (c for c in design["cells"].values() if c["type"] == config.module)
    streams = stream_ports(config)
    into = [
        b
        for pin, bits in block["connections"].items()
        if streams.get(pin, "?")[0] == "input"
        for b in bits
    ]
    bus = bus_ports(config)
    out = [
        b
        for name, (way, _) in bus.items()
        if way == "output"
        for b in design["ports"][name]["bits"]
    ]
    reached = sources_of(design, into) & set(bus)
    return reached | {name for name in sources_of(design, out) if name.startswith("macro.")}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_registers_stand_between_bus_and_macro(config, tmp_path):
    assert joined(config, wrapper_netlist(config, tmp_path)) == set()


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (r"(assign y_ready = ).*;", r"\1 ~y_full_q | y_next_given;", "wb_adr"),
        (r"(assign irq = )(.*);", r"\1\2 | q_valid;", "macro.q_valid"),
    ],
    ids=["a release that passes by", "a row that interrupts by itself"],
)
def test_a_path_is_found(old, new, found, tmp_path):
    def edit(text: str) -> str:
        changed = re.sub(old, new, text, count=1)
        assert changed != text
        return changed

    design = wrapper_netlist(CONFIGS["tiny"], tmp_path, edit)
    assert found in joined(CONFIGS["tiny"], design)


def test_constraints_name_every_latch_and_port():
    """Paths lead through the instance of the macro; no pattern matches nothing."""
    text = wrapper_files(LATCHES)[f"{LATCHES.module}_wb.sdc"]
    top = build_wrapper(LATCHES)
    paths = {"/".join(path): child.module.name for path, child in walk(top)}
    patterns = re.search(r"\[get_cells {(.*?)}\]", text)[1].split()
    matched = {p for p in paths if any(fnmatchcase(p, pattern) for pattern in patterns)}
    assert matched == {path for path, name in paths.items() if name == "cim_latch"}
    assert all(path.startswith("macro/") for path in matched)
    named = [
        name.rstrip("*")
        for name in re.findall(r"[a-z_]+\*", " ".join(re.findall(r"get_ports {(.*?)}", text)))
    ]
    assert sorted(named) == sorted({*top.ports} - {"clk"})
    assert "create_clock -name clk -period $period [get_ports clk]" in text
