"""cimforge run digits: a network trained in seconds, all its products through the Verilog."""

import json
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from cimforge.compiler import digits
from cimforge.compiler.backends.rtl import RtlBackend, SimulationError
from cimforge.compiler.backends.serial_port import SerialBackend
from cimforge.compiler.engine_link.linked_backend import LinkedBackend
from cimforge.compiler.map.golden_jobs import GoldenJobs
from cimforge.compiler.matmul import exact_matmul, tiled_matmul
from cimforge.compiler.player.player_backend import PlayerBackend
from cimforge.compiler.precision import Ints
from cimforge.compiler.soc.soc_backend import SocBackend
from cimforge.flow.simulate.simulator import BuildError
from cimforge.fpga.cpu.toolchain import CompileError
from cimforge.hdl.emit.output_paths import BUILD
from cimforge.hdl.emit.outputs import listing, open_outputs
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.hdl.params.engine_file import load_engine
from cimforge.hdl.params.install_hint import install_hint
from cimforge.host.driver import BusError, LinkError
from cimforge.host.engine_driver import QueueError
from cimforge.scripts.engine_line import check_linked, engine_rows, open_linked
from cimforge.scripts.options import (
    CheckFailedError,
    print_json,
    show_table,
    simulation_progress,
)
from cimforge.scripts.way import BACKENDS, GOLDEN, SYSTEMS, Way, link_rows

__all__ = ["FAILURES", "run_digits"]

RESULTS = ("report.json", "digits.png")
FAILURES = (BuildError, CompileError, SimulationError, LinkError, BusError, QueueError)
MODEL, IMAGES = "digits", 400


class Digits(NamedTuple):
    """What ``cimforge run digits`` was asked for."""

    config: str
    overrides: tuple[str, ...]
    images: int | None
    seed: int
    output: Path | None
    as_json: bool
    linked: bool
    ram: int | None
    way: Way


def run_digits(asked: Digits) -> None:
    """Train the network, quantise it and run its test images on the way that was asked for."""
    way, linked, overrides = asked.way, asked.linked, asked.overrides
    model, images = MODEL, IMAGES if asked.images is None else asked.images
    if images > IMAGES:
        raise InputError(f"--images: digits has {IMAGES} test images, not {images}")
    engine = load_engine(asked.config, overrides) if linked or way.backend in SYSTEMS else None
    macro = engine.macro if engine else load_config(asked.config, overrides)
    way.check()
    check_linked(way, linked, asked.ram)
    data, bits = _load(model, macro)
    kinds = ("engine", *([way.backend] if way.backend != BACKENDS[0] else ()))
    title = "-".join((model, macro.module, *kinds[1 - linked :]))
    output = _claim(asked.output or Path(BUILD) / title, title)
    tested, labels = data.test_images[:images], data.test_labels[:images]
    predictions, failure = None, ""
    with simulation_progress() as (announce, progress):
        told = (output / "rtl", announce, progress)
        runner: Runner
        if engine and linked:
            runner = open_linked(way, engine, asked.ram, *told)
        else:
            runner = way.open_system(engine, *told) if engine else way.open(macro, *told)
        announce("training the network")
        network = digits.train(asked.seed)
        quantised = digits.quantise_network(network, data.train_images, *bits)
        try:
            predictions = _predict(runner, macro, quantised, tested)
        except FAILURES as error:
            failure = str(error)
    exact = digits.predict(quantised, tested, exact_matmul)
    expected = exact
    if not macro.tree_traits.exact:
        expected = digits.predict(quantised, tested, tiled_matmul(macro))
    accuracies: dict[str, Any] = {
        "float_accuracy": digits.accuracy(digits.predict_float(network, tested), labels),
        "int8_accuracy": digits.accuracy(exact, labels),
        "accuracy": None if predictions is None else digits.accuracy(predictions, labels),
    }
    equal = predictions is not None and bool((expected == predictions).all())
    facts = runner.facts() if isinstance(runner, LinkedBackend) else way.facts(runner)
    report = _report(len(tested), accuracies, runner.bit_exact and equal, runner) | facts
    if predictions is not None:
        named = {"model": model, "macro": macro.module, **report}
        drawing = _draw(tested, labels, predictions, accuracies, macro.module)
        _write_results(output, title, json.dumps(named, indent=2) + "\n", drawing)
    if asked.as_json:
        print_json({**report, **({"failed": failure} if failure else {})})
    elif not failure:
        _show(model, macro.module, output, report, golden=way.backend == GOLDEN)
    if not report["bit_exact"]:
        raise CheckFailedError(failure or "the Verilog's results differ from the golden model's")


