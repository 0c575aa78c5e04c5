"""One row's weight in one column: its stores, one a bank, and its multiplier."""

from cimforge.hdl.cells.multiplier import Multiplier
from cimforge.hdl.cells.styles import STYLES
from cimforge.hdl.netlist.block import Block
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig

__all__ = ["build_word"]


def build_word(config: MacroConfig, store: Block | Structure, multiplier: Multiplier) -> Structure:
    """Structure of ``banks`` stores and one multiplier.

    ``gate[b]`` writes ``d`` into bank b's store; ``products`` as in Multiplier. Products are
    combinational in the stored weights and planes.
    """
    width = config.weight_bits
    clocked = STYLES[config.storage].store_clocked
    out = Structure(
        f"{config.module}_word",
        "One row's weight in one column: a store for each bank, and the multiplier.",
    )
    clock = {"clk": out.port("input", "clk")} if clocked else {}
    gate = out.port("input", "gate", config.banks)
    d = out.port("input", "d", width)
    select = (
        {"bank_select": out.port("input", "bank_select", config.banks)} if config.banks > 1 else {}
    )
    planes_n = out.port("input", "planes_n", config.bits_per_cycle)
    products = out.port("output", "products", config.bits_per_cycle * width)
    stored = out.wire("stored", config.banks * width)
    for bank in range(config.banks):
        out.instance(
            store.module,
            f"bank{bank}",
            **clock,
            gate=gate.bits(bank),
            d=d,
            q=stored.bits(bank * width, width),
        )
    out.instance(
        multiplier.module,
        "multiplier",
        stored=stored,
        **select,
        planes_n=planes_n,
        products=products,
    )
    return out
