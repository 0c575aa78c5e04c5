"""A macro's Verilog in a simulator, for the tests of this folder."""

import shutil
from pathlib import Path

from cimforge.compiler.applications.binary_rtl import BinaryRtlBackend
from cimforge.compiler.backends.rtl import RtlBackend
from cimforge.flow.macro_files import macro_extras
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig

SIMULATOR = "icarus" if shutil.which("iverilog") else "verilator"


def open_macro(config: MacroConfig, folder: Path) -> RtlBackend:
    """Emit the macro into ``folder``, and what runs its jobs."""
    emit_macro(config, folder, macro_extras(config))
    kind = BinaryRtlBackend if config.binary else RtlBackend
    return kind(folder, SIMULATOR, announce=lambda _: None)


def binary_config(**parameters) -> MacroConfig:
    """A macro of -1 and 1."""
    return MacroConfig(weight_bits=1, input_bits=1, multiply="xnor", **parameters)


def bit_config(**parameters) -> MacroConfig:
    """A macro of integers of one bit."""
    return MacroConfig(weight_bits=1, input_bits=1, **parameters)
