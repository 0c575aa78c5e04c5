"""cimforge run FILE: a network from a file, its products on the macro's Verilog."""

import hashlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cimforge.compiler.backends.rtl import RtlBackend
from cimforge.compiler.graph.graph import Graph, GraphError
from cimforge.compiler.importers.model_file import import_model
from cimforge.compiler.map.golden_jobs import GoldenJobs
from cimforge.compiler.map.macro_products import MacroProducts
from cimforge.compiler.map.product_trace import trace_products
from cimforge.compiler.network.arrays import load_arrays
from cimforge.compiler.network.divergence import DivergenceError
from cimforge.compiler.network.expected import DifferenceError, Expected
from cimforge.compiler.network.feeds import Feeds, drawn_feeds, fitted_feeds
from cimforge.compiler.network.kept_jobs import KeptJobs
from cimforge.compiler.network.network_run import NetworkRun
from cimforge.compiler.player.player_backend import PlayerBackend
from cimforge.compiler.soc.soc_products import SocProducts
from cimforge.compiler.tiling import run_job_golden
from cimforge.flow.reproduction.reproducer import Case, reproducer_files
from cimforge.flow.simulate.given_sources import given_design
from cimforge.flow.simulate.simulator import Design
from cimforge.hdl.emit.output_paths import BUILD
from cimforge.hdl.emit.outputs import Content, listing, open_outputs
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.hdl.params.engine_file import load_engine
from cimforge.hdl.params.install_hint import install_hint
from cimforge.scripts.model_options import Asked, chosen_layers
from cimforge.scripts.model_report import model_files, model_report, show_model
from cimforge.scripts.options import CheckFailedError, print_json, simulation_progress
from cimforge.scripts.run_digits import FAILURES
from cimforge.scripts.way import GOLDEN, SYSTEMS, Way

__all__ = ["run_model"]

SOC = SYSTEMS[0]
KEPT = "kept"  # results of jobs, until the run is whole
DIVERGENCE = "divergence"


def run_model(asked: Asked) -> None:
    """Run the network and report; InputError for what cannot be run, CheckFailedError where
    anything differs."""
    _check(asked)
    way = asked.way
    way.check()
    engine = load_engine(asked.config, asked.overrides) if way.backend == SOC else None
    macro = engine.macro if engine else load_config(asked.config, asked.overrides)
    macros = engine.macros if engine else asked.macros
    try:
        graph = import_model(asked.model)
        traced = trace_products(graph)
        feeds = _feeds(graph, asked)
        expected = _expected(graph, asked, feeds.items)
    except (GraphError, ValueError) as error:
        raise InputError(str(error)) from None
    except ModuleNotFoundError as error:
        raise InputError(_missing(asked.model, error)) from None
    names = list(dict.fromkeys(product.node.name for product in traced))
    chosen = chosen_layers(asked.layers, names)
    title = _title(asked, engine.module if engine else macro.module)
    output = asked.output or Path(BUILD) / title
    with open_outputs(output, title) as outputs:
        outputs.check(dict.fromkeys(model_files(graph)))
    failure: Exception | None = None
    began = time.perf_counter()
    with simulation_progress() as (announce, progress):
        told = (output / "rtl", announce, lambda *counts: run.job_progress(*counts))
        worker: MacroProducts | SocProducts
        design, kept, runner = None, None, None
        if engine:
            worker = way.open_products(engine, *told, chosen)
        else:
            runner, design = _open(asked, macro, *told)
            kept = KeptJobs(runner, output / KEPT, _subject(way, design))
            worker = MacroProducts(macro, runner if way.backend == GOLDEN else kept, macros, chosen)
        options = {"compare": way.backend != GOLDEN, "announce": announce, "progress": progress}
        run = NetworkRun(graph, macro, worker, macros, expected, **options)
        try:
            run.run(feeds)
        except (GraphError, ValueError) as error:
            raise InputError(f"{asked.model}: {error}") from None
        except (DivergenceError, DifferenceError, *FAILURES) as error:
            failure = error
    times = (time.perf_counter() - began, (runner or worker).seconds)
    report = model_report(asked, macro, run, feeds, times, failure)
    report |= {"kept_jobs": kept.kept if kept else 0}
    report |= worker.facts() if isinstance(worker, SocProducts) else way.facts(runner)
    files = model_files(graph, report, run) if failure is None else {}
    below = _write(output, title, files, failure, design)
    if isinstance(failure, (DivergenceError, DifferenceError)) or failure is None:
        shutil.rmtree(output / KEPT, ignore_errors=True)
    if asked.as_json:
        print_json(report)
    elif run.done_items or failure:
        show_model(asked, macro, run, report, below)
    if failure is not None or not report["bit_exact"]:
        raise CheckFailedError(str(failure or "") or "sums differ from NumPy's")


