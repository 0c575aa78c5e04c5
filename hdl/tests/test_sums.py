"""Blocks that hold adders: emitted alone and proven equal to plain arithmetic with Yosys `sat`."""

from importlib.resources import files
from pathlib import Path

import pytest

from cimforge.hdl.cells.booth_correction import BoothCorrection
from cimforge.hdl.cells.input_sum import InputSum
from cimforge.hdl.cells.latch import latch_gate, latch_store
from cimforge.hdl.cells.slice_correction import SliceCorrection
from cimforge.hdl.macro.accumulator import Accumulator, build_accumulate_sum
from cimforge.hdl.netlist.module import distinct_modules
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.tests.configs import macro
from cimforge.hdl.tests.tools import netlist, yosys

CELLS = "cim_cells.v"
WIDE = 40  # wider than any value here, so that an overflow of the block differs from the reference
INPUT_SUMS = {
    "one_row": macro(1, 1, 1, 1),
    "one_plane": macro(6, 1, 2, 4),
    "two_planes": macro(5, 1, 2, 4, 2, tree="ripple"),
    "three_planes": macro(4, 1, 2, 3, 3, tree="behavioral"),
    "bit_parallel": macro(2, 1, 1, 8, 8),
    "pipelined": macro(4, 1, 2, 4, 2, tree_stages=1),
    "deep": macro(3, 1, 2, 2, 2, tree_stages=3),
    "one_plane_ranks": macro(5, 1, 2, 4, tree_stages=2),
    "lead": macro(3, 1, 2, 4, 2, tree_stages=1, storage="sram"),
    "lead_one_plane": macro(3, 1, 2, 4, storage="sram"),
    "prefix": macro(7, 1, 2, 4, 2).model_copy(update={"name": "quick", "final_adder": "prefix"}),
    "pairs": macro(5, 1, 2, 4, 2, storage="latch", tree_stages=1).model_copy(update={"group": 2}),
    "slices": macro(5, 1, 4, 4).model_copy(update={"slice_bits": 2}),
    "slices_ranks": macro(3, 1, 3, 4, 2, tree_stages=1).model_copy(update={"slice_bits": 1}),
}
ACCUMULATORS = {
    "one_bit": macro(1, 1, 1, 1),
    "one_plane": macro(3, 1, 2, 4),
    "two_planes": macro(2, 1, 2, 4, 2),
    "four_planes": macro(2, 1, 1, 4, 4),
    "bit_parallel": macro(1, 1, 3, 3, 3),
    "ripple": macro(3, 1, 2, 4, 2, tree="ripple"),
    "behavioral": macro(3, 1, 2, 6, 3, tree="behavioral"),
    "digits": macro(3, 1, 2, 6, 2).model_copy(update={"multiply": "booth"}),
    "digit_parallel": macro(2, 1, 1, 4, 4).model_copy(update={"multiply": "booth"}),
}
DIGIT_SUMS = {
    "one_digit": macro(3, 1, 2, 4, 2),
    "one_row": macro(1, 1, 1, 2, 2),
    "two_digits": macro(3, 1, 3, 4, 4, tree="ripple"),
    "behavioral": macro(3, 1, 1, 4, 4, tree="behavioral"),
    "bit_parallel": macro(1, 1, 4, 8, 8),
    "pipelined": macro(3, 1, 2, 4, 2, tree_stages=2),
    "lead": macro(2, 1, 2, 4, 4, tree_stages=1, storage="sram"),
}
SLICE_SUMS = {"one_digit": 1, "two_digits": 3, "bit_parallel": 2, "pipelined": 2, "lead": 1}


def write_design(folder: Path, *texts: str) -> None:
    """The leaf cells and a design."""
    (folder / CELLS).write_text(files("cimforge.hdl.cells").joinpath(CELLS).read_text())
    (folder / "design.v").write_text("\n".join(texts))


