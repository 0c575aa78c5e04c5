"""Emitted adder trees: small ones equal `+` (Yosys `sat`), others by composition of cells."""

from collections import Counter
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.arith.plan import Operand, Plan
from cimforge.hdl.arith.planners import PLANNERS, plan_sum, word_operands
from cimforge.hdl.arith.staging import divided
from cimforge.hdl.params.ranges import unsigned_width
from cimforge.hdl.tests.tools import netlist, yosys

TREES = sorted(PLANNERS)
SMALL = [(1, 3), (2, 1), (3, 1), (2, 4), (5, 2), (3, 3), (7, 1), (12, 1)]
PIPELINED = [(3, 2), (6, 1)]
CELLS = "cim_cells.v"
FROM_ZEROS = "-set-init-zero -tempinduct-baseonly -maxsteps 9"


def sum_plan(tree: str, count: int, width: int) -> Plan:
    """The plan of a column's tree."""
    return plan_sum(tree, word_operands([width] * count), unsigned_width(count * (2**width - 1)))


def write_sources(folder: Path, *modules: str) -> None:
    """The leaf cells and the given modules, in ``folder``."""
    (folder / CELLS).write_text(files("cimforge.hdl.cells").joinpath(CELLS).read_text())
    (folder / "trees.v").write_text("\n".join(modules))


def reference(module: str, operands: Iterable[Operand], width: int, ranks: int = 0) -> str:
    """Verilog of the same sum with one `+` an operand, and a register behind it for each rank."""
    operands = list(operands)
    inputs = 1 + max(bit for operand in operands for bit in operand.bits)
    words = [
        "({"
        + ", ".join([f"{width}'d0", *(f"terms[{bit}]" for bit in reversed(operand.bits))])
        + f"}} << {operand.shift})"
        for operand in operands
    ]
    shift = "".join(f"    q{rank} <= q{rank - 1};\n" for rank in range(1, ranks + 1))
    registers = "".join(f"  reg [{width - 1}:0] q{rank};\n" for rank in range(1, ranks + 1))
    clocked = f"  always @(posedge clk) if (enable) begin\n{shift}  end\n" if ranks else ""
    clock = "input clk, input enable, " if ranks else ""
    return (
        f"module {module} ({clock}input [{inputs - 1}:0] terms, output [{width - 1}:0] total);\n"
        f"  wire [{width - 1}:0] q0 = {' + '.join(words)};\n{registers}{clocked}"
        f"  assign total = q{ranks};\nendmodule\n"
    )


def prove(pairs: Iterable[tuple[str, str]], sat: str = "") -> str:
    """A Yosys script that proves each pair of modules equal; it fails where a pair differs."""
    lines = [f"read_verilog {CELLS} trees.v", "proc", "opt_clean", "design -save all"]
    for gold, gate in pairs:
        lines += [
            "design -load all",
            f"miter -equiv -flatten {gold} {gate} miter",
            f"sat -verify {sat} -prove trigger 0 miter",
        ]
    return "\n".join(lines)


@pytest.mark.parametrize("tree", TREES)
def test_small_trees_equal_plus(tree, tmp_path):
    modules, pairs = [], []
    for count, width in SMALL:
        name = f"sum_{count}x{width}"
        plan = sum_plan(tree, count, width)
        modules.append(build_adder(name, "tree", name, plan, role="tree").verilog())
        modules.append(reference(name, word_operands([width] * count), len(plan.result)))
        pairs.append((name, f"{name}_tree"))
    write_sources(tmp_path, *modules)
    yosys(tmp_path, prove(pairs))


@pytest.mark.parametrize("tree", TREES)
def test_shifts_repeated_bits_and_a_modulus_equal_plus(tree, tmp_path):
    """As in the accumulator: shifted and sign-extended words, carries that leave the width."""
    cases = [
        ([Operand((0, 1, 2), 1), Operand((3, 4, 4, 4)), Operand((5, 6), 2)], 5),
        ([Operand((0, 1, 1, 1, 1), 2), Operand((2, 3, 4, 5, 6, 7)), Operand((8,), 3)], 6),
        ([Operand((0, 1)), Operand((2, 3), 4)], 7),
        ([Operand((0,)), Operand((1,)), Operand((2,))], 1),
    ]
    modules, pairs = [], []
    for number, (operands, width) in enumerate(cases):
        plan = plan_sum(tree, operands, width)
        modules.append(build_adder(f"tree{number}", "", "sum", plan, role="tree").verilog())
        modules.append(reference(f"sum{number}", operands, width))
        pairs.append((f"sum{number}", f"tree{number}"))
    write_sources(tmp_path, *modules)
    yosys(tmp_path, prove(pairs))


