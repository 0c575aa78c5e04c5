"""cimforge soc: a RISC-V core with an engine on a board, a program in its boot memory."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cimforge.compiler import digits
from cimforge.compiler.soc.soc_backend import BATCH, CLASSIFIER, classifier_source
from cimforge.flow.bitstream_report import BitstreamReport
from cimforge.flow.families import check_fabric
from cimforge.flow.place_route import check_tools
from cimforge.flow.placer_run import FlowError
from cimforge.fpga.board_link import linked_board
from cimforge.fpga.boards import BOARDS, find_board
from cimforge.fpga.cpu.board_system import system_bitstream, system_work
from cimforge.fpga.cpu.device_use import multipliers
from cimforge.fpga.cpu.firmware import build_firmware
from cimforge.fpga.cpu.memory_map import region
from cimforge.fpga.cpu.pico_core import core_text
from cimforge.fpga.cpu.program_room import program_room
from cimforge.fpga.cpu.system_config import SystemConfig
from cimforge.fpga.cpu.toolchain import CompileError, check_compiler
from cimforge.fpga.pll import board_at
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.engine_file import ENGINES, load_engine
from cimforge.hdl.params.install_hint import install_hint
from cimforge.scripts.fpga import Seeds
from cimforge.scripts.options import (
    CheckFailedError,
    config_options,
    default_folder,
    print_json,
    show_table,
    steps,
)
from cimforge.scripts.system_option import chosen_system, system_option

__all__ = ["soc"]


@click.command(
    epilog=f"BOARD: {', '.join(BOARDS)}, or a TOML file. CONFIG: an engine ({', '.join(ENGINES)}), "
    "or a macro's preset or TOML file.",
    short_help="Build a bitstream of a RISC-V core with an engine.",
)
@click.argument("board", metavar="BOARD")
@system_option
@click.option("--no-engine", "alone", is_flag=True, help="The core's side alone.")
@click.option(
    "--clock",
    type=click.FloatRange(1, 500),
    metavar="MHZ",
    help="The system's clock, by the board's PLL.  [default: the board's]",
)
@click.option(
    "--batch",
    type=click.IntRange(1, 255),
    default=BATCH,
    show_default=True,
    metavar="N",
    help="Most images at a time.",
)
@click.option(
    "--seeds", type=Seeds(), default="1", show_default=True, metavar="N,...", help="Of the placer."
)
@config_options
def soc(
    board: str,
    system_options: tuple[str, ...],
    alone: bool,
    clock: float | None,
    batch: int,
    seeds: tuple[int, ...],
    config: str,
    overrides: tuple[str, ...],
    output: Path | None,
    as_json: bool,
) -> None:
    """Put a RISC-V core with the engine of CONFIG on BOARD, and the program that classifies digits
    in its boot memory: bitstream, Fmax, utilisation.

    --set engine.KEY=VALUE changes a parameter of the engine, --set KEY=VALUE one of its macro.
    """
    name, chosen = find_board(board)
    chosen = board_at(linked_board(chosen, "uart", "BOARD"), clock, None)
    engine = load_engine(config, overrides)
    system = chosen_system(None if alone else engine, system_options, divisor=chosen.divisor)
    if not alone:
        check_fabric(engine.macro, chosen, name)
    check_tools(chosen)
    check_compiler()
    core_text()  # its package may be missing
    folder = default_folder(output, engine.macro) / "soc"
    with steps(f"building for {name}") as announce:
        try:
            announce("compiling the program")
            rom, used = _program(system, engine.macro, batch, folder / "firmware")
            report = system_bitstream(system, chosen, name, folder, rom, announce, seeds)
        except (CompileError, FlowError, YosysError) as error:
            raise CheckFailedError(error) from None
    mhz, family = chosen.clock_hz / 1e6, chosen.family
    told = {"system": system.module, "clock_mhz": round(mhz, 6), "program_bytes": used}
    told["multipliers"] = multipliers(system_work(folder, name), family)
    memory = {"rom_bytes": system.rom_bytes, "ram_bytes": system.ram_bytes}
    if as_json:
        print_json({**report.as_json(), **told, **memory})
    else:
        _show(report, system, told)
    if report.reached_mhz < mhz:
        rule = f"{report.reached_mhz:.1f} MHz, but {name} runs at {mhz:g} MHz"
        mend = f"take --clock {int(report.reached_mhz)}, or raise tree_stages"
        raise CheckFailedError(f"too slow: {rule}; {mend} (--set tree_stages=2)")


def _program(system: SystemConfig, macro: MacroConfig, batch: int, folder: Path) -> tuple[str, int]:
    """The ROM's text with the program that classifies digits, and the program's bytes."""
    try:
        data, bits = digits.load(), digits.network_bits(macro)
    except ModuleNotFoundError as error:
        raise InputError(f"soc: needs {error.name}; run {install_hint('networks')}") from None
    except ValueError as error:
        raise InputError(str(error)) from None
    network = digits.quantise_network(digits.train(), data.train_images, *bits)
    ram = region(system, "ram").base
    own, program = classifier_source(network, system.engine, batch, ram)
    last = () if system.engine else ("no_engine.c",)
    sources = (*(s for s in CLASSIFIER if system.engine or s != "engine_classifier.c"), *last)
    with program_room(system):
        rom = build_firmware(system, folder, sources, own, program.end - ram if program else 0)
    return rom, (folder / "program.bin").stat().st_size


def _show(report: BitstreamReport, system: SystemConfig, told: Mapping[str, Any]) -> None:
    share = report.luts / report.capacity["luts"]
    multiplies = "none" if told["multipliers"] is None else str(told["multipliers"])
    path = " → ".join(f"{s.block} {s.delay:.1f} ({s.cells})" for s in report.path)
    rows = [
        ("device", report.device),
        ("Fmax", f"{report.fmax_mhz:.1f} MHz (clock {told['clock_mhz']:g} MHz)"),
        ("logic cells", f"{report.luts:,} of {report.capacity['luts']:,} ({share:.0%})"),
        ("flip-flops", f"{report.ffs:,}"),
        ("block RAMs", f"{report.brams} of {report.capacity['brams']}"),
        ("multipliers", multiplies),
        ("program", f"{told['program_bytes']:,} of {system.rom_bytes:,} bytes of ROM"),
        ("RAM", f"{system.ram_bytes:,} bytes"),
        ("critical path, ns (hops)", path),
        ("time", f"{report.seconds:.0f} s"),
    ]
    show_table(f"{system.module} on {report.board}", rows, below=[("bitstream", report.bitstream)])
