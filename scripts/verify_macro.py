"""cimforge verify of a macro: its Verilog, its netlist, or what stands around it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cimforge.cocotb_tests.regression import BUS_SUITE
from cimforge.flow.liberty.library_path import find_libraries
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.simulate.simulator import Design, locked
from cimforge.flow.synth.netlist_models import netlist_design
from cimforge.flow.synth.storage_check import check_storage
from cimforge.flow.synth.targets import LIBERTY
from cimforge.hdl.bus.bus_wrapper import BUSES, bus_wrapper_modules
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.scripts.verify_run import Asked, check_packages

__all__ = ["check_macro"]

FRONT_SUITE = ("bus_fronts.wrapped_suite",)
BUS_PACKAGES = {
    "wishbone": ("cocotb_bus", "cocotbext.wishbone"),  # the second imports the first
    "axi4lite": ("cocotbext.axi",),
    "apb": ("cocotbext.apb",),
}


def check_macro(
    asked: Asked,
    netlist: str | None,
    liberty: tuple[str, ...],
    bus: str | None,
    patience: int | None,
) -> None:
    """The regression of the macro that is asked for; the others are verify's options.

    Raises InputError where they contradict each other, CheckFailedError where a check fails.
    """
    macro = load_config(asked.config, asked.overrides)
    if netlist:
        check_storage(macro, netlist, f"--netlist {netlist}")
    libraries = find_libraries(liberty).paths if netlist == LIBERTY else ()
    if bus:
        check_packages(BUS_PACKAGES[bus])
        _check_patience(macro, patience)
    _check_together(netlist, bus, asked)
    folder = asked.folder(macro)
    results = asked.results(folder, netlist, bus)

    def design(announce: Callable[[str], None]) -> Design:
        if asked.sources:
            ours = bus_wrapper_modules(macro, bus)[-1] if bus else build_macro(macro)
            return asked.given(macro, folder, ours)
        emit_macro(macro, folder, macro_extras(macro, bus, patience))
        return _emitted_design(macro, folder, netlist, libraries, bus, announce)

    words = ["--netlist", netlist] if netlist else []
    words += [word for path in libraries for word in ("--liberty", str(path))]
    words += ["--bus", bus] if bus else []
    words += ["--patience", str(patience)] if patience is not None else []
    options = _bus_suite(bus, patience) if bus else {}
    asked.check(macro.module, results, design, words, **options)


def _check_together(netlist: str | None, bus: str | None, asked: Asked) -> None:
    """Raise InputError where two options contradict each other."""
    if netlist and bus:
        raise InputError("--bus: the wrapper is checked as Verilog, not with --netlist")
    if netlist and asked.sources:
        raise InputError(f"--netlist {netlist}: is made from our Verilog; give yours as --sources")


def _bus_suite(bus: str, patience: int | None) -> dict[str, Any]:
    """The tests of a macro behind ``bus``."""
    if bus == "wishbone":
        return {"suite": BUS_SUITE}
    waited = BUSES[bus].patience if patience is None else patience
    return {"suite": FRONT_SUITE, "options": {"bus": bus, "patience": waited}}


def _check_patience(macro: MacroConfig, patience: int | None) -> None:
    """Raise InputError where an access may end in an error before what it waits for has come: the
    tests poll nothing."""
    longest = max(macro.write_cycles(row) for row in range(macro.rows))
    least = 4 * (macro.latency() + longest) + 100
    if patience is not None and patience < least:
        rule = f"must be at least {least} to be checked, since the tests wait and do not poll"
        raise InputError(f"--patience: {rule}, not {patience}")


def _emitted_design(
    macro: MacroConfig,
    folder: Path,
    netlist: str | None,
    libraries: Sequence[Path],
    bus: str | None,
    announce: Callable[[str], None],
) -> Design:
    """What was emitted into ``folder``, or the netlist synthesised from it there."""
    if bus:
        return Design.wrapped(macro, folder, bus)
    if not netlist:
        return Design.emitted(macro, folder)
    with locked(folder / "sim" / "netlist.lock", announce):
        announce(f"synthesising {macro.module} for {netlist}")
        return netlist_design(macro, folder, netlist, libraries)
