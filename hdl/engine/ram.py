"""RAM: a memory of one write and one read port, a module of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

from cimforge.hdl.netlist.module import Child, Port, check_role
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["Ram"]

# A word that is read in the cycle in which it is written is undefined, as in block RAMs with a port
# for each: else Yosys and Quartus keep the old word in registers beside the block.
MARKS = '(* no_rw_check, ramstyle = "no_rw_check" *)'


@dataclass(frozen=True)
class Ram:
    """``words`` words of ``lanes`` lanes of ``lane_bits``, with a port to write and one to read.

    ``write`` (a bit a lane) puts the lanes of ``write_data`` at ``write_address``; where ``read``
    is high, ``read_data`` is in the next cycle the word at ``read_address`` and stands until the
    next such cycle. Latency 1 cycle, a read and a write a cycle. A lane that is read in the cycle
    in which it is written is undefined, and so is what was never written; there is no reset.

    In Verilog, for it tells synthesis what it need not keep; a foundry's or vendor's RAM with these
    ports may take the module's place.
    """

    prefix: str
    kind: str
    role: str
    words: int
    lanes: int
    lane_bits: int
    latency: int = 1
    children: Sequence[Child] = ()

    def __post_init__(self) -> None:
        check_role(self.role, self.name)

    @property
    def name(self) -> str:
        """Its name in Verilog."""
        return f"{self.prefix}_{self.kind}"

    @property
    def width(self) -> int:
        """Bits of a word."""
        return self.lanes * self.lane_bits

    @property
    def comment(self) -> str:
        """What it is, and what may take its place."""
        size = f"{self.words} x {self.width} bits, written in lanes of {self.lane_bits}"
        return f"RAM of {size}; another with these ports may take its place."

    @property
    def ports(self) -> Mapping[str, Port]:
        """Its ports by name; a single word has no addresses."""
        address = unsigned_width(self.words - 1)
        inputs = {"clk": 1, "write": self.lanes, "write_address": address, "write_data": self.width}
        inputs |= {"read": 1, "read_address": address}
        ports = {name: Port(name, "input", width) for name, width in inputs.items() if width}
        return {**ports, "read_data": Port("read_data", "output", self.width)}

    def verilog(self) -> str:
        """Its text."""
        place = {way: "[0]" if self.words == 1 else f"[{way}_address]" for way in ("write", "read")}
        stored, lines = f"words{place['write']}", []
        for lane in range(self.lanes):
            bits = _bits(lane * self.lane_bits, self.lane_bits) if self.lanes > 1 else ""
            asked = f"write[{lane}]" if self.lanes > 1 else "write"
            lines.append(f"    if ({asked}) {stored}{bits} <= write_data{bits};")
        ports = ",\n".join(
            f"  {p.direction} {'reg' if p.direction == 'output' else 'wire'} "
            f"{'' if p.width == 1 else f'[{p.width - 1}:0] '}{p.name}"
            for p in self.ports.values()
        )
        return "\n".join(
            [
                *(f"// {line}" for line in wrap(self.comment, 112)),
                f"module {self.name} (\n{ports}\n);",
                f"  {MARKS}",
                f"  reg [{self.width - 1}:0] words [0:{self.words - 1}];",
                "  always @(posedge clk) begin",
                *lines,
                f"    if (read) read_data <= words{place['read']};",
                "  end",
                "endmodule\n",
            ]
        )


def _bits(low: int, count: int) -> str:
    return f"[{low}]" if count == 1 else f"[{low + count - 1}:{low}]"
