"""Rules of the buses in front of an engine, each front end's proven by k-induction on its emitted
Verilog; mutants say whether the proofs can fail."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from cimforge.hdl.bus.apb_slave import ApbSlave
from cimforge.hdl.bus.axi4_master import Axi4Master
from cimforge.hdl.bus.axi4lite_slave import Axi4LiteSlave
from cimforge.hdl.bus.axi_streams import AxiStreamIn, AxiStreamOut
from cimforge.hdl.bus.wishbone_master import WishboneMaster
from cimforge.hdl.bus.wishbone_registers import WishboneRegisterSlave
from cimforge.hdl.netlist.block import Block
from cimforge.hdl.tests.bus_proof import refuted, replaced
from cimforge.hdl.tests.front_proof import PROVEN, prove_front

DEPTH = 3
ADDRESS_BITS = 5  # of registers: one above the low two is as good as any
CYCLES = {"prompt": (0, 1), "slow": (0, 4), "patient": (3, 2)}  # patience, of an answer at most
KEPT = ("aw_full_q", "w_full_q", "ar_full_q", "awaddr_q", "araddr_q", "wstrb_q")
SLAVES = {
    "axi4lite": (Axi4LiteSlave, "axi4lite_rules.sv", (*KEPT, "reading_q", "wrote_q")),
    "apb": (ApbSlave, "apb_rules.sv", ()),
    "wishbone": (WishboneRegisterSlave, "wishbone_front_rules.sv", ("ack_q", "err_q")),
}
WORDS = ("failed_q", "left_q", "words_spare_full_q", "words_spare_q")
MASTERS = {
    "axi4": (Axi4Master, "axi4_rules.sv", ("ahead_q",)),
    "wishbone": (WishboneMaster, "wishbone_master_rules.sv", WORDS),
}
STREAMS = {"in": (AxiStreamIn, "axis", "beats"), "out": (AxiStreamOut, "beats", "axis")}
LINES = {
    "axis": {"VALID": "tvalid", "READY": "tready", "DATA": "tdata", "STROBE": "tkeep"},
    "beats": {"VALID": "valid", "READY": "ready", "DATA": "data", "STROBE": "strobe"},
}
Edit = Callable[[str], str]


@cache
def made(kind: type[Block], *parameters: int) -> Block:
    """A front end, one for all proofs of it."""
    return kind("front", *parameters)


def same(text: str) -> str:
    """The front end as it is."""
    return text


def slave_proof(
    name: str,
    folder: Path,
    edit: Edit = same,
    *,
    cycles: str = "patient",
    depth: int = DEPTH,
    **marks: int,
) -> str:
    """What the proof says of a front end of registers."""
    kind, rules, inside = SLAVES[name]
    patience, answer = CYCLES[cycles]
    facts = {
        "ADR": ADDRESS_BITS,
        "P": patience,
        "N": answer,
        "LONGEST": 2 * (patience + answer) + 2,
    }
    facts |= {"WAITED": max(1, patience.bit_length()), "HAS_WAITED": int(patience > 0), **marks}
    seen = (*inside, *(["waited_q"] if patience else []))
    front = made(kind, ADDRESS_BITS, patience)
    return prove_front(front, rules, folder, edit, depth=depth, inside=seen, marks=facts)


def master_proof(name: str, folder: Path, edit: Edit = same, data_bits: int = 32) -> str:
    """What the proof says of a front end of memory."""
    kind, rules, inside = MASTERS[name]
    front = made(kind, 16, data_bits)
    marks = {"ADR": 16, "DATA": data_bits}
    return prove_front(front, rules, folder, edit, depth=DEPTH, inside=inside, marks=marks)


def stream_proof(name: str, folder: Path, edit: Edit = same) -> str:
    """What the proof says of a front end of a stream."""
    kind, given, taken = STREAMS[name]
    marks: dict[str, object] = {"DATA": 32}
    for side, stream in (("GIVEN", given), ("TAKEN", taken)):
        lines = LINES[stream] | {"LAST": "tlast" if stream == "axis" else "last"}
        marks |= {f"{side}_{mark}": f"{stream}_{line}" for mark, line in lines.items()}
    inside = ("buffer_spare_full_q", "buffer_spare_q")
    front = made(kind, 32)
    return prove_front(
        front, "stream_rules.sv", folder, edit, depth=DEPTH, inside=inside, marks=marks
    )


@pytest.mark.parametrize(
    ("name", "cycles"),
    [
        *((name, cycles) for name in SLAVES for cycles in ("slow", "patient")),
        ("axi4lite", "prompt"),
    ],
)
def test_a_slave_keeps_the_rules_of_its_bus(name, cycles, tmp_path):
    said = slave_proof(name, tmp_path, cycles=cycles)
    assert PROVEN in said, said[-2000:]


@pytest.mark.parametrize("data_bits", [32, 128])
@pytest.mark.parametrize("name", MASTERS)
def test_a_master_keeps_the_rules_of_its_bus(name, data_bits, tmp_path):
    said = master_proof(name, tmp_path, data_bits=data_bits)
    assert PROVEN in said, said[-2000:]


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_keeps_every_beat(name, tmp_path):
    said = stream_proof(name, tmp_path)
    assert PROVEN in said, said[-2000:]


def test_no_shorter_bound_holds(tmp_path):
    """The longest wait that Axi4LiteSlave states is one that happens."""
    said = slave_proof("axi4lite", tmp_path, cycles="prompt", depth=10, LONGEST=2 * (0 + 1) + 1)
    assert "DONE (FAIL" in said, said[-2000:]


SLAVE_MUTANTS = {
    "takes partial writes": ("axi4lite", r"= & wstrb_q", "= 1'b1"),
    "looks at one low bit": ("axi4lite", r"(\| n_\d+\[)1:0", r"\g<1>0:0"),
    "forgets a response that is not taken": (
        "axi4lite",
        r"axil_bready \? 1'h0 : axil_bvalid",
        "1'b0",
    ),
    "writes over a word that waits": ("axi4lite", r"axil_wvalid & n_\d+", "axil_wvalid"),
    "always reads first": ("axi4lite", r"= may_read & wrote_q", "= may_read"),
    "gives up a cycle early": ("axi4lite", r"waited_q == 2'h3", "waited_q == 2'h2"),
    "is never ready": ("apb", r"(assign n_\d+ = rst \? 1'h0 :) done;", r"\1 1'h0;"),
    "asks in the setup phase": ("apb", r"apb_psel & apb_penable", "apb_psel"),
    "hands refused accesses on": ("apb", r"= ~ refused", "= 1'b1"),
    "answers where nothing is asked": ("wishbone", r"n_\d+ & wb_stb", "n_0 | ack_q"),
    "takes errors for answers": ("wishbone", r"(done &) error", r"\1 refused"),
}


@pytest.mark.parametrize(("name", "old", "new"), SLAVE_MUTANTS.values(), ids=SLAVE_MUTANTS)
def test_a_proof_notices_a_slave_that(name, old, new, tmp_path):
    said = slave_proof(name, tmp_path, replaced(old, new))
    assert refuted(said), said[-2000:]


MASTER_MUTANTS = {
    "offers words before their address": ("axi4", r"= \| ahead_q", "= 1'b1"),
    "forgets an address that is not taken": ("axi4", r"= n_\d+ \| axi_awready", "= 1'b1"),
    "counts too many bursts": ("axi4", r"ahead_q != 2'h3", "1'b1"),
    "waits for the slave": (
        "axi4",
        r"memory_read_valid & memory_read_ready",
        "axi_arready & memory_read_valid",
    ),
    "drops stb while it waits": ("wishbone", r"wb_cyc & n_\d+", "wb_cyc & ~wb_ack"),
    "keeps the bus between bursts": ("wishbone", r"ended \? 1'h0 : wb_cyc", "wb_cyc"),
    "counts addresses by words": ("wishbone", r"wb_adr\[11:2\] \+ 1'h1", "wb_adr[11:2] + 2'h2"),
    "ends at an error": (
        "wishbone",
        r"= answered & given__last",
        "= answered & (given__last | wb_err)",
    ),
    "forgets errors of words": ("wishbone", r"(\w+ \? 1'h0 :) n_28", r"\1 1'h0"),
    "overruns its registers": (
        "wishbone",
        r"wb_we \? memory_write_data_valid : given__ready",
        "1'b1",
    ),
    "always writes first": ("wishbone", r"wb_we \| n_\d+", "~may_write"),
}


@pytest.mark.parametrize(("name", "old", "new"), MASTER_MUTANTS.values(), ids=MASTER_MUTANTS)
def test_a_proof_notices_a_master_that(name, old, new, tmp_path):
    said = master_proof(name, tmp_path, replaced(old, new))
    assert refuted(said), said[-2000:]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"(assign \w+ready = )~ buffer_spare_full_q", r"\g<1>1'b1"),
        (r"buffer_spare_full_q \? buffer_spare_q : \{", "1'b0 ? buffer_spare_q : {"),
    ],
    ids=["takes a third beat", "drops the second beat"],
)
def test_a_proof_notices_a_stream_that(old, new, tmp_path):
    said = stream_proof("in", tmp_path, replaced(old, new))
    assert refuted(said), said[-2000:]
