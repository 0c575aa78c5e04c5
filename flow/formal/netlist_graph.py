"""An adder module as a graph of one-bit nets, laws and registers, from Yosys' JSON of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from cimforge.flow.formal.cell_laws import Law, LawError
from cimforge.flow.formal.leaf_laws import Bit, Leaves, Modules

__all__ = ["Graph", "Node", "Pins", "empty_graph", "read_graph"]

Pins = tuple[tuple[str, Bit], ...]

IDENTITY = Law({"A": 1}, {"Y": 1})
INVERSE = Law({"A": 1}, {"Y": -1}, 1)
PARITY = Law({"A": 1, "B": 1}, {"Y": 1}, 0, 2, parity=True)
ODD = replace(PARITY, constant=1)  # an exclusive NOR
BITWISE = {
    **dict.fromkeys(("$and", "$_AND_"), Law({"A": 1, "B": 1}, {"Y": 1}, pair="and")),
    **dict.fromkeys(("$or", "$_OR_"), Law({"A": 1, "B": 1}, {"Y": 1}, pair="or")),
    **dict.fromkeys(("$not", "$_NOT_", "$logic_not"), INVERSE),
    **dict.fromkeys(("$pos", "$buf", "$_BUF_"), IDENTITY),
    **dict.fromkeys(("$xor", "$_XOR_"), PARITY),
    **dict.fromkeys(("$xnor", "$_XNOR_"), ODD),
}


@dataclass(frozen=True, eq=False)
class Node:
    """A cell that keeps ``law`` over its pins, or, without one, a register bit ``Q <= D`` at rising
    edges of ``clock`` at which ``enable`` is high (always, where it is None)."""

    cell: str
    kind: str
    inputs: Pins
    outputs: Pins
    law: Law | None
    clock: Bit | None = None
    enable: Bit | None = None

    @property
    def is_wire(self) -> bool:
        """Whether the only output is the only input."""
        law = self.law
        if law is None or law.constant or law.parity or law.pair:
            return False
        return list(law.inputs.values()) == [1] == list(law.outputs.values())


@dataclass
class Graph:
    """One module: its ports' bits, its nodes, and the cells of which no law is known (cell, bit,
    why)."""

    module: str
    ports: dict[str, list[Bit]]
    inputs: set[str]
    names: dict[Bit, str]
    nodes: list[Node] = field(default_factory=list)
    unknown: list[tuple[str, str, str]] = field(default_factory=list)

    @cached_property
    def input_bits(self) -> set[Bit]:
        """The nets of all input ports."""
        return {bit for port in self.inputs for bit in self.ports[port]}

    def name(self, bit: Bit) -> str:
        """What the Verilog calls a net."""
        return self.names.get(bit, f"constant {bit}" if isinstance(bit, str) else f"net {bit}")


def read_graph(name: str, modules: Modules, leaves: Leaves) -> Graph:
    """The graph of the module ``name``; cells of other modules are taken at those modules' laws."""
    module = modules[name]
    graph = empty_graph(name, module)
    muxes: dict[Bit, tuple[str, Bit, Bit, Bit]] = {}
    cells = module["cells"].items()
    for cell, data in cells:
        if data["type"] == "$mux":
            pins = data["connections"]
            for y, a, b in zip(pins["Y"], pins["A"], pins["B"], strict=True):
                muxes[y] = (cell, a, b, pins["S"][0])
    for cell, data in cells:
        if data["type"] in ("$dff", "$dffe"):
            _add_registers(graph, cell, data, muxes)
    for cell, data in cells:
        if data["type"] not in ("$dff", "$dffe", "$mux", "$scopeinfo"):
            _add_cell(graph, cell, data, leaves)
    for y, (cell, *_) in muxes.items():
        graph.unknown.append((cell, graph.name(y), "a multiplexer that holds no register"))
    return graph


def empty_graph(name: str, module: Mapping[str, Any]) -> Graph:
    """The ports and names of a module, without its cells."""
    ports = {port: list(data["bits"]) for port, data in module["ports"].items()}
    inputs = {port for port, data in module["ports"].items() if data["direction"] == "input"}
    return Graph(name, ports, inputs, _names(module))


def _names(module: Mapping[str, Any]) -> dict[Bit, str]:
    """A name for each net: the Verilog's own before Yosys', a port's before a wire's."""
    nets = module["netnames"].items()
    ranked = sorted(nets, key=lambda net: (net[0] not in module["ports"], net[1]["hide_name"]))
    names: dict[Bit, str] = {}
    for name, net in ranked:
        for place, bit in enumerate(net["bits"]):
            names.setdefault(bit, f"{name}[{place}]" if len(net["bits"]) > 1 else name)
    return {bit: name for bit, name in names.items() if not isinstance(bit, str)}


