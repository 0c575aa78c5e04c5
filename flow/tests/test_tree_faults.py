"""Faults at every place of a tree's netlist, and random ones: what the checker lets pass adds."""

import copy
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from cimforge.flow.formal.emitted_design import read_design
from cimforge.flow.formal.leaf_laws import Leaves, Modules
from cimforge.flow.formal.netlist_graph import read_graph
from cimforge.flow.formal.tree_checker import check_module
from cimforge.flow.formal.tree_claims import Claim, macro_claims
from cimforge.flow.tests.tree_designs import DRAWN, SEED, write_macros
from cimforge.hdl.emit.outputs import CELLS
from cimforge.hdl.params.config import MacroConfig

MUTANTS = 50 * DRAWN  # of each style
LEAVES = ("cim_fa", "cim_ha", "cim_c42")
SHAPE = {"rows": 7, "cols": 1, "weight_bits": 3, "input_bits": 4, "bits_per_cycle": 2}
SMALL = {"rows": 5, "cols": 1, "weight_bits": 2, "input_bits": 1}
STYLES = ("csa", "ripple", "behavioral", "csa42")
BIG = {f"{t}-{n}": MacroConfig(**SHAPE, tree=t, tree_stages=n) for t in STYLES for n in (0, 2)}
KEPT = {"accumulate": "carry_save"}
BIG |= {f"kept-{n}": MacroConfig(**SHAPE, **KEPT, tree_stages=n, final_stages=n) for n in (0, 2)}
TINY = {tree: MacroConfig(**SMALL, tree=tree) for tree in STYLES}


@pytest.fixture(scope="module")
def modules(tmp_path_factory) -> Modules:
    """All macros of this file, read in one run of Yosys."""
    folder = tmp_path_factory.mktemp("faults")
    configs = [*BIG.values(), *TINY.values()]
    source = write_macros(folder, configs)
    claims = [claim for config in configs for claim in macro_claims(config)]
    tied = {claim.module: (claim.ties, claim.depth) for claim in claims}
    return read_design(folder, CELLS, [source], list(tied), tied)


Cells = dict[str, Any]
Plant = Callable[[Cells, str], Iterator[None]]


def rules(modules: Modules, claim: Claim, module: Any, leaves: Leaves) -> set[str]:
    """The rules that a changed module breaks."""
    graph = read_graph(claim.module, {**modules, claim.module: module}, leaves)
    return {fault.rule for fault in check_module(graph, claim)}