def prove_equal(folder: Path, options: str) -> None:
    """Prove modules gold and gate equal, for all inputs and, where clocked, cycle by cycle."""
    yosys(
        folder,
        f"read_verilog {CELLS} design.v\nhierarchy -check\nproc\n"
        "miter -equiv -flatten gold gate miter\n"
        f"hierarchy -top miter\nopt\nsat -verify {options} -prove trigger 0 miter\n",
    )


def input_sum_reference(config: MacroConfig) -> tuple[str, str]:
    """What InputSum must give, and InputSum widened, for each slice's sign; planes pass as many
    ranks as in the trees."""
    slices, k, rows, bits, ranks = (
        *(config.slices, config.bits_per_cycle, config.rows),
        *(config.correction_bits, config.ranks),
    )
    size = rows * k + 2
    header = (
        f"(input clk, input enable, input [{rows * k - 1}:0] planes_n, input plane_negate, "
        f"plane_ending, input [{slices - 1}:0] sign, output [{slices * WIDE - 1}:0] wide);"
    )
    shift = " ".join(f"q{rank} <= q{rank - 1};" for rank in range(1, ranks + 1))
    delay = f"  wire [{size - 1}:0] q0 = {{plane_ending, plane_negate, planes_n}};\n"
    delay += "".join(f"  reg [{size - 1}:0] q{rank};\n" for rank in range(1, ranks + 1))
    delay += f"  always @(posedge clk) if (enable) begin {shift} end\n" if ranks else ""
    weights = [f"{WIDE}'d{2**j}" for j in range(k)]
    weights[-1] = f"(q{ranks}[{size - 2}] ? -{weights[-1]} : {weights[-1]})"
    terms = [f"!q{ranks}[{j * rows + r}] * {weights[j]}" for r in range(rows) for j in range(k)]
    ending, places = f"q{ranks}[{size - 1}]", range(slices)[::-1]
    gold = (
        f"module gold {header}\n{delay}"
        f"  wire [{WIDE - 1}:0] sum = {' + '.join(terms)};\n"
        f"  wire [{WIDE - 1}:0] most = {rows} * ({2**k - 1} + {ending});\n"
        f"  assign wide = {{{', '.join(f'most - (sign[{s}] ? sum : 0)' for s in places)}}};\n"
        "endmodule\n"
    )
    clock = ".enable(enable), .clk(clk), " if ranks else ""
    told = ".plane_negate(plane_negate), .plane_ending(plane_ending)"
    told = told if config.sums_constants else f".negate(q{ranks}[{size - 2}])"
    widened = (f"{{{WIDE - bits}'d0, c[{bits * s} +: {bits}]}}" for s in places)
    gate = (
        f"module gate {header}\n{delay}  wire [{slices * bits - 1}:0] c;\n"
        f"  {config.module}_input_sum dut ({clock}.planes_n(planes_n), "
        f"{told}, .ending({ending}), .sign(sign), .correction(c));\n"
        f"  assign wide = {{{', '.join(widened)}}};\nendmodule\n"
    )
    return gold, gate


@pytest.mark.parametrize("name", INPUT_SUMS)
def test_input_sum_is_the_sum_of_the_planes_taken_from_a_constant(name, tmp_path):
    config = INPUT_SUMS[name]
    text = modules_to_verilog(distinct_modules(InputSum(config)))
    write_design(tmp_path, text, *input_sum_reference(config))
    ranks = config.ranks
    options = f"-set-init-zero -tempinduct-baseonly -maxsteps {ranks + 3}" if ranks else ""
    prove_equal(tmp_path, options)


