"""cimforge run: a quantised network, all its products through the emitted Verilog."""

import json
from pathlib import Path
from typing import Any

import click

from cocotb_tests.collateral import macro_extras
from cocotb_tests.simulator import BuildError, check_simulator
from compiler.matmul import exact_matmul, tiled_matmul
from compiler.rtl import RtlBackend, SimulationError
from hdl.config_file import InputError, load_config
from hdl.emit.package import emit_macro, write_files
from scripts.options import (
    CheckFailedError,
    OutputPath,
    config_epilog,
    print_json,
    set_option,
    show_table,
    simulation_progress,
    simulator_option,
)

__all__ = ["run"]

MODELS = ("digits",)


@click.command(
    epilog=f"MODEL: {', '.join(MODELS)}. {config_epilog}",
    short_help="Run a whole quantised network on the Verilog.",
)
@click.argument("model", type=click.Choice(MODELS), metavar="MODEL")
@click.option("--config", metavar="CONFIG", default="base", show_default=True, help="The macro.")
@set_option
@click.option(
    "--images",
    type=click.IntRange(1, 400),
    metavar="N",
    default=400,
    show_default=True,
    help="Test images.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    metavar="N",
    default=0,
    show_default=True,
    help="Training's seed.",
)
@click.option(
    "-o",
    "--output",
    type=OutputPath(),
    default=Path("build/demo"),
    show_default=True,
    help="Folder to write to.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@simulator_option
def run(
    model: str,
    config: str,
    overrides: tuple[str, ...],
    images: int,
    seed: int,
    output: Path,
    as_json: bool,
    simulator: str,
) -> None:
    """Train MODEL in seconds, quantise it and run its test images through the emitted Verilog."""
    macro = load_config(config, overrides)
    check_simulator(simulator)
    try:
        from compiler import digits, picture

        data = digits.load()
        bits = digits.network_bits(macro)
    except ModuleNotFoundError as error:
        raise InputError(f"run {model}: needs {error.name}; install cimforge[networks]") from None
    except ValueError as error:
        raise InputError(str(error)) from None
    tested, labels = data.test_images[:images], data.test_labels[:images]
    failure = ""
    with simulation_progress() as (announce, progress):
        announce("training the network")
        network = digits.train(seed)
        quantised = digits.quantise_network(network, data.train_images, *bits)
        emit_macro(macro, output / "rtl", macro_extras(macro))
        backend = RtlBackend(output / "rtl", simulator, announce, progress)
        try:
            predictions = digits.predict(quantised, tested, tiled_matmul(macro, backend.run_job))
        except (BuildError, SimulationError) as error:
            failure = str(error)
    exact = digits.predict(quantised, tested, exact_matmul)
    report: dict[str, Any] = {
        "images": len(tested),
        "float_accuracy": digits.accuracy(digits.predict_float(network, tested), labels),
        "int8_accuracy": digits.accuracy(exact, labels),
        "accuracy": None,
        "bit_exact": False,
        "cycles": backend.cycles,
        "macs": backend.macs,
        "seconds": round(backend.seconds, 3),
    }
    if not failure:
        report["accuracy"] = digits.accuracy(predictions, labels)
        report["bit_exact"] = backend.bit_exact and bool((exact == predictions).all())
        named = {"model": model, "macro": macro.name, **report}
        write_files(output, {"report.json": json.dumps(named, indent=2) + "\n"})
        keys = {"float": "float_accuracy", "int8": "int8_accuracy", "Verilog": "accuracy"}
        accuracies = {name: report[key] for name, key in keys.items()}
        path = output / "digits.png"
        picture.draw_predictions(path, tested, labels, predictions, accuracies, macro.name)
    if as_json:
        print_json(report)
    elif not failure:
        _show(model, macro.name, output, report)
    if not report["bit_exact"]:
        raise CheckFailedError(failure or "the Verilog's results differ from the golden model's")


def _show(model: str, name: str, output: Path, report: dict) -> None:
    rate = report["macs"] / max(report["seconds"], 1e-9)
    rows = [
        ("images", str(report["images"])),
        ("accuracy, float", f"{report['float_accuracy']:.2%}"),
        ("accuracy, integers in NumPy", f"{report['int8_accuracy']:.2%}"),
        ("accuracy, emitted Verilog", f"{report['accuracy']:.2%}"),
        ("every value equal to golden", "yes" if report["bit_exact"] else "NO"),
        ("macro cycles", f"{report['cycles']:,}"),
        ("MACs simulated", f"{report['macs']:,} in {report['seconds']:.1f} s: {rate:,.0f} MAC/s"),
    ]
    below = [
        ("Verilog", output / "rtl"),
        ("report", output / "report.json"),
        ("picture", output / "digits.png"),
    ]
    show_table(f"{model} on {name}", rows, below=below)
