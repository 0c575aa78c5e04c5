"""Runs the commands of Markdown files' sh blocks, and prints each with its outcome.

Commands are those that use .venv, and programs named in OPTIONAL where they are installed. What is
left out is printed and counted.
"""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

OPTIONAL = ("iverilog", "vvp")


def commands(text: str) -> list[str]:
    """Command lines of the sh blocks, comments removed; set-up itself is not run again."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
    lines = [re.sub(r"\s{2,}#.*$", "", line) for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith((".venv/", *OPTIONAL))]


def run(command: str) -> str:
    """Run one command and return its outcome: ok, FAILED or skipped."""
    program = command.split()[0]
    if program in OPTIONAL and shutil.which(program) is None:
        print(f"skipped: {program} is not installed  {command}", flush=True)
        return "skipped"
    started = time.perf_counter()
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    outcome, seconds = "FAILED" if done.returncode else "ok", time.perf_counter() - started
    print(f"{outcome} {seconds:5.1f} s  {command}", flush=True)
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
    return outcome


def main(paths: list[str]) -> int:
    """Run the commands of all files in order; the first failure ends it."""
    outcomes = []
    for path in paths:
        found = commands(Path(path).read_text())
        if not found:
            print(f"{path}: no commands found", file=sys.stderr)
            return 1
        for command in found:
            outcomes.append(run(command))
            if outcomes[-1] == "FAILED":
                return 1
    print(f"{outcomes.count('ok')} commands ok, {outcomes.count('skipped')} skipped")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
