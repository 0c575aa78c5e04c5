"""Accumulator of one column behind a join: adds one word a cycle."""

from amaranth.hdl import Cat, Module, Value

from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.arith.plan import Operand
from cimforge.hdl.arith.planners import plan_sum
from cimforge.hdl.macro.accumulator import Accumulator
from cimforge.hdl.macro.join import join_bits
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig

__all__ = ["TableAccumulator"]


def build_joined_sum(config: MacroConfig) -> Structure:
    """``feedback + joined`` modulo 2^y_bits. Terms in order: negate (the +1 of a negated top plane,
    at weight k-1), the feedback's bits k..y_bits-1, what joins."""
    k, y_bits = config.bits_per_cycle, config.y_bits
    feedback = tuple(range(y_bits - k + 1))
    joined = tuple(range(len(feedback), len(feedback) + join_bits(config)))
    operands = [Operand(feedback, k - 1), Operand(joined)]
    plan = plan_sum(config.tree, operands, y_bits, final=config.final_adder)
    comment = "Sum of feedback and of what a cycle adds."
    return build_adder(config.module, "accumulate_sum", comment, plan, role="accumulate")


class TableAccumulator(Accumulator):
    """Result register of one column: ``y = 2^k y + joined``, with Accumulator's start of a pass.

    ``joined`` is Join's sum, unsigned; ``negate`` belongs to it. y changes at the edge where
    ``enable`` is high: latency 1 cycle, one cycle's planes a cycle, modulo 2^y_bits. Not reset.
    """

    def __init__(self, config: MacroConfig):
        self._config = config
        ports = {
            "enable": In(1),
            "restart": In(1),
            "negate": In(1),
            "joined": In(join_bits(config)),
            "y": Out(config.y_bits),
        }
        Block.__init__(
            self, config.module, "accumulator", ports, {"sum": build_joined_sum(config)}
        )

    def _added(self, m: Module, feedback: Value) -> Value:
        return Cat(self.negate, feedback, self.joined)
