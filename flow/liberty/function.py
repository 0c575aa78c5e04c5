"""Boolean functions as Liberty writes them: parsed once, then as truth tables and as text."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

__all__ = ["Expression", "FunctionError", "literal", "parse_function", "truth_table"]

TOKEN = re.compile(r"\s*([A-Za-z_]\w*(?:\[\d+\])?|[01]|[()!'*&+|^])")
AND, OR = ("*", "&"), ("+", "|")


class FunctionError(ValueError):
    """Text that is no boolean function of the given pins."""


@dataclass(frozen=True)
class Expression:
    """A function: ``operator`` !, &, ^ or | of ``operands``, or a name, 0 or 1 without any."""

    operator: str
    operands: tuple["Expression", ...] = ()

    def value(self, names: dict[str, int]) -> int:
        """0 or 1, for these values of the names."""
        if not self.operands:
            return int(self.operator) if self.operator in "01" else names[self.operator]
        values = [operand.value(names) for operand in self.operands]
        if self.operator == "!":
            return 1 - values[0]
        if self.operator == "^":
            return sum(values) & 1
        return int(all(values) if self.operator == "&" else any(values))

    def names(self) -> set[str]:
        """The names in it."""
        if not self.operands:
            return set() if self.operator in "01" else {self.operator}
        return set().union(*(operand.names() for operand in self.operands))

    def text(self, invert: str = "!") -> str:
        """Text that Liberty readers and, with ~ to invert, Verilog take alike: all in
        parentheses but names, AND never left out."""
        if not self.operands:
            return self.operator
        inner = [operand.text(invert) for operand in self.operands]
        return f"{invert}{inner[0]}" if self.operator == "!" else f"({self.operator.join(inner)})"


def parse_function(function: str) -> Expression:
    """The expression in a Liberty ``function``.

    Operators, strongest first (Liberty reference manual, "function"): ``!`` before and ``'`` behind
    an operand, ``^``, AND (``*``, ``&`` or nothing between two operands), OR (``+``, ``|``). Raises
    FunctionError for anything else.
    """
    try:
        return _Parser(function).parse()
    except RecursionError:
        raise FunctionError("it is nested too deeply") from None


def truth_table(function: str, pins: Sequence[str]) -> int:
    """Truth table of ``function`` over ``pins``: bit i is its value where pin j is bit j of i.

    Raises FunctionError for what is no function and for names that are no pin.
    """
    expression = parse_function(function)
    try:
        strange = expression.names() - set(pins)
        if strange:
            raise FunctionError(f"{min(strange)!r} is no pin")
        rows = (dict(zip(pins, row[::-1], strict=True)) for row in _rows(len(pins)))
        return sum(expression.value(row) << index for index, row in enumerate(rows))
    except RecursionError:
        raise FunctionError("it is nested too deeply") from None


def literal(function: str) -> tuple[str, bool] | None:
    """(name, inverted) where the function is one name or its inverse, else None."""
    try:
        expression = parse_function(function)
        names = sorted(expression.names())
        table = truth_table(function, names) if len(names) == 1 else 0
    except (FunctionError, RecursionError):
        return None
    return (names[0], table == 0b01) if table in (0b01, 0b10) else None


def _rows(count: int):
    return product((0, 1), repeat=count)


class _Parser:
    """Recursive descent; each rule returns an expression."""

    def __init__(self, text: str):
        self._tokens: list[str] = []
        at, text = 0, text.strip()
        while at < len(text):
            found = TOKEN.match(text, at)
            if not found:
                raise FunctionError(f"{text[at:]!r} is no part of a function")
            self._tokens.append(found[1])
            at = found.end()
        self._tokens.reverse()

    def _sees(self, *marks: str) -> bool:
        return bool(self._tokens) and self._tokens[-1] in marks

    def _take(self, *marks: str) -> bool:
        if self._sees(*marks):
            self._tokens.pop()
            return True
        return False

    def parse(self) -> Expression:
        result = self._or()
        if self._tokens:
            raise FunctionError(f"{self._tokens[-1]!r} was not expected")
        return result

    def _or(self) -> Expression:
        return self._chain("|", self._and, lambda: self._take(*OR))

    def _and(self) -> Expression:
        def goes_on() -> bool:
            return self._take(*AND) or (bool(self._tokens) and not self._sees(*OR, ")", "^", "'"))

        return self._chain("&", self._xor, goes_on)

    def _xor(self) -> Expression:
        return self._chain("^", self._operand, lambda: self._take("^"))

    def _chain(
        self, operator: str, operand: Callable[[], Expression], goes_on: Callable[[], bool]
    ) -> Expression:
        operands = [operand()]
        while goes_on():
            operands.append(operand())
        return Expression(operator, tuple(operands)) if len(operands) > 1 else operands[0]

    def _operand(self) -> Expression:
        if self._take("!"):
            return Expression("!", (self._operand(),))
        result = self._atom()
        while self._take("'"):
            result = Expression("!", (result,))
        return result

    def _atom(self) -> Expression:
        if not self._tokens:
            raise FunctionError("an operand is missing")
        if self._take("("):
            inner = self._or()
            if not self._take(")"):
                raise FunctionError("a ) is missing")
            return inner
        token = self._tokens.pop()
        if not re.match(r"\w", token):
            raise FunctionError(f"{token!r} was not expected")
        return Expression(token)
