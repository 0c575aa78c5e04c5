"""Random legal configurations, small enough to simulate in minutes."""

import random
import shutil
from typing import Any

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.multiply import MULTIPLY
from cimforge.hdl.params.ram_blocks import BLOCK_RAM
from cimforge.hdl.params.ranges import unsigned_width
from cimforge.hdl.params.storage import STORAGE
from cimforge.hdl.params.trees import ACCUMULATE, FINAL_ADDERS, TREES

__all__ = ["ODD", "draw_configs", "quickest_simulator"]

MAX_CELL_BITS = 12_000
MAX_PRODUCTS = 16_000
MAX_LOAD_CYCLES = 6000  # to write all banks row by row, of which tests do a few

# Always part of a draw: sizes that are no powers of two, odd precisions, bit-parallel, three banks;
# an approximate tree whose rows leave one without partner at both levels, behind set-clear latches;
# words of RAM that do not divide evenly, written and read through one port, and a final adder
# behind 4:2 compressors; sums kept in two words, of pairs with several ranks of the final adder;
# slices that fuse by six, three, two and one; digits whose passes skip, and in slices; tables of
# sums in LUT RAM, in three banks and slices, in block RAM with and without an output register, and
# in both. Together they have every style, feature, group and kind of rank, zero_skip in latches,
# flip-flops, pairs, tables and approximate trees.
ODD = (
    {
        "rows": 21,
        "cols": 5,
        "weight_bits": 3,
        "input_bits": 5,
        "bits_per_cycle": 5,
        "banks": 3,
        "final_adder": "split",
    },
    {
        "rows": 11,
        "cols": 3,
        "weight_bits": 5,
        "input_bits": 9,
        "bits_per_cycle": 3,
        "storage": "latch",
        "tree": "approx1",
        "tree_stages": "auto",
        "features": ("zero_skip",),
    },
    {
        "rows": 3,
        "cols": 5,
        "weight_bits": 16,
        "input_bits": 15,
        "bits_per_cycle": 5,
        "tree": "ripple",
        "group": 2,
    },
    {
        "rows": 19,
        "cols": 2,
        "weight_bits": 7,
        "input_bits": 7,
        "banks": 5,
        "tree": "behavioral",
        "tree_stages": 5,
        "features": ("zero_skip",),
    },
    {
        "rows": 7,
        "cols": 3,
        "weight_bits": 4,
        "input_bits": 6,
        "bits_per_cycle": 3,
        "banks": 3,
        "storage": "setclear",
        "tree": "approx2",
        "tree_stages": 2,
    },
    {
        "rows": 13,
        "cols": 3,
        "weight_bits": 5,
        "input_bits": 6,
        "bits_per_cycle": 2,
        "banks": 3,
        "storage": "latch",
        "group": 2,
        "tree_stages": 2,
        "features": ("zero_skip",),
    },
    {
        "rows": 11,
        "cols": 5,
        "weight_bits": 3,
        "input_bits": 6,
        "bits_per_cycle": 6,
        "banks": 3,
        "storage": "sram",
        "sram_words": 16,
        "sram_bits": 4,
        "sram_ports": "1rw_reg",
        "tree": "csa42",
        "tree_stages": 1,
        "final_adder": "prefix",
    },
    {
        "rows": 11,
        "cols": 3,
        "weight_bits": 6,
        "input_bits": 6,
        "bits_per_cycle": 3,
        "banks": 3,
        "slice_bits": 1,
        "storage": "latch",
        "tree_stages": 1,
    },
    {
        "rows": 21,
        "cols": 5,
        "weight_bits": 1,
        "input_bits": 1,
        "banks": 3,
        "multiply": "xnor",
        "storage": "latch",
        "tree_stages": 2,
    },
    {
        "rows": 11,
        "cols": 3,
        "weight_bits": 5,
        "input_bits": 6,
        "bits_per_cycle": 2,
        "banks": 2,
        "storage": "latch",
        "group": 2,
        "tree_stages": 2,
        "accumulate": "carry_save",
        "final_stages": 2,
    },
    {
        "rows": 7,
        "cols": 3,
        "weight_bits": 5,
        "input_bits": 6,
        "bits_per_cycle": 2,
        "banks": 3,
        "multiply": "booth",
        "storage": "latch",
        "tree_stages": 1,
        "features": ("zero_skip",),
    },
    {
        "rows": 9,
        "cols": 3,
        "weight_bits": 6,
        "slice_bits": 3,
        "input_bits": 4,
        "bits_per_cycle": 4,
        "banks": 2,
        "multiply": "booth",
        "storage": "latch",
        "tree_stages": "auto",
    },
    {
        "rows": 11,
        "cols": 3,
        "weight_bits": 6,
        "slice_bits": 3,
        "input_bits": 6,
        "bits_per_cycle": 2,
        "banks": 3,
        "storage": "lutram",
        "tree": "behavioral",
        "tree_stages": "auto",
    },
    {
        "rows": 7,
        "cols": 2,
        "weight_bits": 4,
        "input_bits": 4,
        "bits_per_cycle": 4,
        "banks": 2,
        "storage": "lutram",
        "group": 3,
        "tree_stages": 2,
        "accumulate": "carry_save",
        "final_stages": 1,
    },
    {
        "rows": 13,
        "cols": 7,
        "weight_bits": 5,
        "input_bits": 3,
        "banks": 3,
        "storage": "bram",
        "ram": "ice40",
        "group": 6,
        "tree": "ripple",
        "tree_stages": 1,
    },
    {
        "rows": 10,
        "cols": 3,
        "weight_bits": 4,
        "input_bits": 4,
        "bits_per_cycle": 2,
        "storage": "bram",
        "ram": "gowin",
        "tree": "behavioral",
        "tree_stages": 1,
    },
    {
        "rows": 9,
        "cols": 3,
        "weight_bits": 4,
        "slice_bits": 2,
        "input_bits": 4,
        "bits_per_cycle": 2,
        "banks": 2,
        "storage": "hybrid",
        "group": 7,
        "ram_cols": 2,
        "tree": "behavioral",
        "tree_stages": "auto",
        "features": ("zero_skip",),
    },
    {
        "rows": 8,
        "cols": 2,
        "weight_bits": 3,
        "input_bits": 2,
        "banks": 2,
        "storage": "hybrid",
        "group": 8,
        "ram_cols": 0,
        "tree": "csa42",
        "tree_stages": 1,
    },
    {
        "rows": 6,
        "cols": 2,
        "weight_bits": 2,
        "input_bits": 2,
        "banks": 5,
        "storage": "hybrid",
        "group": 5,
        "ram_cols": 2,
        "tree_stages": 0,
        "final_adder": "prefix",
    },
)


