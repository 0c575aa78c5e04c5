"""Conditions of a sweep, as ``bits_per_cycle <= input_bits``: read once, then asked of values."""

import ast
import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.errors import shown
from cimforge.hdl.params.ranges import nearest_word

__all__ = ["Condition", "read_condition"]

MOST_LETTERS = 1000
LEGAL = "names, numbers, texts, lists, + - * / // %, comparisons, in, and, or, not"
ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}  # no power: its results have no bound
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
SIGNS: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
WORDS: dict[type[ast.AST], str] = {ast.Is: "is", ast.IsNot: "is not", ast.Pow: "**"}
GRAMMAR = (
    *(ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.BinOp, ast.Compare),
    *(ast.Name, ast.Load, ast.Constant, ast.List, ast.Tuple),
    *(*ARITHMETIC, *COMPARISONS, *SIGNS),
)


@dataclass(frozen=True)
class Condition:
    """A condition as written, and its tree. Nothing but LEGAL is in it: no call, no attribute."""

    text: str
    where: str
    tree: ast.expr

    @property
    def names(self) -> frozenset[str]:
        """The names that it asks for."""
        return frozenset(node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name))

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether it is true of ``values``. Raises InputError where they do not go together, as a
        text and a number."""
        try:
            return bool(_value(self.tree, values))
        except (TypeError, ArithmeticError) as error:
            raise self._refused(error, values) from None

    def check(self, values: Mapping[str, Any]) -> None:
        """Raise InputError where values of these types do not go together, whatever they are."""
        try:
            _value(self.tree, values)
        except ArithmeticError:
            return  # others may be divided by
        except TypeError as error:
            raise self._refused(error, values) from None

    def _refused(self, error: Exception, values: Mapping[str, Any]) -> InputError:
        told = ", ".join(f"{name} = {shown(values[name])}" for name in sorted(self.names))
        return InputError(f"{self.where}: {shown(self.text)}: {error}, where {told}")


def read_condition(text: Any, where: str, known: Collection[str]) -> Condition:
    """The condition ``text``, which stands at ``where`` in a file and may ask for the ``known``
    names. Raises InputError."""
    if not isinstance(text, str) or not text.strip() or len(text) > MOST_LETTERS:
        rule = f"must be a condition of 1..{MOST_LETTERS} letters, not {shown(text)}"
        raise InputError(f"{where}: {rule} (for example 'bits_per_cycle <= input_bits')")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InputError(f"{where}: {shown(text)}: not a condition; legal are {LEGAL}") from None
    for node in ast.walk(tree):
        if not isinstance(node, GRAMMAR):
            what = WORDS.get(type(node), type(node).__name__)
            raise InputError(f"{where}: {shown(text)}: {what} is not legal; legal are {LEGAL}")
    condition = Condition(text.strip(), where, tree.body)
    if not condition.names:
        rule = "asks for nothing: name a metric or a parameter"
        raise InputError(f"{where}: {shown(text)}: {rule} (for example 'area <= 4000')")
    for name in sorted(condition.names - set(known)):
        close = nearest_word(name, list(known))
        hint = f"did you mean {close!r}?" if close else f"known: {', '.join(known)}"
        raise InputError(f"{where}: {shown(text)}: nothing is named {shown(name)}; {hint}")
    return condition


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:
    """What an expression of GRAMMAR comes to."""
    match node:
        case ast.BoolOp(op=ast.And()):
            return all(_value(each, values) for each in node.values)
        case ast.BoolOp():
            return any(_value(each, values) for each in node.values)
        case ast.UnaryOp():
            return SIGNS[type(node.op)](_value(node.operand, values))
        case ast.BinOp():
            left, right = _value(node.left, values), _value(node.right, values)
            if not all(isinstance(side, (int, float)) for side in (left, right)):
                raise TypeError("only numbers are calculated with")  # 'a' * 10**9 is a text
            return ARITHMETIC[type(node.op)](left, right)
        case ast.Compare():
            return _compare(node, values)
        case ast.Name():
            return values[node.id]
        case ast.Constant():
            return node.value
        case ast.List() | ast.Tuple():
            return [_value(each, values) for each in node.elts]
    raise AssertionError(node)  # read_condition lets no other through


def _compare(node: ast.Compare, values: Mapping[str, Any]) -> bool:
    """A chain of comparisons, as in 1 < a <= b."""
    left = _value(node.left, values)
    for relation, side in zip(node.ops, node.comparators, strict=True):
        right = _value(side, values)
        if not COMPARISONS[type(relation)](left, right):
            return False
        left = right
    return True
