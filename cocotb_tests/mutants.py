"""Mutants: breaks the emitted Verilog in many ways and checks that the regression notices each.

``python -m cimforge.cocotb_tests.mutants [--count N] [--seed S]`` breaks small configurations of
every style in every way that applies to them (or draws N of those), runs the regression on each and
prints killed/total. A survivor fails (exit status 1): either the tests have a gap or the edit
changes nothing, and then it should not be listed.
"""

import argparse
import random
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from cimforge.cocotb_tests.regression import run_regression
from cimforge.flow.simulate.simulator import BuildError, Design
from cimforge.flow.worker_pool import WorkerPool
from cimforge.hdl.emit.package import CELLS, emit_macro
from cimforge.hdl.params.config import MacroConfig

__all__ = ["CONFIGS", "MUTANTS", "Mutant", "main"]

CONFIGS = (
    MacroConfig(rows=8, cols=4, weight_bits=4, input_bits=4),
    MacroConfig(
        rows=6,
        cols=3,
        weight_bits=3,
        input_bits=6,
        bits_per_cycle=3,
        banks=3,
        storage="latch",
        tree_stages=2,
    ),
    MacroConfig(
        rows=5,
        cols=2,
        weight_bits=4,
        input_bits=4,
        bits_per_cycle=2,
        banks=2,
        tree="ripple",
        features=["zero_skip"],
    ),
    MacroConfig(rows=7, cols=2, weight_bits=3, input_bits=4, tree="approx2", tree_stages=1),
    MacroConfig(
        **{"rows": 5, "cols": 2, "weight_bits": 3, "input_bits": 4, "bits_per_cycle": 2},
        **{"banks": 2, "storage": "latch", "group": 2, "tree_stages": 1},
    ),
    MacroConfig(
        **{"rows": 6, "cols": 3, "weight_bits": 3, "input_bits": 4, "bits_per_cycle": 4},
        **{"banks": 3, "storage": "sram", "sram_words": 16, "sram_bits": 4},
        sram_ports="1rw_reg",
    ),
    MacroConfig(
        rows=6,
        cols=3,
        weight_bits=1,
        input_bits=1,
        banks=2,
        multiply="xnor",
        storage="latch",
        tree_stages=1,
    ),
    MacroConfig(
        **{"rows": 5, "cols": 2, "weight_bits": 3, "input_bits": 4, "bits_per_cycle": 2},
        **{"banks": 2, "group": 2, "tree_stages": 1, "accumulate": "carry_save"},
        final_stages=1,
    ),
    MacroConfig(
        **{"rows": 5, "cols": 2, "weight_bits": 4, "input_bits": 4, "bits_per_cycle": 2},
        **{"banks": 2, "storage": "latch", "slice_bits": 1, "tree_stages": 1},
    ),
    MacroConfig(
        **{"rows": 5, "cols": 2, "weight_bits": 3, "input_bits": 8, "bits_per_cycle": 4},
        **{"banks": 3, "storage": "sram", "multiply": "booth", "features": ["zero_skip"]},
    ),
    MacroConfig(
        **{"rows": 3, "cols": 1, "weight_bits": 4, "input_bits": 4, "bits_per_cycle": 2},
        **{"banks": 2, "storage": "latch", "slice_bits": 2, "multiply": "booth"},
    ),
    MacroConfig(
        **{"rows": 5, "cols": 2, "weight_bits": 3, "input_bits": 4, "bits_per_cycle": 2},
        **{"banks": 2, "storage": "setclear", "tree_stages": 1},
    ),
    MacroConfig(
        **{"rows": 7, "cols": 2, "weight_bits": 3, "input_bits": 4, "bits_per_cycle": 2},
        **{"banks": 3, "storage": "lutram", "tree": "behavioral", "tree_stages": 1},
    ),
    MacroConfig(
        **{"rows": 7, "cols": 3, "weight_bits": 3, "input_bits": 4, "banks": 3},
        **{"storage": "bram", "ram": "ice40", "group": 5, "features": ["zero_skip"]},
    ),
    MacroConfig(
        **{"rows": 6, "cols": 2, "weight_bits": 3, "input_bits": 4, "bits_per_cycle": 2},
        **{"storage": "bram", "ram": "gowin", "group": 5, "tree_stages": 1},
        **{"accumulate": "carry_save", "final_stages": 1},
    ),
    MacroConfig(
        **{"rows": 6, "cols": 2, "weight_bits": 3, "input_bits": 2, "banks": 2},
        **{"storage": "hybrid", "group": 5, "ram_cols": 1, "tree": "behavioral"},
        tree_stages="auto",
    ),
)

