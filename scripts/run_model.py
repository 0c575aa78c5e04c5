"""cimforge run FILE: a network from a file, its products on the macro's Verilog."""

import hashlib
import shlex
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

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
from cimforge.explore.cluster.cluster_place import HERE
from cimforge.explore.cluster.worker_report import own_release
from cimforge.flow.reproduction.reproducer import RUN, Case, reproducer_files
from cimforge.flow.simulate.given_sources import given_design
from cimforge.flow.simulate.simulator import Design
from cimforge.hdl.emit.output_paths import BUILD
from cimforge.hdl.emit.outputs import Content, listing, open_outputs
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.engine_file import load_engine
from cimforge.hdl.params.install_hint import install_hint
from cimforge.scripts.cluster_option import opened_crew
from cimforge.scripts.model_options import Asked, chosen_layers
from cimforge.scripts.model_report import model_files, model_report, show_model
from cimforge.scripts.network_jobs import fetch_jobs
from cimforge.scripts.options import CheckFailedError, print_json, simulation_progress, stderr
from cimforge.scripts.run_digits import FAILURES
from cimforge.scripts.way import GOLDEN, SYSTEMS, Way

__all__ = ["run_model"]

SOC = SYSTEMS[0]
KEPT = "kept"  # results of jobs, until the run is whole
DIVERGENCE = "divergence"


class Ready(NamedTuple):
    """What is run: a network with its inputs, on what, and where its results go."""

    graph: Graph
    feeds: Feeds
    expected: Expected | None
    chosen: set[str] | None
    engine: EngineConfig | None
    macro: MacroConfig
    output: Path
    title: str


class Opened(NamedTuple):
    """Who multiplies: ``worker``, by ``runner`` (itself of an engine) on ``design``, where there is
    one of the macro; ``kept`` jobs of an earlier run."""

    worker: MacroProducts | SocProducts
    runner: Any
    design: Design | None = None
    kept: KeptJobs | None = None


def run_model(asked: Asked) -> None:
    """Run the network and report; InputError for what cannot be run, CheckFailedError where
    anything differs."""
    _check(asked)
    asked.way.check()
    ready = _ready(asked)
    macros = ready.engine.macros if ready.engine else asked.macros
    golden = asked.way.backend == GOLDEN
    failure: Exception | None = None
    fetched = 0
    began = time.perf_counter()
    with simulation_progress() as (announce, progress):
        opened = _open(asked, ready, announce, lambda *counts: run.job_progress(*counts))
        run = NetworkRun(
            *(ready.graph, ready.macro, opened.worker, macros, ready.expected),
            compare=not golden,
            announce=announce,
            progress=progress,
        )
        try:
            fetched = _fetch(asked, ready, opened, announce, progress)
            run.run(ready.feeds)
        except (GraphError, ValueError) as error:
            raise InputError(f"{asked.model}: {error}") from None
        except (DivergenceError, DifferenceError, *FAILURES) as error:
            failure = error
        except KeyboardInterrupt:
            _say_kept(ready.output / KEPT)
            raise
    times = (time.perf_counter() - began, opened.runner.seconds)
    report = model_report(asked, ready.macro, run, ready.feeds, times, failure)
    report |= {"kept_jobs": opened.kept.kept - fetched if opened.kept else 0}
    facts = getattr(opened.runner, "facts", None)
    report |= facts() if facts else asked.way.facts(opened.runner)
    files = model_files(ready.graph, report, None if failure else run)
    below = _write(ready, files, failure, opened.design)
    if failure is None:
        shutil.rmtree(ready.output / KEPT, ignore_errors=True)
    if asked.as_json:
        print_json(report)
    elif run.done_items or failure:
        show_model(asked, ready.macro, run, report, below)
    if failure is not None or not report["bit_exact"]:
        raise CheckFailedError(str(failure or "") or "sums differ from NumPy's")


def _fetch(
    asked: Asked,
    ready: Ready,
    opened: Opened,
    announce: Callable[[str], None],
    progress: Callable[[int, int], None],
) -> int:
    """Have workers run the jobs, where that is asked for: how many are kept now for the run."""
    if opened.kept is None or asked.cluster == HERE:
        return 0
    announce("jobs of all layers, on workers")
    told = (ready.macro, asked.macros, ready.chosen)
    how = (asked.way, not asked.cocotb, ready.output / "rtl")
    with opened_crew(asked.cluster, None) as crew:
        return fetch_jobs(ready.graph, ready.feeds, told, opened.kept, crew, how, progress)


def _say_kept(folder: Path) -> None:
    """What an interrupted run leaves for the next."""
    if jobs := len(list(folder.glob("*.npz"))):
        stderr.print(f"results of {jobs} jobs are in {folder}; the same command goes on from them")


