"""A PLL primitive as a leaf of the netlist, with a model that simulation takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cimforge.hdl.netlist.module import LEAF, Child, Port

__all__ = ["LOCK_BITS", "PllCell"]

LOCK_BITS = 4  # the model locks after 2^LOCK_BITS cycles

MODEL = """\
// SPDX-License-Identifier: Apache-2.0
// {name}, a model for simulation: the PLL is BYPASSED. {clock} is {source} as it comes, so that pin
// must carry the clock that the PLL would make; {lock} rises after {cycles} cycles. Synthesis takes
// the device's own cell.
module {name} (
{ports}
);
{parameters}
  reg [{top}:0] cycles = 0;
  always @(posedge {source}) if (!cycles[{top}]) cycles <= cycles + 1'b1;
  assign {lock} = cycles[{top}];
{outputs}
endmodule
"""


@dataclass(frozen=True)
class PllCell:
    """The primitive ``name`` with its ``parameters`` (Verilog literals): output ``clock`` is the
    clock that it makes of input ``source``, ``lock`` is high while that is stable.

    ``tied`` are inputs and the constants they are tied to; ``feedback`` an input and the output
    that feeds it; ``attributes`` what the packer reads. Latency: none; the model passes the clock
    on and locks after 2^LOCK_BITS cycles.
    """

    name: str
    source: str
    clock: str
    lock: str
    parameters: Mapping[str, str]
    tied: Mapping[str, str] = field(default_factory=dict)
    feedback: tuple[str, str] | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    role: str = LEAF
    latency: int = 0
    children: Sequence[Child] = ()

    @property
    def kind(self) -> str:
        """What it is within the top."""
        return "pll"

    @property
    def comment(self) -> str:
        """What it is."""
        return f"{self.name} of the device"

    @property
    def ports(self) -> Mapping[str, Port]:
        """Its ports by name; those that stay open are left out."""
        fed, fedback = ([self.feedback[0]], [self.feedback[1]]) if self.feedback else ([], [])
        inputs = {self.source: 1, **{n: _width(v) for n, v in self.tied.items()}}
        ports = [Port(name, "input", width) for name, width in inputs.items()]
        ports += [Port(name, "input", 1) for name in fed]
        ports += [Port(name, "output", 1) for name in (self.clock, self.lock, *fedback)]
        return {port.name: port for port in ports}

    @property
    def reference(self) -> str:
        """What stands before an instance's name."""
        told = ", ".join(f'{name} = "{value}"' for name, value in self.attributes.items())
        values = ", ".join(f".{name}({value})" for name, value in self.parameters.items())
        return f"{f'(* {told} *) ' if told else ''}{self.name} #({values})"

    def verilog(self) -> str:
        """Nothing: it is the device's."""
        return ""

    def model(self) -> str:
        """The text of the file NAME.v."""
        ports = [f"  {p.direction:6} wire {_range(p.width)}{p.name}" for p in self.ports.values()]
        values = [f"  parameter {name} = {value};" for name, value in self.parameters.items()]
        clocks = [self.clock, *(self.feedback[1:] if self.feedback else ())]
        return MODEL.format(
            name=self.name,
            source=self.source,
            clock=self.clock,
            lock=self.lock,
            cycles=2**LOCK_BITS,
            top=LOCK_BITS,
            ports=",\n".join(ports),
            parameters="\n".join(values),
            outputs="\n".join(f"  assign {name} = {self.source};" for name in clocks),
        )


def _width(literal: str) -> int:
    """Bits of a sized Verilog literal."""
    return int(literal.partition("'")[0])


def _range(width: int) -> str:
    return "" if width == 1 else f"[{width - 1}:0] "