def draw_configs(count: int, seed: int) -> list[MacroConfig]:
    """``count`` configurations, equal for equal seeds: the ODD ones first, then uniform over every
    other parameter and log-uniform over the sizes, within the bounds above."""
    rng = random.Random(seed)
    configs = [MacroConfig(**parameters) for parameters in ODD[:count]]
    while len(configs) < count:
        storage = rng.choice(list(STORAGE))
        tables = bool(STORAGE[storage].parts)
        multiply = "plain" if tables else rng.choice([*MULTIPLY, "plain"])
        shape = _shape(rng, multiply)
        cells = shape["rows"] * shape["cols"] * shape["weight_bits"]
        if cells * shape["banks"] > MAX_CELL_BITS or cells * shape["bits_per_cycle"] > MAX_PRODUCTS:
            continue
        tree = rng.choice([name for name, traits in TREES.items() if traits.exact or not tables])
        style: dict[str, Any] = {"storage": storage, "tree": tree, "multiply": multiply}
        traits = TREES[tree]
        grouped = traits.exact and MULTIPLY[multiply].grouped
        finals = list(FINAL_ADDERS) if traits.columns else ["ripple"]
        chosen: dict[str, Any] = {"group": rng.choice(STORAGE[storage].groups if grouped else (1,))}
        chosen |= {"final_adder": rng.choice(finals)}
        whole = shape["weight_bits"]
        slices = [bits for bits in range(1, whole + 1) if whole % bits == 0]
        chosen |= {"slice_bits": rng.choice([None, None, rng.choice(slices)])}
        free = traits.columns and traits.exact and multiply == "plain"
        chosen |= _accumulate(rng, free)
        style |= _ram(rng, shape) if STORAGE[storage].memory else {}
        style |= _tables(rng, shape, storage) if tables else {}
        if not _fits_blocks(style, shape["banks"], chosen["group"]):
            continue
        config = MacroConfig(**shape, **style, **chosen)
        if config.tables and config.load_cycles() * config.banks > MAX_LOAD_CYCLES:
            continue
        stages = rng.choice([0, 0, "auto", rng.randint(0, config.tree_levels)])
        features = rng.choice([(), ("zero_skip",)])
        configs.append(config.model_copy(update={"tree_stages": stages, "features": features}))
    return configs