def _add_registers(
    graph: Graph, cell: str, data: Mapping[str, Any], muxes: dict[Bit, tuple[str, Bit, Bit, Bit]]
) -> None:
    """Register bits; the multiplexer that holds one while its enable is low goes with it."""
    pins, parameters = data["connections"], data["parameters"]
    if not int(parameters["CLK_POLARITY"], 2) or not int(parameters.get("EN_POLARITY", "1"), 2):
        graph.unknown.append((cell, graph.name(pins["Q"][0]), "clock or enable is inverted"))
        return
    for d, q in zip(pins["D"], pins["Q"], strict=True):
        source, enable = d, pins["EN"][0] if "EN" in pins else None
        if enable is None and d in muxes and muxes[d][1] == q:
            _, _, source, enable = muxes.pop(d)
        ends: tuple[Pins, Pins] = (("D", source),), (("Q", q),)
        clock = pins["CLK"][0]
        graph.nodes.append(Node(graph.name(q), "register", *ends, None, clock, enable))


def _add_cell(graph: Graph, cell: str, data: Mapping[str, Any], leaves: Leaves) -> None:
    kind = data["type"]
    try:
        if kind in leaves:
            graph.nodes += _leaf_nodes(cell, data, leaves)
        elif kind == "$add":
            graph.nodes += _word_adders(_place(cell, data, graph), data)
        elif kind in BITWISE:
            graph.nodes += _bitwise(_place(cell, data, graph), data)
        else:
            raise LawError(f"{kind} is no adder cell")
    except LawError as error:
        driven = [bits[0] for pin, bits in data["connections"].items() if pin in ("Y", "Q")]
        graph.unknown.append((cell, graph.name(driven[0]) if driven else "", str(error)))


def _place(cell: str, data: Mapping[str, Any], graph: Graph) -> str:
    """How a message names a cell without a name of its own: by the net it drives."""
    return f"{data['type'].strip('$_')} of {graph.name(data['connections']['Y'][0])}"


def _leaf_nodes(cell: str, data: Mapping[str, Any], leaves: Leaves) -> Iterator[Node]:
    kind, pins = data["type"], data["connections"]
    name = leaves.hdl_name(kind)
    wires = leaves.wires(kind)
    if wires is not None:
        for (a, low), (y, high) in wires:
            source, target = ("A", pins[a][low]), ("Y", pins[y][high])
            yield Node(cell, name, (source,), (target,), IDENTITY)
        return
    law = leaves.law(kind)
    sides: dict[str, list[tuple[str, Bit]]] = {"input": [], "output": []}
    for port, told in leaves.ports(kind).items():
        bits, width = pins.get(port, []), len(told["bits"])
        if len(bits) < width and told["direction"] == "input":
            raise LawError(f"pin {port} is not connected")
        for place, bit in enumerate(bits):
            sides[told["direction"]].append((f"{port}[{place}]" if width > 1 else port, bit))
    yield Node(cell, name, tuple(sides["input"]), tuple(sides["output"]), law)


def _unsigned(data: Mapping[str, Any]) -> None:
    for pin in ("A_SIGNED", "B_SIGNED"):
        if int(data["parameters"].get(pin, "0"), 2):
            raise LawError(f"{data['type']} of signed words")


def _word_adders(cell: str, data: Mapping[str, Any]) -> Iterator[Node]:
    """``A + B = Y`` and what is lost above it, for the + of Verilog: several where one carry chain
    adds several words, of which the places that are 0 in both take the carry of those below."""
    _unsigned(data)
    pins = data["connections"]
    words = [[*pins[pin], *["0"] * len(pins["Y"])] for pin in "AB"]
    used = [place for place in range(len(pins["Y"])) if any(w[place] != "0" for w in words)]
    low, last = 0, max(used, default=0)
    gaps = [p for p in range(last) if p not in used and p + 1 in used]
    for end in [*gaps, len(pins["Y"])]:
        whole = end == len(pins["Y"])
        places = range(low, end + (0 if whole else 1))
        ends = [p for p in places if p < end]
        inputs = [(f"{n}[{i}]", pins[n][i]) for n in "AB" for i in ends if i < len(pins[n])]
        outputs = [(f"Y[{i}]", pins["Y"][i]) for i in places]
        weights = [{p: 1 << int(p[2:-1]) - low for p, _ in side} for side in (inputs, outputs)]
        law = Law(weights[0], weights[1], 0, 1 << len(outputs) if whole else 0)
        yield Node(cell, "$add", tuple(inputs), tuple(outputs), law)
        low = end + 1


def _bitwise(cell: str, data: Mapping[str, Any]) -> Iterator[Node]:
    _unsigned(data)
    kind, pins = data["type"], data["connections"]
    for place, y in enumerate(pins["Y"]):
        words = [pins[pin] for pin in "AB" if pin in pins]
        if any(len(word) != len(pins["Y"]) for word in words):
            raise LawError(f"{kind} of words of different widths")
        inputs: Pins = tuple((pin, word[place]) for pin, word in zip("AB", words, strict=False))
        yield Node(cell, kind, inputs, (("Y", y),), BITWISE[kind])