@pytest.mark.parametrize("tree", TREES)
def test_pipelined_trees_equal_plus_so_many_enabled_cycles_later(tree, tmp_path):
    """Every number of stages up to levels, any enable; from all zeros, which is a state of both."""
    modules, pairs = [], []
    for count, width in PIPELINED:
        plan = sum_plan(tree, count, width)
        for stages in range(1, plan.levels + 1):
            name = f"sum_{count}x{width}_{stages}"
            staging = divided(plan, stages)
            modules.append(build_adder(name, "tree", name, staging, role="tree").verilog())
            modules.append(
                reference(name, word_operands([width] * count), len(plan.result), stages)
            )
            pairs.append((name, f"{name}_tree"))
    write_sources(tmp_path, *modules)
    yosys(tmp_path, prove(pairs, FROM_ZEROS))


@pytest.mark.parametrize(("old", "new"), [("s0)", "c0)"), ("terms[1]", "terms[0]")])
def test_the_proof_notices_a_wrong_tree(old, new, tmp_path):
    plan = sum_plan("csa", 5, 1)
    wrong = build_adder("gate", "", "sum", plan, role="tree").verilog().replace(old, new, 1)
    write_sources(tmp_path, wrong, reference("gold", word_operands([1] * 5), 3))
    with pytest.raises(AssertionError, match="proof did fail"):
        yosys(tmp_path, prove([("gold", "gate")]))


def test_the_proof_notices_a_wrong_latency(tmp_path):
    gate = build_adder("gate", "", "sum", divided(sum_plan("csa", 5, 1), 2), role="tree").verilog()
    write_sources(tmp_path, gate, reference("gold", word_operands([1] * 5), 3, 1))
    script = prove([("gold", "gate")], FROM_ZEROS)
    with pytest.raises(AssertionError, match="proof did fail"):
        yosys(tmp_path, script)


def test_leaf_adders_equal_plus(tmp_path):
    pins = "input a, input b, output s, output co"
    gold = (
        f"module fa (input ci, {pins}); assign {{co, s}} = a + b + ci; endmodule\n"
        f"module ha ({pins}); assign {{co, s}} = a + b; endmodule\n"
        f"module c42 (input c, input d, input ci, {pins}, output cout);\n"
        f"  wire t; assign {{cout, t}} = a + b + c; assign {{co, s}} = t + d + ci; endmodule\n"
    )
    write_sources(tmp_path, gold)
    yosys(tmp_path, prove([("fa", "cim_fa"), ("ha", "cim_ha"), ("c42", "cim_c42")]))


class Composition:
    """A tree's netlist, walked cell by cell.

    Leaf cells are proven, so the tree sums if every bit keeps its place and is used once.
    """

    def __init__(self, module: dict[str, Any], width: int):
        self.cells = list(module["cells"].values())
        self.terms = module["ports"]["terms"]["bits"]
        self.total = module["ports"]["total"]["bits"]
        self.place = {bit: number % width for number, bit in enumerate(self.terms)}
        self.rank = dict.fromkeys(self.terms, 0)
        self.uses = Counter(self.total)
        self._walk()

    def _walk(self) -> None:
        """Give every net its binary place and register rank; cells must mix neither."""
        waiting = self.cells
        while waiting:
            later = []
            for cell in waiting:
                if all(bit in self.place for bit in inputs(cell)):
                    self._visit(cell)
                else:
                    later.append(cell)
            assert len(later) < len(waiting), "a loop, or a net without a driver"
            waiting = later

    def _visit(self, cell: dict[str, Any]) -> None:
        self.uses.update(inputs(cell))
        places, ranks = ({table[bit] for bit in inputs(cell)} for table in (self.place, self.rank))
        assert len(places) == len(ranks) == 1, f"{cell['type']} mixes places or ranks"
        (place,), (rank,) = places, ranks
        carry, delay = OUTPUTS[cell["type"]]
        if cell["type"] == "$xor":
            assert place == len(self.total) - 1, "a carry is dropped below the top place"
        for pin, offset in carry.items():
            bit = cell["connections"][pin][0]
            self.place[bit], self.rank[bit] = place + offset, rank + delay


