"""The command ``cimforge``: one verb a file, each imported when it is used."""

import io
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import FrameType

import click

__all__ = ["cli", "main"]

VERBS = (
    *("generate", "verify", "mutants", "prove", "draw", "synth", "power", "fpga", "mvm", "run"),
    *("example", "requantise", "energy", "size", "explore", "datasheet", "diff", "export", "soc"),
    *("engine", "handover", "layout", "schema", "doctor"),
)
# What figures are compared with: called by name, not listed.
BENCH_VERBS = ("naive", "soc-layer")

INTERRUPTED = (
    "cimforge: interrupted; files are written whole or not at all, so run the command again"
)

FILES = {
    "draw": "draw_tree",
    "energy": "network_energy",
    "engine": "emit_engine",
    "handover": "handover_views",
    "mutants": "macro_mutants",
    "requantise": "requantised_layers",
    "soc": "soc_bitstream",
}  # of verbs whose file is not called as they are


@contextmanager
def interrupted_at_once() -> Iterator[None]:
    """While modules are imported Ctrl-C ends the process: a class or an extension that is being
    made may wrap the KeyboardInterrupt or lose it, and nothing is written yet."""
    handler = signal.getsignal(signal.SIGINT)
    own_thread = threading.current_thread() is threading.main_thread()
    if handler is not signal.default_int_handler or not own_thread:
        yield  # ignored in the background
        return
    signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _end(number: int, frame: FrameType | None) -> None:
    print(INTERRUPTED, file=sys.stderr, flush=True)
    os._exit(130)


class Verbs(click.Group):
    """The verbs, in the order of their use."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Every verb."""
        return list(VERBS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The verb ``name``, or None."""
        if name not in (*VERBS, *BENCH_VERBS):
            return None
        with interrupted_at_once():
            own = name.replace("-", "_")
            return getattr(import_module(f"cimforge.scripts.{FILES.get(own, own)}"), own)


@click.group(
    cls=Verbs,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 success, 1 a check failed, 2 bad input.",
)
@click.version_option(package_name="cimforge")
def cli() -> None:
    """Generate, prove and use digital SRAM compute-in-memory macros."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status: 0 success, 1 a check failed, 2 bad input.

    Bad input prints one line on stderr and nothing on stdout. A reader of stdout that has gone away
    is no failure.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a path may hold bytes that are no text
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        warnings.simplefilter("ignore")  # of what was being built
        print(INTERRUPTED, file=sys.stderr)  # no import: one may be what was interrupted
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f"{os.fsdecode(error.filename)}: " if error.filename else ""
        return _complain(f"{where}{error.strerror or error}", 2)


def _run(arguments: list[str]) -> int:
    # Heavy, so after main's handlers are in place.
    with interrupted_at_once():
        from cimforge.hdl.netlist.yosys import YosysError
        from cimforge.hdl.params.config_file import InputError
        from cimforge.scripts.options import CheckFailedError

    try:
        with cli.make_context("cimforge", list(arguments)) as context:
            cli.invoke(context)
    except click.exceptions.Exit as ended:  # --help and --version
        return ended.exit_code
    except (CheckFailedError, YosysError) as error:
        return _complain(error, 1)
    except click.ClickException as error:
        return _complain(_explain_usage(error), 2)
    except InputError as error:
        return _complain(error, 2)
    return 0


def _explain_usage(error: click.ClickException) -> str:
    """What click says, and the help to look at."""
    text, context = error.format_message().rstrip("."), getattr(error, "ctx", None)
    if context is None:
        return text
    if isinstance(context.command, Verbs):
        text = f"{text}; verbs: {', '.join(VERBS)}"
    return f"{text}{'' if text.endswith('?') else ';'} see {context.command_path} --help"


def _complain(message: object, status: int) -> int:
    from cimforge.hdl.params.errors import one_line

    if line := one_line(message):
        print(f"cimforge: {line}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
