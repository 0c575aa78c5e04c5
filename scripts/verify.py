"""cimforge verify: the cocotb regression of the emitted Verilog, of a macro or of an engine."""

import os
import re
from functools import partial
from math import isnan
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from cimforge.explore.cluster.cluster_place import ClusterPlace
from cimforge.flow.simulate.bounded_run import LIMIT_S
from cimforge.flow.simulate.simulator import check_simulator
from cimforge.flow.synth.netlist_models import NETLISTS
from cimforge.flow.synth.targets import LIBERTY
from cimforge.hdl.bus.engine_top import MEMORIES
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.engine_file import ENGINES, names_engine
from cimforge.hdl.params.errors import shown
from cimforge.scripts.cluster_option import cluster_option
from cimforge.scripts.options import (
    bus_options,
    config_epilog,
    config_options,
    liberty_option,
    simulator_option,
)
from cimforge.scripts.verify_drawn import Drawing, verify_drawn
from cimforge.scripts.verify_engine import check_engine
from cimforge.scripts.verify_macro import check_macro
from cimforge.scripts.verify_run import Asked

__all__ = ["verify"]

VERILOG = click.Path(exists=True, readable=True, path_type=Path)
MODELS = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
# What --draw goes together with.
OF_DRAWS = ("draw", "cluster", "simulator", "seed", "jobs", "output", "as_json", "timeout")
EPILOG = (
    f"{config_epilog} Or an engine ({', '.join(ENGINES)}), a TOML file with a table [macro], or "
    "any CONFIG with --set engine.KEY=VALUE."
)


def _regex(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    try:
        re.compile(value or "")
    except (re.error, RecursionError, OverflowError) as error:
        raise click.BadParameter(f"{shown(value)} is no regular expression: {error}") from None
    return value


def _minutes(context: click.Context, parameter: click.Parameter, value: float) -> float:
    """A time-out that is a number: click's range takes nan."""
    if isnan(value):
        raise click.BadParameter("must be a number of minutes, not nan")
    return value


def _given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def _verify_drawn(
    context: click.Context, draws: int, cluster: ClusterPlace, others: dict[str, Any]
) -> None:
    """The options that a draw has; InputError for another."""
    if others["config"] is not None:
        raise InputError("CONFIG: not with --draw, which draws macros of its own")
    for option in context.command.params:
        name = str(option.name)
        if name not in OF_DRAWS and _given(context, name):
            raise InputError(f"{option.opts[0]}: not with --draw, which checks the drawn Verilog")
    told = {key: others[key] for key in ("seed", "output", "as_json")}
    simulator = others["simulator"] if _given(context, "simulator") else None
    jobs = others["jobs"] if _given(context, "jobs") else None
    limit = others["timeout"] * 60
    drawing = Drawing(
        draws=draws, simulator=simulator, limit=limit, cluster=cluster, jobs=jobs, **told
    )
    verify_drawn(drawing)


@click.command(epilog=EPILOG, short_help="Check the Verilog against the golden model.")
@partial(config_options, required=False)
@click.option(
    "--draw",
    type=click.IntRange(1, 100_000),
    metavar="N",
    help="In place of CONFIG: N macros drawn with --seed, as tests draw them, each in the "
    "simulator that is quicker for it.",
)
@cluster_option
@simulator_option
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    metavar="N",
    default=1,
    show_default=True,
    help="Seed of all stimuli, and of the draw.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    metavar="N",
    default=min(2, os.cpu_count() or 1),
    show_default=True,
    help="Processes.",
)
@click.option(
    "--test",
    "test_filter",
    callback=_regex,
    metavar="REGEX",
    help="Only tests whose full name matches somewhere.",
)
@click.option(
    "--netlist",
    type=click.Choice(NETLISTS),
    help="Check the netlist synthesised for this target instead of the Verilog.",
)
@liberty_option
@bus_options
@click.option(
    "--memory",
    type=click.Choice(list(MEMORIES)),
    help="Of an engine with --bus: the bus of its memory.  [default: axi4]",
)
@click.option(
    "--sources",
    multiple=True,
    type=VERILOG,
    metavar="PATH",
    help="Check this Verilog, which is left as it is, instead of CONFIG's: a file, or a folder of "
    "ours; repeatable.",
)
@click.option(
    "--models",
    multiple=True,
    type=MODELS,
    metavar="FILE",
    help="Simulation models of the cells in --sources; repeatable.",
)
@click.option(
    "--top", metavar="NAME", help="The module in --sources that is checked.  [default: ours]"
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=60 * 24 * 7),
    callback=_minutes,
    metavar="MINUTES",
    default=LIMIT_S / 60,
    show_default=True,
    help="End a simulation in which no test begins or ends for so long.",
)
@click.option(
    "--waves", is_flag=True, help="Record waveforms (VCD with Verilator, FST with Icarus)."
)
def verify(
    draw: int | None,
    cluster: ClusterPlace,
    netlist: str | None,
    liberty: tuple[str, ...],
    bus: str | None,
    patience: int | None,
    memory: str | None,
    **others: Any,
) -> None:
    """Check the emitted Verilog of CONFIG against the golden model: of a macro value by value and
    cycle by cycle, of an engine drawn programs, word for word of memory."""
    context = click.get_current_context()
    if draw is not None:
        _verify_drawn(context, draw, cluster, others)
        return
    if _given(context, "cluster"):
        raise InputError("--cluster: only with --draw, whose macros workers check one by one")
    if others["config"] is None:
        raise click.MissingParameter(ctx=context, param=context.command.params[0])
    asked = Asked(**others)
    check_simulator(asked.simulator)
    if (asked.models or asked.top) and not asked.sources:
        raise InputError(f"--{'models' if asked.models else 'top'}: only together with --sources")
    if liberty and netlist != LIBERTY:
        raise InputError(f"--liberty: only with --netlist {LIBERTY}")
    if names_engine(asked.config, asked.overrides):
        check_engine(asked, netlist, bus, patience, memory)
        return
    if memory:
        raise InputError("--memory: only of an engine, with --bus")
    check_macro(asked, netlist, liberty, bus, patience)
