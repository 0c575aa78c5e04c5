"""The netlist that is placed: cells and nets under names that every layout tool takes."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cimforge.flow.layout.technology import Technology
from cimforge.flow.power.flat_netlist import ONE, ZERO, FlatNetlist

__all__ = ["LaidCell", "LayoutNetlist", "layout_netlist"]

PORT_BUFFER = "port_buffer_"  # begins the paths of buffers that the layout adds


@dataclass(frozen=True)
class LaidCell:
    """A cell of the layout: its ``name`` there, its hierarchical ``path`` in the macro, its kind
    and the net of each pin."""

    name: str
    path: str
    kind: str
    nets: Mapping[str, str]


@dataclass(frozen=True)
class LayoutNetlist:
    """Cells, and the nets of the top's ports, lowest bit first; a port's net has its name, so no
    two ports share one. ``supplies`` are the nets of power and ground, which constants are."""

    top: str
    cells: tuple[LaidCell, ...]
    ports: Mapping[str, tuple[str, ...]]
    outputs: frozenset[str]
    supplies: tuple[str, str]

    @property
    def port_buffers(self) -> int:
        """Buffers of ports that would share a net."""
        return sum(cell.path.startswith(PORT_BUFFER) for cell in self.cells)

    def pins(self, *, outward: bool) -> list[str]:
        """The nets of all outputs, or of all inputs."""
        return [
            n
            for name, nets in self.ports.items()
            if (name in self.outputs) == outward
            for n in nets
        ]

    def blif(self) -> str:
        """The netlist as Qflow's BLIF: its placement counts the cells of a kind in this order."""
        lines = [f".model {self.top}"]
        lines += [f".inputs {' '.join(self.pins(outward=False))}"]
        lines += [f".outputs {' '.join(self.pins(outward=True))}"]
        for cell in self.cells:
            pins = " ".join(f"{pin}={net}" for pin, net in cell.nets.items())
            lines.append(f".gate {cell.kind} {pins}")
        return "\n".join([*lines, ".end", ""])

    def spice(self, orders: Mapping[str, Sequence[str]], fillers: Mapping[str, str]) -> str:
        """The netlist as SPICE with ``fillers`` (kinds by name); cells have their pins in these
        ``orders``, by kind: Netgen finds its way among like columns only where those of the layout
        have the same."""
        supplies = {net: net for net in self.supplies}
        ports = [*self.pins(outward=False), *self.pins(outward=True), *self.supplies]
        kinds = sorted({cell.kind for cell in self.cells} | set(fillers.values()))
        lines = [f".subckt {kind} {' '.join(orders[kind])}\n.ends" for kind in kinds]
        lines.append(f".subckt {self.top} {' '.join(ports)}")
        every = [(cell.name, cell.kind, cell.nets) for cell in self.cells]
        every += [(name, kind, {}) for name, kind in fillers.items()]
        for name, kind, nets in every:
            wired = {**supplies, **nets}
            pins = [wired.get(pin, f"open_{name}_{pin}") for pin in orders[kind]]
            lines.append(f"X{name} {' '.join(pins)} {kind}")
        return "\n".join([f"* {self.top}", *lines, ".ends", ".end", ""])

    def verilog(self) -> str:
        """The netlist as plain Verilog, under the macro's ports and hierarchical names."""
        nets = {
            net: _bit(name, index, len(bits))
            for name, bits in self.ports.items()
            for index, net in enumerate(bits)
        }
        ports = {
            f"[{len(bits) - 1}:0] {name}" if len(bits) > 1 else name: name in self.outputs
            for name, bits in self.ports.items()
        }
        cells = {f"\\{cell.path} ": cell for cell in self.cells}
        return self._module(ports, nets, cells)

    def timed_verilog(self) -> str:
        """The netlist as Verilog for static timing: names of the layout, ports bit by bit."""
        outputs = set(self.pins(outward=True))
        pins = [net for bits in self.ports.values() for net in bits]
        ports = {self.plain(net): net in outputs for net in pins}
        nets = {net: self.plain(net) for net in pins}
        return self._module(ports, nets, {cell.name: cell for cell in self.cells})

    def _module(
        self, ports: Mapping[str, bool], nets: Mapping[str, str], cells: Mapping[str, LaidCell]
    ) -> str:
        """A module with these ports (whether each is an output), the ports' nets under these names,
        and cells."""
        known = {**dict(zip(self.supplies, ("1'b1", "1'b0"), strict=True)), **nets}
        used = dict.fromkeys(net for cell in self.cells for net in cell.nets.values())
        lines = [f"module {self.top} ({', '.join(port.split()[-1] for port in ports)});"]
        lines += [f"  {'output' if outward else 'input'} {p};" for p, outward in ports.items()]
        lines += [f"  wire {net};" for net in used if net not in known]
        for name, cell in cells.items():
            pins = ", ".join(f".{pin}({known.get(net, net)})" for pin, net in cell.nets.items())
            lines.append(f"  {cell.kind} {name} ({pins});")
        return "\n".join([*lines, "endmodule", ""])

    @staticmethod
    def plain(net: str) -> str:
        """A net's name without brackets."""
        return net.replace("<", "_").replace(">", "_")


def layout_netlist(flat: FlatNetlist, top: str, technology: Technology) -> LayoutNetlist:
    """The flat netlist of a macro ``top`` for the layout.

    Each port bit is a net of its own: where a net leaves through several, all but the first are
    driven by a buffer. Constants are the nets of the supplies.
    """
    names = {ZERO: technology.ground, ONE: technology.power}
    ports = {
        name: tuple(_pin(name, index, len(bits)) for index in range(len(bits)))
        for name, bits in flat.ports.items()
    }
    extra: list[tuple[str, int]] = []
    for name in sorted(ports, key=lambda name: name in flat.outputs):  # inputs name their nets
        for net, pin in zip(flat.ports[name], ports[name], strict=True):
            if net in names:
                extra.append((pin, net))
            else:
                names[net] = pin
    counts: Counter[str] = Counter()
    cells = list(_cells(flat, names, counts))
    kind, input_pin, output_pin = technology.buffer
    for pin, net in extra:
        counts[kind] += 1
        nets = {input_pin: names[net], output_pin: pin}
        path = f"{PORT_BUFFER}{re.sub(r'[<>]', '_', pin)}"
        cells.append(LaidCell(f"{kind}_{counts[kind]}", path, kind, nets))
    supplies = (technology.power, technology.ground)
    return LayoutNetlist(top, tuple(cells), ports, flat.outputs, supplies)


def _cells(flat: FlatNetlist, names: Mapping[int, str], counts: Counter[str]) -> Iterator[LaidCell]:
    for cell in flat.cells:
        counts[cell.kind] += 1
        nets = {pin: names.get(net, f"n{net}") for pin, net in cell.pins.items()}
        yield LaidCell(f"{cell.kind}_{counts[cell.kind]}", cell.name, cell.kind, nets)


def _pin(name: str, index: int, width: int) -> str:
    return f"{name}<{index}>" if width > 1 else name


def _bit(name: str, index: int, width: int) -> str:
    return f"{name}[{index}]" if width > 1 else name
