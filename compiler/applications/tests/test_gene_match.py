"""Reads are found where letters say they are, with as many mismatches."""

import re
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimforge.compiler.applications.binary_job import binary_matmul
from cimforge.compiler.applications.gene_match import BASES, base_bits, find_reads, genome_windows
from cimforge.compiler.applications.tests import on_verilog
from cimforge.compiler.applications.tests.on_verilog import binary_config, open_macro

SIMULATOR = on_verilog.SIMULATOR
GOLDEN = binary_matmul(binary_config(rows=7, cols=3))


def by_letters(genome, reads, most):
    """Every match, letter by letter."""
    found = []
    for number, read in enumerate(reads):
        for place in range(len(genome) - len(read) + 1):
            window = genome[place : place + len(read)]
            mismatches = sum(a != b for a, b in zip(window, read, strict=True))
            if mismatches <= most:
                found.append((number, place, mismatches))
    return found


def test_any_two_bases_differ_in_two_bits():
    for one, other in combinations(BASES, 2):
        assert (base_bits(one) != base_bits(other)).sum() == 2


@given(st.data())
def test_golden_finds_what_letters_say(data):
    genome = data.draw(st.text(BASES, min_size=1, max_size=30))
    length = data.draw(st.integers(1, min(9, len(genome))))
    reads = data.draw(st.lists(st.text(BASES, min_size=length, max_size=length), max_size=3))
    most = data.draw(st.integers(0, length))
    assert [*map(tuple, find_reads(genome, reads, most, GOLDEN))] == by_letters(genome, reads, most)


def test_verilog_finds_what_letters_say(tmp_path):
    config = binary_config(rows=10, cols=6, banks=2)
    random = np.random.default_rng(5)
    genome = "".join(random.choice([*BASES], 40))
    reads = [genome[3:12], genome[31:40], "ACGTACGTA", genome[0:5] + genome[20:24]]
    backend = open_macro(config, tmp_path)
    found = find_reads(genome, reads, 4, binary_matmul(config, backend.run_job))
    assert [*map(tuple, found)] == by_letters(genome, reads, 4)
    assert {(0, 3, 0), (1, 31, 0)} <= {*map(tuple, found)}
    assert backend.bit_exact


def test_no_reads_find_nothing():
    assert find_reads("ACGT", [], 2, GOLDEN) == []


@pytest.mark.parametrize(
    ("genome", "reads", "text"),
    [
        ("ACNT", ["AC"], "base 2 is 'N', and must be one of A, C, G, T"),
        ("ACGT", ["AC", "ACG"], "read 1 has 3 bases, and read 0 2"),
        ("ACGT", ["ACGTA"], "reads must have 1..4 bases, those of the genome, not 5"),
        ("ACGT", [""], "not 0 (nearest legal value: 1)"),
    ],
)
def test_what_is_no_read_is_refused(genome, reads, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        find_reads(genome, reads, 1, GOLDEN)


def test_windows_follow_one_another_base_by_base():
    windows = genome_windows("ACGT", 2)
    assert windows.tolist() == [base_bits(two).tolist() for two in ("AC", "CG", "GT")]
