"""cimforge run: a quantised network, all its products through the emitted Verilog."""

import json
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import click

from cimforge.compiler import digits
from cimforge.compiler.backends.rtl import RtlBackend, SimulationError
from cimforge.compiler.backends.serial_port import SerialBackend
from cimforge.compiler.matmul import exact_matmul, tiled_matmul
from cimforge.compiler.precision import Ints
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.simulate.simulator import BuildError, check_simulator
from cimforge.fpga.board_files import board_design, board_files
from cimforge.fpga.boards import BOARDS
from cimforge.hdl.emit.output_paths import BUILD
from cimforge.hdl.emit.outputs import listing, open_outputs
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.hdl.params.install_hint import install_hint
from cimforge.host.driver import BusError, LinkError
from cimforge.scripts.options import (
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
RESULTS = ("report.json", "digits.png")
BACKENDS = ("rtl", "uart-sim", "serial")
FIRST_BOARD = "hx8k"  # the fewest clock cycles a bit: the shortest simulation


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
    help="Folder to write to.  [default: build/MODEL-NAME]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@click.option(
    "--backend",
    type=click.Choice(BACKENDS),
    default=BACKENDS[0],
    show_default=True,
    help="The macro's Verilog; a board's, through its simulated UART; a board, through a port.",
)
@click.option("--port", metavar="DEVICE", help="Serial port of --backend serial.")
@click.option(
    "--baud",
    type=click.IntRange(1, 4_000_000),
    default=1_000_000,
    show_default=True,
    help="Of the port.",
)
@click.option(
    "--board",
    type=click.Choice(list(BOARDS)),
    help=f"Whose clock and baud rate --backend uart-sim has.  [default: {FIRST_BOARD}]",
)
@simulator_option
def run(
    model: str,
    config: str,
    overrides: tuple[str, ...],
    images: int,
    seed: int,
    output: Path | None,
    as_json: bool,
    backend: str,
    port: str | None,
    baud: int,
    board: str | None,
    simulator: str,
) -> None:
    """Train MODEL in seconds, quantise it and run its test images through the emitted Verilog."""
    macro = load_config(config, overrides)
    way = Way(backend, port, baud, board, simulator)
    way.check()
    data, bits = _load(model, macro)
    title = "-".join((model, macro.module, *([backend] if backend != BACKENDS[0] else ())))
    output = _claim(output or Path(BUILD) / title, title)
    tested, labels = data.test_images[:images], data.test_labels[:images]
    predictions, failure = None, ""
    with simulation_progress() as (announce, progress):
        runner = way.open(macro, output / "rtl", announce, progress)
        announce("training the network")
        network = digits.train(seed)
        quantised = digits.quantise_network(network, data.train_images, *bits)
        try:
            predictions = digits.predict(quantised, tested, tiled_matmul(macro, runner.run_job))
        except (BuildError, SimulationError, LinkError, BusError) as error:
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
    report = _report(len(tested), accuracies, runner.bit_exact and equal, runner) | way.clock()
    if predictions is not None:
        named = {"model": model, "macro": macro.module, **report}
        drawing = _draw(tested, labels, predictions, accuracies, macro.module)
        _write_results(output, title, json.dumps(named, indent=2) + "\n", drawing)
    if as_json:
        print_json({**report, **({"failed": failure} if failure else {})})
    elif not failure:
        _show(model, macro.module, output, report)
    if not report["bit_exact"]:
        raise CheckFailedError(failure or "the Verilog's results differ from the golden model's")


class Way(NamedTuple):
    """How a product reaches the macro's Verilog."""

    backend: str
    port: str | None
    baud: int
    board: str | None
    simulator: str

    def check(self) -> None:
        """Raise InputError where it cannot be gone."""
        if (self.backend == "serial") != bool(self.port):
            raise InputError("--port: names the serial port of --backend serial, which needs one")
        if self.board and self.backend != "uart-sim":
            raise InputError("--board: is of --backend uart-sim alone")
        if self.backend != "serial":
            check_simulator(self.simulator)

    def open(
        self,
        macro: MacroConfig,
        folder: Path,
        announce: Callable[[str], None],
        progress: Callable[[int, int], None],
    ) -> RtlBackend | SerialBackend:
        """Emit the macro into ``folder``, and what runs jobs on it.

        Raises InputError where the port does not open, or no such macro answers behind it.
        """
        chosen = BOARDS[self.board or FIRST_BOARD]
        uart = self.backend == "uart-sim"
        top = board_files(macro, chosen) if uart else {}
        emit_macro(macro, folder, {**macro_extras(macro), **top})
        if self.port:
            board = SerialBackend(self.port, self.baud, announce, progress)
            try:
                board.connect(macro)
            except LinkError as error:
                raise InputError(f"--port: {error}") from None
            return board
        options: dict[str, Any] = {"board": board_design, "divisor": chosen.divisor} if uart else {}
        return RtlBackend(folder, self.simulator, announce, progress, **options)

    def clock(self) -> dict[str, Any]:
        """Whose cycles are counted: a report's ``board`` and ``clock_hz``, where one is
        simulated."""
        if self.backend != "uart-sim":
            return {}
        name = self.board or FIRST_BOARD
        return {"board": name, "clock_hz": BOARDS[name].clock_hz}


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


def _report(
    images: int, accuracies: dict[str, Any], exact: bool, runner: RtlBackend | SerialBackend
) -> dict[str, Any]:
    """The JSON contract of ``cimforge run``."""
    counts = {"cycles": runner.cycles, "macs": runner.macs, "seconds": round(runner.seconds, 3)}
    average = round(runner.pass_cycles / runner.passes, 3) if runner.passes else None
    told = {"images": images, **accuracies, "bit_exact": exact, **counts}
    return {**told, "cycles_per_pass": average}


def _cycles_of(report: dict[str, Any]) -> str:
    """Whose cycles the report counts."""
    if "board" not in report:
        return "macro cycles"
    return f"cycles of {report['board']} at {report['clock_hz'] / 1e6:g} MHz"


def _show(model: str, name: str, output: Path, report: dict) -> None:
    rows = [
        ("images", str(report["images"])),
        ("accuracy, float", f"{report['float_accuracy']:.2%}"),
        ("accuracy, integers in NumPy", f"{report['int8_accuracy']:.2%}"),
        ("accuracy, emitted Verilog", f"{report['accuracy']:.2%}"),
        ("every value equal to golden", "yes" if report["bit_exact"] else "NO"),
        (_cycles_of(report), f"{report['cycles']:,}"),
        ("cycles a pass, on average", f"{report['cycles_per_pass']:g}"),
        ("MACs simulated", f"{report['macs']:,} in {report['seconds']:.1f} s"),
    ]
    below = [
        ("Verilog", output / "rtl"),
        ("report", output / "report.json"),
        ("picture", output / "digits.png"),
    ]
    show_table(f"{model} on {name}", rows, below=below)
