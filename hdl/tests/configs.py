"""Configurations the tests share: a diverse dozen by name, and random legal ones."""

from typing import Any

from hypothesis import strategies as st

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.features import FEATURES
from cimforge.hdl.params.multiply import MULTIPLY
from cimforge.hdl.params.ram_blocks import BLOCK_RAM
from cimforge.hdl.params.storage import STORAGE
from cimforge.hdl.params.trees import ACCUMULATE, FINAL_ADDERS, TREES

__all__ = ["DIVERSE", "legal_parameters", "macro"]


def macro(
    rows: int,
    cols: int,
    weight_bits: int,
    input_bits: int,
    bits_per_cycle: int = 1,
    banks: int = 1,
    storage: str = "flop",
    tree: str = "csa",
    tree_stages: int | str = 0,
) -> MacroConfig:
    """A config by position, in the order of the parameter table."""
    return MacroConfig(
        rows=rows,
        cols=cols,
        weight_bits=weight_bits,
        input_bits=input_bits,
        bits_per_cycle=bits_per_cycle,
        banks=banks,
        storage=storage,
        tree=tree,
        tree_stages=tree_stages,
    )


# Every storage style, tree and kind of pipeline; k of 1, odd, and all bits; 1, 2, 3 and 64 banks;
# one row, one column, one bit.
DIVERSE = {
    "single_bit": macro(1, 1, 1, 1),
    "single_bit_latch": macro(1, 1, 1, 1, storage="latch"),
    "one_row_three_banks": macro(1, 2, 4, 4, 2, 3, "latch"),
    "odd_latch_ripple": macro(5, 3, 3, 6, 2, 3, "latch", "ripple", "auto"),
    "bit_parallel": macro(7, 2, 8, 8, 8, 2, "flop", "behavioral", 2),
    "many_banks": macro(3, 1, 4, 4, 1, 64, "latch"),
    "wide_inputs": macro(3, 1, 1, 16, 16, 1, "flop", "csa", 1),
    "odd_planes": macro(13, 3, 7, 9, 3, 1, "latch", "behavioral", "auto"),
    "wide_ripple": macro(2, 2, 16, 16, 1, 2, "flop", "ripple", 1),
    "deep_pipeline": macro(9, 2, 5, 6, 3, 2, "latch", "csa", 7),
    "five_planes": macro(6, 2, 4, 15, 5, 5, "flop", "ripple", 2),
    "set_clear": macro(5, 2, 3, 4, 2, 3, "setclear", tree_stages=1),
    "prefix": macro(13, 2, 5, 4, 2, 2, "latch").model_copy(update={"final_adder": "prefix"}),
    "split": macro(9, 3, 6, 5, 1, 1, "flop", "csa42", 1).model_copy(
        update={"final_adder": "split"}
    ),
    "compressors": macro(11, 3, 4, 6, 2, 2, "latch", "csa42", 2),
    "approximate": macro(13, 3, 3, 4, 2, 2, "latch", "approx1", 1),
    "twice_approximate": macro(11, 2, 4, 5, 1, 1, "flop", "approx2"),
    "tiny": macro(8, 4, 4, 4),
    "words": MacroConfig(
        **{"rows": 7, "cols": 5, "weight_bits": 3, "input_bits": 4, "banks": 3},
        **{"storage": "sram", "sram_words": 16, "sram_bits": 4},
    ),
    "shared_words": MacroConfig(
        **{"rows": 5, "cols": 2, "weight_bits": 4, "input_bits": 3, "bits_per_cycle": 3},
        **{"banks": 2, "storage": "sram", "sram_ports": "1rw_reg", "tree_stages": 1},
    ),
    "skips": macro(5, 2, 3, 6, 2, 2, "latch").model_copy(update={"features": ("zero_skip",)}),
    "binary": macro(6, 3, 1, 1, 1, 3, "latch", tree_stages=1).model_copy(
        update={"multiply": "xnor"}
    ),
    "kept": macro(7, 3, 4, 4, 1, 2, "latch").model_copy(
        update={"accumulate": "carry_save", "final_stages": 1}
    ),
    "kept_pairs": macro(5, 2, 3, 4, 2, 2, "flop", "csa42", 2).model_copy(
        update={
            **{"group": 2, "accumulate": "carry_save", "final_stages": 2},
            "final_adder": "prefix",
        }
    ),
    "kept_parallel": macro(6, 2, 3, 3, 3).model_copy(update={"accumulate": "carry_save"}),
    "slices": macro(5, 2, 6, 4, 2, 3, "latch", tree_stages=1).model_copy(update={"slice_bits": 1}),
    "sliced_pairs": MacroConfig(
        **{"rows": 7, "cols": 3, "weight_bits": 4, "input_bits": 5, "slice_bits": 2, "group": 2},
    ),
    "kept_slices": macro(5, 2, 6, 4, 2, 2, "latch").model_copy(
        update={"slice_bits": 2, "accumulate": "carry_save", "final_stages": 1}
    ),
    "pairs": macro(5, 2, 3, 4, 2, 2, "latch", tree_stages=1).model_copy(update={"group": 2}),
    "digits": macro(5, 2, 3, 6, 2, 3, "latch", tree_stages=1).model_copy(
        update={"multiply": "booth", "features": ("zero_skip",)}
    ),
    "sliced_digits": macro(5, 2, 6, 4, 2, 2, "latch", tree_stages=1).model_copy(
        update={"multiply": "booth", "slice_bits": 2}
    ),
    "digit_parallel": macro(3, 2, 4, 4, 4, 3, "sram").model_copy(update={"multiply": "booth"}),
    "tables": MacroConfig(
        **{"rows": 7, "cols": 3, "weight_bits": 4, "input_bits": 4, "bits_per_cycle": 2},
        **{"banks": 3, "storage": "lutram", "tree": "behavioral", "tree_stages": 1},
    ),
    "single_table": MacroConfig(
        **{"rows": 1, "cols": 1, "weight_bits": 1, "input_bits": 1, "storage": "lutram"},
    ),
    "sliced_tables": MacroConfig(
        **{"rows": 5, "cols": 2, "weight_bits": 6, "slice_bits": 3, "input_bits": 3, "banks": 2},
        **{"storage": "lutram", "group": 3, "tree_stages": "auto"},
    ),
    "block_tables": MacroConfig(
        **{"rows": 12, "cols": 4, "weight_bits": 5, "input_bits": 4, "banks": 3},
        **{"storage": "bram", "group": 7, "tree": "behavioral", "tree_stages": 1},
    ),
    "small_blocks": MacroConfig(
        **{"rows": 9, "cols": 3, "weight_bits": 3, "input_bits": 6, "bits_per_cycle": 3},
        **{"banks": 2, "storage": "bram", "ram": "ice40", "group": 5, "features": ["zero_skip"]},
    ),
    "gowin_blocks": MacroConfig(
        **{"rows": 10, "cols": 2, "weight_bits": 4, "input_bits": 4, "bits_per_cycle": 4},
        **{"storage": "bram", "ram": "gowin", "tree": "ripple"},
    ),
    "both_tables": MacroConfig(
        **{"rows": 11, "cols": 5, "weight_bits": 4, "input_bits": 4, "bits_per_cycle": 2},
        **{"banks": 2, "storage": "hybrid", "group": 5, "ram_cols": 2, "tree": "behavioral"},
        tree_stages="auto",
    ),
    "kept_tables": MacroConfig(
        **{"rows": 6, "cols": 2, "weight_bits": 3, "input_bits": 4, "bits_per_cycle": 2},
        **{"storage": "lutram", "tree_stages": 1, "accumulate": "carry_save", "final_stages": 1},
    ),
}


