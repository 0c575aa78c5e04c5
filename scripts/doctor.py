"""cimforge doctor: which tools are here, what each is for, and how to get a missing one."""

import subprocess
import sysconfig
from pathlib import Path

import click

from cimforge.flow.machine import MISSING, WEBASSEMBLY, Finding, check_machine, check_places
from cimforge.scripts.options import CheckFailedError, print_json, show_table, stderr

__all__ = ["doctor"]


@click.command(short_help="List the tools, and what will fail here.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@click.option(
    "--warm-up",
    is_flag=True,
    help="Compile the WebAssembly tools now instead of at their first use.",
)
def doctor(as_json: bool, warm_up: bool) -> None:
    """List every tool with its version and what needs it, try each, and say how to mend what is
    missing, does not start or is too old; look at the folders that tools write to."""
    failed = "" if not warm_up or _wrong(check_places()) else _compile()
    found = check_machine()
    wrong = _wrong(found)
    if as_json:
        tools = [
            {
                "name": each.name,
                "version": each.version,
                "purpose": each.purpose,
                "required": each.required,
                "problem": each.problem,
                "get": each.get,
            }
            for each in found
        ]
        print_json({"ok": not wrong and not failed, "tools": tools})
    else:
        _show(found)
    if wrong:
        raise CheckFailedError(_told(wrong))
    if failed:
        raise CheckFailedError(failed)


def _wrong(found: list[Finding]) -> list[Finding]:
    """What keeps required parts from working."""
    return [each for each in found if each.required and each.problem]


def _told(wrong: list[Finding]) -> str:
    """What is missing, then what is wrong with the others, on one line."""
    missing = [each.name for each in wrong if each.problem == MISSING]
    parts = [f"{MISSING}: {', '.join(missing)}"] if missing else []
    return "; ".join(parts + [f"{e.name}: {e.problem}" for e in wrong if e.problem != MISSING])


def _show(found: list[Finding]) -> None:
    rows = [
        (each.name, "\n".join(filter(None, (each.version, each.problem))), each.purpose)
        for each in found
    ]
    ways = [(f"to get {each.name}", each.get) for each in found if each.problem]
    show_table("tools", rows, ("tool", "version", "needed for"), below=ways)


def _compile() -> str:
    """Run the WebAssembly tools that are installed, whose first run on a machine compiles them; the
    first failure, or nothing."""
    scripts = Path(sysconfig.get_path("scripts"))
    for name in (tool for tool in WEBASSEMBLY if (scripts / tool).exists()):
        message = f"compiling {name} (WebAssembly), once, up to a minute …"
        with stderr.status(message):
            if not stderr.is_terminal:
                stderr.print(message)
            run = subprocess.run(
                (str(scripts / name), "--version"), capture_output=True, text=True, errors="replace"
            )
        if run.returncode not in (0, 1):  # icepack has no --version, but says so
            said = (run.stderr.strip().splitlines() or [f"exit status {run.returncode}"])[-1]
            return f"{name} does not run here: {said}"
    return ""
