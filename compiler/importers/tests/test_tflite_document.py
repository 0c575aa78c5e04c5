"""The document lists the operators that are imported, and their kinds."""

import re
from pathlib import Path

import pytest

from cimforge.compiler.importers.tflite_operators import OPERATORS

DOCUMENT = Path(__file__).parents[2] / "docs/tflite.md"
ROW = re.compile(r"^\| (`[A-Z0-9_` ]+`) \| ([a-z0-9, ]+) \|", re.M)


def test_the_document_lists_every_operator_with_its_kinds():
    tflite = pytest.importorskip("tflite", reason="package tflite is not installed: no names")
    told = {}
    for names, kinds in ROW.findall(DOCUMENT.read_text()):
        for name in re.findall(r"`(\w+)`", names):
            told[getattr(tflite.BuiltinOperator, name)] = tuple(kinds.split(", "))
    assert told == {code: known.kinds for code, known in OPERATORS.items()}
