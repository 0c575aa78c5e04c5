"""Conditions of a sweep: what they mean, and that nothing else is let through."""

import pytest

from cimforge.explore.condition import read_condition
from cimforge.hdl.params.config_file import InputError

KNOWN = ("rows", "cols", "storage", "features")
VALUES = {"rows": 16, "cols": 6, "storage": "flop", "features": ["zero_skip"]}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("rows <= 16", True),
        ("rows < 16", False),
        ("rows * cols == 96 and storage != 'latch'", True),
        ("8 < cols <= 16", False),
        ("2 < cols <= rows", True),
        ("rows % cols == 4 and rows // cols == 2 and -rows / 2 == -8", True),
        ("storage in ['flop', 'latch']", True),
        ("storage not in ('flop', 'latch')", False),
        ("'zero_skip' in features or rows > 16", True),
        ("not rows > 16", True),
    ],
)
def test_a_condition_means_what_python_means(text, holds):
    condition = read_condition(text, "when", KNOWN)
    assert condition.holds(VALUES) is holds
    assert eval(text, {}, dict(VALUES)) is holds


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rows.real > 3", "Attribute is not legal"),
        ("print(rows)", "Call is not legal"),
        ("rows ** cols > 3", ": ** is not legal"),
        ("rows is 3", ": is is not legal"),
        ("[r for r in rows]", "ListComp is not legal"),
        ("(lambda: rows)", "Lambda is not legal"),
        ("rows[0] == 1", "Subscript is not legal"),
        ("f'{rows}' == ''", "is not legal"),
        ("(x := rows) > 1", "NamedExpr is not legal"),
        ("rows <", "not a condition"),
        ("import os", "not a condition"),
        ("(" * 500 + "1" + ")" * 499, "not a condition"),
        ("row > 3", "did you mean 'rows'?"),
        ("'rows'", "asks for nothing: name a metric or a parameter"),
        ("1 < 2", "asks for nothing"),
        ("qqqqq > 3", "known: rows, cols"),
        ("", "must be a condition of 1..1000 letters"),
        (3, "must be a condition"),
        ("1 < " * 500 + "2", "must be a condition of 1..1000"),
    ],
)
def test_what_is_no_condition_is_refused_in_a_line(text, told):
    with pytest.raises(InputError) as refused:
        read_condition(text, "sweep.toml: when", KNOWN)
    assert told in str(refused.value)
    assert str(refused.value).startswith("sweep.toml: when")


@pytest.mark.parametrize("text", ["storage < 3", "rows // (cols - 6) > 1", "storage * 1000000 < 1"])
def test_values_that_do_not_go_together_are_told(text):
    condition = read_condition(text, "when", KNOWN)
    with pytest.raises(InputError, match=r"when: .*where .*(storage = 'flop'|rows = 16)"):
        condition.holds(VALUES)