def input_pins(cell: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Pins and places at which a cell takes bits that are added."""
    ways = cell["port_directions"]
    pins = [pin for pin in cell["connections"] if ways[pin] == "input"]
    taken = [pin for pin in pins if pin not in ("CLK", "EN", "S")]
    return [(pin, i) for pin in taken for i in range(len(cell["connections"][pin]))]


def swapped_carry(cells: Cells, name: str) -> Iterator[None]:
    """The sum where the carry belongs, and two neighbours of a word."""
    pins = cells[name]["connections"]
    if cells[name]["type"] in LEAVES and "co" in pins:
        pins["s"], pins["co"] = pins["co"], pins["s"]
        yield
    elif cells[name]["type"] == "$add":
        pins["Y"][0], pins["Y"][1] = pins["Y"][1], pins["Y"][0]
        yield


def dropped_bit(cells: Cells, name: str) -> Iterator[None]:
    """A constant in place of each bit."""
    for pin, place in input_pins(cells[name]):
        word = cells[name]["connections"][pin]
        if cells[name]["type"] not in ("$mux", "$dff") and word[place] != "0":
            before, word[place] = word[place], "0"
            yield
            word[place] = before


def used_twice(cells: Cells, name: str) -> Iterator[None]:
    """Each bit in place of the one before it in its cell."""
    if cells[name]["type"] in ("$mux", "$dff"):
        return
    pins = cells[name]["connections"]
    places = [(p, i) for p, i in input_pins(cells[name]) if pins[p][i] != "0"]
    for (pin, place), (other, there) in pairwise(places):
        before, pins[pin][place] = pins[pin][place], pins[other][there]
        yield
        pins[pin][place] = before


def missing_register(cells: Cells, name: str) -> Iterator[None]:
    """A wire in place of a register."""
    if cells[name]["type"] != "$dff":
        return
    pins = cells.pop(name)["connections"]
    mux = next(n for n, c in cells.items() if c["connections"].get("Y") == pins["D"])
    source = cells.pop(mux)["connections"]["B"]
    for cell in cells.values():
        for bits in cell["connections"].values():
            bits[:] = [source[0] if bit == pins["Q"][0] else bit for bit in bits]
    yield


def wrong_cell(cells: Cells, name: str) -> Iterator[None]:
    """Another cell with the same pins, or with as many of them as it has."""
    cell = cells[name]
    if cell["type"] == "cim_fa":
        cell["type"] = "cim_ha"
        del cell["connections"]["ci"]
    elif cell["type"] == "cim_c42":
        cell["type"] = "cim_fa"
        del cell["connections"]["c"], cell["connections"]["d"], cell["connections"]["cout"]
    elif cell["type"] == "cim_ha":
        cell["type"] = "cim_fa"
        cell["connections"]["ci"], cell["port_directions"]["ci"] = ["1"], "input"
    elif cell["type"] in ("$add", "$xor"):
        cell["type"] = {"$add": "$sub", "$xor": "$or"}[cell["type"]]
    else:
        return
    yield


PLANTS = (swapped_carry, dropped_bit, used_twice, missing_register, wrong_cell)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_every_place_of_a_fault_is_noticed(plant: Plant, modules):
    leaves, planted = Leaves(modules), Counter()
    for style, config in BIG.items():
        for claim in macro_claims(config):
            for name in modules[claim.module]["cells"]:
                module = copy.deepcopy(modules[claim.module])
                for _ in plant(module["cells"], name):
                    planted[style] += 1
                    if not rules(modules, claim, module, leaves):  # a carry that is never 1
                        assert plant is dropped_bit or claim.modular, (style, name)
                        assert adds(module, claim), (style, name, claim.module)
    wanted = {style for style in BIG if plant is not missing_register or "-2" in style}
    assert planted.keys() == wanted
    assert min(planted.values()) >= 3


def patterns(claim: Claim) -> np.ndarray:
    """Up to 2^10 patterns of the operands, one a row: all of them, or drawn ones."""
    bits = claim.input_bits
    if bits <= 10:
        return np.arange(1 << bits)[:, None] >> np.arange(bits) & 1
    drawn = np.random.default_rng(SEED).integers(0, 2, (1 << 10, bits))
    drawn[0], drawn[1] = 0, 1
    return drawn


def adds(module: Any, claim: Claim) -> bool:
    """Whether the module's result is its claim's sum for those patterns, its registers wires."""
    terms = patterns(claim)
    weights = [1 << word.shift + i for word in claim.words for i in range(word.width)]
    found, wanted = evaluate(module, terms, claim.result), terms @ np.array(weights)
    if claim.modular:
        found, wanted = (
            sums if sums is None else sums % (1 << claim.total_bits) for sums in (found, wanted)
        )
    return found is not None and bool((found == wanted).all())


def evaluate(module: Any, terms: np.ndarray, places: Sequence[int]) -> np.ndarray | None:
    """Values at ``total``, its bits at these places, cell by cell as Verilog has them; None where a
    loop or an open net leaves a bit undefined."""
    zero = np.zeros(len(terms), dtype=np.int64)
    value = {"0": zero, "1": zero + 1}
    value |= dict(zip(module["ports"]["terms"]["bits"], terms.T, strict=True))
    waiting = list(module["cells"].values())
    while waiting:
        later = [cell for cell in waiting if not settle(cell, value)]
        if len(later) == len(waiting):
            break
        waiting = later
    total = module["ports"]["total"]["bits"]
    if any(bit not in value for bit in total):
        return None
    return sum((value[bit] << place for place, bit in zip(places, total, strict=True)), zero)


def settle(cell: Any, value: dict[Any, np.ndarray]) -> bool:
    """Work out a cell whose inputs are known."""
    pins, kind = cell["connections"], cell["type"]
    inputs = {"$mux": "B", "$dff": "D", "$dffe": "D"}.get(kind, [p for p, _ in input_pins(cell)])
    taken = [bit for pin in dict.fromkeys(inputs) for bit in pins[pin]]
    if any(bit not in value for bit in taken):
        return False
    if kind == "cim_c42":
        first, rest = (sum(value[pins[pin][0]] for pin in group) for group in ("abc", ("d", "ci")))
        value |= {pins["cout"][0]: first >> 1}
        made, outputs = (first & 1) + rest, [*pins["s"], *pins["co"]]
    elif kind in LEAVES:
        made, outputs = sum(value[bit] for bit in taken), [*pins["s"], *pins["co"]]
    elif kind in ("$mux", "$dff", "$dffe"):
        made, outputs = value[taken[0]], pins["Y" if kind == "$mux" else "Q"]
    elif "cim_driver" in kind:
        return True
    else:
        a, b = (sum(value[bit] << i for i, bit in enumerate(pins[pin])) for pin in "AB")
        made, outputs = {"$add": a + b, "$xor": a ^ b, "$or": a | b, "$sub": a - b}[kind], pins["Y"]
    value |= {bit: made >> place & 1 for place, bit in enumerate(outputs)}
    return True


def rewired(module: Any, rng: random.Random) -> Any:
    """A copy in which one or two pins take other nets, or two outputs are exchanged."""
    module = copy.deepcopy(module)
    cells = list(module["cells"].values())
    nets = sorted({b for c in cells for bits in c["connections"].values() for b in bits}, key=str)
    pins = [(c["connections"][p], i) for c in cells for p, i in input_pins(c)]
    outputs = [
        (bits, i)
        for c in cells
        for p, bits in c["connections"].items()
        if c["port_directions"][p] == "output"
        for i in range(len(bits))
    ]
    total = module["ports"]["total"]["bits"]
    outputs += [(total, place) for place in range(len(total))]
    kind = rng.choice(["exchange inputs", "exchange inputs", "exchange outputs", "replace"])
    if kind == "replace":
        word, place = rng.choice(pins)
        word[place] = rng.choice(nets)
        return module
    (a, i), (b, j) = rng.sample(pins if kind == "exchange inputs" else outputs, 2)
    a[i], b[j] = b[j], a[i]
    return module


@pytest.mark.parametrize("style", STYLES)
def test_what_passes_adds(style, modules):
    """A random change that the checker lets pass leaves the sum as it was, on every pattern."""
    claim, *_ = macro_claims(TINY[style])
    leaves, rng = Leaves(modules), random.Random(SEED)
    verdicts: Counter = Counter()
    for _ in range(MUTANTS):
        module = rewired(modules[claim.module], rng)
        passed = not rules(modules, claim, module, leaves)
        verdicts[passed, adds(module, claim)] += 1
        assert not verdicts[True, False], module["cells"]
    print(f"seed {SEED}, {style}: {dict(verdicts)} of (passed, adds)")
    assert verdicts[True, True] > MUTANTS / 20
    assert verdicts[False, False] > MUTANTS / 2
