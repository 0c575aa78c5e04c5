"""The proof on a library's netlist: adders mapped to its cells, or built of its gates, still add;
faults in the netlist are found."""

import copy
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from cimforge.flow.formal.adder_proof import prove_adders
from cimforge.flow.formal.mapped_graph import mapped_graph
from cimforge.flow.formal.mapped_proof import prove_mapped
from cimforge.flow.formal.tree_checker import check_module
from cimforge.flow.formal.tree_claims import macro_claims, negated_claims
from cimforge.flow.liberty.library import Library, read_library
from cimforge.flow.tests.test_leaf_cells import SG13G2, SHARED, with_compressor
from cimforge.flow.tests.tree_designs import DRAWN
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config_file import load_config

CONFIGS = {
    "ranks": ["rows=11", "tree_stages=2", "bits_per_cycle=2"],
    "pairs": ["rows=5", "group=2", "bits_per_cycle=2"],
    "kept": ["rows=5", "bits_per_cycle=2", "tree_stages=1", "accumulate=carry_save"],
    "digits": ["rows=5", "multiply=booth", "bits_per_cycle=2", "tree_stages=1"],
    "few registers": ["rows=3", "weight_bits=1", "tree_stages=1"],
    "ripple, latches": ["tree=ripple", "tree_stages=1", "storage=latch", "cols=1"],
}
LIBRARIES = {
    "small": Path(__file__).parent / "small.lib",
    "sg13g2": SG13G2,
    "nangate45": SHARED / "nangate45_typ.lib.gz",
    "sky130hd": SHARED / "sky130hd_tt.lib.gz",
}
# Each library's own way: half adders, gates of free polarity, clock gates, flip-flops with enable.
PAIRS = [
    *(("small", "few registers"), ("sg13g2", "ranks"), ("sg13g2", "ripple, latches")),
    *(("nangate45", "ranks"), ("sky130hd", "few registers"), ("sg13g2", "pairs")),
    *(("small", "kept"), ("nangate45", "kept"), ("sky130hd", "kept"), ("sg13g2", "kept")),
    *(("sg13g2", "digits"), ("nangate45", "digits")),
]
ALL = [(library, name) for library in LIBRARIES for name in CONFIGS]


@cache
def library_of(name: str) -> Library:
    """A library, or a skip where it is not on this machine."""
    if not LIBRARIES[name].exists():
        pytest.skip(f"{LIBRARIES[name].name} is not here (development data)")
    return read_library(LIBRARIES[name])


@pytest.mark.parametrize(("library", "name"), ALL if len(ALL) < DRAWN else PAIRS)
def test_mapped_adders_are_proven(library, name, tmp_path):
    config = load_config("tiny", CONFIGS[name])
    emit_macro(config, tmp_path)
    words = prove_adders(config, tmp_path).words if config.carry_save else ()
    proof = prove_mapped(config, tmp_path, library_of(library), words)
    assert [str(fault) for fault in proof.faults] == []
    assert len(proof.adders) == (4 if config.pairs or config.carry_save else 3) - len(words)


@pytest.mark.parametrize("library", ["small", "more", "sg13g2"])
def test_mapped_compressors_are_proven(library, tmp_path):
    """As a cell of its own, as two full adders, as gates of free polarity."""
    config = load_config("tiny", ["tree=csa42", "rows=11", "tree_stages=1"])
    emit_macro(config, tmp_path)
    more = library == "more"
    cells = read_library(with_compressor(tmp_path)) if more else library_of(library)
    proof = prove_mapped(config, tmp_path, cells)
    assert [str(fault) for fault in proof.faults] == []
    (netlist,) = Path(tmp_path / "synth").glob("*/netlist.v")
    assert ("SUM5 " in netlist.read_text()) == more


def test_trees_with_final_adders_are_left_to_the_mapper(tmp_path):
    config = load_config("tiny", ["rows=40", "final_adder=prefix"])
    emit_macro(config, tmp_path)
    words = prove_adders(config, tmp_path).words
    assert {name.removeprefix(config.module) for name in words} == {"_tree", "_accumulate_sum"}
    proof = prove_mapped(config, tmp_path, library_of("small"), words)
    assert not proof.faults
    assert list(proof.adders) == [f"{config.module}_plane_sum"]


