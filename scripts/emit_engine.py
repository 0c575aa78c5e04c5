"""cimforge engine: parameters in, an engine around a macro out, behind buses."""

from pathlib import Path

import click

from cimforge.compiler.npy import load_array
from cimforge.flow.macro_files import macro_extras
from cimforge.hdl.bus.engine_top import CONTROLS, MEMORIES, build_engine_top
from cimforge.hdl.emit.engine_fusesoc import engine_fusesoc
from cimforge.hdl.emit.engine_sources import engine_sources
from cimforge.hdl.emit.engine_testbench import Program, engine_testbench
from cimforge.hdl.emit.library_views import check_libraries, library_files
from cimforge.hdl.emit.map_view import engine_view
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.emit.register_views import engine_files
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.engine_file import ENGINES, engine_command, load_engine
from cimforge.scripts.engine_example import engine_example, engine_product
from cimforge.scripts.options import (
    CheckFailedError,
    config_options,
    default_folder,
    print_json,
    short_names,
    show_table,
    views_option,
)

__all__ = ["engine"]

NPY = click.Path(dir_okay=False, path_type=Path)

EPILOG = (
    f"CONFIG: an engine ({', '.join(ENGINES)}), a macro's preset or TOML file, or a TOML file of "
    "an engine's parameters with a table [macro]."
)


@click.command(epilog=EPILOG, short_help="Write an engine: macros, buffers, DMA, registers.")
@config_options
@click.option(
    "--control",
    "--bus",
    "control",
    type=click.Choice(list(CONTROLS)),
    default="axi4lite",
    show_default=True,
)
@click.option("--memory", type=click.Choice(list(MEMORIES)), default="axi4", show_default=True)
@views_option
@click.option("--weights", type=NPY, help="Of the testbench: w.npy, integers (K, N).")
@click.option(
    "--inputs", type=NPY, help="And x.npy: integers (batch, K).  [default: a small layer]"
)
def engine(
    config: str,
    overrides: tuple[str, ...],
    output: Path | None,
    as_json: bool,
    control: str,
    memory: str,
    views: bool,
    weights: Path | None,
    inputs: Path | None,
) -> None:
    """Write the engine of CONFIG: its Verilog behind a slave for --control and a master for
    --memory, its registers and descriptors as C header, Markdown, SystemRDL and SVD, a testbench
    in plain Verilog that runs a program on it, and a FuseSoC core.

    --set engine.KEY=VALUE changes a parameter of the engine, --set KEY=VALUE one of its macro.
    """
    if views:
        check_libraries()
    chosen = load_engine(config, overrides)
    folder = default_folder(output, chosen.macro)
    top = build_engine_top(chosen, control, memory)
    program = _program(chosen, weights, inputs)
    contract = ("name", "top", "command", "config", "files")
    command = f"{engine_command(chosen)} --control {control} --memory {memory}"
    try:
        registers = engine_files(chosen)
        files: dict[str, str | bytes] = {**engine_sources(chosen, top), **registers}
        files |= engine_testbench(chosen, top, control, memory, program)
        files |= engine_fusesoc(chosen, top.name, control, memory, command)
        if views:
            files |= library_files(engine_view(chosen), registers[f"{chosen.module}.md"])
        manifest = emit_macro(chosen.macro, folder, {**macro_extras(chosen.macro), **files})
    except YosysError as error:
        if as_json:
            print_json({**dict.fromkeys(contract), "failed": str(error)})
        raise CheckFailedError(error) from None
    if as_json:
        told = (chosen.module, top.name, command, chosen.parameters(), manifest["files"])
        print_json(dict(zip(contract, told, strict=True)))
        return
    size = sum((folder / f"{top.name}{kind}").stat().st_size for kind in (".v",))
    rows = [
        ("files", ", ".join(short_names(files))),
        ("Verilog", f"{size / 1000:.0f} kB beside the macro's, top module {top.name}"),
        ("macros", f"{chosen.macros} of {chosen.macro.rows} rows x {chosen.outputs} outputs"),
        ("activation buffer", f"{chosen.act_bytes} bytes, {chosen.gather_bytes} a cycle"),
        ("kept sums", f"{chosen.acc_vectors} vectors of {chosen.acc_bits} bits an output"),
        ("memory", f"{chosen.bus_bits} bits, bursts of up to {chosen.burst} words"),
        ("requantised", f"{chosen.lanes} results a cycle"),
    ]
    show_table(chosen.module, rows, below=[("written to", folder), ("again", command)])


def _program(config: EngineConfig, weights: Path | None, inputs: Path | None) -> Program:
    """What the testbench runs."""
    if (weights is None) != (inputs is None):
        given, other = ("--weights", "--inputs") if inputs is None else ("--inputs", "--weights")
        raise InputError(f"{given}: only together with {other}")
    if weights is None or inputs is None:
        return engine_example(config)
    try:
        w, x = load_array(weights), load_array(inputs)
    except ValueError as error:
        raise InputError(str(error)) from None
    try:
        return engine_product(config, x, w)
    except ValueError as error:
        raise InputError(f"{error} (x is {inputs}, w is {weights})") from None
