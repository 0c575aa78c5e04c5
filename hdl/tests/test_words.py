"""Weights in RAM words: which word is read when, what a row's RAMs hold, what stays unused."""

from functools import cache

import pytest

from cimforge.hdl.cells.sram import Ram
from cimforge.hdl.macro.top import macro_modules
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.memory import MemoryShape
from cimforge.hdl.tests.sequencer_run import fired, random_run
from cimforge.hdl.tests.tools import icarus, needs_icarus

SEPARATE = MacroConfig(rows=5, cols=1, input_bits=2, banks=3, storage="sram")
SHARED = SEPARATE.model_copy(update={"sram_ports": "1rw_reg"})
PARALLEL = SHARED.model_copy(update={"bits_per_cycle": 2})
BOTH = pytest.mark.parametrize("config", [SEPARATE, SHARED, PARALLEL], ids=["1r1w", "1rw", "k2"])


@cache
def traces(config):
    """Traffic that is dense, stalled, and cut by resets."""
    runs = []
    for seed, (offer, take, reset) in enumerate([(0.9, 1, 0), (0.6, 0.5, 0), (0.8, 0.9, 0.03)]):
        offers = dict.fromkeys("xwr", offer)
        runs.append(random_run(config, 600, seed, offer=offers, take=take, reset=reset))
    return runs


@BOTH
def test_a_word_is_read_where_the_bank_is_another_or_was_written(config):
    """The reads that the docstring of BankEntry asks for, no more and no less, each of the bank of
    the pass that begins; and in no cycle both a read and a write of one port."""
    entered = kept = 0
    for trace in traces(config):
        held, bank, written, begun = None, None, None, False
        for cycle in trace:
            stalled = any(cycle[f"{s}_valid"] and not cycle[f"{s}_ready"] for s in "yq")
            begins = begun and not stalled and not cycle["rst"]
            exists = bank is not None and bank < config.banks
            assert cycle["read_words"] == (begins and exists and bank != held)
            if cycle["read_words"]:
                assert cycle["read_bank"] == bank
                assert not (config.shared_port and cycle["write_row"])
                held, entered = bank, entered + 1
            elif begins and exists:
                kept += 1
            if written is not None and not (config.shared_port and cycle["read_words"]):
                assert not (cycle["read_words"] and written == bank), "read and written at once"
                held = None if written == held else held
                written = None
            if fired(cycle, "w") and cycle["w_bank"] < config.banks:
                written = cycle["w_bank"]  # missing rows count, too
            if cycle["rst"]:
                held, begun = None, False
            elif begins:
                begun = False
            for stream in "xr":
                if fired(cycle, stream):
                    bank, begun = cycle[f"{stream}_bank"], True
    assert entered > 50
    assert kept > 10


@pytest.mark.parametrize("config", [SEPARATE, SHARED, PARALLEL], ids=["1r1w", "1rw", "k2"])
def test_an_accepted_row_is_written_once(config):
    """In the cycle after its acceptance, or, where its port reads in that one, in the next, in
    which nothing was accepted meanwhile; in a reset, too."""
    waited = 0
    for trace in traces(config):
        due = None
        for cycle in trace:
            wrote = (cycle["write_bank"], cycle["write_row"]) if cycle["write_row"] else None
            waits = config.shared_port and due is not None and cycle["read_words"]
            assert wrote == (None if waits else due)
            if waits:
                waited += 1
                assert not any(cycle[f"{stream}_ready"] for stream in "xwr")
                continue
            due = None
            if (
                fired(cycle, "w")
                and cycle["w_bank"] < config.banks
                and cycle["w_row"] < config.rows
            ):
                due = cycle["w_bank"], 1 << cycle["w_row"]
    assert waited > 5 or not config.shared_port


@BOTH
def test_a_missing_bank_has_no_word(config):
    for trace in traces(config):
        assert all(0 <= cycle["read_bank"] < config.banks for cycle in trace[10:])
        assert not all(cycle["bank_exists"] for cycle in trace)


BENCH = """
module bench;
  reg clk = 0, row = 0, read = 0;
  reg [1:0] write_bank = 0, read_bank = 0;
  reg [14:0] d;
  wire [14:0] q;
  {module} row_0 (.clk(clk), .row(row), .read(read), .write_bank(write_bank),
    .read_bank(read_bank), .d(d), .q(q));
  task edge_; begin #1 clk = 1; #1 clk = 0; end endtask
  integer i;
  initial begin
    for (i = 0; i < 3; i = i + 1) begin
      row = 1; write_bank = i; d = 15'h1111 * (i + 1); edge_;
    end
    row = 0;
    for (i = 2; i >= 0; i = i - 1) begin
      read = 1; read_bank = i; edge_;
      read = 0; read_bank = 0; edge_;
      $display("%h", q);
      row = 1; write_bank = i; d = 15'h7abc; edge_;
      row = 0; $display("%h", q);
    end
  end
endmodule
"""


@needs_icarus
@pytest.mark.parametrize("ports", ["1r1w", "1rw_reg"])
@pytest.mark.parametrize(("words", "bits"), [(3, 15), (16, 4), (5, 1), (64, 32)])
def test_a_row_keeps_its_words_whatever_the_rams_are(ports, words, bits, tmp_path):
    config = MacroConfig(
        **{"rows": 2, "cols": 5, "weight_bits": 3, "banks": 3, "storage": "sram"},
        **{"sram_words": words, "sram_bits": bits, "sram_ports": ports},
    )
    row = next(m for m in macro_modules(config) if m.kind == "memory_row")
    (tmp_path / "row.v").write_text(row.verilog() + Ram(config.module, config.memory).model())
    (tmp_path / "bench.v").write_text(BENCH.replace("{module}", row.name))
    printed = icarus(tmp_path, "bench.v", "row.v").split()
    assert printed == ["3333", "3333", "2222", "2222", "1111", "1111"]


def test_unused_words_and_bits_by_hand():
    """37 rows, 5 columns of 3 bits, 3 banks, in RAMs of 16 words of 4 bits: 15 bits take four."""
    shape = MemoryShape(16, 4, False, 37, 15, 3)
    assert shape.as_json() == {
        **{"words": 16, "bits": 4, "ports": "1r1w", "instances": 148, "per_row": 4},
        **{"total_bits": 148 * 64, "unused_words": 13, "unused_bits_per_word": 1},
        "unused_bits": 148 * 64 - 37 * 3 * 15,
    }
    assert [MemoryShape(words, 4, False, 1, 4, 1).address_bits for words in (1, 2, 3, 16, 17)] == [
        *(1, 1, 2, 4, 5),
    ]


def test_columns_select_no_bank():
    column = next(m for m in macro_modules(SEPARATE) if m.kind == "column")
    assert isinstance(column, Structure)
    assert "bank_select" not in column.ports
    assert column.ports["stored"].width == SEPARATE.rows * SEPARATE.weight_bits