Edit = Callable[
    [str, str], str
]  # (text of the file, macro name) -> edited text, unchanged where it does not apply


@dataclass(frozen=True)
class Mutant:
    """One way to break a macro: ``edit`` changes the leaf cells' file or the macro's."""

    name: str
    edit: Edit
    leaf: bool = False
    min_banks: int = 1  # with fewer banks the edit changes nothing that matters
    binary: bool = False  # of macros of -1 and 1 alone: elsewhere the edit may change nothing


def _text(old: str, new: str) -> Edit:
    """Replace a piece of text."""
    return lambda text, name: text.replace(old, new)


def _pin(module: str, port: str, new: str, instances: str = r"\w+") -> Edit:
    """Connect ``port`` of the instances of a module otherwise; ``{old}`` stands for its
    connection."""

    def edit(text: str, name: str) -> str:
        def change(line: re.Match) -> str:
            return re.sub(
                rf"\.{port}\(([^()]*(?:\([^()]*\))?[^()]*)\)",
                lambda pin: f".{port}({new.replace('{old}', pin[1])})",
                line[0],
            )

        return re.sub(rf"^  {name}_{module} {instances} \(\..*$", change, text, flags=re.M)

    return edit


def _swap(module: str, port: str, first: str, second: str) -> Edit:
    """Exchange the connections of ``port`` between two instances of a module."""

    def edit(text: str, name: str) -> str:
        spans = []
        for instance in (first, second):
            line = rf"^  {name}_{module} {instance} \(.*?\.{port}\(([^()]*)\)"
            spans += [match.span(1) for match in re.finditer(line, text, re.M)]
        if len(spans) != 2:
            return text
        a, b = spans
        return text[: a[0]] + text[slice(*b)] + text[a[1] : b[0]] + text[slice(*a)] + text[b[1] :]

    return edit


def _assign(module: str, net: str, new: str) -> Edit:
    """Drive a net of one module by another expression; ``{old}`` stands for the present one."""

    def edit(text: str, name: str) -> str:
        def change(body: re.Match) -> str:
            return re.sub(
                rf"^  assign {net} = (.*);$",
                lambda line: f"  assign {net} = {new.replace('{old}', line[1])};",
                body[0],
                flags=re.M,
            )

        return re.sub(
            rf"^module {name}_{module} ?\(.*?^endmodule$", change, text, flags=re.M | re.S
        )

    return edit


def _tree(pattern: str, new: str) -> Edit:
    """Replace what matches in the assignments of the trees."""

    def edit(text: str, name: str) -> str:
        return re.sub(
            rf"^module {name}_tree \(.*?^endmodule$",
            lambda body: re.sub(rf"(?m)^(  assign s\d+ = ){pattern};$", rf"\g<1>{new};", body[0]),
            text,
            flags=re.M | re.S,
        )

    return edit


def _last_carry(new: str) -> Edit:
    """Replace the carry that the last segment of the adder behind kept words takes."""

    def edit(text: str, name: str) -> str:
        line = rf"^(  {name}_result_sum_\d+_1_final \w+ \(\.terms\(\{{)\w+, "
        return re.sub(line, rf"\g<1>{new}, ", text, flags=re.M)

    return edit


def _pattern(pattern: str, new: str) -> Edit:
    """Replace what matches anywhere."""
    return lambda text, name: re.sub(pattern, new, text)


def _integers(edit: Edit) -> Edit:
    """The edit where numbers have precisions and signs: bits that stand for -1 and 1 ignore
    them."""
    return lambda text, name: text if ".x_rows(" in text else edit(text, name)


def _cycles(edit: Edit) -> Edit:
    """The edit where a pass takes several cycles."""
    return lambda text, name: edit(text, name) if ".following(" in text else text


def _digits(edit: Edit) -> Edit:
    """The edit where planes make digits, k = 4."""
    return lambda text, name: edit(text, name) if f"module {name}_digit_sum" in text else text


def _set_clear(edit: Edit) -> Edit:
    """The edit where weights are in set-clear latches: other macros share their leaves' file."""
    return lambda text, name: edit(text, name) if "_setclear_" in name else text


def _turn(selects: str) -> Edit:
    """Select the planes of the vector offered, or else of a row, by another expression."""
    return _assign("sequencer", "x_turn", selects)


def _gate(kind: str, enable: str) -> Edit:
    """Drive the enable of the clock gates that clear, or set, a row otherwise."""
    return _pattern(rf"(cim_clkgate {kind}\d+ .*\.enable)\(([^()]*)\)", rf"\1({enable})")


