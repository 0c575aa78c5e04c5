"""The page of a sweep: a question to ask, fronts to look at, the command that makes each point."""

import json
import shlex
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from cimforge.explore.metrics import METRICS
from cimforge.explore.run_sweep import Measured
from cimforge.explore.shown_units import SHOWN_UNITS
from cimforge.explore.sweep import MAXIMISE, MINIMISE, SweepTarget
from cimforge.explore.sweep_report import SweepReport, tidy
from cimforge.flow.synth.targets import LIBERTY
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import plain_overrides, plain_toml

__all__ = ["page_data", "sweep_page"]

IN_SCRIPT = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}  # a text cannot end the script
PARTS = (  # of the page's script, in this order
    *("fields.js", "front.js", "values.js", "question.js", "plot.js", "table.js", "point.js"),
    *("downloads.js", "notes.js", "fragment.js", "start.js"),
)
# Units of metrics of which one rather has more, and metrics of which one does nevertheless not.
MORE = {"MHz", "GOPS", "TOPS", "TOPS/mm2", "TOPS/W", "1b-MAC", "bit", "share", "0 or 1"}
LESS = "error_"
BETTER = {MINIMISE: "least", MAXIMISE: "most"}


def sweep_page(report: SweepReport) -> str:
    """One HTML file that needs nothing else, drawn by plotly.js, which is in it: for each target
    the points, any two metrics against each other, with their front; conditions on metrics, values
    of axes, a table, and of a chosen point its ``cimforge generate`` command and its configuration.
    page_data is in it, as JSON in the script ``data``."""
    data = json.dumps(page_data(report))
    for letter, escape in IN_SCRIPT.items():
        data = data.replace(letter, escape)
    title = f"Sweep {report.sweep.name}"
    return _template().render(title=title, data=data, parts=PARTS, plotly=_plotly())


def page_data(report: SweepReport) -> dict[str, Any]:
    """What the page shows. ``about_axes``: what each parameter is. ``metrics``: what each is about,
    and whether one rather has the least or the most of it. ``rules``: combinations that each
    refuses. ``targets``: of each the units of its metrics, the objectives that it has, the
    constraints that it judges, what is ``not_judged``, the rules that refuse there, its
    ``failures``, those that are ``unfit`` for its board, and its ``points``: choice of the axes,
    figures, whether feasible and on the front, key, commands that make and measure it, and config
    (TOML)."""
    sweep = report.sweep
    return {
        "sweep": sweep.name,
        "axes": {name: list(values) for name, values in sweep.axes.items()},
        "about_axes": {name: MacroConfig.model_fields[name].description for name in sweep.axes},
        "metrics": {name: _metric(report, name) for name in sweep.asked},
        "objectives": dict(sweep.objectives),
        "constraints": [condition.text for condition in sweep.constraints],
        "when": [condition.text for condition in sweep.when],
        "shown_units": SHOWN_UNITS,
        "search": sweep.search,
        "grid": sweep.grid,
        "combinations": report.points.drawn,
        "left_out": report.points.left_out,
        "refused": len(report.points.refused),
        "rules": _rules(report.points.rules.most_common()),
        "targets": [_target(report, target) for target in sweep.targets],
    }


def _rules(rules: list[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"rule": rule, "combinations": times} for rule, times in rules]


def _metric(report: SweepReport, name: str) -> dict[str, str]:
    more = METRICS[name].unit in MORE and not name.startswith(LESS)
    usual = MAXIMISE if more else MINIMISE
    better = BETTER[report.sweep.objectives.get(name, usual)]
    return {"about": METRICS[name].about, "better": better}


def _target(report: SweepReport, target: SweepTarget) -> dict[str, Any]:
    metrics = report.metrics(target)
    feasible = {id(report.measured[place]) for place in report.feasible(target)}
    front = {id(each) for each in report.front(target)}
    own = report.of(target)
    return {
        "target": target.name,
        "units": {name: report.unit(name, target) for name in metrics},
        "objectives": report.objectives(target),
        "constraints": report.judged(target),
        "not_judged": report.not_judged(target),
        "refused": _rules(report.refused_on(target)),
        "failures": [_left_out(each) for each in own if each.why and not each.unfit],
        "unfit": [_left_out(each) for each in own if each.unfit],
        "points": [
            {
                **_point(each, metrics),
                "feasible": id(each) in feasible,
                "front": id(each) in front,
            }
            for each in own
            if not each.why
        ],
    }


def _left_out(each: Measured) -> dict[str, Any]:
    return {"choice": each.point.choice, "why": each.why}


def _point(each: Measured, metrics: tuple[str, ...]) -> dict[str, Any]:
    changes = "".join(f" --set {shlex.quote(c)}" for c in plain_overrides(each.point.config))
    known = (name for name in metrics if name in each.figures)
    return {
        "choice": each.point.choice,
        "figures": {name: tidy(each.figures[name]) for name in known},
        "key": each.key,
        # From base: the shortest one of any preset would take ten times as long, of many points.
        "command": f"cimforge generate base{changes}",
        "measure": _measuring(each.point.target, changes),
        "config": plain_toml(each.point.config),
    }


def _measuring(target: SweepTarget, changes: str) -> str:
    """The command that measures a macro alone on a target."""
    if target.board:
        clock, seeds = target.board.clock_hz / 1e6, ",".join(map(str, target.seeds))
        of = shlex.quote(target.board_name)
        return f"cimforge fpga {of} base{changes} --clock {clock:g} --seeds {seeds}"
    if target.kind != LIBERTY:
        return f"cimforge synth base{changes} --target {target.kind}"
    libraries = " ".join(f"--liberty {shlex.quote(str(path))}" for path in target.libraries)
    return f"cimforge synth base{changes} --target {LIBERTY} {libraries}"


@cache
def _plotly() -> str:
    """The drawing library, whole, with its licence."""
    text = (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
    return text.replace("</script", "<\\/script")


@cache
def _template() -> Template:
    loader = PackageLoader("cimforge.explore", "page")
    where = Environment(
        loader=loader, undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True
    )
    return where.get_template("sweep_page.html.j2")
