"""cimforge size: which macro, and how many, for so much memory and so fast."""

import json
from collections.abc import Callable, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import click

from cimforge.compiler.size.candidates import candidates, kept_figures
from cimforge.compiler.size.demand import TIERS, Demand
from cimforge.compiler.size.quantities import parse_bits, parse_memory, parse_rate
from cimforge.compiler.size.size_plan import SizePlan, plan_size, size_plans
from cimforge.flow.liberty.library_path import find_libraries
from cimforge.flow.measured_macro import MeasuredMacro, measure_macro
from cimforge.flow.synth.storage_check import check_storage
from cimforge.flow.synth.targets import LIBERTY
from cimforge.hdl.emit.output_paths import BUILD
from cimforge.hdl.emit.outputs import write_file
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, canonical_command, load_config
from cimforge.hdl.params.errors import ConfigError
from cimforge.scripts.options import (
    OutputPath,
    liberty_option,
    print_json,
    set_option,
    show_table,
    steps,
)

__all__ = ["size"]

STORE = Path(BUILD) / "measured"


def _parsed(parse: Callable[[str], Any]):
    """A callback that turns a quantity into numbers."""

    def read(context: click.Context, parameter: click.Parameter, value: str | None) -> Any:
        try:
            return None if value is None else parse(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return read


def _above_zero(
    context: click.Context, parameter: click.Parameter, value: float | None
) -> float | None:
    if value is not None and not (isfinite(value) and value > 0):
        raise click.BadParameter(f"must be above 0, not {value:g}")
    return value


@click.command(short_help="Choose macros for an amount of memory and a rate.")
@click.option("--memory", metavar="SIZE", callback=_parsed(parse_memory), help="Weights, as 2MB.")
@click.option(
    "--rate", metavar="RATE", callback=_parsed(parse_rate), help="Operations a second, as 100GOPS."
)
@click.option(
    "--bits",
    metavar="WxX",
    default="8x8",
    show_default=True,
    callback=_parsed(parse_bits),
    help="Bits of weights and inputs at which the rate counts.",
)
@click.option("--config", metavar="CONFIG", help="This macro instead of the candidates.")
@set_option
@liberty_option
@click.option("--area", metavar="UM2", type=float, callback=_above_zero, help="Of CONFIG, given.")
@click.option("--period", metavar="NS", type=float, callback=_above_zero, help="Of CONFIG, given.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@click.option(
    "--keep",
    metavar="FILE",
    type=OutputPath(".json"),
    hidden=True,
    help="Also write what the candidates measured, as the file that comes with the project.",
)
def size(
    memory: int | None,
    rate: float | None,
    bits: tuple[int, int],
    config: str | None,
    overrides: tuple[str, ...],
    liberty: tuple[str, ...],
    area: float | None,
    period: float | None,
    as_json: bool,
    keep: Path | None,
) -> None:
    """Choose the macro of least cell area, and how many of it, that hold --memory of weights and
    compute at --rate, two operations a multiply-accumulate; without both, for the market's five
    tiers.

    Candidates are measured on your library (--liberty), each once; without it, the figures that
    come with the project are used (IHP SG13G2). kB, MB and GB are powers of 1024, GOPS and TOPS of
    1000.
    """
    demands = _demands(memory, rate, bits)
    own = _own_config(config, overrides, area, period, bool(liberty))
    if own and area and period:
        measured: Sequence[MeasuredMacro] = [MeasuredMacro(own, "given", area, period)]
    elif liberty:
        measured = _measure([own] if own else _candidates(bits), liberty)
    else:
        measured = _kept(own, bits)
    if keep:
        _keep(keep, measured)
    plans = [_plans(measured, demand, own) for demand in demands]
    if as_json:
        print_json(_as_json(plans))
    elif memory is None:
        _show_tiers(plans)
    else:
        _show_candidates(plans[0])


def _demands(memory: int | None, rate: float | None, bits: tuple[int, int]) -> tuple[Demand, ...]:
    if (memory is None) != (rate is None):
        given, other = ("--memory", "--rate") if rate is None else ("--rate", "--memory")
        raise InputError(f"{given}: needs {other} beside it; without both, five tiers are told")
    if memory is None or rate is None:
        return tuple(Demand(tier.name, tier.memory, tier.rate, *bits) for tier in TIERS)
    return (Demand("given", memory, rate, *bits),)


def _own_config(
    config: str | None,
    overrides: tuple[str, ...],
    area: float | None,
    period: float | None,
    measured: bool,
) -> MacroConfig | None:
    """The macro of --config, checked; None where the candidates are meant."""
    if config is None:
        for option, said in {"--set": overrides, "--area": area, "--period": period}.items():
            if said:
                raise InputError(f"{option}: needs --config beside it")
        return None
    if (area is None) != (period is None):
        given, other = ("--area", "--period") if period is None else ("--period", "--area")
        raise InputError(f"{given}: needs {other} beside it")
    if area and measured:
        raise InputError("--area: not with --liberty, which measures it")
    macro = load_config(config, overrides)
    if area is None:
        check_storage(macro, LIBERTY)
        if macro.storage_traits.memory:
            rule = f"the RAMs of storage {macro.storage} are not measured"
            raise InputError(f"--config: {rule}; give the macro's figures with --area and --period")
    return macro


def _candidates(bits: tuple[int, int]) -> tuple[MacroConfig, ...]:
    try:
        return candidates(*bits)
    except ConfigError as error:
        raise InputError(f"--bits: no candidate: {error}; name a macro with --config") from None


def _measure(configs: Sequence[MacroConfig], liberty: tuple[str, ...]) -> list[MeasuredMacro]:
    found = find_libraries(liberty)
    kept, measured = kept_figures(), []
    with steps(f"measuring {len(configs)} macros") as announce:
        for place, config in enumerate(configs, 1):

            def told(text: str, place: int = place) -> None:
                announce(f"{place} of {len(configs)}: {text}")

            each = measure_macro(config, found.paths, STORE, kept=kept, announce=told)
            if each.period is None:
                raise InputError(f"{config.module}: {each.why}")
            measured.append(each)
    return measured


def _kept(own: MacroConfig | None, bits: tuple[int, int]) -> list[MeasuredMacro]:
    """The figures that come with the project; InputError where there are none for what is asked."""
    wanted = [own] if own else _candidates(bits)
    figures = {each.config.digest: each for each in kept_figures()}
    missing = [config for config in wanted if config.digest not in figures]
    if missing:
        what = "--config" if own else "--bits"
        rule = f"no figures of {missing[0].module} come with the project"
        raise InputError(f"{what}: {rule}; measure it with --liberty FILE")
    return [figures[config.digest] for config in wanted]


def _plans(
    measured: Sequence[MeasuredMacro], demand: Demand, own: MacroConfig | None
) -> list[SizePlan]:
    plans = size_plans(measured, demand)
    if not plans and own:
        try:
            plan_size(measured[0], demand)
        except ValueError as error:
            raise InputError(f"--config: {error}; nearest legal: a --bits that it holds") from None
    return plans


def _keep(path: Path, measured: Sequence[MeasuredMacro]) -> None:
    """What the candidates measured, as measured_sg13g2.json keeps it."""
    again = f"cimforge size --liberty FILE --keep {path.name}"
    figures = [each.as_json() for each in measured]
    write_file(path, json.dumps({"command": again, "figures": figures}, indent=1) + "\n")


def _as_json(plans: Sequence[list[SizePlan]]) -> dict[str, Any]:
    told = []
    for group in plans:
        demand = group[0].demand
        told.append(
            {
                "name": demand.name,
                "memory_bytes": demand.memory,
                "gops": demand.rate / 1e9,
                "weight_bits": demand.weight_bits,
                "input_bits": demand.input_bits,
                "chosen": group[0].as_json(),
                "others": [plan.as_json() for plan in group[1:]],
            }
        )
    return {"demands": told}


def _show_tiers(plans: Sequence[list[SizePlan]]) -> None:
    """The least area for each demand; macros by number, and what makes them below."""
    macros = list(dict.fromkeys(group[0].measured.config for group in plans))
    rows = []
    for group in plans:
        best = group[0]
        asked = f"{_memory(best.demand.memory)}, {_rate(best.demand.rate)}"
        number = str(macros.index(best.measured.config) + 1)
        rows.append((best.demand.name, asked, number, *_figures(best)))
    header = ("tier", "asked", "macro", "macros", "mm²", "holds", "MHz", "reaches", "limit")
    below = [(f"macro {n}", canonical_command(config)) for n, config in enumerate(macros, 1)]
    show_table(_title(plans[0][0]), rows, header, below)


def _show_candidates(plans: list[SizePlan]) -> None:
    demand = plans[0].demand
    rows = [
        (("→ " if place == 0 else "") + plan.measured.config.module, *_figures(plan))
        for place, plan in enumerate(plans)
    ]
    header = ("macro", "macros", "mm²", "holds", "MHz", "reaches", "limit")
    asked = f"{_memory(demand.memory)} at {_rate(demand.rate)}, "
    below = [("macro", canonical_command(plans[0].measured.config))]
    show_table(asked + _title(plans[0]), rows, header, below)


def _figures(plan: SizePlan) -> tuple[str, ...]:
    clock = f"{plan.clock:,.0f} ({plan.clock_needed:,.0f} needed)"
    size_told = (f"{plan.macros:,}", f"{plan.area:,.2f}", _memory(plan.memory))
    return (*size_told, clock, _rate(plan.rate), plan.limit)


def _title(plan: SizePlan) -> str:
    demand = plan.demand
    library = plan.measured.library
    return f"{demand.weight_bits}b x {demand.input_bits}b on {library}; cells, without wires"


def _memory(count: int) -> str:
    for unit, scale in (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)):
        if count >= scale:
            return f"{count / scale:,.4g} {unit}"
    return f"{count} B"


def _rate(operations: float) -> str:
    for unit, scale in (("TOPS", 1e12), ("GOPS", 1e9), ("MOPS", 1e6)):
        if operations >= scale:
            return f"{operations / scale:,.4g} {unit}"
    return f"{operations:,.4g} OPS"