def _while_set(stream: str) -> Edit:
    """A row that is accepted holds back what ``stream`` offers, one being set does not."""
    return _set_clear(_pattern(rf"(assign {stream}_lands = \w+) \| \w+;", r"\1;"))


def _sliced(edit: Edit) -> Edit:
    """The edit where weights have slices."""
    return lambda text, name: edit(text, name) if f"module {name}_mode_select" in text else text


def _slots(edit: Edit) -> Edit:
    """The edit where rows want slots."""
    return lambda text, name: edit(text, name) if "wants_slot" in text else text


def _tables(edit: Edit) -> Edit:
    """The edit where weights are in tables of sums."""
    return lambda text, name: edit(text, name) if "_renewal " in text else text


def _table_sums(edit: Edit) -> Edit:
    """The edit where totals of tables join in front of the accumulators."""
    return lambda text, name: edit(text, name) if "_join " in text else text


def _in_parts(module: str, port: str, new: str) -> Edit:
    """_pin in macros of tables, of each kind where there are two."""
    return _tables(_pin(rf"(?:bram_|lutram_)?{module}", port, new))


def _alone(line: str) -> Edit:
    """Drop what keeps a row of a pair from being selected beside the other; ``line`` as in the
    text."""
    return _text(f"= {line};", f"= {line.split('& ')[1]};")


LATE_ROW = "reg late; always @(posedge clk) {row_q, late} <= {late, row};"

