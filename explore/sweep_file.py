"""Reads a sweep file: TOML, every fault told in one line."""

import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cimforge.compiler.graph.graph import GraphError
from cimforge.compiler.importers.model_file import SUFFIXES
from cimforge.explore.axes import check_parameter, read_axis
from cimforge.explore.condition import Condition, read_condition
from cimforge.explore.measurements.by_name import MEASUREMENTS
from cimforge.explore.measurements.handed_in import HandedIn
from cimforge.explore.measurements.network_answers import load_inputs, load_labels
from cimforge.explore.metric import ANSWERS, LABELS, LIBRARY, NETWORK, PERIOD, PLACED, POWER
from cimforge.explore.metrics import METRICS
from cimforge.explore.network_plans import load_network
from cimforge.explore.sweep import GRID, MAXIMISE, MINIMISE, OPTIMISE, RANDOM, Sweep
from cimforge.explore.sweep_targets import read_targets
from cimforge.explore.words import check_word
from cimforge.flow.synth.static_timing import STA
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.errors import shown
from cimforge.hdl.params.presets import PRESETS

__all__ = ["MOST_POINTS", "read_sweep"]

MOST_POINTS = 20_000  # that are listed: a larger grid is sampled
MOST_COMBINATIONS = 10**18 - 1  # of a grid that is drawn from
MAX_FILE_BYTES = 2**20
KEYS = (
    *("preset", "fixed", "axes", "when", "targets", "metrics", "objectives", "constraints"),
    *("search", "samples", "seed", "network", "inputs", "labels"),
)
DIRECTIONS = (MINIMISE, MAXIMISE)
USUAL = ("area",)  # metrics where none are named


def read_sweep(path: Path, handed_in: HandedIn | None = None) -> Sweep:
    """The sweep in the file ``path``; where nothing is ``handed_in`` it has no boards, and no
    Verilog is checked. Raises InputError: the file, the key, the rule and the nearest legal
    value."""
    told = _table(path)
    where = str(path)
    for key in told:
        check_word(key, KEYS, f"{where}: no key", "keys")
    axes = _mapping(told, "axes", where)
    if not axes:
        raise InputError(f"{where}: axes: must name a parameter, for example rows = [16, 32]")
    base = _base(told, where)
    values = {name: read_axis(name, axis, f"{where}: axes") for name, axis in axes.items()}
    parameters = [key for key in MacroConfig.model_fields if key != "name"]
    both = next((name for name in values if name in _mapping(told, "fixed", where)), None)
    if both:
        raise InputError(f"{where}: {both}: is an axis and fixed; leave one out")
    metrics = _names(told.get("metrics", list(USUAL)), f"{where}: metrics")
    sweep = Sweep(
        name=path.stem,
        base=base,
        axes=values,
        when=_conditions(told.get("when", []), f"{where}: when", parameters),
        targets=read_targets(told.get("targets", ["generic"]), f"{where}: targets", handed_in),
        metrics=metrics,
        objectives=_objectives(_mapping(told, "objectives", where), metrics, where),
        constraints=_conditions(
            told.get("constraints", []), f"{where}: constraints", [*METRICS, *parameters]
        ),
        **_search(told, where),
        network=_network(told, where),
        inputs=_file(told, "inputs", where),
        labels=_file(told, "labels", where),
        handed_in=handed_in,
    )
    _check_size(sweep, where)
    _check_constraints(sweep)
    _check_targets(sweep, where)
    _check_network(sweep, where)
    return sweep


