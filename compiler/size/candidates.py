"""The macros that a size is chosen from."""

import json
import tomllib
from importlib.resources import files

from cimforge.flow.measured_macro import MeasuredMacro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.presets import PRESETS

__all__ = ["LIBRARY", "candidates", "kept_figures"]

PLACE = "cimforge.compiler.size"
LIBRARY = "IHP SG13G2"  # of the figures that come with the package


def candidates(weight_bits: int, input_bits: int) -> tuple[MacroConfig, ...]:
    """The macros of candidates.toml with operands of these widths. Raises ConfigError where one
    does not take them."""
    table = tomllib.loads(files(PLACE).joinpath("candidates.toml").read_text())
    found = []
    for entry in table["candidate"]:
        widths = {"weight_bits": weight_bits, "input_bits": input_bits}
        given = {**PRESETS[entry["preset"]].parameters, **widths, **entry["set"]}
        # All planes at once stay all planes at once.
        if given.get("bits_per_cycle", 1) > 1:
            given["bits_per_cycle"] = input_bits
        found.append(MacroConfig(**given))
    return tuple(found)


def kept_figures() -> tuple[MeasuredMacro, ...]:
    """What the candidates measured on LIBRARY, at 8b x 8b: area, period, and the content that was
    measured (flow.measured_macro). Its file names the command that measures them again."""
    table = json.loads(files(PLACE).joinpath("measured_sg13g2.json").read_text())
    return tuple(MeasuredMacro.from_json(each) for each in table["figures"])
