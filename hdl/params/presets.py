"""Named configurations: what differs from the defaults, and the reason each exists."""

from typing import Any, NamedTuple

__all__ = ["PRESETS", "Preset"]


class Preset(NamedTuple):
    """Parameters that differ from MacroConfig's defaults, and why this preset is worth a name."""

    parameters: dict[str, Any]
    reason: str


# Carry chains with a register behind each: what an FPGA's adders are made of.
CHAINS = {"tree": "behavioral", "tree_stages": "auto"}

PRESETS: dict[str, Preset] = {
    "tiny": Preset(
        {"rows": 8, "cols": 4, "weight_bits": 4, "input_bits": 4},
        "small enough to read, to check by hand and to simulate in seconds",
    ),
    "base": Preset(
        {},
        "64 x 16 at 8b x 8b, the size of published columns (storage=latch for ASIC figures)",
    ),
    "openc2": Preset(
        {"weight_bits": 4, "input_bits": 4, "storage": "latch"},
        "the geometry of the OpenC2 macro: 64 x 64 bits, 16 outputs, 4b x 4b",
    ),
    "lean": Preset(
        {"bits_per_cycle": 8, "group": 2, "storage": "latch", "accumulate": "carry_save"},
        "least energy a 1b-MAC: pairs halve the adders, eight planes are one sum with one carry "
        "chain, and ranks take more for their clock than the glitches that they stop",
    ),
    "wide": Preset(
        {"rows": 128, "cols": 32},
        "four times base: shows how area, speed and simulation scale",
    ),
    "fpga_small": Preset(
        {"rows": 16, "cols": 8, "weight_bits": 4, "tree": "behavioral"},
        "leaves room for bus and UART on an iCE40-HX8K (7680 LUTs); adders left to carry chains",
    ),
    "fpga_lutram": Preset(
        {"storage": "lutram", **CHAINS},
        "the size of base in LUT RAM of ECP5: sums of four rows are looked up, not added",
    ),
    "fpga_bram": Preset(
        {"rows": 72, "cols": 18, "storage": "bram", **CHAINS},
        "fewest LUTs: sums of nine rows in block RAM of ECP5, three columns a block and group",
    ),
    "fpga_hx8k": Preset(
        {"rows": 24, "cols": 14, "storage": "bram", "ram": "ice40", **CHAINS},
        "30 of the 32 block RAMs of an iCE40-HX8K; two are left to the link",
    ),
    "fpga_up5k": Preset(
        {"rows": 16, "cols": 20, "storage": "bram", "ram": "ice40", **CHAINS},
        "28 of the 30 block RAMs of an iCE40-UP5K; two are left to the link",
    ),
    "fpga_gowin": Preset(
        {"rows": 72, "cols": 9, "storage": "bram", "ram": "gowin", **CHAINS},
        "24 of the 26 block RAMs of a GW1NR-9; two are left to the link",
    ),
    # Most binary TOPS/mm2 of what was measured in Nangate45 (hdl/docs/decisions.md): all planes at
    # once share what pairs store and are one carry-save sum; two ranks and one behind the final
    # adder's generates are as many as pay.
    "dense": Preset(
        {
            "bits_per_cycle": 8,
            "storage": "latch",
            "group": 2,
            "tree_stages": 2,
            "final_adder": "prefix",
            "accumulate": "carry_save",
            "final_stages": 1,
        },
        "most operations a second and area: all planes at once, stored sums, carry-save, ranks",
    ),
}