@pytest.fixture(scope="module")
def netlist(tmp_path_factory):
    """A tree of SG13G2's gates with registers: claim, module, library."""
    config = load_config("tiny", ["rows=5", "weight_bits=2", "tree_stages=2"])
    folder, library = tmp_path_factory.mktemp("mapped"), library_of("sg13g2")
    emit_macro(config, folder)
    prove_mapped(config, folder, library)
    (found,) = Path(folder / "synth").glob("*/netlist.json")
    claim, *_ = macro_claims(config)
    return claim, json.loads(found.read_text())["modules"][claim.module], library


def of_type(module, part: str, place: int = 0) -> dict:
    """The pins of a cell whose type holds ``part``."""
    return [c for c in module["cells"].values() if part in c["type"]][place]["connections"]


def swap_outputs(module) -> None:
    """The sum of an adder where its carry belongs."""
    cells = module["cells"]
    name = next(n.split(".")[0] for n in cells if n.endswith(".sum"))
    first, second = cells[f"{name}.sum"]["connections"], cells[f"{name}.carry"]["connections"]
    (one,) = (pin for pin in first if pin in ("X", "Y"))
    first[one], second["Y"] = second["Y"], first[one]


def replace_type(old: str, new: str) -> Callable:
    """Another cell with the same pins."""

    def plant(module) -> None:
        cell = next(c for c in module["cells"].values() if old in c["type"])
        cell["type"] = cell["type"].replace(old, new)

    return plant


def tie(part: str, pin: str, value: str) -> Callable:
    """A constant at a pin."""
    return lambda module: of_type(module, part).__setitem__(pin, [value])


def bypass_register(module) -> None:
    """The data of a flip-flop in place of its state."""
    result = module["ports"]["total"]["bits"]
    registers = {n: c["connections"] for n, c in module["cells"].items() if "dfrbp" in c["type"]}
    name, pins = next((n, p) for n, p in registers.items() if p["Q"][0] not in result)
    del module["cells"][name]
    for cell in module["cells"].values():
        for bits in cell["connections"].values():
            bits[:] = [pins["D"][0] if bit == pins["Q"][0] else bit for bit in bits]


FAULTS = {
    "swapped carry weight": (swap_outputs, {"weight", "cell", "driven"}),
    "dropped bit": (tie("xor2", "A", "0"), {"dropped", "cell"}),
    "wrong polarity": (replace_type("xnor2", "nand2"), {"cell", "weight"}),
    "wrong gate": (replace_type("a22oi", "o22ai"), {"cell"}),
    "missing register": (bypass_register, {"depth"}),
    "register cleared": (tie("dfrbp", "RESET_B", "0"), {"cell"}),
    "gate of another enable": (tie("dlhrq", "D", "1"), {"cell", "register"}),
    "unknown cell": (replace_type("nor2", "nor9"), {"cell"}),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_the_netlist_is_found(name, netlist):
    claim, module, library = netlist
    assert check_module(mapped_graph(claim.module, module, library), claim) == []
    plant, rules = FAULTS[name]
    broken = copy.deepcopy(module)
    plant(broken)
    found = {f.rule for f in check_module(mapped_graph(claim.module, broken, library), claim)}
    assert found & rules, found


def test_a_sign_plane_that_is_not_negated_is_found(tmp_path):
    """Where negate is high alone, on the mapped netlist; a port tied to the other value is as
    well."""
    config, library = load_config("tiny", CONFIGS["kept"]), library_of("small")
    emit_macro(config, tmp_path)
    prove_mapped(config, tmp_path, library, prove_adders(config, tmp_path).words)
    (found,) = Path(tmp_path / "synth").glob("*/netlist.json")
    plain, negated = macro_claims(config)[0], negated_claims(config)[0]
    module = json.loads(found.read_text())["modules"][plain.module]

    def rules(changed, claim, ties) -> set[str]:
        graph = mapped_graph(claim.module, changed, library, ties)
        return {fault.rule for fault in check_module(graph, claim)}

    assert not rules(module, plain, plain.ties) | rules(module, negated, negated.ties)
    assert rules(module, plain, [("negate", 1)])
    broken = copy.deepcopy(module)
    flips = [c for c in broken["cells"].values() if c["type"] in ("DIFFER", "ALIKE")]
    assert flips
    flips[0]["type"] = {"DIFFER": "ALIKE", "ALIKE": "DIFFER"}[flips[0]["type"]]
    assert rules(broken, plain, plain.ties)
    assert rules(broken, negated, negated.ties)
