"""Structural Verilog modules: ports, wires, assigns and instances as text, one line each.

Amaranth describes behaviour; pure wiring is written here, because Amaranth emits equal instances
again and again and takes time quadratic in their number (decisions.md has the measurement).
"""

from dataclasses import dataclass, field
from textwrap import wrap

__all__ = ["Bus", "Structure", "constant", "parametrised"]


@dataclass(frozen=True)
class Bus:
    """A named net of ``width`` bits, sliced into legal Verilog text whatever its width."""

    name: str
    width: int = 1

    def bits(self, low: int, count: int = 1) -> str:
        """Bits low .. low+count-1: ``name``, ``name[low]`` or ``name[high:low]``."""
        if self.width == count:
            return self.name
        return f"{self.name}[{low}]" if count == 1 else f"{self.name}[{low + count - 1}:{low}]"

    def __str__(self) -> str:
        return self.name


def constant(value: int, width: int) -> str:
    """A sized hexadecimal literal."""
    return f"{width}'h{value:x}"


def parametrised(module: str, **values: int) -> str:
    """``module`` with parameter values, to be placed as an instance."""
    return f"{module} #({', '.join(f'.{name}({value})' for name, value in values.items())})"


@dataclass
class Structure:
    """A module of wires, assigns and instances; ``comment`` says in a sentence what it is.

    Ports keep the order in which they are added. A port of width 0 is refused: the caller leaves it
    out.
    """

    module: str
    comment: str
    ports: dict[str, tuple[str, int]] = field(default_factory=dict)
    nets: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)

    def port(self, direction: str, name: str, width: int = 1) -> Bus:
        """Add an ``input`` or ``output`` port and return its bus."""
        if width < 1:
            raise ValueError(f"port {name} of {self.module} must have at least 1 bit, not {width}")
        self.ports[name] = (direction, width)
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
            self.nets += wrap(
                f"{kind} {', '.join(names)};", 116, subsequent_indent="  ", break_long_words=False
            )

    def assign(self, target: object, value: object) -> None:
        """Drive ``target`` by an expression."""
        self.body.append(f"assign {target} = {value};")

    def instance(self, module: str, name: str, **connections: object) -> None:
        """Place an instance; ``connections`` maps port names to expressions."""
        pins = ", ".join(f".{port}({value})" for port, value in connections.items())
        self.body.append(f"{module} {name} ({pins});")

    def line(self, text: str) -> None:
        """Add a line of Verilog as it stands."""
        self.body.append(text)

    def verilog(self) -> str:
        """The module's text."""
        ports = ",\n".join(
            f"  {way} wire {_range(width)}{name}" for name, (way, width) in self.ports.items()
        )
        comment = "\n".join(f"// {line}" for line in wrap(self.comment, 112))
        lines = "".join(f"  {line}\n" for line in self.nets + self.body)
        return f"{comment}\nmodule {self.module} (\n{ports}\n);\n{lines}endmodule\n"


def _range(width: int) -> str:
    return "" if width == 1 else f"[{width - 1}:0] "
