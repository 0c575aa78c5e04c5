"""Drivers as strong as the nets need that they drive, in a mapped netlist."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from cimforge.flow.liberty.buffer_strength import BufferStrengths
from cimforge.flow.liberty.library import Library
from cimforge.flow.synth.census import AreaRoles

__all__ = ["size_drivers"]

Modules = Mapping[str, Any]
SLOW = "storage"  # role of drivers with a cycle or more: weights are written


def size_drivers(
    modules: Modules, roles: AreaRoles, library: Library, strengths: BufferStrengths
) -> Counter:
    """Give each driver in Yosys' JSON ``modules`` the cell that its load asks for; returns how many
    drivers there are of each.

    A load is that of all pins behind the net, down through the modules in which they stand and up
    through those that it leaves, where instances differ the largest. Drivers that write weights are
    as small as their load allows, all others fast.
    """
    sizing = _Sizing(modules, roles, library, strengths)
    for name in modules:
        sizing.size(name)
    sizing.size_leaving()
    return Counter(sizing.chosen.values())


class _Sizing:
    def __init__(
        self, modules: Modules, roles: AreaRoles, library: Library, strengths: BufferStrengths
    ):
        self._modules, self._roles, self._strengths = modules, roles, strengths
        self._pins = {
            name: {pin.name: pin.capacitance for pin in cell.pins if pin.direction == "input"}
            for name, cell in library.cells.items()
        }
        self._buffers = {buffer.match.cell.name: buffer.match for buffer in strengths.buffers}
        self._loads: dict[str, dict[str, list[float]]] = {}
        self.chosen: dict[tuple[str, str], str] = {}  # by module and cell

    def size(self, name: str) -> dict[str, list[float]]:
        """Size a module's drivers, once; returns what its input ports load a net with, bit by
        bit."""
        if name not in self._loads:
            module = self._modules[name]
            nets = _Nets(module, dict(self._cell_loads(module)))
            self._size_drivers(name, nets)
            self._loads[name] = {
                port: [nets.load(bit) for bit in told["bits"]]
                for port, told in module["ports"].items()
                if told["direction"] == "input"
            }
        return self._loads[name]

    def size_leaving(self) -> None:
        """Size again the drivers of modules that nets leave, by what these meet outside."""
        outside: dict[str, dict[Any, float]] = defaultdict(dict)
        for name in reversed(list(self._loads)):  # a module behind all that hold it
            module = self._modules[name]
            nets = _Nets(module, dict(self._cell_loads(module)), outside[name])
            if any(outside[name].values()):
                self._size_drivers(name, nets)
            for cell in module["cells"].values():
                if cell["type"] in self._modules:
                    met = outside[cell["type"]]
                    for bit, load in self._met(cell, nets).items():
                        met[bit] = max(met.get(bit, 0.0), load)

    def _met(self, cell: Any, nets: "_Nets") -> Mapping[Any, float]:
        """What an instance's bits meet outside: one may leave by several ports."""
        loads: dict[Any, float] = defaultdict(float)
        for port, told in self._modules[cell["type"]]["ports"].items():
            if told["direction"] == "output":
                pins = cell["connections"].get(port, ())
                for bit, net in zip(told["bits"], pins, strict=False):
                    loads[bit] += nets.load(net)
        return loads

    def _cell_loads(self, module: Any) -> Iterator[tuple[str, dict[str, list[float]]]]:
        """The load of each cell's input pins."""
        for name, cell in module["cells"].items():
            kind = cell["type"]
            if kind in self._modules:
                yield name, self.size(kind)
            else:
                pins = self._pins.get(kind, {})
                yield name, {pin: [load] for pin, load in pins.items()}

    def _size_drivers(self, name: str, nets: "_Nets") -> None:
        """From the leaves of the driver trees to their roots."""
        module = self._modules[name]
        drivers = {
            cell: role
            for cell in module["cells"]
            if (role := self._roles.instances.get((name, cell.split(".")[0])))
            and module["cells"][cell]["type"] in self._buffers
        }
        waiting = list(drivers)
        done: set[str] = set()
        while waiting:
            cell = waiting[-1]
            bit = self._output(module["cells"][cell])
            before = [c for c, _ in nets.sinks[bit] if c in drivers and c not in done and c != cell]
            if before:
                waiting += before
                continue
            waiting.pop()
            if cell not in done:
                done.add(cell)
                self._choose(module["cells"][cell], cell, nets, drivers[cell] != SLOW)
                self.chosen[name, cell] = module["cells"][cell]["type"]

    def _output(self, cell: Any) -> Any:
        return cell["connections"][self._buffers[cell["type"]].pins["y"]][0]

    def _choose(self, cell: Any, name: str, nets: "_Nets", fast: bool) -> None:
        old = self._buffers[cell["type"]]
        a, y = (cell["connections"][old.pins[pin]] for pin in "ay")
        new = self._strengths.choose(nets.load(y[0]), len(nets.sinks[a[0]]), fast)
        cell["type"] = new.cell.name
        cell["connections"] = {new.pins["a"]: a, new.pins["y"]: y}
        cell["port_directions"] = {new.pins["a"]: "input", new.pins["y"]: "output"}
        nets.replace(name, a[0], self._pins[new.cell.name][new.pins["a"]])


class _Nets:
    """What the nets of a module drive: ``sinks`` are (cell, load) of each; ``outside`` is the load
    of those that leave it."""

    def __init__(
        self,
        module: Any,
        loads: Mapping[str, Mapping[str, list[float]]],
        outside: Mapping[Any, float] | None = None,
    ):
        self._outside = outside or {}
        self.sinks: dict[Any, list[tuple[str, float]]] = defaultdict(list)
        for name, cell in module["cells"].items():
            for pin, bits in cell["connections"].items():
                for bit, load in zip(bits, loads[name].get(pin, ()), strict=False):
                    self.sinks[bit].append((name, load))

    def load(self, bit: Any) -> float:
        """pF of all pins on a net."""
        return sum(load for _, load in self.sinks[bit]) + self._outside.get(bit, 0.0)

    def replace(self, cell: str, bit: Any, load: float) -> None:
        """A cell's pin on a net has another load now."""
        self.sinks[bit] = [(c, load if c == cell else old) for c, old in self.sinks[bit]]
