"""The command that installs what an extra of the project needs; it works when typed."""

import re
import shlex
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

__all__ = ["install_hint", "requirements"]

ROOT = Path(__file__).parents[2]  # the checkout's, where this is one
TARGETS = {
    **{"": "setup", "networks": "setup", "fpga": "fpga", "bus": "bus", "test": "test"},
    **{"registers": "registers", "soc": "soc", "litex": "litex", "models": "models"},
    **{"export": "export", "optimise": "optimise", "cluster": "cluster"},
}
EXTRA = re.compile(r"extra\s*==\s*[\"'](\w+)[\"']")


def install_hint(extra: str = "") -> str:
    """``make fpga`` in a checkout's own environment; elsewhere pip with the extra's requirements,
    as the project itself may be on no index. Without ``extra``: what every verb needs."""
    if Path(sys.prefix) == ROOT / ".venv" and (ROOT / "Makefile").exists():
        place = "" if Path.cwd() == ROOT else f" -C {shlex.quote(str(ROOT))}"
        return f"make{place} {TARGETS[extra]}"
    names = " ".join(shlex.quote(each) for each in requirements(extra))
    return f"{shlex.quote(sys.executable)} -m pip install {names}"


def requirements(extra: str = "") -> list[str]:
    """Requirements of an extra, or the ones without any, as ``name<4,>=3``."""
    try:
        listed = requires("cimforge") or []
    except PackageNotFoundError:
        return []
    found = []
    for line in listed:
        what, _, marker = line.partition(";")
        belongs = EXTRA.search(marker)
        if (belongs[1] if belongs else "") != extra:
            continue
        if own := re.match(r"cimforge\[([\w,]+)\]", what):
            found += [each for name in own[1].split(",") for each in requirements(name)]
        else:
            found.append(what.strip())
    return found
