"""One column of a macro of tables: an adder tree a plane, their join, an accumulator, and the entry
that is renewed."""

from cimforge.hdl.macro.column import build_tree
from cimforge.hdl.macro.join import Join
from cimforge.hdl.macro.kept_words import KeptWords
from cimforge.hdl.macro.pipeline import tree_plan
from cimforge.hdl.macro.renewal import Renewal
from cimforge.hdl.macro.table_accumulator import TableAccumulator
from cimforge.hdl.netlist.structure import Bus, Net, Structure, concat
from cimforge.hdl.params.config import MacroConfig

__all__ = ["build_table_column"]


def build_table_column(
    config: MacroConfig, whole: MacroConfig, summing: tuple[Join, TableAccumulator] | None
) -> Structure:
    """``y = sum over r of x[r] * w[r]`` for one column, from its entries in the groups' tables.

    ``entries`` holds those of each plane of a cycle, groups side by side (config.operand_widths),
    ``entry`` is the one that a slot's totals and ``w_code`` make (Renewal). ``config`` is of one
    kind of tables; where those of the ``whole`` macro take more cycles to their totals, these wait.
    ``summing`` is what all kinds share behind totals; None where sums are kept in two words.
    Latency from entries: ranks - lead + 1 cycles, and final_stages. ``y`` is two's complement,
    y_bits wide.
    """
    k, own = config.bits_per_cycle, config.lead + config.pipeline_stages
    waits = whole.lead + whole.pipeline_stages - own
    latency = whole.ranks - config.lead + 1 + config.final_stages
    sentence = "One column: its entries of each plane, a tree for each, one accumulator."
    out = Structure(config.module, "column", sentence, role="storage", latency=latency)
    tree, renewal = build_tree(config), Renewal(config)
    size = sum(config.operand_widths)
    nets: dict[str, Net] = {
        name: out.port("input", name) for name in ("clk", "accumulate", "renew", "clear")
    }
    for name, wanted in (
        ("enable", "enable" in tree.ports or whole.join_ranks + waits > 0),
        ("join_negate", not config.carry_save),
        ("pass_ends", not config.carry_save),
        ("pass_begins", not config.carry_save and config.max_planes > 1),
        ("restart", config.carry_save and config.restarts),
        ("negate", config.carry_save),
        ("plane_negate", config.carry_save),
        ("finish", config.final_stages > 0),
    ):
        if wanted:
            nets[name] = out.port("input", name)
    nets["correction"] = out.port("input", "correction", config.correction_bits)
    nets["code"] = out.port("input", "w_code", config.weight_bits)
    entries = out.port("input", "entries", k * size)
    nets["d"] = out.port("output", "entry", config.operand_widths[0])
    y = nets["y"] = out.port("output", "y", config.y_bits)
    totals = out.wire("totals", config.trees * tree.ports["total"].width)
    if config.carry_save:
        pins = {**nets, "negate": nets["plane_negate"]}
        out.place(tree, "tree", **pins, terms=entries, total=totals)
    else:
        width = config.tree_bits
        for plane in range(k):
            terms, total = entries.bits(plane * size, size), totals.bits(plane * width, width)
            out.place(tree, f"tree{plane}", **nets, terms=terms, total=total)
    summed = _delayed(out, totals, waits)
    _place_accumulator(config, out, nets, summed, summing)
    out.place(renewal, "renewal", **{**nets, "y": _low(y, config.operand_widths[0])})
    return out


def _place_accumulator(
    config: MacroConfig,
    out: Structure,
    nets: dict[str, Net],
    totals: Bus,
    summing: tuple[Join, TableAccumulator] | None,
) -> None:
    """The accumulator, of totals as they are or joined with the correction."""
    pins = {**nets, "enable": nets["accumulate"]}
    if summing is None:
        words = KeptWords(config, tree_plan(config).places, [0] * totals.width)
        out.place(words, "accumulator", **pins, total=totals)
        return
    join, accumulator = summing
    joined = out.wire("joined", join.ports["joined"].width)
    offered = {**nets, "negate": nets["join_negate"]}
    out.place(join, "totals_join", **offered, totals=totals, joined=joined)
    pins |= {"ending": nets["pass_ends"], "joined": joined}
    pins |= {"starts": nets["pass_begins"]} if "pass_begins" in nets else {}
    out.place(accumulator, "accumulator", **pins)


def _delayed(out: Structure, net: Bus, ranks: int) -> Bus:
    """A net some enabled cycles later."""
    for rank in range(ranks):
        later = out.register(f"totals_q{rank + 1}", net.width)
        out.line(f"always @(posedge clk) if (enable) {later} <= {net};")
        net = later
    return net


def _low(y: Net, width: int) -> Net:
    """The low bits of a result, with zeros above where an entry has more."""
    assert isinstance(y, Bus)
    if y.width < width:
        return concat([y, Net(f"{width - y.width}'h0", width - y.width)])
    return y.bits(0, width)