def _ready(asked: Asked) -> Ready:
    """All that can be refused before anything is built. Raises InputError."""
    soc = asked.way.backend == SOC
    engine = load_engine(asked.config, asked.overrides) if soc else None
    macro = engine.macro if engine else load_config(asked.config, asked.overrides)
    try:
        graph = import_model(asked.model, asked.rule)
        traced = trace_products(graph)
        feeds = _feeds(graph, asked)
        expected = _expected(graph, asked, feeds.items)
    except (GraphError, ValueError) as error:
        raise InputError(str(error)) from None
    except MemoryError:
        raise InputError(f"{asked.model}: needs more memory than there is") from None
    except ModuleNotFoundError as error:
        hint = install_hint("models")
        raise InputError(f"run {asked.model}: needs {error.name}; run {hint}") from None
    names = list(dict.fromkeys(product.node.name for product in traced))
    if not names:
        rule = "has no product of integers, so nothing of it goes to a macro; quantise it first"
        raise InputError(f"{asked.model}: {rule}")
    chosen = chosen_layers(asked.layers, names)
    kind = "" if asked.way.backend == "rtl" else f"-{asked.way.backend}"
    title = f"{asked.model.stem}-{engine.module if engine else macro.module}{kind}"
    output = asked.output or Path(BUILD) / title
    with open_outputs(output, title) as outputs:
        outputs.check(dict.fromkeys(model_files(graph)))
    return Ready(graph, feeds, expected, chosen, engine, macro, output, title)


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
    if asked.cluster != HERE and (asked.sources or backend not in ("rtl", GOLDEN)):
        raise InputError("--cluster: runs the emitted Verilog (--backend rtl) or golden alone")
    if asked.macros > 1 and backend == SOC:
        raise InputError("--macros: of --backend soc are a parameter, --set engine.macros=N")
    if asked.tolerance is not None and asked.check is None:
        raise InputError("--tolerance: is of --check")
    if asked.input and asked.images:
        raise InputError("--images: is the number of random items, and --input brings its own")


def _feeds(graph: Graph, asked: Asked) -> Feeds:
    if asked.input is None:
        return drawn_feeds(graph, asked.images or 1, asked.seed)
    told, named = load_arrays(asked.input), _named(asked.input)
    return fitted_feeds(graph, told, f"--input {asked.input}", named=named)


def _expected(graph: Graph, asked: Asked, items: int) -> Expected | None:
    if asked.check is None:
        return None
    return Expected(
        *(graph, load_arrays(asked.check), items, f"--check {asked.check}"),
        named=_named(asked.check),
        tolerance=asked.tolerance or 0.0,
    )


def _named(path: Path) -> bool:
    """Whether a file's arrays have names."""
    return path.suffix.lower() == ".npz"


def _open(
    asked: Asked,
    ready: Ready,
    announce: Callable[[str], None],
    progress: Callable[[int, int], None],
) -> Opened:
    """Emit what runs, and open it."""
    told = (ready.output / "rtl", announce, progress)
    if ready.engine:
        products = asked.way.open_products(ready.engine, *told, ready.chosen)
        return Opened(products, products)
    runner, design = _open_macro(asked, ready.macro, *told)
    kept = KeptJobs(runner, ready.output / KEPT, _subject(asked.way, design))
    alone = asked.way.backend == GOLDEN and asked.cluster == HERE
    jobs = runner if alone else kept
    worker = MacroProducts(ready.macro, jobs, asked.macros, ready.chosen)
    return Opened(worker, runner, design, kept)


def _open_macro(
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
    """Of what kept results depend besides the job: the way, this package's text, the Verilog."""
    digest = hashlib.sha256(repr((way, own_release()["cimforge"])).encode())
    if design:
        for source in design.sources:
            digest.update(Path(design.folder, source).read_bytes())
    return digest.hexdigest()


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
    ready: Ready, files: dict[str, Content], failure: Exception | None, design: Design | None
) -> list[tuple[str, object]]:
    """Write the report and the results, or in their place the reproducer of a divergence, so that
    nothing of another run stays beside them; lines that name them."""
    output, folder = ready.output, ready.output / DIVERGENCE
    name, contents = f"{ready.title}-{DIVERGENCE}", dict[str, Content]()
    below: list[tuple[str, object]] = []
    if isinstance(failure, DivergenceError) and design is not None:
        contents = reproducer_files(design, _case(design, failure), failure.divergence.as_json())
        python = shlex.quote(sys.executable)
        again = ("again, alone", f"{python} {folder / RUN}")
        below = [again, ("or, with cocotb and Icarus", f"make -C {folder}")]
    if contents or folder.is_dir():
        with open_outputs(folder, name) as outputs:
            outputs.write(contents, {"name": name, "files": listing(contents)})
    with open_outputs(output, ready.title) as outputs:
        outputs.write(files, {"name": ready.title, "files": listing(files)})
    return below + [(Path(name).stem, output / name) for name in files]