MUTANTS = (
    # leaf cells
    Mutant("full adder: carry forgets b", _text("(ci & (a ^ b))", "(ci & a & ~b)"), leaf=True),
    Mutant(
        "full adder: sum is or",
        _text("assign s = a ^ b ^ ci", "assign s = (a ^ b) | ci"),
        leaf=True,
    ),
    Mutant("half adder: no carry", _text("assign co = a & b;", "assign co = 1'b0;"), leaf=True),
    Mutant("half adder: sum is or", _text("assign s = a ^ b;", "assign s = a | b;"), leaf=True),
    # order of rows, columns and planes
    Mutant("columns 0 and 1 swapped", _swap("column", "y", "col0", "col1")),
    Mutant("weights of columns 0 and 1 swapped", _swap("column", "w_code", "col0", "col1")),
    Mutant(
        "inputs of rows 0 and 1 swapped",
        _swap("serialiser", "x", "serialiser0", "serialiser1"),
    ),
    Mutant("write lines of rows 0 and 1 swapped", _swap("write_gate", "row", "write0", "write1")),
    Mutant(
        "read lines of rows 0 and 1 swapped",
        _swap("serialiser", "read_row", "serialiser0", "serialiser1"),
    ),
    Mutant("planes 0 and 1 swapped", _swap("tree", "total", "tree0", "tree1")),
    Mutant(
        "later planes of rows 0 and 1 swapped",
        _swap("serialiser", "element", "serialiser0", "serialiser1"),
    ),
    Mutant("plane order reversed", _pin("serialiser", "following", "~{old}")),
    Mutant("a pass goes on from the first planes", _pin("serialiser", "following", "{old} & 1'b0")),
    Mutant("every first group is the lowest", _cycles(_pin("serialiser", "first", "{old} & 1'b1"))),
    Mutant("the first group stays", _pin("serialiser", "first", "~({old} & 1'b0)")),
    # signs and precision
    Mutant("sign plane counts positive", _pin("column", "negate", "1'b0")),
    Mutant("every first plane counts negative", _pin("column", "negate", "restart")),
    Mutant("correction forgets the sign plane", _pin("input_sum", "plane_negate", "1'b0")),
    Mutant("with one plane it forgets that, too", _pin("input_sum", "negate", "1'b0")),
    Mutant("sum forgets the last cycle", _pin("input_sum", "plane_ending", "1'b0")),
    Mutant("correction forgets the last cycle", _pin("input_sum", "ending", "1'b0")),
    Mutant("weights never signed", _pin("input_sum", "sign", "1'b0")),
    Mutant("weights always signed", _pin("input_sum", "sign", "1'b1")),
    Mutant("inputs never signed", _integers(_pin("sequencer", "x_signed", "1'b0"))),
    Mutant("precision ignored", _integers(_pin("sequencer", "x_bits", "{old} & 1'b0"))),
    Mutant("no sign fill above the precision", _pin("serialiser", "fill", "{old} & 1'b0")),
    Mutant("fill always zero", _pin("serialiser", "sign_plane", "{old} & 1'b0")),
    Mutant("write ignores the weight's sign", _integers(_pin("sequencer", "w_signed", "1'b0"))),
    Mutant("stored code not offset", _text("w_data ^ (", "w_data | (")),
    # approximate trees
    Mutant("read-backs are paired", _pin("column", "exact", "1'b0")),
    Mutant("passes are read-backs to the tree", _pin("column", "exact", "1'b1")),
    Mutant("a read-back's sum stays high", _tree(r"exact\w* \? \w+ : (\w+)", r"\2")),
    Mutant("every sum is taken low", _tree(r"exact\w* \? (\w+) : \w+", r"\2")),
    Mutant("pairs ORed are ANDed", _tree(r"(\w+|terms\S+) \| (\w+|terms\S+)", r"\2 & \3")),
    Mutant("pairs ANDed are ORed", _tree(r"(\S+) & (\S+) \| exact &.*", r"\2 | \3")),
    Mutant("a row without partner is lost", _tree(r"(\S+) & ~exact\w*", "1'b0")),
    Mutant("and in its read-back", _tree(r"(\S+) \| \S+ & exact\w*", r"\2")),
    # accumulation
    Mutant("old result not dropped", _pin("column", "restart", "1'b0")),
    Mutant("result dropped every cycle", _cycles(_pin("column", "restart", "1'b1"))),
    Mutant("accumulates while idle and stalled", _pin("column", "accumulate", "1'b1")),
    # sums in two words
    Mutant("sign plane enters the tree positive", _pin("column", "plane_negate", "1'b0")),
    Mutant("every plane enters the tree negative", _pin("column", "plane_negate", "1'b1")),
    Mutant("the final adder's ranks stand still", _pin("column", "finish", "1'b0")),
    Mutant("the final adder's ranks advance while stalled", _pin("column", "finish", "1'b1")),
    Mutant("a final carry is lost", _last_carry("1'b0")),
    # banks and storage
    Mutant(
        "banks 0 and 1 swapped for computing",
        _pin("column", "bank_select", "({old} >> 1) | {{old}[0], 1'b0}"),
    ),
    Mutant("every bank is written", _pin("write_gate", "bank", "{8{|{old}}}"), min_banks=2),
    Mutant("every row is written", _pin("write_gate", "row", "|write_row")),
    Mutant("stores never written", _pin("write_gate", "row", "1'b0")),
    # set-clear latches
    Mutant("latches are never cleared", _set_clear(_text("if (clear)", "if (1'b0)")), leaf=True),
    Mutant("latches clear where they keep", _set_clear(_text("set & d", "set")), leaf=True),
    Mutant("latches set beside no data", _set_clear(_text("set & d", "set & ~d")), leaf=True),
    Mutant("clear and set swapped", _text("(gate[0]), .set(gate[1])", "(gate[1]), .set(gate[0])")),
    Mutant("rows are never cleared", _gate("clear", "1'h0")),
    Mutant("rows are cleared again where they are set", _gate("clear", r"\2 | row_q")),
    Mutant("rows are never set", _gate("set", "1'h0")),
    Mutant("rows are set where they are cleared", _text("{2{row_q}}", "{2{row}}")),
    Mutant("rows are set a cycle late", _text("always @(posedge clk) row_q <= row;", LATE_ROW)),
    Mutant("cleared in every bank", _assign("write_gate", "enable0", "{2{row}}")),
    Mutant("set in every bank", _assign("write_gate", "enable1", "{2{row_q}}")),
    Mutant("rows follow without a pause", _pattern(r"= ~ left;", "= 1'h1;")),
    Mutant("no vector waits for a row being set", _while_set("x")),
    Mutant("no read-back waits for a row being set", _while_set("r")),
    Mutant("rows being set are of bank 0", _text("? w_bank_line : paused", "? 2'h1 : paused")),
    # pairs of rows
    Mutant("a pair's first row is alone beside the second", _alone("planes_n[3:2] & n_1")),
    Mutant("a pair's second row is alone beside the first", _alone("planes_n[1:0] & n_0")),
    Mutant("sums are never selected", _assign("pair_selector", "both_n", "2'b11")),
    Mutant("sums are selected by one row", _assign("pair_selector", "both_n", "planes_n[1:0]")),
    Mutant("sums are never written", _pin("write_gate", "row", "1'b0", r"write_sum\w+")),
    Mutant("every sum is written", _pin("write_gate", "row", "|write_sum", r"write_sum\w+")),
    Mutant("sums 0 and 1 swapped", _swap("write_gate", "row", "write_sum0", "write_sum1")),
    Mutant("sums forget the neighbour", _pin("pair_sum", "neighbour", "{old} & 1'b0")),
    Mutant("sums forget the row", _pin("pair_sum", "code", "{old} & 1'b0")),
    Mutant("filled sums take what was read back", _pin("pair_sum", "fill", "1'b0")),
    Mutant("renewed sums take the following row", _pin("pair_sum", "fill", "1'b1")),
    Mutant("sums are not made", _pin("pair_sum", "capture", "1'b0")),
    Mutant("a slot reads the row itself", _text("~ row_q[0]", "row_q[0]")),
    Mutant("a slot's code is corrected by the sign", _text("~ reads_neighbour;", "1'h1;")),
    Mutant("a slot waits for no pass", _assign("sequencer", "slot", "wants_slot")),
    Mutant("a row is done at once", _text("renewing | filling", "filling")),
    Mutant("a filled row is done at once", _text("renewing | filling", "renewing")),
    Mutant("every row is filled", _pin("sequencer", "w_fill", "1'b1")),
    Mutant("no row is filled", _pin("sequencer", "w_fill", "1'b0")),
    # words of RAM
    Mutant("words are never read", _pin("memory_row", "read", "1'b0")),
    Mutant("words are read from bank 0", _pin("memory_row", "read_bank", "{old} & 2'b0")),
    Mutant("words are written to bank 0", _pin("memory_row", "write_bank", "{old} & 2'b0")),
    Mutant("words are never written", _pin("memory_row", "row", "1'b0")),
    Mutant("words of every row are written", _pin("memory_row", "row", "|write_row")),
    Mutant("words of rows 0 and 1 swapped", _swap("memory_row", "row", "words0", "words1")),
    Mutant("words of columns 0 and 1 swapped", _swap("column", "stored", "col0", "col1")),
    Mutant("RAMs of a word swapped", _swap("sram", "q", "ram0", "ram1")),
    Mutant("rows do not wait for a read", _assign("sequencer", "row_waits", "1'b0")),
    Mutant("a written bank stays held", _text("= bank_q & { row_lands", "= 3'h0 & { row_lands")),
    Mutant("missing banks have weights", _pin("late_planes", "bank_exists", "1'b1")),
    Mutant("late planes advance while stalled", _pin("late_planes", "enable", "1'b1")),
    # zero_skip
    Mutant("every pass is the shortest", _pin("sequencer", "marks", "{old} & 1'b0")),
    Mutant("no pass is shorter", _pin("sequencer", "marks", "~({old} & 1'b0)")),
    Mutant("signs are not looked at", _pin("plane_marks", "x_signed", "1'b0")),
    Mutant("every vector counts as signed", _pin("plane_marks", "x_signed", "1'b1")),
    Mutant("row 0 is not looked at", _pin("plane_mark", "plane", "{old} & ~1")),
    Mutant("row 0 has no sign below", _pin("plane_mark", "below", "{old} & ~1")),
    # xnor
    Mutant("every row counts", _pin("serialiser", "active", "1'b1")),
    Mutant("row 0 never counts", _pin("serialiser", "active", "1'b0", "serialiser0")),
    Mutant("all rows are subtracted", _pin("input_sum", "count", "6")),
    Mutant("x_rows ignored", _pin("sequencer", "x_rows", "{old} & 1'b0")),
    Mutant("zeros match nothing", _pin("word", "planes_n", "{old} | 2'b10"), binary=True),
    Mutant("ones match nothing", _pin("word", "planes_n", "{old} | 2'b01"), binary=True),
    # digits
    Mutant("ones count nothing", _digits(_pin("multiplier", "planes_n", "{old} | 6'o11"))),
    Mutant("twos count nothing", _digits(_pin("multiplier", "planes_n", "{old} | 6'o22"))),
    Mutant("operands are never inverted", _digits(_pin("multiplier", "planes_n", "{old} | 6'o44"))),
    Mutant(
        "later digits look below as to 0",
        _digits(_text("= element[7:3]", "= {element[7:4], 1'b0}")),
    ),
    Mutant("first ones look below as to 0", _digits(_text("= x[7:3]", "= {x[7:4], 1'b0}"))),
    Mutant("those above all planes are 0", _digits(_text("{ 4'h0, x[7] }", "5'h0"))),
    Mutant("the correction never knows signed weights", _pin("input_sum", "plane_sign", "1'b0")),
    Mutant("and always", _pin("input_sum", "plane_sign", "1'b1")),
    Mutant(
        "row 0's negative digits are not corrected",
        _digits(_text("= ~ planes_n[14:10]", "= ~ (planes_n[14:10] | 5'h1)")),
    ),
    Mutant("missing banks have no negative digits", _text("} & 30'h1b6db6db", "}")),
    Mutant(
        "marks of unsigned vectors look at the plane itself",
        _digits(_text(": (|below)", ": (|plane)")),
    ),
    # slices
    Mutant("slices 0 and 1 swapped", _swap("column", "y", "col0_slice0", "col0_slice1")),
    Mutant("every row is written in mode 0", _pin("sequencer", "w_fuse", "{old} & 2'b0")),
    Mutant("modes beyond the last are none", _assign("sequencer", "w_mode", "w_fuse")),
    Mutant("bank 1 keeps its mode", _pattern(r"= .* \? w_mode : bank_mode_1;", "= bank_mode_1;")),
    Mutant("every result is in mode 0", _pin("mode_select", "mode", "3'b001")),
    Mutant("modes change under results", _pattern(r"= .* \? mode_line : y_mode;", "= mode_line;")),
    Mutant("signs act in every slice", _sliced(_assign("sequencer", "sign", "{4{|({old})}}"))),
    Mutant(
        "signs act in the last slice",
        _sliced(_assign("sequencer", "sign", "({old}) & 4'b1000")),
    ),
    Mutant("every slice is offset", _assign("sequencer", "sign_flips", "{4{w_signed}}")),
    Mutant("the last slice is offset", _assign("sequencer", "sign_flips", "({old}) & 4'b1000")),
    Mutant(
        "slices have no sign in their digits",
        _text("? signed_digit_sum_total", "? digit_sum_total"),
    ),
    Mutant(
        "all slices have that of digits", _text(": digit_sum_total", ": signed_digit_sum_total")
    ),
    Mutant(
        "digits take the sign of slice 0", _text("= sign[1] ? signed_d", "= sign[0] ? signed_d")
    ),
    Mutant("row 0's digits are all of no sign", _text("upper = twos |", "upper = 3'h6 & twos |")),
    Mutant("halves have no sign", _text("y1[8], y1[8], y1[8:0]", "y1[8:0]")),
    Mutant("halves show in every mode", _assign("mode_select", "mode1", "1'b1")),
    Mutant("slices show in every mode", _assign("mode_select", "mode2", "1'b1")),
    # tables of sums
    Mutant("entries forget the row", _in_parts("renewal", "code", "{old} & 1'b0")),
    Mutant("entries forget the other rows", _in_parts("renewal", "y", "{old} & 1'b0")),
    Mutant("entries of no row are what landed last", _in_parts("renewal", "clear", "1'b0")),
    Mutant("entries land in no table", _in_parts(r"table\d", "write", "1'b0")),
    Mutant(
        "entries land in every group",
        _tables(_pattern(r"(\bwrite_group0 <= )(\w+);", r"\1{2{|\2}};")),
    ),
    Mutant(
        "no row is cleared in the first group alone",
        _tables(_pin("table4", "write", "{old} & ~clear", "table0_0_0")),
    ),
    Mutant(
        "all rows are cleared, not none",
        _tables(_pin("table4", "write_rows", "{old} | {4{clear}}")),
    ),
    Mutant(
        "clearing ends with every bank but one", _pattern(r"(rst \? )2'h3( : n)", r"\g<1>2'h2\2")
    ),
    Mutant("bank 1 is not cleared", _pattern(r"(assign clear_line\[1\] = ).*;", r"\g<1>1'b0;")),
    Mutant("entries land in every bank", _in_parts("table4", "write_bank", "{3{|write_bank}}")),
    Mutant("entries land in bank 0", _in_parts(r"table\d", "write_bank", "{old} & 1'b0")),
    Mutant(
        "entries land in the bank of the pass",
        _pattern(r"(\{ 1'h0, clear_line \} : )row_bank_q", r"\1bank_select"),
    ),
    Mutant("entries are read of bank 1", _in_parts("addresses", "bank_select", "3'b010")),
    Mutant("entries are read of a block's bank 0", _in_parts("addresses", "read_bank", "2'b0")),
    Mutant("missing banks read a bank", _assign("addresses", "bank_exists", "1'b1")),
    Mutant("one LUT RAM delivers", _text("q0 | q1 | q2", "q0")),
    Mutant("addresses advance while stalled", _in_parts("addresses", "enable", "1'b1")),
    Mutant("tables advance while stalled", _in_parts(r"table\d", "enable", "1'b1")),
    Mutant("a block's output advances while stalled", _text(".OCE(enable)", ".OCE(1'b1)")),
    Mutant("half of a table is read", _in_parts("ram_block", "read_address", "{old} & 4'h7")),
    Mutant("half of a table is written", _in_parts("ram_block", "write_address", "{old} & 4'h7")),
    Mutant(
        "entries of planes 0 and 1 swapped", _swap("table4", "entry", "table0_0_0", "table0_1_0")
    ),
    Mutant("only plane 0's tables are written", _pin("table4", "write", "1'b0", "table0_1_0")),
    Mutant("row 0 is read as row 1", _text("read_rows0[0]", "read_rows0[1]")),
    Mutant(
        "a vector goes on from what was read",
        _pattern(r"= x_turn \? \d+'h0+ : (\w+);", r"= \1;"),
    ),
    Mutant(
        "the lowest planes are never looked at", _in_parts("serialiser", "now", "{old} & 2'b10")
    ),
    Mutant("the lowest planes are always", _in_parts("serialiser", "now", "{old} | 2'b1")),
    Mutant(
        "a row renews one entry", _pattern(r"(_(?:others|landing)_ends <= )\w+;", r"\g<1>1'h1;")
    ),
    Mutant("a walk reads what it writes", _pattern(r"= (\w+_others) \| \w+_member_q;", r"= \1;")),
    Mutant(
        "entries land where they were read",
        _pattern(r"= (\w+_landing) \| \w+_member_q;", r"= \1;"),
    ),
    Mutant(
        "a last group is as large as others", _pattern(r"(_w_group \? )4'h7( : 4'hf)", r"\1 4'hf\2")
    ),
    Mutant("slots have the bank's sign", _pattern(r"(assign token_0_sign = \w+) & \w+;", r"\1;")),
    Mutant("codes change under slots", _tables(_text("if (capture)", "if (1'b1)"))),
    Mutant("the sign plane joins positive", _table_sums(_in_parts("join", "negate", "1'b0"))),
    Mutant(
        "every first plane joins negative", _table_sums(_in_parts("join", "negate", "pass_begins"))
    ),
    Mutant("joins advance while stalled", _table_sums(_in_parts("join", "enable", "1'b1"))),
    Mutant(
        "a correction joins at no place",
        _table_sums(_in_parts("join", "correction", "{old} & 1'b0")),
    ),
    Mutant("sums never begin anew", _table_sums(_in_parts("accumulator", "starts", "1'b0"))),
    Mutant("sums always begin anew", _table_sums(_in_parts("accumulator", "starts", "1'b1"))),
    Mutant("sums are never handed on", _table_sums(_in_parts("accumulator", "ending", "1'b0"))),
    Mutant(
        "a reset begins no sum anew",
        _table_sums(_pattern(r"(pass_begins <= )(\w+);", r"\1\2 & ~rst;")),
    ),
    Mutant(
        "correction ignores the bank's sign", _table_sums(_pin("input_sum", "sign", "{old} | 1'b1"))
    ),
    Mutant("totals of faster tables do not wait", _text("<= totals;", "<= ~totals;")),
    Mutant(
        "a result is lost where the next one comes",
        _table_sums(_pattern(r"(\benable <= )\w+;", r"\g<1>1'h1;")),
    ),
    Mutant("control never holds", _table_sums(_pattern(r"(\bholds_q <= )\w+;", r"\g<1>1'h0;"))),
    Mutant(
        "the next vector is taken too early",
        _table_sums(_assign("sequencer", "frees", "1'h1")),
    ),
    Mutant(
        "the vector under way is not kept",
        _table_sums(_pattern(r"(keeps_vector <= )\w+;", r"\g<1>1'h0;")),
    ),
    Mutant(
        "the row under way is not kept",
        _table_sums(_pattern(r"(\bcapture <= )\w+;", r"\g<1>1'h1;")),
    ),
    Mutant(
        "a pass of one plane takes one cycle",
        _table_sums(_pattern(r"(\blate <= )\w+;", r"\g<1>1'h0;")),
    ),
    Mutant("the array runs though nobody begins", _tables(_assign("sequencer", "begins", "1'h1"))),
    Mutant("a row is taken for accepted", _tables(_assign("sequencer", "row_accepted", "w_valid"))),
    Mutant("a row is never accepted", _tables(_assign("sequencer", "row_accepted", "1'h0"))),
    Mutant("a row has landed at once", _table_sums(_assign("sequencer", "row_stays", "1'h0"))),
    # streams
    Mutant("x_ready ignores a running pass", _assign("sequencer", "x_ready", "live")),
    Mutant("r_ready ignores a running pass", _assign("sequencer", "r_ready", "live")),
    Mutant("writes do not wait for the pass", _assign("sequencer", "w_ready", "live")),
    Mutant("vectors never select planes", _turn("1'b0")),
    Mutant("vectors always select planes", _turn("1'b1")),
    Mutant("read-backs select wherever they wait", _turn("~r_valid")),
    Mutant("vectors select wherever they wait", _turn("~r_valid | x_valid")),
    Mutant(
        "a slot's row is selected for vectors", _slots(_turn("~wants_slot & ({old})")), min_banks=2
    ),
    Mutant("a vector's planes for slots", _slots(_turn("wants_slot & x_valid | ({old})"))),
    Mutant("no vector is ever accepted", _assign("sequencer", "x_ready", "1'b0")),
    Mutant("stalls are ignored", _pin("sequencer", "y_ready", "1'b1")),
    Mutant("read-back stalls are ignored", _pin("sequencer", "q_ready", "1'b1")),
    Mutant("trees advance while stalled", _pin("tree", "enable", "1'b1")),
    Mutant("input sum advances while stalled", _pin("input_sum", "enable", "1'b1")),
    Mutant("planes advance while stalled", _pin("plane_register", "step", "1'b1")),
    Mutant("planes never advance", _pin("plane_register", "step", "x_valid & x_ready")),
    Mutant("elements reload every cycle", _pin("input_register", "load", "1'b1")),
    Mutant("read-backs come as results", _pin("sequencer", "y_valid", "q_valid")),
    Mutant("reset ignored", _pin("sequencer", "rst", "1'b0")),
)


