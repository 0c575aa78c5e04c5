"""What other tools say of emitted Verilog: Verilator's lint, Yosys, Icarus with its testbench."""

import re
import shutil
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.emit.waivers import TABLE_WAIVERS, WAIVERS, lint_waivers, macro_waivers
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.macro.top import macro_modules
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.tests.configs import DIVERSE, macro
from cimforge.hdl.tests.tools import icarus, lint, needs_icarus, netlist, yosys

CELLS = "cim_cells.v"
README = Path(__file__).parents[2] / "README.md"
every_config = pytest.mark.parametrize("config", DIVERSE.values(), ids=DIVERSE)
CORNERS = {
    "1024_rows": macro(1024, 1, 1, 1),
    "1024_columns": macro(1, 1024, 1, 1),
    "64_banks": macro(2, 2, 2, 2, 1, 64),
    "16b_x_16b": macro(2, 2, 16, 16, 16, tree="behavioral"),
    "1024_rows_16b": macro(1024, 1, 16, 1, tree="behavioral", storage="latch"),
}


def copy_sources(folder: Path, *sources: Path) -> None:
    """Copies of emitted files, which a test may change."""
    for source in sources:
        shutil.copy(source, folder)


def sources(config: MacroConfig) -> list[str]:
    """The macro's Verilog files."""
    return [CELLS, *(f"{model}.v" for model in config.models), f"{config.module}.v"]


def lint_macro(config: MacroConfig, folder: Path, waivers: str) -> list[str]:
    """Verilator's complaints about the macro in ``folder`` with a waiver file."""
    return lint(folder, "--top-module", config.module, waivers, *sources(config))


@every_config
def test_lint_is_clean_with_the_shipped_waivers(config, emitted):
    assert lint_macro(config, emitted(config), f"{config.module}.vlt") == []


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": 3, "multiply": "xnor"},
        {"rows": 5, "multiply": "xnor", "tree": "approx2", "storage": "latch", "banks": 2},
        {"rows": 1, "group": 2, "storage": "latch"},
    ],
    ids=lambda changes: "-".join(map(str, changes.values())),
)
def test_lint_is_clean_where_styles_meet(changes, tmp_path):
    config = MacroConfig(**{"cols": 2, "weight_bits": 1, "input_bits": 1, **changes})
    emit_macro(config, tmp_path)
    assert lint_macro(config, tmp_path, f"{config.module}.vlt") == []


@pytest.mark.parametrize("name", ["tiny", "single_bit_latch"])
def test_lint_is_clean_as_the_readme_says(name, emitted, tmp_path):
    """From any folder; the leaf cells that a macro does not use must not matter."""
    command = re.search(r"`\S*verilator-cli --lint-only -Wall ([^`]+)`", README.read_text())
    assert command, "the README no longer says how to lint"
    config = DIVERSE[name]
    (tmp_path / "build").symlink_to(emitted(config).parent)
    arguments = command[1].replace("<name>", config.module).split()
    assert lint(tmp_path, *arguments) == []


def complaints(config: MacroConfig, waivers: list[str], folder: Path, target: Path) -> list[str]:
    """Verilator's complaints about the macro in ``folder`` with other waivers."""
    copy_sources(target, *(folder / source for source in sources(config)))
    (target / "test.vlt").write_text("\n".join(waivers) + "\n")
    return lint_macro(config, target, "test.vlt")


@pytest.fixture(scope="module")
def waived_rules(emitted, tmp_path_factory):
    """A function that tells of which rules Verilator complains in a macro without waivers."""

    @cache
    def rules(config: MacroConfig) -> set[str]:
        target = tmp_path_factory.mktemp("unwaived")
        lines = complaints(config, ["`verilator_config"], emitted(config), target)
        return {line.partition(":")[0].removeprefix("%Warning-") for line in lines}

    return rules


EVERY_WAIVER = (*WAIVERS, *TABLE_WAIVERS)


@pytest.mark.parametrize("entry", EVERY_WAIVER, ids=[f"{e[2]}: {e[3]}" for e in EVERY_WAIVER])
def test_each_waiver_is_needed(entry, emitted, waived_rules, tmp_path):
    """Some macro has complaints without it that it has not with it."""
    rule = entry[0]
    for config in DIVERSE.values():
        if rule not in waived_rules(config) or (entry in TABLE_WAIVERS and not config.tables):
            continue
        lines = lint_waivers(config.module, macro_waivers(config)).splitlines()
        waiver = lint_waivers(config.module, (entry,)).splitlines()[-1]
        others = [line for line in lines if line != waiver]
        without = complaints(config, others, emitted(config), tmp_path)
        if not any(line.startswith(f"%Warning-{rule}:") for line in without):
            continue
        if len(without) > len(complaints(config, lines, emitted(config), tmp_path)):
            return
    pytest.fail(f"no macro needs the waiver of {rule}: {entry[3]}")