def _shape(rng: random.Random, multiply: str) -> dict[str, int]:
    """Sizes and widths of a macro, log-uniform and uniform."""
    digit = MULTIPLY[multiply].digit_bits
    input_bits = -(-rng.randint(1, 16) // digit) * digit
    shape = {
        "rows": _log_uniform(rng, 160),
        "cols": _log_uniform(rng, 48),
        "weight_bits": rng.randint(1, 16),
        "input_bits": input_bits,
        "bits_per_cycle": rng.choice(
            [k for k in range(digit, input_bits + 1, digit) if input_bits % k == 0]
        ),
        "banks": rng.choice([1, 1, 2, 3, 4, rng.randint(5, 64)]),
    }
    if MULTIPLY[multiply].binary:
        shape |= {"weight_bits": 1, "input_bits": 1, "bits_per_cycle": 1}
    return shape


def _accumulate(rng: random.Random, free: bool) -> dict[str, Any]:
    """One of the ways to accumulate, where they are ``free`` to choose, and ranks behind it."""
    way = rng.choice(list(ACCUMULATE)) if free else "binary"
    stages = rng.randint(0, ACCUMULATE[way].most_final_stages)
    return {"accumulate": way, "final_stages": stages}


def _ram(rng: random.Random, shape: dict[str, int]) -> dict[str, Any]:
    """RAMs for a macro of ``shape``: some fit exactly, others leave words and bits unused."""
    row = shape["cols"] * shape["weight_bits"]
    return {
        "sram_words": rng.choice([shape["banks"], rng.randint(shape["banks"], 80)]),
        "sram_bits": rng.choice([row, rng.randint(max(1, row // 5), row + 5)]),
        "sram_ports": rng.choice(["1r1w", "1rw_reg"]),
    }


def _tables(rng: random.Random, shape: dict[str, int], storage: str) -> dict[str, Any]:
    """Whose blocks tables are in, and how many columns are in block RAM: all, none or some."""
    ram = rng.choice(STORAGE[storage].targets)
    cols = shape["cols"]
    split = rng.choice([0, cols, rng.randint(0, cols)])
    return {"ram": ram, **({"ram_cols": split} if len(STORAGE[storage].parts) > 1 else {})}


def _fits_blocks(style: dict[str, Any], banks: int, group: int) -> bool:
    """Whether the entries of a group fit a block RAM, bank by bank; LUT RAMs are one a bank."""
    blocks = "bram" in STORAGE[style["storage"]].parts
    return not blocks or banks << group <= BLOCK_RAM[style["ram"]].words


def quickest_simulator(config: MacroConfig) -> str:
    """Icarus, where installed, for macros so small, and written in so few cycles, that Verilator's
    build would take longer than the whole run."""
    products = config.macs_1b + config.rows * config.cols * config.weight_bits * config.banks
    quick = products < 1500 and config.load_cycles() * config.banks < 600
    return "icarus" if quick and shutil.which("iverilog") else "verilator"


def _log_uniform(rng: random.Random, most: int) -> int:
    """1..most, each octave equally likely."""
    octave = rng.randrange(unsigned_width(most))
    return min(most, rng.randint(1 << octave, (2 << octave) - 1))