@st.composite
def legal_parameters(draw) -> dict[str, Any]:
    """Parameters of a legal config, small enough that planning its tree costs little."""
    storage = draw(st.sampled_from([*STORAGE]))
    tables = bool(STORAGE[storage].parts)
    multiply = "plain" if tables else draw(st.sampled_from([*MULTIPLY]))
    most_bits = 1 if MULTIPLY[multiply].binary else 16
    input_bits, weight_bits = draw(st.integers(1, most_bits)), draw(st.integers(1, most_bits))
    digit = MULTIPLY[multiply].digit_bits
    input_bits = -(-input_bits // digit) * digit
    planes = [k for k in range(digit, input_bits + 1, digit) if input_bits % k == 0]
    tree = draw(st.sampled_from([name for name, t in TREES.items() if t.exact or not tables]))
    cols = draw(st.integers(1, 40))
    slices = [bits for bits in range(1, weight_bits + 1) if weight_bits % bits == 0]
    slice_bits = draw(st.sampled_from([None, *slices]))
    free = TREES[tree].columns and TREES[tree].exact and multiply == "plain"
    accumulate = draw(st.sampled_from([*ACCUMULATE] if free else ["binary"]))
    final_stages = draw(st.integers(0, ACCUMULATE[accumulate].most_final_stages))
    banks = draw(st.integers(1, 64))
    grouped = MULTIPLY[multiply].grouped and TREES[tree].exact
    group = draw(st.sampled_from(STORAGE[storage].groups if grouped else [1]))
    blocks = draw(_blocks(storage, group, cols)) if tables else {}
    memory = {
        "sram_words": draw(st.sampled_from([None, banks, 80])),
        "sram_bits": draw(st.sampled_from([None, 1, 7, 1024])),
        "sram_ports": draw(st.sampled_from([None, "1r1w", "1rw_reg"])),
    }
    return {
        **(memory if STORAGE[storage].memory else {}),
        "rows": draw(st.integers(1, 40)),
        "cols": cols,
        "weight_bits": weight_bits,
        "input_bits": input_bits,
        "bits_per_cycle": draw(st.sampled_from(planes)),
        "slice_bits": slice_bits,
        "banks": banks,
        "storage": storage,
        "group": group,
        "multiply": multiply,
        "tree": tree,
        "final_adder": draw(
            st.sampled_from([*FINAL_ADDERS] if TREES[tree].columns else ["ripple"])
        ),
        "tree_stages": draw(st.sampled_from([0, "auto"])),
        "accumulate": accumulate,
        "final_stages": final_stages,
        "features": draw(st.sampled_from([[], *([feature] for feature in FEATURES)])),
        **blocks,
    }


@st.composite
def _blocks(draw, storage: str, group: int, cols: int) -> dict[str, Any]:
    """Blocks of tables, the columns in each kind, and as many banks as fit them."""
    traits, blocks = STORAGE[storage], "bram" in STORAGE[storage].parts
    rams = [ram for ram in traits.targets if not blocks or BLOCK_RAM[ram].words >> group]
    told = {"ram": draw(st.sampled_from([None, *rams]))}
    if len(traits.parts) > 1:
        told |= {"ram_cols": draw(st.one_of(st.none(), st.integers(0, cols)))}
    if blocks:
        words = BLOCK_RAM[told["ram"] or "ecp5"].words
        told |= {"banks": draw(st.integers(1, min(64, words >> group)))}
    return told
