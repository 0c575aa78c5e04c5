"""Runs the commands of a Markdown file's sh blocks that use .venv, and prints each with its
outcome."""

import re
import subprocess
import sys
import time
from pathlib import Path


def commands(text: str) -> list[str]:
    """Command lines of the sh blocks, comments removed."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
    lines = [re.sub(r"\s{2,}#.*$", "", line) for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith(".venv/")]


def main(path: str) -> int:
    """Run them in order; the first failure ends it."""
    found = commands(Path(path).read_text())
    if not found:
        print(f"{path}: no commands found", file=sys.stderr)
        return 1
    for command in found:
        started = time.perf_counter()
        run = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        outcome, seconds = "FAILED" if run.returncode else "ok", time.perf_counter() - started
        print(f"{outcome} {seconds:5.1f} s  {command}", flush=True)
        if run.returncode:
            print(run.stdout + run.stderr, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
