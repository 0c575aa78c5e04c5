"""Boolean functions as Liberty writes them, as truth tables."""

import re
from collections.abc import Sequence
from itertools import product

__all__ = ["FunctionError", "truth_table"]

TOKEN = re.compile(r"\s*([A-Za-z_]\w*(?:\[\d+\])?|[01]|[()!'*&+|^])")
AND, OR = ("*", "&"), ("+", "|")


class FunctionError(ValueError):
    """Text that is no boolean function of the given pins."""


def truth_table(function: str, pins: Sequence[str]) -> int:
    """Truth table of ``function`` over ``pins``: bit i is its value where pin j is bit j of i.

    Operators, strongest first (Liberty reference manual, "function"): ``!`` before and ``'`` behind
    an operand, ``^``, AND (``*``, ``&`` or nothing between two operands), OR (``+``, ``|``). Raises
    FunctionError for anything else and for names that are no pin.
    """
    try:
        expression = _Parser(function, pins).parse()
        rows = product((0, 1), repeat=len(pins))
        return sum(expression(row[::-1]) << index for index, row in enumerate(rows))
    except RecursionError:
        raise FunctionError("it is nested too deeply") from None


class _Parser:
    """Recursive descent; each rule returns a function from pin values to 0 or 1."""

    def __init__(self, text: str, pins: Sequence[str]):
        self._pins = {name: place for place, name in enumerate(pins)}
        self._tokens: list[str] = []
        at, text = 0, text.strip()
        while at < len(text):
            found = TOKEN.match(text, at)
            if not found:
                raise FunctionError(f"{text[at:]!r} is no part of a function")
            self._tokens.append(found[1])
            at = found.end()

    def _take(self, *marks: str) -> bool:
        if self._tokens and self._tokens[0] in marks:
            del self._tokens[0]
            return True
        return False

    def parse(self):
        result = self._or()
        if self._tokens:
            raise FunctionError(f"{self._tokens[0]!r} was not expected")
        return result

    def _or(self):
        terms = [self._and()]
        while self._take(*OR):
            terms.append(self._and())
        return lambda row: int(any(term(row) for term in terms))

    def _and(self):
        factors = [self._xor()]
        while self._take(*AND) or (self._tokens and self._tokens[0] not in (*OR, ")", "^", "'")):
            factors.append(self._xor())
        return lambda row: int(all(factor(row) for factor in factors))

    def _xor(self):
        operands = [self._operand()]
        while self._take("^"):
            operands.append(self._operand())
        return lambda row: sum(operand(row) for operand in operands) & 1

    def _operand(self):
        if self._take("!"):
            inner = self._operand()
            return lambda row: 1 - inner(row)
        result = self._atom()
        while self._take("'"):
            result = (lambda inner: lambda row: 1 - inner(row))(result)
        return result

    def _atom(self):
        if not self._tokens:
            raise FunctionError("an operand is missing")
        if self._take("("):
            inner = self._or()
            if not self._take(")"):
                raise FunctionError("a ) is missing")
            return inner
        token = self._tokens.pop(0)
        if token in "01":
            return lambda row: int(token)
        if token not in self._pins:
            raise FunctionError(f"{token!r} is no pin")
        place = self._pins[token]
        return lambda row: row[place]