REGISTER = "$_DFFE_PP_"
# cell: places by which its outputs lie above its inputs, and ranks it adds
OUTPUTS = {
    "cim_fa": ({"s": 0, "co": 1}, 0),
    "cim_ha": ({"s": 0, "co": 1}, 0),
    "cim_c42": ({"s": 0, "co": 1, "cout": 1}, 0),
    "$xor": ({"Y": 0}, 0),
    REGISTER: ({"Q": 0}, 1),
}


def inputs(cell: dict[str, Any]) -> list[int]:
    """The data inputs of a one-bit cell."""
    pins = cell["connections"]
    return [pins[pin][0] for pin in ("a", "b", "c", "d", "ci", "A", "B", "D") if pin in pins]


def tree_netlist(folder: Path, plan: Plan, stages: int = 0) -> dict[str, Any]:
    """The emitted tree as Yosys reads it, leaf cells kept."""
    write_sources(
        folder, build_adder("tree", "", "sum", divided(plan, stages), role="tree").verilog()
    )
    flat = "blackbox cim_fa cim_ha cim_c42\nproc\nhierarchy -top tree\nflatten -noscopeinfo"
    steps = f"{flat}\nopt_dff\nsimplemap t:$dff*\nopt_clean"
    return netlist(folder, f"read_verilog {CELLS} trees.v\n{steps}")["tree"]


@pytest.mark.parametrize("tree", ["csa", "ripple", "csa42"])
@pytest.mark.parametrize(
    ("count", "width", "stages"), [(64, 8, 0), (64, 8, 3), (256, 4, 0), (1023, 1, 1)]
)
def test_wide_trees_sum_by_composition(tree, count, width, stages, tmp_path):
    """Proven adders use every bit once, in its place, behind as many registers: the sum.

    Only the top place may drop carries: multiples of a power of two above the largest sum.
    """
    plan = sum_plan(tree, count, width)
    module = tree_netlist(tmp_path, plan, stages)
    found = Composition(module, width)
    assert found.uses == Counter(found.place.keys())
    assert [found.place[bit] for bit in found.total] == list(range(len(plan.result)))
    assert {found.rank[bit] for bit in found.total} == {stages}
    types = Counter(cell["type"] for cell in found.cells)
    assert (types[REGISTER] > 0) == (stages > 0)
    if tree == "csa":
        assert types["cim_fa"] == count * width - len(plan.result)
        assert types["cim_ha"] <= len(plan.result)


@pytest.mark.parametrize(("count", "width"), [(64, 8), (37, 5), (1023, 1)])
def test_wide_behavioral_trees_sum_by_composition(count, width, tmp_path):
    """Each `+` takes two whole words, once each, and is wide enough for their largest values."""
    module = tree_netlist(tmp_path, sum_plan("behavioral", count, width))
    terms = module["ports"]["terms"]["bits"]
    largest = {tuple(terms[r * width : (r + 1) * width]): 2**width - 1 for r in range(count)}
    waiting = list(module["cells"].values())
    while waiting:
        later = []
        for cell in waiting:
            pins = cell["connections"]
            words = [tuple(bit for bit in pins[pin] if bit != "0") for pin in "AB"]
            if not all(word in largest for word in words):
                later.append(cell)
                continue
            assert cell["type"] == "$add"
            total = sum(largest.pop(word) for word in words)
            assert total < 2 ** len(pins["Y"])
            largest[tuple(pins["Y"])] = total
        assert len(later) < len(waiting), "a word is used twice, or only in part"
        waiting = later
    total = tuple(bit for bit in module["ports"]["total"]["bits"] if bit != "0")
    assert list(largest) == [total]
    assert largest[total] == count * (2**width - 1)


def test_a_negative_number_of_stages_is_refused():
    with pytest.raises(ValueError, match="ranks must be at least 0, not -1"):
        divided(sum_plan("csa", 3, 1), -1)