@dataclass(frozen=True)
class Trial:
    """A mutant on a configuration, and what became of it."""

    mutant: str
    config: MacroConfig
    outcome: str = ""  # killed, SURVIVED or an error

    def __str__(self) -> str:
        return f"{self.mutant} ({self.config.module})"


def applicable(folder: Path) -> list[Trial]:
    """Every mutant on every configuration whose text it changes."""
    trials = []
    for config in CONFIGS:
        source = folder / config.module
        emit_macro(config, source)
        for mutant in MUTANTS:
            if config.banks < mutant.min_banks or config.binary < mutant.binary:
                continue
            macro = (source / f"{config.module}.v").read_text()
            text = (source / CELLS).read_text() if mutant.leaf else macro
            edited = mutant.edit(text, config.module)
            if edited != text and (not mutant.leaf or _places_changed(text, edited, macro)):
                trials.append(Trial(mutant.name, config))
    return trials


def _places_changed(cells: str, edited: str, macro: str) -> bool:
    """Whether a macro places a leaf cell that an edit changed."""
    bodies = re.finditer(r"^module (\w+).*?^endmodule", cells, re.M | re.S)
    changed = [body[1] for body in bodies if body[0] not in edited]
    return any(re.search(rf"\b{name} ", macro) for name in changed)