def _table(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:  # bounded, as a device or pipe has no size
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise InputError(f"{path}: larger than 1 MiB; a sweep is a short TOML file")
        return tomllib.loads(data.decode("utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not TOML: {error or type(error).__name__}") from None


def _base(told: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Parameters of the preset, changed by those that are fixed."""
    preset, fixed = told.get("preset", "base"), _mapping(told, "fixed", where)
    if not isinstance(preset, str) or preset not in PRESETS:
        check_word(preset, tuple(PRESETS), f"{where}: preset: no preset", "presets")
    for name in fixed:
        check_parameter(name, f"{where}: fixed")
    return {**PRESETS[preset].parameters, **fixed}


def _conditions(told: Any, where: str, known: list[str]) -> tuple[Condition, ...]:
    """One condition, or a list of them that must all hold."""
    texts = [told] if isinstance(told, str) else told
    if not isinstance(texts, list):
        raise InputError(f"{where}: must be a text or a list of texts, not {shown(told)}")
    return tuple(read_condition(text, where, known) for text in texts)


def _names(told: Any, place: str) -> tuple[str, ...]:
    """Metrics, each once."""
    if not isinstance(told, list) or not told:
        raise InputError(f"{place}: must be a list of metrics ({', '.join(METRICS)})")
    for name in told:
        check_word(name, tuple(METRICS), f"{place}: no metric", "metrics")
    return tuple(dict.fromkeys(told))


def _objectives(told: Mapping[str, Any], metrics: tuple[str, ...], where: str) -> dict[str, str]:
    """Directions by metric; without any the first metric is to be least."""
    for name, direction in told.items():
        check_word(name, tuple(METRICS), f"{where}: objectives: no metric", "metrics")
        check_word(direction, DIRECTIONS, f"{where}: objectives: {name}: no direction", "legal")
    return dict(told) or {metrics[0]: MINIMISE}


def _search(told: Mapping[str, Any], where: str) -> dict[str, Any]:
    search = told.get("search", GRID)
    check_word(search, (GRID, RANDOM, OPTIMISE), f"{where}: search: no search", "searches")
    if search == GRID:
        given = next((key for key in ("samples", "seed") if key in told), None)
        if given:
            rule = f"only with search = {RANDOM!r} or {OPTIMISE!r}"
            raise InputError(f"{where}: {given}: {rule}")
        return {}
    if "samples" not in told:
        rule = f"search = {search!r} needs samples, an integer of at least 1"
        raise InputError(f"{where}: {rule} (for example samples = 100)")
    samples, seed = told["samples"], told.get("seed", 0)
    for key, value, least in (("samples", samples, 1), ("seed", seed, 0)):
        if type(value) is not int or value < least:
            rule = f"must be an integer of at least {least}, not {shown(value)}"
            raise InputError(f"{where}: {key}: {rule} (nearest legal value: {least})")
    return {"search": search, "samples": samples, "seed": seed}


def _check_size(sweep: Sweep, where: str) -> None:
    points = sweep.grid if sweep.search == GRID else sweep.samples
    if points > MOST_POINTS:
        way = f"take fewer values, or search = {RANDOM!r} or {OPTIMISE!r} and samples"
        rule = f"{points:,} combinations of the axes: at most {MOST_POINTS:,}; {way}"
        raise InputError(f"{where}: {rule}")
    if sweep.grid > MOST_COMBINATIONS:
        rule = f"the axes' product has {len(str(sweep.grid))} digits, at most 18; take fewer values"
        raise InputError(f"{where}: {rule}")


def _check_constraints(sweep: Sweep) -> None:
    """Raise InputError where a constraint compares a metric with a text: before anything is
    measured."""
    fields = {key: field.default for key, field in MacroConfig.model_fields.items()}
    first = {name: values[0] for name, values in sweep.axes.items()}
    values = {**dict.fromkeys(METRICS, 1.0), **fields, **sweep.base, **first}
    for condition in sweep.constraints:
        condition.check(values)


def _check_targets(sweep: Sweep, where: str) -> None:
    """Raise InputError where no target tells a metric, or no program is here that measures it."""
    for name in sweep.asked:
        if not any(target.measures(name) for target in sweep.targets):
            raise InputError(f"{where}: {name} is measured {_places(name)}")
    asked = frozenset().union(*(sweep.measurements(target) for target in sweep.targets))
    if PERIOD in asked and shutil.which(STA) is None:
        raise InputError(f"{where}: a period needs OpenSTA (Debian: apt install opensta)")
    for name, measurement in MEASUREMENTS.items():
        if name in asked:
            try:
                measurement.check(sweep)
            except InputError as error:
                raise InputError(f"{where}: {error}") from None


def _places(name: str) -> str:
    """Where a metric is measured, as a target says it."""
    library, board = "targets = [{ liberty = FILE }]", "targets = [{ board = NAME }]"
    needs = METRICS[name].needs
    if needs & {POWER, LIBRARY}:
        return f"on a library alone: {library}"
    if PLACED in needs:
        return f"on a board alone: {board}"
    if PERIOD in needs:
        return f"on a library or a board alone: {library}, {board}"
    return "on a target of synthesis alone: targets = ['generic']"


def _network(told: Mapping[str, Any], where: str) -> Path | None:
    """The network's file, which is read here: a fault is told before anything is measured."""
    if "network" not in told:
        return None
    name = told["network"]
    if not isinstance(name, str) or not name:
        raise InputError(f"{where}: network: must be a .onnx or .tflite file, not {shown(name)}")
    try:
        if not Path(name).exists() and Path(name).suffix.lower() in SUFFIXES:
            raise GraphError(f"{name}: no such file")  # before any package that would read it
        load_network(Path(name))
    except (GraphError, ModuleNotFoundError) as error:
        raise InputError(f"{where}: network: {error}") from None
    return Path(name)


def _file(told: Mapping[str, Any], key: str, where: str) -> Path | None:
    """A file of the network's inputs or of their labels."""
    name = told.get(key)
    if name is None:
        return None
    if not isinstance(name, str) or not name:
        raise InputError(f"{where}: {key}: must be a .npy file, not {shown(name)}")
    return Path(name)


def _check_network(sweep: Sweep, where: str) -> None:
    """Raise InputError for a metric without the files that it is told of, for such a file without a
    metric, and for files that do not fit one another."""
    asked = {name: METRICS[name].needs for name in sweep.asked}
    if sweep.of_network and sweep.network is None:
        rule = "is told of a network: add network = 'FILE.onnx'"
        raise InputError(f"{where}: {sweep.of_network[0]} {rule}")
    if sweep.network and not sweep.of_network:
        told = ", ".join(n for n, m in METRICS.items() if m.needs & {NETWORK, ANSWERS})
        raise InputError(f"{where}: network: no metric asks for it; add one of {told} to metrics")
    for key, need, file in (("inputs", ANSWERS, sweep.inputs), ("labels", LABELS, sweep.labels)):
        names = [name for name, needs in asked.items() if need in needs]
        if names and file is None:
            raise InputError(f"{where}: {names[0]} is told of {key}: add {key} = 'FILE.npy'")
        if file and not names:
            told = ", ".join(name for name, metric in METRICS.items() if need in metric.needs)
            raise InputError(f"{where}: {key}: no metric asks for them; add {told} to metrics")
    if sweep.network and sweep.inputs:
        try:
            feeds = load_inputs(sweep.network, sweep.inputs)
            if sweep.labels:
                load_labels(sweep.labels, feeds.items)
        except ValueError as error:
            raise InputError(f"{where}: {error}") from None


def _mapping(told: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    table = told.get(key, {})
    if not isinstance(table, Mapping):
        raise InputError(f"{where}: {key}: must be a table, [{key}], not {shown(table)}")
    return table