def _check(asked: Asked) -> None:
    """Raise InputError for options that contradict each other."""
    backend = asked.way.backend
    player = backend == "rtl" and not asked.cocotb and asked.way.simulator == "verilator"
    if asked.cocotb and backend != "rtl":
        raise InputError("--cocotb: is of --backend rtl alone")
    if asked.sources and not player:
        raise InputError("--sources: is of --backend rtl, and of its compiled player alone")
    if backend == "litex":
        raise InputError("--backend litex: runs digits alone; a file runs on soc")
    if asked.macros > 1 and backend == SOC:
        raise InputError("--macros: of --backend soc are a parameter, --set engine.macros=N")
    if asked.input and asked.images:
        raise InputError("--images: is the number of random items, and --input brings its own")


def _feeds(graph: Graph, asked: Asked) -> Feeds:
    if asked.input is None:
        return drawn_feeds(graph, asked.images or 1, asked.seed)
    return fitted_feeds(graph, load_arrays(asked.input), f"--input {asked.input}")


def _expected(graph: Graph, asked: Asked, items: int) -> Expected | None:
    if asked.check is None:
        return None
    return Expected(graph, load_arrays(asked.check), items, f"--check {asked.check}")


def _open(
    asked: Asked,
    macro: MacroConfig,
    folder: Path,
    announce: Callable[[str], None],
    progress: Callable[[int, int], None],
) -> tuple[Any, Design | None]:
    """What runs jobs, and the design of the macro where there is one."""
    if asked.sources:
        design = given_design(macro, folder, asked.sources, build_macro(macro))
        folder.mkdir(parents=True, exist_ok=True)
        player = PlayerBackend(
            folder, announce, progress, compare=False, opened=lambda config, where: design
        )
        return player, design
    runner = asked.way.open(macro, folder, announce, progress, player=not asked.cocotb)
    if isinstance(runner, GoldenJobs):
        return runner, None
    rtl = isinstance(runner, (PlayerBackend, RtlBackend))
    return runner, Design.emitted(macro, folder) if rtl else None


def _subject(way: Way, design: Design | None) -> str:
    """Of what kept results depend besides the job: the way and the Verilog."""
    digest = hashlib.sha256(repr(way).encode())
    for source in design.sources if design else ():
        digest.update(Path(design.folder, source).read_bytes())
    return digest.hexdigest()


def _title(asked: Asked, module: str) -> str:
    kind = "" if asked.way.backend == "rtl" else f"-{asked.way.backend}"
    return f"{asked.model.stem}-{module}{kind}"


def _missing(model: Path, error: ModuleNotFoundError) -> str:
    return f"run {model}: needs {error.name}; run {install_hint('models')}"


def _case(design: Design, failure: DivergenceError) -> Case:
    """The job of a divergence."""
    job = failure.divergence.job
    return Case(
        weights=job.weights,
        vectors=job.inputs[job.k_index],
        banks=job.banks,
        x_bits=job.x_bits,
        x_signed=job.x_signed,
        w_signed=job.w_signed,
        fuse=job.fuse,
        expected=run_job_golden(design.config, job),
    )


def _write(
    output: Path,
    title: str,
    files: dict[str, Content],
    failure: Exception | None,
    design: Design | None,
) -> list[tuple[str, object]]:
    """Write the results, or the reproducer of a divergence; lines that name them."""
    if isinstance(failure, DivergenceError) and design is not None:
        folder, name = output / DIVERGENCE, f"{title}-{DIVERGENCE}"
        contents = reproducer_files(design, _case(design, failure), failure.divergence.as_json())
        with open_outputs(folder, name) as outputs:
            outputs.write(contents, {"name": name, "files": listing(contents)})
        return [("again, alone", f"python {folder / 'reproduce.py'}"), ("or", f"make -C {folder}")]
    if not files:
        return []
    with open_outputs(output, title) as outputs:
        outputs.write(files, {"name": title, "files": listing(files)})
    return [(Path(name).stem, output / name) for name in files]
