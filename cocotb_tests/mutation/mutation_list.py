"""Mutations of a design, drawn and applied by Yosys: one wrong bit of one port of one cell each."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cimforge.hdl.netlist.yosys import run_yosys

__all__ = ["Mutation", "Origin"]

BASE = "unbroken.v"
LIST = "mutations.txt"
MODULE = re.compile(r"^module (\S+?) ?\(.*?^endmodule$", re.M | re.S)


@dataclass(frozen=True)
class Mutation:
    """One line of Yosys' ``mutate -list``.

    ``mode``: inv, const0, const1 change a port's bit, cnot0 and cnot1 invert it while another bit
    of the port is 0 or 1. ``sources`` are places in the emitted Verilog, ``FILE:LINE.COLUMN-...``.
    """

    mode: str
    module: str
    cell: str
    port: str
    bit: int
    control: int | None
    wire: str
    sources: tuple[str, ...]

    @classmethod
    def parse(cls, line: str) -> "Mutation":
        """From a line of the list. Raises ValueError for anything else."""
        command, *words = shlex.split(line, posix=False)
        if command != "mutate" or len(words) % 2:
            raise ValueError(f"must be a line of mutate -list, not {line!r}")
        pairs = list(zip(words[::2], words[1::2], strict=True))
        named = dict(pairs)
        control = named.get("-ctrlbit")
        return cls(
            named["-mode"],
            named["-module"],
            named["-cell"],
            named["-port"],
            int(named["-portbit"]),
            None if control is None else int(control),
            named.get("-wire", ""),
            tuple(value for name, value in pairs if name == "-src"),
        )

    @property
    def command(self) -> str:
        """The Yosys command that applies it."""
        control = "" if self.control is None else f" -ctrlbit {self.control}"
        place = f"-module {self.module} -cell {self.cell} -port {self.port} -portbit {self.bit}"
        return f"mutate -mode {self.mode} {place}{control}"

    @property
    def line(self) -> tuple[str, int]:
        """File and line of the cell (the last of ``sources``), or ("", 0) where none is known."""
        if not self.sources:
            return "", 0
        name, _, place = self.sources[-1].rpartition(":")
        return Path(name).name, int(re.match(r"\d+", place)[0])  # type: ignore[index]


SPARE = 4  # mutations drawn for those that are none


@dataclass(frozen=True)
class Origin:
    """The Verilog that is broken: ``sources`` in ``folder``, of which ``top`` is the top. With
    ``single`` each instance is a module of its own, so that a mutation breaks one place; without,
    all instances of a module are broken alike."""

    folder: Path
    sources: Sequence[str]
    top: str
    single: bool = False

    def _read(self) -> list[str]:
        """Commands that read it. Cell names are numbered in order, so equal in every run."""
        keep = f"hierarchy -top {self.top}"  # and nothing that it does not need
        script = [f"read_verilog {' '.join(self.sources)}", keep, "proc"]
        return [*script, "uniquify", keep] if self.single else script

    def draw(self, targets: Sequence[str], count: int, seed: int) -> list[Mutation]:
        """``count`` mutations of the modules ``targets`` (all where empty), spread by Yosys over
        their source lines, wires and bits; equal for equal seeds."""
        chosen = " ".join(targets)
        drawn = count + SPARE
        script = [*self._read(), f"mutate -list {drawn} -seed {seed} -o {LIST} {chosen}"]
        run_yosys("\n".join(script) + "\n", self.folder)
        lines = (self.folder / LIST).read_text().splitlines()
        # what a memory holds at first is a cell to Yosys, but with pins that it cannot break
        found = [Mutation.parse(line) for line in lines if "$meminit" not in line]
        return found[:count]

    def apply(self, mutations: Sequence[Mutation]) -> tuple[str, list[str]]:
        """The Verilog as Yosys writes it, unbroken and with each mutation: whole texts.

        One Yosys process: the design is read once, and only the broken module is written for each.
        """
        script = [*self._read(), f"write_verilog -noattr {BASE}", "design -save unbroken"]
        for index, mutation in enumerate(mutations):
            script += [mutation.command, f"select {mutation.module}"]
            script += [f"write_verilog -noattr -selected broken_{index}.v"]
            script += ["design -load unbroken"]
        run_yosys("\n".join(script) + "\n", self.folder)
        base = (self.folder / BASE).read_text()
        texts = []
        for index in range(len(mutations)):
            piece = self.folder / f"broken_{index}.v"
            texts.append(_exchange(base, piece.read_text()))
            piece.unlink()
        return base, texts


def _exchange(base: str, piece: str) -> str:
    """``base`` with one of its modules replaced by the one in ``piece``."""
    module = MODULE.search(piece)
    assert module is not None, "Yosys wrote no module"
    for old in MODULE.finditer(base):
        if old[1] == module[1]:
            return base[: old.start()] + module[0] + base[old.end() :]
    raise AssertionError(f"no module {module[1]} in the unbroken design")
