"""A simulated system whose RAM is loaded and saved at once, not byte by byte over a UART."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from cimforge.flow.simulate.simulator import Design

__all__ = ["LOADED", "SAVED", "loaded_design", "memory_bytes", "memory_text"]

LOADED, SAVED = "memory.hex", "saved.hex"  # beside the simulation
INPUTS, OUTPUTS = ("clk", "rst", "rx", "load", "save"), ("tx", "light", "trap")
# The bench fills the RAM that the system's clocked process writes, in reset: never both at once.
WAIVER = "`verilator_config\nlint_off -rule BLKANDNBLK\n"


def loaded_design(system: Design) -> Design:
    """``system`` below a bench, both in its folder: at a rising edge of ``load`` its RAM becomes
    what the file LOADED holds (memory_text), at one of ``save`` it goes to SAVED."""
    name = f"{system.top}_loaded"
    ports = ",\n".join(
        [f"  input {port}" for port in INPUTS] + [f"  output {port}" for port in OUTPUTS]
    )
    own = [port for port in (*INPUTS, *OUTPUTS) if port not in ("load", "save")]
    pins = ", ".join(f".{port}({port})" for port in own)
    text = f"""// SPDX-License-Identifier: Apache-2.0

// {system.top} with RAM that is loaded and saved at once.
module {name} (
{ports}
);
  {system.top} system ({pins});
  always @(posedge load) $readmemh("{LOADED}", system.ram.words);
  always @(posedge save) $writememh("{SAVED}", system.ram.words);
endmodule
"""
    for suffix, written in ((".v", text), (".vlt", WAIVER)):
        (system.folder / f"{name}{suffix}").write_text(written)
    sources = (f"{name}.vlt", *system.sources, f"{name}.v")
    return replace(system, sources=sources, top=name, ports=(*INPUTS, *OUTPUTS))


def memory_text(data: bytes, word_bytes: int) -> str:
    """``data`` as the file LOADED: a word in hexadecimal on each line, the last filled with
    zeros."""
    whole = data.ljust(-(-len(data) // word_bytes) * word_bytes, b"\0")
    words = np.frombuffer(whole, np.uint8).reshape(-1, word_bytes)[:, ::-1]
    return words.tobytes().hex("\n", word_bytes) + "\n" if len(words) else ""


def memory_bytes(file: Path, word_bytes: int) -> bytes:
    """What the file SAVED holds, in the order of addresses."""
    lines = [line for line in file.read_text().split("\n") if line and line[0] not in "@/"]
    words = np.frombuffer(bytes.fromhex("".join(lines)), np.uint8).reshape(-1, word_bytes)
    return words[:, ::-1].tobytes()
