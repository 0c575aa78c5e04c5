"""Amounts and rates as users write them."""

import re

import pytest

from cimforge.compiler.size.quantities import parse_bits, parse_memory, parse_rate


@pytest.mark.parametrize(
    ("text", "count"),
    [
        *(("2MB", 2 << 20), ("1 kB", 1024), ("0.5KiB", 512), ("7B", 7), ("1gib", 1 << 30)),
        ("0.0001B", 1),
    ],
)
def test_memory(text, count):
    assert parse_memory(text) == count


@pytest.mark.parametrize(
    ("text", "rate"), [("100GOPS", 1e11), ("16 tops", 16e12), ("1.5MOPS", 1.5e6), ("3OPS", 3)]
)
def test_rate(text, rate):
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["2", "MB", "-1MB", "0MB", "2XB", "1e3B", "2MB2"])
def test_what_is_no_memory(text):
    rule = "must be a number above 0 and one of B, kB, MB, GB, KiB, MiB, GiB, for example 2MB"
    with pytest.raises(ValueError, match=re.escape(f"{rule}, not {text!r}")):
        parse_memory(text)


@pytest.mark.parametrize("text", ["2", "100G", "0TOPS"])
def test_what_is_no_rate(text):
    with pytest.raises(ValueError, match="for example 100GOPS, not"):
        parse_rate(text)


def test_bits():
    assert parse_bits("4x8") == (4, 8)
    for text in ("4", "0x4", "17x4", "4x", "axb"):
        with pytest.raises(ValueError, match=r"each 1\.\.16, for example 8x8, not"):
            parse_bits(text)
