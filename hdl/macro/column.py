"""One column: its words, k adder trees and accumulator."""

from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.arith.plan import Plan
from cimforge.hdl.arith.planners import plan_sum, word_operands
from cimforge.hdl.cells.styles import STYLES
from cimforge.hdl.macro.accumulator import Accumulator
from cimforge.hdl.netlist.drivers import spread
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig

__all__ = ["build_column", "build_tree", "tree_plan"]


def tree_plan(config: MacroConfig) -> Plan:
    """Plan of one tree: ``rows`` unsigned words of weight_bits to tree_bits."""
    return plan_sum(config.tree, word_operands(config.operand_widths), config.tree_bits)


def build_tree(config: MacroConfig) -> Structure:
    """The adder tree of one plane, with pipeline_stages register ranks."""
    return build_adder(
        f"{config.module}_tree",
        "Sum of one plane's products over all rows.",
        tree_plan(config),
        config.pipeline_stages,
    )


def build_column(
    config: MacroConfig, word: Structure, tree: Structure, accumulator: Accumulator
) -> Structure:
    """Structure ``y = sum over r of x[r] * w[r]`` for one column.

    ``gate``, ``w_code`` write a row; ``bank_select`` and ``planes_n`` multiply; the trees take
    pipeline_stages enabled cycles, the accumulator one more. ``w_code`` is weight_bits wide, ``y``
    two's complement.
    """
    rows, width, k, banks = config.rows, config.weight_bits, config.bits_per_cycle, config.banks
    out = Structure(
        f"{config.module}_column",
        "One column: a word for each row, a tree for each plane, one accumulator.",
    )
    clk = out.port("input", "clk")
    gate = out.port("input", "gate", rows * banks)
    w_code = out.port("input", "w_code", width)
    select = {"bank_select": out.port("input", "bank_select", banks)} if banks > 1 else {}
    planes_n = out.port("input", "planes_n", rows * k)
    pipeline = {"clk": clk, "enable": out.port("input", "enable")} if config.pipeline_stages else {}
    control = {name: out.port("input", name) for name in ("accumulate", "restart", "negate")}
    correction = out.port("input", "correction", config.correction_bits)
    y = out.port("output", "y", config.y_bits)

    products = [out.wire(f"products_{plane}", rows * width) for plane in range(k)]
    totals = out.wire("totals", k * config.tree_bits)
    d = out.wire("d", width)
    out.assign(d, f"~{w_code}" if banks == 1 else w_code)
    data = spread(out, d, rows, banks)
    selects = {name: spread(out, bus, rows, width) for name, bus in select.items()}
    clock = {"clk": clk} if STYLES[config.storage].store_clocked else {}
    for row in range(rows):
        made = [products[plane].bits(row * width, width) for plane in reversed(range(k))]
        out.instance(
            word.module,
            f"row{row}",
            **clock,
            gate=gate.bits(row * banks, banks),
            d=data(row),
            **{name: line(row) for name, line in selects.items()},
            planes_n=planes_n.bits(row * k, k),
            products=made[0] if k == 1 else "{" + ", ".join(made) + "}",
        )
    for plane in range(k):
        total = totals.bits(plane * config.tree_bits, config.tree_bits)
        out.instance(tree.module, f"tree{plane}", **pipeline, terms=products[plane], total=total)
    enable = control.pop("accumulate")
    out.instance(
        accumulator.module,
        "accumulator",
        clk=clk,
        enable=enable,
        **control,
        totals=totals,
        correction=correction,
        y=y,
    )
    return out
