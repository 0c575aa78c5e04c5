"""One column: its array of weights, an adder tree for each operand of a cycle, its accumulator."""

from collections.abc import Sequence

from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.cells.array_style import ARRAY_STYLES, ColumnNets, PairNets
from cimforge.hdl.macro.accumulator import Accumulator, build_accumulate_sum
from cimforge.hdl.macro.kept_words import KeptWords
from cimforge.hdl.macro.matches import Matches, build_match_sum
from cimforge.hdl.macro.pipeline import total_arrival, tree_plan, tree_staging
from cimforge.hdl.netlist.structure import Bus, Structure, concat
from cimforge.hdl.params.config import MacroConfig

__all__ = ["build_accumulator", "build_column", "build_tree"]


NOTHING = Bus("", 0)


def build_tree(config: MacroConfig) -> Structure:
    """The adder tree of one plane, with pipeline_stages register ranks, or of all planes."""
    comment = "Sum of one plane's products over all rows."
    if config.carry_save:
        comment = "Sum of a cycle's products over all rows, left in two words."
    staging, lead = tree_staging(config), config.lead
    return build_adder(
        *(config.module, "tree", comment, staging),
        role="tree",
        lead=lead,
        chained=config.tables,
    )


def build_accumulator(config: MacroConfig) -> Accumulator | KeptWords | Matches:
    """The accumulator, its adder planned for the times at which a tree's bits come: latency 1
    cycle, and final_stages."""
    arrival = total_arrival(config)
    if config.carry_save:
        return KeptWords(config, tree_plan(config).places, arrival)
    if config.binary:
        return Matches(config, build_match_sum(config, arrival))
    return Accumulator(config, build_accumulate_sum(config, arrival))


def build_column(config: MacroConfig) -> Structure:
    """Structure ``y = sum over r of x[r] * w[r]`` for one column.

    ``gate``, ``w_code`` write a row, or, where weights are in RAMs, ``stored`` brings the codes in
    use and ``planes_n`` comes as late as they do; ``bank_select`` and ``planes_n`` make the
    operands; the array and the trees take config.ranks enabled cycles (the trees alone, where codes
    come in), the accumulator one more. ``exact`` is high in a read-back, which approximate trees
    must pass unchanged. ``w_code`` is weight_bits wide, ``y`` two's complement. The ports of
    pairs are those of PairNets.
    """
    sentence = "One column: a word for each row, a tree for each plane, one accumulator."
    lead = 0 if config.storage_traits.memory else config.lead
    latency = lead + config.pipeline_stages + 1 + config.final_stages
    out = Structure(config.module, "column", sentence, role="storage", latency=latency)
    tree = build_tree(config)
    nets = _ports(config, out, tree)
    size = sum(config.operand_widths)
    operands = [out.wire(f"products_{each}", size) for each in range(config.operand_sets)]
    totals = out.wire("totals", config.trees * tree.ports["total"].width)
    array = ColumnNets(
        clk=nets["clk"],
        gate=nets.get("gate", NOTHING),
        code=nets.get("w_code", NOTHING),
        planes_n=nets.get("planes_n", NOTHING),
        bank_select=nets.get("bank_select"),
        enable=nets.get("enable"),
        operands=operands,
        pairs=_pair_nets(config, nets),
        stored=nets.get("stored"),
    )
    ARRAY_STYLES[config.storage].place(config, out, array)
    _place_trees(config, out, nets, tree, operands, totals)
    accumulator = build_accumulator(config)
    out.place(
        accumulator,
        "accumulator",
        clk=nets["clk"],
        enable=nets["accumulate"],
        **{name: nets[name] for name in ("restart", "negate", "finish") if name in nets},
        totals=totals,
        total=totals,
        correction=nets["correction"],
        y=nets["y"],
    )
    return out


def _pair_nets(config: MacroConfig, nets: dict[str, Bus]) -> PairNets | None:
    """What the column's ports offer its pairs of rows; a code read back stands in y."""
    if not config.pairs:
        return None
    return PairNets(
        gate=nets["sum_gate"],
        alone=nets["alone"],
        both_n=nets["both_n"],
        following=nets["w_next"],
        neighbour=nets["y"].bits(0, config.weight_bits),
        capture=nets["sum_capture"],
        fill=nets["sum_fill"],
    )


def _ports(config: MacroConfig, out: Structure, tree: Structure) -> dict[str, Bus]:
    """A column's ports; those of width 0 are left out."""
    rows, k, pairs = config.rows, config.bits_per_cycle, config.pairs
    banks, memory = config.selected_banks, config.storage_traits.memory
    enabled = "enable" in tree.ports if memory else config.ranks > 0
    inputs = {
        **{"clk": 1, "gate": 0 if memory else rows * config.write_gates},
        **{"w_code": 0 if memory else config.weight_bits},
        **{"stored": rows * config.weight_bits if memory else 0},
        **{"sum_gate": pairs * banks, "w_next": config.weight_bits if pairs else 0},
        **{"sum_capture": int(pairs > 0), "sum_fill": int(pairs > 0)},
        **{"alone": rows * k if pairs else 0, "both_n": pairs * k},
        **{"bank_select": banks if banks > 1 else 0},
        **{"planes_n": 0 if pairs else rows * config.row_lines},
        **{"enable": int(enabled), "accumulate": 1},
        **({} if config.binary else {"restart": int(config.restarts)}),
        **({} if config.binary else {"negate": 0 if config.digits else 1}),
        **{"finish": int(config.final_stages > 0), "plane_negate": int(config.carry_save)},
        **{"correction": config.correction_bits, "exact": int("exact" in tree.ports)},
    }
    nets = {name: out.port("input", name, width) for name, width in inputs.items() if width}
    return {**nets, "y": out.port("output", "y", config.y_bits)}


def _place_trees(
    config: MacroConfig,
    out: Structure,
    nets: dict[str, Bus],
    tree: Structure,
    operands: Sequence[Bus],
    totals: Bus,
) -> None:
    """One tree for each bus of operands, their totals side by side; or one for all of them."""
    offered = {name: nets[name] for name in ("clk", "enable", "exact") if name in nets}
    if config.carry_save:
        terms, negate = concat(operands), nets["plane_negate"]
        out.place(tree, "tree", **offered, negate=negate, terms=terms, total=totals)
        return
    for place, terms in enumerate(operands):
        total = totals.bits(place * config.tree_bits, config.tree_bits)
        out.place(tree, f"tree{place}", **offered, terms=terms, total=total)
