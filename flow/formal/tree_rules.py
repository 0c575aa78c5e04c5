"""The rules of the checker, and how a broken one is reported."""

from dataclasses import dataclass

__all__ = ["RULES", "BrokenRuleError", "Fault"]

RULES = {
    "cell": "every cell keeps a weighted sum of its inputs",
    "claim": "every module that adds is claimed",
    "ports": "the module has the ports that its claim names",
    "driven": "every bit is driven once, and not through itself",
    "used once": "every bit goes to one cell or one place of the result",
    "weight": "the bits of a cell, and of a place of the result, have its weight and polarity",
    "depth": "all ways to a cell and to the result pass as many registers",
    "register": "registers take clk and enable, and nothing else",
    "dropped": "what is cut off is 0, by the values that can come to it",
    "constant": "the constants of all cells add up to nothing",
    "whole": "a small module equals the sum written as + (SAT)",
    "wiring": "an instance's operands are nets of their own",
    "mapped": "a leaf cell equals the library's cells that replace it (SAT)",
}


@dataclass(frozen=True)
class Fault:
    """A rule of RULES that does not hold: ``module``, the ``cell`` in it and the ``bit`` at it,
    where they can be told, and what was found."""

    module: str
    rule: str
    cell: str
    bit: str
    text: str

    def __str__(self) -> str:
        """One line."""
        where = ", ".join(filter(None, (self.cell, self.bit)))
        return f"{self.module}{f': {where}' if where else ''}: {self.text} (rule: {self.rule})"


class BrokenRuleError(Exception):
    """A rule broken at a bit (a net's name) of a cell: what a Fault needs besides the module."""

    def __init__(self, rule: str, cell: str, bit: str, text: str):
        super().__init__(text)
        self.rule, self.cell, self.bit, self.text = rule, cell, bit, text

    def in_module(self, module: str) -> Fault:
        """The failure of that module."""
        return Fault(module, self.rule, self.cell, self.bit, self.text)
