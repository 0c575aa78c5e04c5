"""Structural Verilog modules: ports, wires, assigns and instances as text, one line each.

Amaranth describes behaviour; pure wiring is written here, because Amaranth emits equal instances
again and again (decisions.md has the measurement).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Self

from cimforge.hdl.netlist.module import Child, Module, Port, check_role

__all__ = ["Bus", "Net", "Structure", "concat", "constant", "expression"]


class Net(str):
    """Verilog text of ``width`` bits."""

    width: int

    def __new__(cls, text: str, width: int = 1) -> Self:
        """The text with its width."""
        net = super().__new__(cls, text)
        net.width = width
        return net


class Bus(Net):
    """A named net, sliced into legal Verilog text whatever its width."""

    def bits(self, low: int, count: int = 1) -> Net:
        """Bits low .. low+count-1: ``name``, ``name[low]`` or ``name[high:low]``."""
        if self.width == count:
            return self
        text = f"{self}[{low}]" if count == 1 else f"{self}[{low + count - 1}:{low}]"
        return Slice(text, self, low, count)


class Slice(Net):
    """``count`` bits of ``bus`` from ``low`` up."""

    bus: Bus
    low: int

    def __new__(cls, text: str, bus: Bus, low: int, count: int) -> Self:
        """The text with what it names."""
        net = super().__new__(cls, text, count)
        net.bus, net.low = bus, low
        return net


class Concat(Net):
    """``parts`` side by side, the first lowest."""

    parts: tuple[Net, ...]

    def __new__(cls, parts: tuple[Net, ...]) -> Self:
        """The parts with their text."""
        text = "{" + ", ".join(reversed(parts)) + "}"
        net = super().__new__(cls, text, sum(part.width for part in parts))
        net.parts = parts
        return net


def constant(value: int, width: int) -> Net:
    """A sized hexadecimal literal."""
    return Net(f"{width}'h{value:x}", width)


def expression(text: str, width: int) -> Net:
    """Any Verilog expression of ``width`` bits."""
    return Net(text, width)


def concat(parts: Iterable[Net]) -> Net:
    """The parts side by side, the first lowest."""
    nets = tuple(parts)
    return nets[0] if len(nets) == 1 else Concat(nets)


@dataclass
class Structure:
    """A module of wires, assigns and instances; ``sentence`` says what it is, ``role`` what its own
    cells serve.

    ``name`` is ``prefix_kind``, or ``prefix`` where the kind is empty. Ports keep the order in
    which they are added. A port of width 0 is refused: who makes it leaves it out.
    """

    prefix: str
    kind: str
    sentence: str
    role: str
    latency: int = 0
    nets: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.name = f"{self.prefix}_{self.kind}" if self.kind else self.prefix
        self.ports: dict[str, Port] = {}
        self.children: list[Child] = []
        self._pieces: dict[Bus, dict[int, Net]] = {}
        check_role(self.role, self.name)

    @property
    def comment(self) -> str:
        """The sentence."""
        return self.sentence

    def port(self, direction: str, name: str, width: int = 1) -> Bus:
        """Add an ``input`` or ``output`` port and return its bus."""
        if width < 1:
            raise ValueError(f"port {name} of {self.name} must have at least 1 bit, not {width}")
        self.ports[name] = Port(name, direction, width)
        return Bus(name, width)

    def wire(self, name: str, width: int = 1) -> Bus:
        """Declare a wire and return its bus."""
        self.nets.append(f"wire {_range(width)}{name};")
        return Bus(name, width)

    def register(self, name: str, width: int = 1) -> Bus:
        """Declare a register and return its bus."""
        self.nets.append(f"reg {_range(width)}{name};")
        return Bus(name, width)

    def scalars(self, kind: str, names: list[str]) -> None:
        """Declare many 1-bit nets of ``kind`` (wire or reg), packed into few lines."""
        if names:
            self.nets += _folded(f"{kind} {', '.join(names)};")

    def assign(self, target: object, value: object) -> None:
        """Drive ``target`` by an expression."""
        self.body.append(f"assign {target} = {value};")

    def place(
        self, child: Module, instance: str, *, role: str = "", about: str = "", **pins: Net
    ) -> None:
        """Place an instance of ``child``; ``pins`` are what is offered to its ports, by name.

        What the child has no port for is dropped, so callers offer all that any variant takes. A
        port that is offered nothing, or a net of another width, raises ValueError. ``role`` and
        ``about`` as in Child.
        """
        for name, net in pins.items():
            if name in child.ports and child.ports[name].direction == "output":
                pins[name] = self._piece(net)
        text = connections(child, instance, pins)
        reference = getattr(child, "reference", child.name)
        self.children.append(Child(instance, child, role and check_role(role, instance), about))
        self.body.append(f"{reference} {instance} ({text});")

    def _piece(self, net: Net) -> Net:
        """What an instance drives in place of ``net``: a slice of a bus becomes a net of its own.

        A bus that many instances drive slice by slice is one net with many drivers to Icarus, which
        resolves all its bits whenever one changes: ten vectors of 64 rows took 27 s, and take 2 s
        where the bus is the concatenation of its slices.
        """
        if isinstance(net, Concat):
            return concat(map(self._piece, net.parts))
        if not isinstance(net, Slice):
            return net
        piece = Net(f"{net.bus}_at{net.low}", net.width)
        self._pieces.setdefault(net.bus, {})[net.low] = piece
        return piece

    def _joints(self) -> list[str]:
        """Declarations of the slices that instances drive, and the buses that they make up."""
        lines: list[str] = []
        for bus, pieces in self._pieces.items():
            for width in sorted({piece.width for piece in pieces.values()}):
                names = [piece for piece in pieces.values() if piece.width == width]
                lines += _folded(f"wire {_range(width)}{', '.join(names)};")
            ordered = [pieces[low] for low in sorted(pieces)]
            if sum(piece.width for piece in ordered) == bus.width:
                lines += _folded(f"assign {bus} = {concat(ordered)};")
            else:  # the rest is driven otherwise
                lines += [f"assign {bus.bits(low, p.width)} = {p};" for low, p in pieces.items()]
        return lines

    def line(self, text: str) -> None:
        """Add a line of Verilog as it stands."""
        self.body.append(text)

    def verilog(self) -> str:
        """The module's text."""
        ports = ",\n".join(
            f"  {port.direction} wire {_range(port.width)}{port.name}"
            for port in self.ports.values()
        )
        comment = "\n".join(f"// {line}" for line in wrap(self.comment, 112))
        lines = "".join(f"  {line}\n" for line in self.nets + self._joints() + self.body)
        return f"{comment}\nmodule {self.name} (\n{ports}\n);\n{lines}endmodule\n"


def connections(child: Module, instance: str, pins: dict[str, Net]) -> str:
    """The pins of an instance that the child has ports for, checked, in the order offered."""
    missing = [name for name in child.ports if name not in pins]
    if missing:
        raise ValueError(f"{instance}: nothing is offered to {', '.join(missing)} of {child.name}")
    taken = {name: net for name, net in pins.items() if name in child.ports}
    for name, net in taken.items():
        if net.width != child.ports[name].width:
            rule = f"has {child.ports[name].width} bits, {net} has {net.width}"
            raise ValueError(f"{instance}: port {name} of {child.name} {rule}")
    return ", ".join(f".{name}({net})" for name, net in taken.items())


def _folded(text: str) -> list[str]:
    """A long declaration in lines of legal length."""
    return wrap(text, 116, subsequent_indent="  ", break_long_words=False)


def _range(width: int) -> str:
    return "" if width == 1 else f"[{width - 1}:0] "
