"""cimforge prove: its table and JSON, and a fault told in one line."""

from pathlib import Path

import pytest

from cimforge.flow.formal.adder_proof import AdderProof
from cimforge.flow.formal.tree_rules import Fault
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config_file import load_config

LIBRARIES = Path(__file__).parents[2] / "flow" / "tests"
SG13G2, SMALL = LIBRARIES / "data" / "sg13g2_typ.lib.gz", LIBRARIES / "small.lib"
NAME = load_config("tiny").module


def test_json_and_table(cimforge):
    done = cimforge("prove", "tiny", "-o", "out", "--json")
    assert (done.status, done.json["proven"], done.json["faults"]) == (0, True, [])
    assert done.json["adders"][f"{NAME}_tree"] == 28
    assert done.json["leaves"] == ["cim_fa", "cim_ha"]
    assert done.json["laws"] == {"cim_fa": "a + b + ci = s + 2 co", "cim_ha": "a + b = s + 2 co"}
    assert (done.json["broken"], done.json["mapped"]) == ([], None)
    assert done.json["whole"] == [f"{NAME}_plane_sum"]
    shown = cimforge("prove", "tiny", "-o", "out")
    assert "accumulate_sum" in shown.out


def test_a_fault_is_status_1(cimforge, monkeypatch):
    fault = Fault(f"{NAME}_tree", "used once", "fa3", "s1", "goes to fa3.a, fa3.b")
    proof = AdderProof({f"{NAME}_tree": 28}, {}, (), (fault,))
    monkeypatch.setattr("cimforge.scripts.prove.prove_adders", lambda *_: proof)
    done = cimforge("prove", "tiny", "-o", "out", "--json")
    assert (done.status, done.json["proven"]) == (1, False)
    (told,) = done.json["broken"]
    assert (told["cell"], told["bit"], told["rule"]) == ("fa3", "s1", "used once")
    assert done.messages == [
        f"FAILED {NAME}_tree: fa3, s1: goes to fa3.a, fa3.b (rule: used once)",
        f"cimforge: 1 faults in the adders of {NAME}",
    ]


def test_a_library_s_netlist_is_proven_too(cimforge):
    done = cimforge("prove", "tiny", "-o", "out", "--liberty", SG13G2, "--json")
    assert (done.status, done.json["proven"]) == (0, True)
    assert done.json["mapped"]["adders"][f"{NAME}_tree"] > 28 * 3  # gates, a full adder being none
    words = cimforge("prove", "tiny", "--set", "tree=behavioral", "-o", "words", "--liberty", SMALL)
    assert words.status == 0
    assert words.out.count("no: mapped freely") == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--liberty", "nowhere.lib"), "--liberty nowhere.lib: no such file"),
        (("--set", "rows=0"), "rows"),
    ],
)
def test_bad_input_is_refused(cimforge, folder, arguments, said):
    done = cimforge("prove", "tiny", "-o", "out", *arguments)
    assert (done.status, done.out, len(done.messages)) == (2, "", 1)
    assert said in done.messages[0]
    assert not list(folder.iterdir())


def test_verilog_that_yosys_refuses_is_status_1(cimforge, monkeypatch):
    def refuse(*_):
        raise YosysError("Yosys failed: no")

    monkeypatch.setattr("cimforge.scripts.prove.prove_adders", refuse)
    done = cimforge("prove", "tiny", "-o", "out", "--json")
    assert (done.status, done.json["proven"], done.json["failed"]) == (1, False, "Yosys failed: no")
    assert done.messages == ["cimforge: Yosys failed: no"]