@pytest.mark.parametrize("fault", ["wire spare_net;", "wire [3:0] narrow = 5'd3;", "wire negated;"])
def test_waivers_hide_no_real_fault(fault, emitted, tmp_path):
    config = DIVERSE["tiny"]
    folder = emitted(config)
    text = (folder / f"{config.module}.v").read_text()
    copy_sources(tmp_path, folder / CELLS, folder / f"{config.module}.vlt")
    (tmp_path / f"{config.module}.v").write_text(
        text.replace("endmodule", f"{fault}\nendmodule", 1)
    )
    before = lint_macro(config, folder, f"{config.module}.vlt")
    after = lint_macro(config, tmp_path, f"{config.module}.vlt")
    assert len(after) > len(before)


@every_config
def test_yosys_finds_no_fault(config, parsed):
    """No missing module, wrong port, second driver, undriven net or loop (`hierarchy`, `check`)."""
    assert config.module in parsed(config)


def test_yosys_check_notices_a_loop(emitted, tmp_path):
    config = DIVERSE["tiny"]
    text = (emitted(config) / f"{config.module}.v").read_text()
    looped = text.replace(".a(terms[0])", ".a(total[0])", 1)
    assert looped != text
    (tmp_path / "macro.v").write_text(looped)
    copy_sources(tmp_path, emitted(config) / CELLS)
    with pytest.raises(AssertionError, match="found logic loop"):
        yosys(tmp_path, f"read_verilog {CELLS} macro.v\nproc\nflatten\ncheck -assert\n")


@pytest.mark.parametrize("config", CORNERS.values(), ids=CORNERS)
def test_corners_emit_and_parse(config, tmp_path):
    (tmp_path / CELLS).write_text(files("cimforge.hdl.cells").joinpath(CELLS).read_text())
    (tmp_path / "macro.v").write_text(modules_to_verilog(macro_modules(config)))
    yosys(tmp_path, f"read_verilog {CELLS} macro.v\nhierarchy -check -top {config.module}\n")


def test_two_macros_live_in_one_design(emitted, tmp_path):
    a, b = DIVERSE["tiny"], DIVERSE["odd_latch_ripple"]
    copy_sources(
        tmp_path, emitted(a) / CELLS, emitted(a) / f"{a.module}.v", emitted(b) / f"{b.module}.v"
    )
    (tmp_path / "top.v").write_text(f"module top; {a.module} a (); {b.module} b (); endmodule\n")
    files = f"{CELLS} {a.module}.v {b.module}.v top.v"
    modules = netlist(tmp_path, f"read_verilog {files}\nhierarchy -check -top top\nproc")
    assert {a.module, b.module, "cim_fa"} <= set(modules)


