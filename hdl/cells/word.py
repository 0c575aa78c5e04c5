"""A weight with its multiplier, and the columns of such words: what styles with one store a weight
share."""

from collections.abc import Callable
from dataclasses import dataclass

from cimforge.hdl.cells.array_style import ColumnNets
from cimforge.hdl.cells.multiply_style import MULTIPLY_STYLES
from cimforge.hdl.netlist.drivers import spread
from cimforge.hdl.netlist.module import Module
from cimforge.hdl.netlist.structure import Net, Structure, concat, expression
from cimforge.hdl.params.config import MacroConfig

__all__ = ["WordArray", "build_word"]


def build_word(config: MacroConfig, store: Module, multiplier: Module) -> Structure:
    """Structure of ``banks`` stores and one multiplier: one row's weight in one column.

    ``gate`` holds each bank's write lines, ``gate[b]`` where it has one: it writes ``d`` into bank
    b's store; ``products`` as in MultiplyStyle. Products are
    combinational in the stored weights and planes.
    """
    width, banks = config.weight_bits, config.banks
    out = Structure(
        config.module,
        "word",
        "One row's weight in one column: a store for each bank, and the multiplier.",
        role="storage",
    )
    pins: dict[str, Net] = {}
    if "clk" in store.ports:
        pins["clk"] = out.port("input", "clk")
    lines = config.write_gates // banks
    gate, d = out.port("input", "gate", config.write_gates), out.port("input", "d", width)
    if "bank_select" in multiplier.ports:
        pins["bank_select"] = out.port("input", "bank_select", banks)
    pins["planes_n"] = out.port("input", "planes_n", config.row_lines)
    pins["products"] = out.port("output", "products", multiplier.ports["products"].width)
    stored = out.wire("stored", banks * width)
    for bank in range(banks):
        q = stored.bits(bank * width, width)
        out.place(store, f"bank{bank}", **pins, gate=gate.bits(bank * lines, lines), d=d, q=q)
    out.place(multiplier, "multiplier", stored=stored, **pins)
    return out


@dataclass(frozen=True)
class WordArray:
    """A column's array of one word a row, each with ``store(config)`` a bank: ports gate, d, q and,
    where clocked, clk."""

    store: Callable[[MacroConfig], Module]

    def place(self, config: MacroConfig, out: Structure, nets: ColumnNets) -> None:
        """Place the words in a column (see ArrayStyle)."""
        rows, width, banks = config.rows, config.weight_bits, config.banks
        style = MULTIPLY_STYLES[config.multiply]
        word = build_word(config, self.store(config), style.multiplier(config))
        size, lines = config.operand_widths[0], config.row_lines
        written = config.write_gates
        d = out.wire("d", width)
        inverted = style.inverted_code(config)
        out.assign(d, expression(f"~{nets.code}", width) if inverted else nets.code)
        data = spread(out, d, rows, banks, "storage")
        select = nets.bank_select and spread(out, nets.bank_select, rows, width, "multiply")
        for row in range(rows):
            pins = {"clk": nets.clk, "gate": nets.gate.bits(row * written, written), "d": data(row)}
            pins |= {"bank_select": select(row)} if select else {}
            made = concat(tree.bits(row * size, size) for tree in nets.operands)
            planes_n = nets.planes_n.bits(row * lines, lines)
            out.place(word, f"row{row}", **pins, planes_n=planes_n, products=made)