@pytest.mark.parametrize("slices", [1, 2])
def test_the_count_of_one_plane_is_still_while_no_weight_is_signed(slices, tmp_path):
    """Whatever the planes: its terms are 0."""
    config = macro(5, 1, 2, 4).model_copy(update={"slice_bits": 2 // slices})
    write_design(tmp_path, modules_to_verilog(distinct_modules(InputSum(config))))
    top = f"{config.module}_input_sum"
    yosys(
        tmp_path,
        f"read_verilog {CELLS} design.v\nhierarchy -check -top {top}\nproc\nflatten\n"
        f"sat -verify -set sign 0 -prove sum.terms 0 {top}\n",
    )


def test_input_sum_with_drivers_of_its_negating_line(tmp_path, monkeypatch):
    """As many as a plane of many rows has: so many gates want them."""
    monkeypatch.setattr("cimforge.hdl.netlist.drivers.LOADS", 2)
    config = macro(5, 1, 1, 2, 2, tree_stages=1)
    text = modules_to_verilog(distinct_modules(InputSum(config)))
    assert "cim_driver" in text
    write_design(tmp_path, text, *input_sum_reference(config))
    prove_equal(tmp_path, "-set-init-zero -tempinduct-baseonly -maxsteps 4")


def digit_sum_reference(config: MacroConfig, chosen: int = 0) -> tuple[str, str]:
    """What the correction of digits must give, by the value of each digit of ``x`` (k + 1 planes a
    row, the lowest from the group below), and that of one slice, widened, behind the lines of those
    digits; the other slices have the other sign."""
    k, rows, ranks = config.bits_per_cycle, config.rows, config.ranks
    planes, place, bits = rows * (k + 1), config.slice_width - 1, config.correction_bits
    header = (
        f"(input clk, input enable, input [{planes - 1}:0] x, input ending, sign, "
        f"output [{WIDE - 1}:0] wide);"
    )
    shift = " ".join(f"q{rank} <= q{rank - 1};" for rank in range(1, ranks + 1))
    delay = f"  wire [{planes + 1}:0] q0 = {{ending, sign, x}};\n"
    delay += "".join(f"  reg [{planes + 1}:0] q{rank};\n" for rank in range(1, ranks + 1))
    delay += f"  always @(posedge clk) if (enable) begin {shift} end\n" if ranks else ""
    negatives, values, lines = [], [], []
    for digit in range(k // 2):
        made: list[list[str]] = [[], [], []]
        for row in range(rows):
            low, middle, high = (row * (k + 1) + 2 * digit + i for i in range(3))
            late = [f"q{ranks}[{bit}]" for bit in (low, middle, high)]
            value = f"({WIDE}'d0 + {late[0]} + {late[1]} - 2 * {late[2]})"
            values.append(f"{4**digit} * {value}")
            negatives.append(f"{4**digit} * (({value} >> {WIDE - 1}) & 1)")
            found = f"x[{low}] + x[{middle}] - 2 * x[{high}]"
            for kind, rule in enumerate(("1 || d == -1", "2 || d == -2", "-1 || d == -2")):
                made[kind].append(f"!(({found}) == {rule.replace('d ', f'({found}) ')})")
        lines += [line for kind in made for line in kind]
    constants = f"{2 * rows} * ({2**k - 1} + q{ranks}[{planes + 1}])"
    y_bits = config.modes[-1].y_bits
    mask = (1 << (bits if bits == y_bits else WIDE)) - 1  # it counts modulo 2^y_bits
    gold = (
        f"module gold {header}\n{delay}"
        f"  wire [{WIDE - 1}:0] negatives = {' + '.join(negatives)};\n"
        f"  wire [{WIDE - 1}:0] values = {' + '.join(values)};\n"
        f"  wire [{WIDE - 1}:0] signed_ones = q{ranks}[{planes}] ? values : 0;\n"
        f"  wire [{WIDE - 1}:0] high = {constants} - 4 * negatives - signed_ones;\n"
        f"  assign wide = (negatives + (high << {place})) & {WIDE}'d{mask};\nendmodule\n"
    )
    clock = ".enable(enable), .clk(clk), " if ranks else ""
    told = f".plane_sign({{{rows}{{sign}}}})"
    if config.slices > 1:
        late = f"{{{config.slices}{{q{ranks}[{planes}]}}}}"
        told = f".sign({late} ^ {config.slices}'d{(1 << config.slices) - 1 - (1 << chosen)})"
    gate = (
        f"module gate {header}\n{delay}  wire [{bits * config.slices - 1}:0] c;\n"
        f"  wire [{len(lines) - 1}:0] planes_n = {{{', '.join(reversed(lines))}}};\n"
        f"  {config.module}_input_sum dut ({clock}.planes_n(planes_n), "
        f"{told}, .plane_ending(ending), .correction(c));\n"
        f"  assign wide = c[{chosen * bits} +: {bits}];\nendmodule\n"
    )
    return gold, gate


@pytest.mark.parametrize("name", DIGIT_SUMS)
def test_correction_of_digits_is_their_values_taken_from_a_constant(name, tmp_path):
    """Of the lines of every digit; with registers cycle by cycle, once these are filled."""
    config = DIGIT_SUMS[name].model_copy(update={"multiply": "booth"})
    text = modules_to_verilog(distinct_modules(BoothCorrection(config)))
    write_design(tmp_path, text, *digit_sum_reference(config))
    prove_digit_sum(tmp_path, config)


@pytest.mark.parametrize("chosen", [0, 1])
@pytest.mark.parametrize("name", SLICE_SUMS)
def test_correction_of_slices_has_the_sign_of_each(name, chosen, tmp_path):
    """That of whole weights as wide as a slice; a slice's own line of sign acts, no other's."""
    update = {"multiply": "booth", "slice_bits": SLICE_SUMS[name]}
    config = DIGIT_SUMS[name].model_copy(update={**update, "weight_bits": 2 * SLICE_SUMS[name]})
    text = modules_to_verilog(distinct_modules(SliceCorrection(config)))
    write_design(tmp_path, text, *digit_sum_reference(config, chosen))
    prove_digit_sum(tmp_path, config)


def prove_digit_sum(folder: Path, config: MacroConfig) -> None:
    """Prove gold and gate equal once the registers are filled."""
    ranks = config.ranks
    filled = " ".join(f"-set-at {rank} in_enable 1" for rank in range(1, ranks + 1))
    options = f"-set-init-zero -seq {ranks + 3} -prove-skip {ranks} {filled}" if ranks else ""
    prove_equal(folder, options)


def accumulator_reference(config: MacroConfig) -> tuple[str, str]:
    """What Accumulator must do in a cycle; negate is offered with restart only."""
    k, tree_bits, y_bits = config.bits_per_cycle, config.tree_bits, config.y_bits
    trees, digits = config.trees, config.multiply == "booth"
    header = (
        f"(input clk, input enable, input restart, input negate, input [{trees * tree_bits - 1}:0] "
        f"totals, input [{config.correction_bits - 1}:0] correction, output [{y_bits - 1}:0] y);"
    )
    places = [2 * j if digits else j for j in range(trees)]
    totals = [
        f"({{{WIDE}'d0, totals[{(j + 1) * tree_bits - 1}:{j * tree_bits}]}} << {place})"
        for j, place in enumerate(places)
    ]
    top = totals[-1] if digits else f"(negate & restart ? -{totals[-1]} : {totals[-1]})"
    place = config.weight_bits - 1
    wide = f"({{{WIDE}'d0, correction}} << {0 if digits else place})"
    start = f"(-{WIDE}'d{config.rows * (2 if digits else 1)} << {place + k})"
    terms = " + ".join([f"(restart ? {start} : y_q << {k})", *totals[:-1], top, wide])
    gold = (
        f"module gold {header}\n  reg [{y_bits - 1}:0] y_q;\n  assign y = y_q;\n"
        f"  always @(posedge clk) if (enable) y_q <= {terms};\nendmodule\n"
    )
    pins = ("clk", "enable", "restart", "totals", "correction", "y")
    negate = "" if digits else ".negate(negate & restart), "
    gate = (
        f"module gate {header}\n  {config.module}_accumulator dut ({negate}"
        f"{', '.join(f'.{pin}({pin})' for pin in pins)});\nendmodule\n"
    )
    return gold, gate


@pytest.mark.parametrize(
    ("name", "late"), [*((name, False) for name in ACCUMULATORS), ("two_planes", True)]
)
def test_accumulator_shifts_and_adds_modulo_its_width(name, late, tmp_path):
    """By induction over cycles: equal results stay equal, whatever the inputs."""
    config = ACCUMULATORS[name]
    arrival = list(range(config.tree_bits)) if late else [0] * config.tree_bits
    adder = build_accumulate_sum(config, arrival)
    text = modules_to_verilog([adder, Accumulator(config, adder)])
    write_design(tmp_path, text, *accumulator_reference(config))
    prove_equal(tmp_path, "-set-init-zero -tempinduct -maxsteps 2")


def test_the_proof_notices_a_wrong_sign(tmp_path):
    config = INPUT_SUMS["two_planes"]
    gold, gate = input_sum_reference(config)
    text = modules_to_verilog(distinct_modules(InputSum(config)))
    write_design(tmp_path, text, gold, gate.replace("(plane_negate)", "(~plane_negate)"))
    with pytest.raises(AssertionError, match="proof did fail"):
        prove_equal(tmp_path, "")


def test_clock_gate_opens_in_the_low_phase_of_an_enabled_or_tested_cycle(tmp_path):
    pins = "(input clk, input enable, input test_en, output gate);"
    gold = f"module gold {pins} assign gate = clk ? 0 : test_en ? 1 : enable; endmodule\n"
    gate = f"module gate {pins} cim_clkgate cell (clk, enable, test_en, gate); endmodule\n"
    write_design(tmp_path, gold, gate)
    prove_equal(tmp_path, "")


def test_latch_is_transparent_while_its_gate_is_high(tmp_path):
    write_design(tmp_path)
    cells = netlist(tmp_path, f"read_verilog {CELLS}\nproc\nopt\nsimplemap")["cim_latch"]["cells"]
    assert [cell["type"] for cell in cells.values()] == ["$_DLATCH_P_"]


@pytest.mark.parametrize("banks", [1, 3])
def test_latch_gate_opens_one_bank_of_its_row(banks, tmp_path):
    config = macro(1, 1, 2, 2, banks=banks, storage="latch")
    vector = f"[{banks - 1}:0]"
    pins = f"(input clk, test_en, row, input {vector} bank, output {vector} gate);"
    lines = f"bank & {{{banks}{{row}}}}" if banks > 1 else "row"
    opened = f"{{{banks}{{~clk}}}} & ({lines} | {{{banks}{{test_en}}}})"
    gold = f"module gold {pins} assign gate = {opened}; endmodule\n"
    gate = (
        f"module gate {pins} {config.module}_write_gate dut (.clk(clk), .test_en(test_en), "
        f".row(row), {'.bank(bank), ' if banks > 1 else ''}.gate(gate)); endmodule\n"
    )
    write_design(tmp_path, latch_gate(config).verilog(), gold, gate)
    prove_equal(tmp_path, "")


def test_latch_store_has_a_latch_a_bit(tmp_path):
    config = macro(1, 1, 3, 1, storage="latch")
    write_design(tmp_path, latch_store(config).verilog())
    script = f"read_verilog {CELLS} design.v\nproc\nblackbox cim_latch"
    module = netlist(tmp_path, script)[f"{config.module}_store"]
    ports = {name: port["bits"] for name, port in module["ports"].items()}
    pins = [cell["connections"] for cell in module["cells"].values()]
    assert sorted((pin["d"][0], pin["q"][0]) for pin in pins) == sorted(
        zip(ports["d"], ports["q"], strict=True)
    )
    assert all(pin["gate"] == ports["gate"] for pin in pins)