def interface_table(config: MacroConfig) -> list[tuple[str, str, int]]:
    """The table of DESIGN section 3, written down a second time."""

    def number(count: int) -> int:
        return len(f"{count - 1:b}") if count > 1 else 0

    def width(weight_bits: int) -> int:
        """Bits that the extremes of all sign modes need, in two's complement."""
        x, w = 1 << config.input_bits, 1 << weight_bits
        most, least = (x - 1) * (w - 1), max((x - 1) * w, x * (w - 1)) // 2
        if config.multiply == "xnor":
            most = least = 1
        return 1 + max(config.rows * most, config.rows * least - 1).bit_length()

    x, w = config.rows * config.input_bits, config.cols * config.weight_bits
    whole = config.slice_bits or config.weight_bits
    slices = config.weight_bits // whole
    fused = [f for f in range(1, slices + 1) if slices % f == 0]
    y = config.cols * max(slices // f * width(f * whole) for f in fused)
    text = f"""
        clk input 1, rst input 1,
        x_valid input 1, x_ready output 1, x_data input {x},
        x_bits input {len(f"{config.input_bits:b}")}, x_signed input 1,
        x_bank input {number(config.banks)},
        x_rows input {len(f"{config.rows:b}") if config.multiply == "xnor" else 0},
        y_valid output 1, y_ready input 1, y_data output {y},
        w_valid input 1, w_ready output 1, w_bank input {number(config.banks)},
        w_row input {number(config.rows)}, w_data input {w}, w_signed input 1,
        w_fuse input {number(len(fused))}, w_fill input {int(config.group > 1)},
        r_valid input 1, r_ready output 1, r_bank input {number(config.banks)},
        r_row input {number(config.rows)},
        q_valid output 1, q_ready input 1, q_data output {w},
        test_en input {int(config.storage == "latch")}
    """
    rows = [entry.split() for entry in text.split(",")]
    return [(name, way, int(width)) for name, way, width in rows if width != "0"]


@every_config
def test_ports_are_the_design_tables(config, parsed):
    table = interface_table(config)
    assert [tuple(port) for port in macro_ports(config)] == table
    ports = parsed(config)[config.module]["ports"]
    found = [(name, port["direction"], len(port["bits"])) for name, port in ports.items()]
    assert found == table


@every_config
def test_read_back_is_the_low_bits_of_each_column(config, parsed):
    """Of each slice's sum, where weights are sliced: before they fuse."""
    module = parsed(config)[config.module]
    q = module["ports"]["q_data"]["bits"]
    sums = module["netnames"]["sums" if config.slices > 1 else "y_data"]["bits"]
    first = 1 if config.multiply == "xnor" else 0  # twice the matches: bit 0 is none of them
    starts = range(first, len(sums), config.slice.y_bits)
    assert q == [bit for start in starts for bit in sums[start : start + config.slice_width]]


@every_config
def test_ready_and_valid_depend_on_what_the_sequencer_says(config, parsed):
    """Gate by gate in the emitted sequencer.

    No ready depends on its own valid, w_ready on none, y_valid and q_valid on nothing but reset. A
    combinational loop outside would need a source whose valid waits for its ready.
    """
    module = parsed(config)[f"{config.module}_sequencer"]
    depends = {name: input_cone(module, name) for name in module["ports"]}
    stall = {"rst"} | (set() if config.keeps_results else {"y_ready", "q_ready"})
    landing = config.write_landing > 0
    banks = {f"{s}_bank" for s in "xwr"} if config.banks > 1 else set()
    held = {"w_valid"} | banks if landing else set()
    held |= {"w_row"} if config.tables and config.rows < 1 << config.row_bits else set()
    assert depends["y_valid"] == depends["q_valid"] == {"rst"}
    assert depends["x_ready"] == stall | {"r_valid"} | (held - {"r_bank"})
    assert depends["r_ready"] == stall | {"x_valid"} | (held - {"x_bank"})
    assert depends["w_ready"] == stall | (banks & {"w_bank"})


def input_cone(module: dict, output: str) -> set[str]:
    """Input ports on which an output depends without a flip-flop between."""
    drivers: dict[int, list[int]] = {}
    for cell in module["cells"].values():
        if "DFF" in cell["type"]:
            continue
        pins, ways = cell["connections"], cell["port_directions"]
        sources = [bit for pin in pins if ways[pin] == "input" for bit in pins[pin]]
        drivers |= {bit: sources for pin in pins if ways[pin] == "output" for bit in pins[pin]}
    ports = module["ports"]
    named = {
        b: n for n, port in ports.items() if port["direction"] == "input" for b in port["bits"]
    }
    reached: set[int] = set()
    front = list(ports[output]["bits"])
    while front:
        bit = front.pop()
        if bit not in reached:
            reached.add(bit)
            front += drivers.get(bit, [])
    return {named[bit] for bit in reached if bit in named}


@needs_icarus
@every_config
def test_plain_testbench_passes(config, emitted):
    top = config.module
    printed = icarus(emitted(config), f"tb_{top}.v", *sources(config))
    assert printed.splitlines()[0] == "PASS 10 of 10 vectors"
    assert "FAIL" not in printed


@needs_icarus
@pytest.mark.parametrize("name", ["tiny", "many_banks", "deep_pipeline", "bit_parallel"])
def test_plain_testbench_fails_on_a_broken_weight_bit(name, emitted, tmp_path):
    """Bit 0 of row 0 of column 0 alone is stored inverted."""
    config = DIVERSE[name]
    folder, top = emitted(config), config.module
    text = (folder / f"{top}.v").read_text()
    column = text[text.index(f"module {top}_column") :].split("endmodule")[0]
    faulty = column.replace("_column", "_faulty", 1)
    faulty = re.sub(r"(_word row0 \(.*?\.d\()(d\w*)\)", r"\1\2 ^ 1)", faulty)
    assert faulty.count(" ^ 1)") == 1
    broken = re.sub(rf"{top}_column col0 ", f"{top}_faulty col0 ", text) + f"\n{faulty}endmodule\n"
    copy_sources(tmp_path, folder / f"tb_{top}.v", folder / CELLS)
    (tmp_path / f"{top}.v").write_text(broken)
    printed = icarus(tmp_path, f"tb_{top}.v", f"{top}.v", CELLS)
    assert re.search(r"^FAIL \d+ of 10 vectors$", printed, re.M)
    assert "PASS" not in printed
