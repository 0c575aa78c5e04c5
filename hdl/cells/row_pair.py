"""A pair of rows in one column, and the columns of such pairs: what styles with one store a code
share where rows are grouped."""

from collections.abc import Callable
from dataclasses import dataclass

from cimforge.hdl.cells.array_style import ColumnNets
from cimforge.hdl.cells.multiply_style import MULTIPLY_STYLES
from cimforge.hdl.cells.pair_multiply import PairCodes, PairMultiplier
from cimforge.hdl.cells.pair_sum import PairSum
from cimforge.hdl.cells.word import build_word
from cimforge.hdl.netlist.drivers import spread
from cimforge.hdl.netlist.module import Module
from cimforge.hdl.netlist.structure import Net, Structure, concat, expression
from cimforge.hdl.params.config import MacroConfig

__all__ = ["PairArray", "build_pair"]

Store = Callable[[MacroConfig, int], Module]


def build_pair(config: MacroConfig, code: Module, total: Module) -> Structure:
    """Structure of three stores a bank, two of ``code`` and one of ``total``, and their multiplier.

    ``gate`` (2 * banks, the first row's lowest) writes ``d`` into a row's store of a bank,
    ``sum_gate`` (banks) ``d_sum`` into a sum's; ``products`` as PairMultiplier's, combinational in
    what is stored and in the select lines.
    """
    width, banks, k = config.weight_bits, config.banks, config.bits_per_cycle
    sentence = "Two rows' weights in one column and their sum: stores a bank, and the multiplier."
    out = Structure(config.module, "pair", sentence, role="storage")
    codes, multiplier = PairCodes(config), PairMultiplier(config)
    pins: dict[str, Net] = {"clk": out.port("input", "clk")} if "clk" in code.ports else {}
    gate, sum_gate = out.port("input", "gate", 2 * banks), out.port("input", "sum_gate", banks)
    d, d_sum = out.port("input", "d", width), out.port("input", "d_sum", width + 1)
    select: dict[str, Net] = {}
    if banks > 1:
        select["bank_select"] = out.port("input", "bank_select", banks)
    select["alone"] = out.port("input", "alone", 2 * k)
    select["both_n"] = out.port("input", "both_n", k)
    products = out.port("output", "products", multiplier.ports["products"].width)
    stored = out.wire("stored", banks * 2 * width)
    sums = out.wire("sums", banks * (width + 1))
    code_n = out.wire("code_n", k * width)
    for bank in range(banks):
        for row in range(2):
            gates = gate.bits(row * banks + bank)
            q = stored.bits((2 * bank + row) * width, width)
            out.place(code, f"row{row}_bank{bank}", **pins, gate=gates, d=d, q=q)
        q = sums.bits(bank * (width + 1), width + 1)
        out.place(total, f"sum_bank{bank}", **pins, gate=sum_gate.bits(bank), d=d_sum, q=q)
    out.place(codes, "codes", stored=stored, **select, code_n=code_n)
    out.place(multiplier, "multiplier", stored=sums, **select, code_n=code_n, products=products)
    return out


@dataclass(frozen=True)
class PairArray:
    """A column's array of pairs, its last row alone where their number is odd; ``store(config,
    bits)`` keeps a code or sum of one bank: ports gate, d, q and, where clocked, clk."""

    store: Store

    def place(self, config: MacroConfig, out: Structure, nets: ColumnNets) -> None:
        """Place the pairs in a column (see ArrayStyle)."""
        width, banks = config.weight_bits, config.banks
        style = MULTIPLY_STYLES[config.multiply]
        words = len(config.group_sizes)
        d = spread(out, nets.code, words, 2 * banks, "storage")
        select = nets.bank_select and spread(out, nets.bank_select, words, 3 * width, "multiply")
        offered: list[dict[str, Net]] = []
        for index, size in enumerate(config.group_sizes):
            row, low = 2 * index, index * (width + 1)
            pins: dict[str, Net] = {"clk": nets.clk, "d": d(index)}
            pins |= {"bank_select": select(index)} if select else {}
            pins["gate"] = nets.gate.bits(row * banks, size * banks)
            made = (bus.bits(low, width + size - 1) for bus in nets.operands)
            offered.append({**pins, "products": concat(made)})
        store = self.store(config, width)
        if nets.pairs:
            pair = build_pair(config, store, self.store(config, width + 1))
            self._place_pairs(config, out, nets, pair, offered[: config.pairs])
        if config.rows % 2:
            last = config.rows - 1
            pins = {**offered[-1], "planes_n": _inverted_planes(config, nets, last)}
            if style.inverted_code(config):
                pins["d"] = expression(f"~{pins['d']}", width)
            out.place(build_word(config, store, style.multiplier(config)), f"row{last}", **pins)

    def _place_pairs(
        self,
        config: MacroConfig,
        out: Structure,
        nets: ColumnNets,
        pair: Module,
        offered: list[dict[str, Net]],
    ) -> None:
        """The pairs, and the register in which their sums are made."""
        assert nets.pairs is not None
        width, banks, k = config.weight_bits, config.banks, config.bits_per_cycle
        total = out.wire("sum", width + 1)
        made = {"following": nets.pairs.following, "neighbour": nets.pairs.neighbour}
        pins = {**made, "capture": nets.pairs.capture, "fill": nets.pairs.fill}
        out.place(PairSum(config), "pair_sum", clk=nets.clk, code=nets.code, **pins, sum=total)
        d_sum = out.wire("d_sum", width + 1)
        out.assign(d_sum, expression(f"~{total}", width + 1) if banks == 1 else total)
        data = spread(out, d_sum, len(offered), banks, "storage")
        for index, pins in enumerate(offered):
            pins["alone"] = nets.pairs.alone.bits(2 * index * k, 2 * k)
            pins |= {"d_sum": data(index), "both_n": nets.pairs.both_n.bits(index * k, k)}
            pins |= {"sum_gate": nets.pairs.gate.bits(index * banks, banks)}
            out.place(pair, f"pair{index}", **pins)


def _inverted_planes(config: MacroConfig, nets: ColumnNets, row: int) -> Net:
    """The planes of a row without neighbour, inverted."""
    k = config.bits_per_cycle
    if nets.pairs is None:
        return nets.planes_n.bits(row * k, k)
    return expression(f"~{nets.pairs.alone.bits(row * k, k)}", k)
