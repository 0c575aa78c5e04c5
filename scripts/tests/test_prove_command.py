"""cimforge prove: its table and JSON, and a fault told in one line."""

from cimforge.flow.formal.adder_graph import Fault
from cimforge.flow.formal.adder_proof import AdderProof
from cimforge.hdl.params.config_file import load_config

NAME = load_config("tiny").module


def test_json_and_table(cimforge):
    done = cimforge("prove", "tiny", "-o", "out", "--json")
    assert (done.status, done.json["proven"], done.json["faults"]) == (0, True, [])
    assert done.json["adders"][f"{NAME}_tree"] == 28
    assert done.json["leaves"] == ["cim_fa", "cim_ha"]
    assert done.json["whole"] == [f"{NAME}_popcount"]
    shown = cimforge("prove", "tiny", "-o", "out")
    assert "accumulate_sum" in shown.out


def test_a_fault_is_status_1(cimforge, monkeypatch):
    fault = Fault(f"{NAME}_tree", "fa3", "s1", "is used 2 times")
    proof = AdderProof({f"{NAME}_tree": 28}, ("cim_fa",), (), (fault,))
    monkeypatch.setattr("cimforge.scripts.prove.prove_adders", lambda *_: proof)
    done = cimforge("prove", "tiny", "-o", "out", "--json")
    assert (done.status, done.json["proven"]) == (1, False)
    assert done.messages == [
        f"FAILED {NAME}_tree: fa3 s1: is used 2 times",
        f"cimforge: 1 faults in the adders of {NAME}",
    ]