def attempt(trial: Trial, folder: Path, simulator: str) -> Trial:
    """Build and run one mutant."""
    mutant = next(m for m in MUTANTS if m.name == trial.mutant)
    name = trial.config.module
    place = folder / "mutants" / f"{name}-{re.sub(r'[^a-z0-9]+', '-', trial.mutant.lower())}"
    shutil.rmtree(place, ignore_errors=True)
    emit_macro(trial.config, place)
    target = place / (CELLS if mutant.leaf else f"{name}.v")
    target.write_text(mutant.edit(target.read_text(), name))
    try:
        report = run_regression(
            Design.emitted(trial.config, place),
            place / "verify",
            simulator=simulator,
            stop_early=True,
            announce=lambda _: None,
        )
    except BuildError as error:
        return Trial(trial.mutant, trial.config, f"does not build: {error.log}")
    shutil.rmtree(place)
    return Trial(trial.mutant, trial.config, "SURVIVED" if report.passed else "killed")


def main(arguments: list[str] | None = None) -> int:
    """Run the mutants; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m cimforge.cocotb_tests.mutants")
    parser.add_argument("--count", type=int, help="draw this many at random (default: all)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the draw (default: 1)")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/mutants"))
    options = parser.parse_args(arguments)
    simulator = "icarus" if shutil.which("iverilog") else "verilator"
    trials = applicable(options.output)
    drawn = random.Random(options.seed).sample(
        trials, min(options.count or len(trials), len(trials))
    )
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"{len(drawn)} of {len(trials)} mutants, {simulator}, seed {options.seed}")
    killed = 0
    with WorkerPool(2, "fork") as pool:
        runs = [pool.submit(attempt, trial, options.output, simulator) for trial in drawn]
        for number, run in enumerate(pool.ended(runs), 1):
            trial = run.result()
            killed += trial.outcome == "killed"
            console.print(f"[{number}/{len(drawn)}] {trial.outcome}: {trial}", markup=False)
    print(f"killed {killed}/{len(drawn)}")
    return 0 if killed == len(drawn) else 1


if __name__ == "__main__":
    sys.exit(main())
