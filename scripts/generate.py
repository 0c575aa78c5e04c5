"""cimforge generate: parameters in, Verilog and everything beside it out."""

import time
from pathlib import Path

import click

from cimforge.flow.macro_files import macro_extras
from cimforge.hdl.emit.library_views import check_libraries, library_files
from cimforge.hdl.emit.map_view import macro_view
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.emit.wrapper_files import register_files
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.hdl.params.engine_file import ENGINES
from cimforge.scripts.options import (
    CheckFailedError,
    bus_options,
    config_epilog,
    config_options,
    default_folder,
    print_json,
    short_names,
    show_table,
    views_option,
)

__all__ = ["generate"]

CONTRACT = ("name", "config", "files", "top")


def _ports(macro: MacroConfig) -> str:
    """Inputs and outputs with the bits of those that are wider than one."""
    told: dict[str, list[str]] = {"input": [], "output": []}
    for port in macro_ports(macro):
        told[port.direction].append(f"{port.name}{f'[{port.width}]' if port.width > 1 else ''}")
    return "\n".join(f"{'in' if way == 'input' else 'out'}: {' '.join(told[way])}" for way in told)


def _views(macro: MacroConfig) -> dict[str, bytes]:
    """Views of the macro's registers that libraries make."""
    view = macro_view(macro)
    return library_files(view, register_files(macro)[f"{view.name}.md"])


@click.command(epilog=config_epilog, short_help="Write Verilog and all beside it.")
@config_options
@bus_options
@views_option
def generate(
    config: str,
    overrides: tuple[str, ...],
    output: Path | None,
    as_json: bool,
    bus: str | None,
    patience: int | None,
    views: bool,
) -> None:
    """Write the macro of CONFIG (a preset or a TOML file): Verilog, manifest, testbench,
    diagrams."""
    started = time.perf_counter()
    if config in ENGINES:
        raise InputError(f"{config} is an engine, macros with all around: cimforge engine {config}")
    macro = load_config(config, overrides)
    folder = default_folder(output, macro)
    if views and not bus:
        raise InputError("--views: only with --bus, behind which a macro has registers")
    if views:
        check_libraries()
    try:
        extras: dict[str, str | bytes] = {**macro_extras(macro, bus, patience)}
        extras |= _views(macro) if views else {}
        manifest = emit_macro(macro, folder, extras)
    except YosysError as error:
        if as_json:
            print_json({**dict.fromkeys(CONTRACT), "failed": str(error)})
        raise CheckFailedError(error) from None
    if as_json:
        numbers = {"latency": macro.latency(), "cycles_per_pass": macro.cycles_per_pass()}
        print_json(
            {**{key: manifest[key] for key in CONTRACT}, **numbers, "macs_1b": macro.macs_1b}
        )
        return
    adders = manifest["tree_adders"]
    text = (folder / f"{macro.module}.v").stat().st_size
    rows = [
        ("files", ", ".join(short_names(file["path"] for file in manifest["files"]))),
        ("Verilog", f"{text / 1000:.0f} kB, {len(manifest['modules'])} modules"),
        ("ports", _ports(macro)),
        ("results", ", or ".join(f"{mode.outputs} of {mode.y_bits} bits" for mode in macro.modes)),
        ("adder cells a tree", ", ".join(f"{n} {kind}" for kind, n in adders.items()) or "none"),
        ("latency", f"{macro.latency()} cycles, one pass every {macro.pass_interval()}"),
        ("1b-MACs a cycle", str(macro.macs_1b)),
        *([("removed, out of date", ", ".join(gone))] if (gone := manifest.get("removed")) else []),
        ("time", f"{time.perf_counter() - started:.1f} s"),
    ]
    show_table(macro.module, rows, below=[("written to", folder)])
