"""Runs the commands of Markdown files' sh blocks, and prints each with its outcome.

``python .ci/readme.py A.md B.md -- C.md`` runs those of C.md beside those of A.md and B.md.
Commands are those that use .venv, and programs named in OPTIONAL where they are installed. What is
left out is printed and counted.
"""

import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

OPTIONAL = ("iverilog", "vvp")


def commands(text: str) -> list[str]:
    """Command lines of the sh blocks, comments removed; set-up itself is not run again."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
    lines = [re.sub(r"\s{2,}#.*$", "", line) for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith((".venv/", *OPTIONAL))]


def run(command: str, folder: Path) -> str:
    """Run one command in a checkout and return its outcome: ok, FAILED or skipped."""
    program = command.split()[0]
    if program in OPTIONAL and shutil.which(program) is None:
        print(f"skipped: {program} is not installed  {command}", flush=True)
        return "skipped"
    started = time.perf_counter()
    done = subprocess.run(
        command, shell=True, cwd=folder, capture_output=True, text=True, check=False
    )
    outcome, seconds = "FAILED" if done.returncode else "ok", time.perf_counter() - started
    print(f"{outcome} {seconds:5.1f} s  {command}", flush=True)
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
    return outcome


def run_group(paths: list[str], folder: Path) -> list[str]:
    """Run the commands of some files in order, until one fails."""
    outcomes: list[str] = []
    for path in paths:
        for command in commands(Path(path).read_text()):
            outcomes.append(run(command, folder))
            if outcomes[-1] == "FAILED":
                return outcomes
    return outcomes


def copied(place: Path) -> Path:
    """A copy of the checkout at ``place``, which shares its environment."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(
        ".", place, ignore=shutil.ignore_patterns("build", ".venv", ".git", "__pycache__")
    )
    (place / "build").mkdir()
    (place / ".venv").symlink_to(Path(".venv").absolute())
    return place


def main(words: list[str]) -> int:
    """Run the commands of all files; groups, which ``--`` divides, at the same time, each but the
    first in a copy of the checkout, so that no file of one is in another's way."""
    groups = [group.split() for group in " ".join(words).split(" -- ")]
    for path in (path for group in groups for path in group):
        if not commands(Path(path).read_text()):
            print(f"{path}: no commands found", file=sys.stderr)
            return 1
    folders = [Path(), *(copied(Path(f"build/documents-{n}")) for n in range(1, len(groups)))]
    with ThreadPoolExecutor(len(groups)) as threads:
        outcomes = [each for told in threads.map(run_group, groups, folders) for each in told]
    for folder in folders[1:]:
        shutil.rmtree(folder)
    print(f"{outcomes.count('ok')} commands ok, {outcomes.count('skipped')} skipped")
    return "FAILED" in outcomes


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
