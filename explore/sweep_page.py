"""The page of a sweep: a front to look at, its points to filter, the command that makes each."""

import json
import shlex
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from cimforge.explore.run_sweep import Measured
from cimforge.explore.sweep import SweepTarget
from cimforge.explore.sweep_report import SweepReport, tidy
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import plain_overrides, plain_toml

__all__ = ["page_data", "sweep_page"]

IN_SCRIPT = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}  # a text cannot end the script


def sweep_page(report: SweepReport) -> str:
    """One HTML file that needs nothing else: for each target the points, two metrics against each
    other, with the front; filters by axis, a table, and of a chosen point its ``cimforge generate``
    command and its configuration. page_data is in it, as JSON in the script ``data``."""
    data = json.dumps(page_data(report))
    for letter, escape in IN_SCRIPT.items():
        data = data.replace(letter, escape)
    return _template().render(title=f"Sweep {report.sweep.name}", data=data)


def page_data(report: SweepReport) -> dict[str, Any]:
    """What the page shows. ``targets``: of each the units of its metrics, the number of points that
    ``failed``, and its ``points``: choice of the axes, figures, whether feasible and on the front,
    key, command and config (TOML)."""
    sweep = report.sweep
    return {
        "sweep": sweep.name,
        "axes": {name: list(values) for name, values in sweep.axes.items()},
        "objectives": dict(sweep.objectives),
        "constraints": [condition.text for condition in sweep.constraints],
        "combinations": report.points.drawn,
        "left_out": report.points.left_out,
        "refused": len(report.points.refused),
        "targets": [_target(report, target) for target in sweep.targets],
    }


def _target(report: SweepReport, target: SweepTarget) -> dict[str, Any]:
    metrics = report.metrics(target)
    feasible = {id(report.measured[place]) for place in report.feasible(target)}
    front = {id(each) for each in report.front(target)}
    own = [each for each in report.measured if each.point.target == target]
    return {
        "target": target.name,
        "units": {name: report.unit(name, target) for name in metrics},
        "failed": sum(bool(each.why) for each in own),
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


def _point(each: Measured, metrics: tuple[str, ...]) -> dict[str, Any]:
    return {
        "choice": each.point.choice,
        "figures": {name: tidy(each.figures[name]) for name in metrics},
        "key": each.key,
        "command": _command(each.point.config),
        "config": plain_toml(each.point.config),
    }


def _command(config: MacroConfig) -> str:
    """From base: the shortest one of any preset would take ten times as long, of many points."""
    chosen = (f"--set {shlex.quote(change)}" for change in plain_overrides(config))
    return " ".join(("cimforge generate base", *chosen))


@cache
def _template() -> Template:
    loader = PackageLoader("cimforge.explore", ".")
    where = Environment(
        loader=loader, undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True
    )
    return where.get_template("sweep_page.html.j2")
