"""RAM storage: words of a memory compiler's macros, read a row at once on entering a bank.

A row's weights of one bank are one word, made of RAMs side by side; the address is the bank. The
RAM's output register holds the word until another is read, so columns see one bank, as with one
bank of flip-flops: no bank is selected in front of a product.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cimforge.hdl.cells.array_style import ARRAY_STYLES, ArrayStyle, ColumnNets
from cimforge.hdl.cells.multiply_style import MULTIPLY_STYLES
from cimforge.hdl.netlist.module import LEAF, Child, Port
from cimforge.hdl.netlist.structure import Net, Structure, concat, constant, expression
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.memory import MemoryShape

__all__ = ["Ram", "build_memory_row", "place_words"]

MODEL = """\
// {comment}
// A behavioural model: a wrapper of a memory compiler's macro takes its place, under the same name.
module {name} (
{ports}
);
  reg [{top}:0] word [0:{last}];
  reg [{top}:0] q_q;

  always @(posedge clk) begin
    if (write) word[{write_address}] <= d;
    if ({reads}) q_q <= word[{read_address}];
  end
  assign q = q_q;
endmodule
"""


@dataclass(frozen=True)
class Ram:
    """One RAM of ``words`` of ``bits``, a leaf in a file of its own: NAME_sram.v beside the macro.

    At the rising edge the word ``write_address`` takes ``d`` while ``write`` is high, and ``q`` the
    word ``read_address`` while ``read`` is; else ``q`` holds, in a write too. With ``shared_port``
    both take the one ``address``, and write and read are never high together; with two ports never
    for the same word. Latency 1 cycle. Nothing is reset.
    """

    prefix: str
    shape: MemoryShape
    kind: str = "sram"
    role: str = LEAF
    latency: int = 1
    children: Sequence[Child] = ()

    @property
    def name(self) -> str:
        """Its module's name, the macro's own."""
        return f"{self.prefix}_{self.kind}"

    @property
    def comment(self) -> str:
        """What it is."""
        ports = "one port to write or read" if self.shape.shared_port else "a port each"
        return f"RAM of {self.shape.words} words of {self.shape.bits} bits, {ports}."

    @property
    def ports(self) -> Mapping[str, Port]:
        """Its ports by name."""
        address = self.shape.address_bits
        inputs = {"clk": 1, "write": 1, "read": 1}
        if self.shape.shared_port:
            inputs |= {"address": address}
        else:
            inputs |= {"write_address": address, "read_address": address}
        inputs |= {"d": self.shape.bits}
        ports = [Port(name, "input", width) for name, width in inputs.items()]
        return {port.name: port for port in (*ports, Port("q", "output", self.shape.bits))}

    @property
    def declarations(self) -> str:
        """Its ports in Verilog."""
        told = {name: f"[{port.width - 1}:0] " for name, port in self.ports.items()}
        told |= dict.fromkeys(("clk", "write", "read"), "")
        lines = (f"  {p.direction:6} wire {told[name]}{name}" for name, p in self.ports.items())
        return ",\n".join(lines)

    def verilog(self) -> str:
        """Nothing: its text is a file of its own."""
        return ""

    def model(self) -> str:
        """The text of that file."""
        shared = self.shape.shared_port
        return MODEL.format(
            comment=self.comment,
            name=self.name,
            ports=self.declarations,
            top=self.shape.bits - 1,
            last=self.shape.words - 1,
            reads="read && !write" if shared else "read",
            write_address="address" if shared else "write_address",
            read_address="address" if shared else "read_address",
        )


def build_memory_row(config: MacroConfig) -> Structure:
    """A row's words: ``q`` (cols * weight_bits, as stored) is the word of bank ``read_bank`` from
    the edge on at which ``read`` is high, and holds; ``d`` goes to bank ``write_bank`` at the edge
    at which ``row`` is high. Bits and words beyond the row's are tied off. Latency 1 cycle."""
    shape = config.memory
    sentence = "A row's words, one a bank, in RAMs side by side."
    out = Structure(config.module, "memory_row", sentence, role="storage", latency=1)
    pins: dict[str, Net] = {"clk": out.port("input", "clk")}
    pins |= {"write": out.port("input", "row"), "read": out.port("input", "read")}
    places = {
        name: _address(out, f"{name}_bank", config.bank_bits, shape.address_bits)
        for name in ("write", "read")
    }
    d = out.port("input", "d", shape.used_bits)
    q = out.port("output", "q", shape.used_bits)
    if shape.shared_port:
        address = out.wire("address", shape.address_bits)
        out.assign(address, f"row ? {places['write']} : {places['read']}")
        pins["address"] = address
    else:
        pins |= {f"{name}_address": net for name, net in places.items()}
    ram, unused = Ram(config.module, shape), shape.per_row * shape.bits - shape.used_bits
    if unused:
        spare = out.wire("unused", unused)
    for place in range(shape.per_row):
        low = place * shape.bits
        count = min(shape.bits, shape.used_bits - low)
        word, read = d.bits(low, count), q.bits(low, count)
        if count < shape.bits:
            word = concat([word, constant(0, unused)])
            read = concat([read, spare])
        out.place(ram, f"ram{place}", **pins, d=word, q=read)
    return out


def _address(out: Structure, name: str, bank_bits: int, width: int) -> Net:
    """The word that holds the bank of port ``name``; word 0 where there is one bank."""
    if not bank_bits:
        return constant(0, width)
    bank = out.port("input", name, bank_bits)
    return concat([bank, constant(0, width - bank_bits)]) if width > bank_bits else bank


def place_words(config: MacroConfig, out: Structure, nets: ColumnNets) -> None:
    """A multiplier a row, on the code that the row's RAMs deliver (see ArrayStyle)."""
    width, lines, size = config.weight_bits, config.row_lines, config.operand_widths[0]
    multiplier = MULTIPLY_STYLES[config.multiply].multiplier(config)
    assert nets.stored is not None
    for row in range(config.rows):
        out.place(
            multiplier,
            f"row{row}",
            stored=nets.stored.bits(row * width, width),
            planes_n=nets.planes_n.bits(row * lines, lines),
            products=concat(tree.bits(row * size, size) for tree in nets.operands),
        )


def stored_code(config: MacroConfig, code: Net) -> Net:
    """What is written for ``code``, any number of columns side by side."""
    inverted = MULTIPLY_STYLES[config.multiply].inverted_code(config)
    return expression(f"~{code}", code.width) if inverted else code


ARRAY_STYLES.register("sram", ArrayStyle(build_memory_row, place_words))
