"""cimforge soc-layer: a fully connected layer on a simulated system's engine, for figures."""

from pathlib import Path

import click

from cimforge.compiler.backends.rtl import SimulationError
from cimforge.compiler.soc.layer_program import LayerProgram
from cimforge.compiler.soc.layer_run import run_layer
from cimforge.flow.simulate.simulator import BuildError, check_simulator
from cimforge.fpga.cpu.simulated_system import ROM_BYTES, simulated_system
from cimforge.fpga.cpu.toolchain import CompileError, check_compiler
from cimforge.hdl.emit.output_paths import BUILD
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.engine_file import ENGINES, load_engine
from cimforge.scripts.options import (
    CheckFailedError,
    OutputPath,
    print_json,
    set_option,
    show_table,
    simulation_progress,
)
from cimforge.scripts.system_option import chosen_system, system_option

__all__ = ["soc_layer"]

RAM_BYTES = 1 << 18  # weights, vectors and results of the default layer


@click.command()
@click.argument("config", default=next(iter(ENGINES)))
@set_option
@system_option
@click.option("--inputs", type=click.IntRange(1), default=640, show_default=True)
@click.option("--outputs", type=click.IntRange(1), default=128, show_default=True)
@click.option("--batch", type=click.IntRange(1), default=128, show_default=True)
@click.option("--clock", type=float, metavar="MHZ", default=30, show_default=True)
@click.option("-o", "--output", type=OutputPath(), default=Path(BUILD) / "soc-layer")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def soc_layer(
    config: str,
    overrides: tuple[str, ...],
    system_options: tuple[str, ...],
    inputs: int,
    outputs: int,
    batch: int,
    clock: float,
    output: Path,
    as_json: bool,
) -> None:
    """Run a layer of int8 on the engine of CONFIG in a simulated system, and compare its results
    with the golden model's. The core makes weights and vectors; cycles are from the start of the
    queue to its end."""
    engine = load_engine(config, overrides)
    system = chosen_system(engine, system_options, rom_bytes=ROM_BYTES, ram_bytes=RAM_BYTES)
    check_simulator("verilator")
    check_compiler()
    target = simulated_system(system, output)
    try:
        program = LayerProgram(engine, inputs, outputs, batch, base=target.ram)
    except ValueError as error:
        raise InputError(f"soc-layer: {error}") from None
    with simulation_progress() as (announce, _):
        try:
            told = run_layer(target, program, output, announce)
        except (BuildError, CompileError, SimulationError) as error:
            raise CheckFailedError(error) from None
    seconds = told["cycles"] / (clock * 1e6)
    rates = {"clock_mhz": clock, "gops": round(2 * told["macs"] / seconds / 1e9, 3)}
    told = {"system": system.module, **told, **rates}
    if as_json:
        print_json(told)
    else:
        show_table(f"layer on {system.module}", [(key, str(told[key])) for key in told], below=[])
    if not told["exact"]:
        raise CheckFailedError("the results differ from the golden model's")