Runner = RtlBackend | SerialBackend | PlayerBackend | SocBackend | LinkedBackend | GoldenJobs


def _predict(
    runner: Runner, macro: MacroConfig, network: digits.QuantisedNetwork, images: Ints
) -> Ints:
    """Labels of images, product by product, or by a program that runs the whole network."""
    if isinstance(runner, (SocBackend, LinkedBackend)):
        return runner.predict(network, images)
    return digits.predict(network, images, tiled_matmul(macro, runner.run_job))


def _load(model: str, macro: MacroConfig) -> tuple[digits.Digits, tuple[int, int]]:
    """The model's data, and the bits of its weights and inputs on the macro."""
    try:
        import_module("matplotlib")  # needed only at the end, so missed now
        return digits.load(), digits.network_bits(macro)
    except ModuleNotFoundError as error:
        hint = install_hint("networks")
        raise InputError(f"run {model}: needs {error.name}; run {hint}") from None
    except ValueError as error:
        raise InputError(str(error)) from None


def _claim(folder: Path, title: str) -> Path:
    """The folder, refused now and not after the simulation where its results must stay."""
    with open_outputs(folder, title) as outputs:
        outputs.check(dict.fromkeys(RESULTS))
    return folder


def _draw(
    images: Ints, labels: Ints, predictions: Ints, accuracies: dict[str, Any], name: str
) -> bytes:
    """The picture of the results, as a PNG."""
    from cimforge.compiler import picture  # matplotlib, an extra

    shown = dict(zip(("float", "int8", "Verilog"), accuracies.values(), strict=True))
    drawn = BytesIO()
    picture.draw_predictions(drawn, images, labels, predictions, shown, name)
    return drawn.getvalue()


def _write_results(folder: Path, title: str, report: str, drawing: bytes) -> None:
    results: dict[str, str | bytes] = dict(zip(RESULTS, (report, drawing), strict=True))
    with open_outputs(folder, title) as outputs:
        outputs.write(results, {"name": title, "files": listing(results)})


def _report(images: int, accuracies: dict[str, Any], exact: bool, runner: Runner) -> dict[str, Any]:
    """The JSON contract of ``cimforge run``."""
    counts = {"cycles": runner.cycles, "macs": runner.macs, "seconds": round(runner.seconds, 3)}
    average = round(runner.pass_cycles / runner.passes, 3) if runner.passes else None
    told = {"images": images, **accuracies, "bit_exact": exact, **counts}
    return {**told, "cycles_per_pass": average}


def _cycles_of(report: dict[str, Any]) -> str:
    """Whose cycles the report counts."""
    if "system" in report:
        return "cycles of the system, UART left out"
    if "board" not in report:
        return "macro cycles"
    return f"cycles of {report['board']} at {report['clock_hz'] / 1e6:g} MHz"


def _show(model: str, name: str, output: Path, report: dict, *, golden: bool) -> None:
    rows = [
        ("images", str(report["images"])),
        ("accuracy, float", f"{report['float_accuracy']:.2%}"),
        ("accuracy, integers in NumPy", f"{report['int8_accuracy']:.2%}"),
        (
            "accuracy, golden model" if golden else "accuracy, emitted Verilog",
            f"{report['accuracy']:.2%}",
        ),
        ("every value equal to golden", "yes" if report["bit_exact"] else "NO"),
        (_cycles_of(report), f"{report['cycles']:,}"),
        ("cycles a pass, on average", f"{report['cycles_per_pass']:g}"),
        ("MACs simulated", f"{report['macs']:,} in {report['seconds']:.1f} s"),
        *link_rows(report),
        *engine_rows(report),
    ]
    below = [
        *([] if golden else [("Verilog", output / "rtl")]),
        ("report", output / "report.json"),
        ("picture", output / "digits.png"),
    ]
    show_table(f"{model} on {name}", rows, below=below)
