"""Macros that several tests read, emitted once a session."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cimforge.flow.macro_files import macro_extras
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.tests.tools import netlist

__all__ = ["Emit", "Parse"]

Emit = Callable[[MacroConfig], Path]
Parse = Callable[[MacroConfig], dict[str, Any]]


@pytest.fixture(scope="session")
def emitted(tmp_path_factory: pytest.TempPathFactory) -> Emit:
    """A function that emits a config with its testbench and returns the folder.

    Tests must not change what is in it.
    """
    root = tmp_path_factory.mktemp("emitted")

    def emit(config: MacroConfig) -> Path:
        folder = root / config.module
        if not folder.exists():
            emit_macro(config, folder, macro_extras(config))
        return folder

    return emit


@pytest.fixture(scope="session")
def parsed(emitted: Emit) -> Parse:
    """A function that reads an emitted macro with Yosys, checks it, and returns its modules.

    The sequencer comes as one-bit cells, the other modules as Yosys reads them.
    """

    @cache
    def parse(config: MacroConfig) -> dict[str, Any]:
        top = config.module
        checks = f"hierarchy -check -top {top}\nproc\ndesign -save all\nflatten\ncheck -assert"
        gates = f"design -load all\ncd {top}_sequencer\nopt_clean\ntechmap\nopt_clean\ncd"
        sources = " ".join(f"{name}.v" for name in ("cim_cells", *config.models, top))
        return netlist(emitted(config), f"read_verilog {sources}\n{checks}\n{gates}")

    return parse
