"""An adder module mapped to a library's cells as a graph: the law of each group of gates, and the
registers with the gates of their clocks."""

from collections.abc import Mapping, Sequence
from itertools import permutations, product
from typing import Any

from cimforge.flow.formal.cell_laws import LawError, find_law
from cimforge.flow.formal.gate_groups import Gate, Group, find_groups, gate
from cimforge.flow.formal.leaf_laws import Bit
from cimforge.flow.formal.netlist_graph import INVERSE, Graph, Node, Pins, empty_graph
from cimforge.flow.formal.tied_gates import fold_gates
from cimforge.flow.liberty.function import literal, parse_function
from cimforge.flow.liberty.library import Library

__all__ = ["mapped_graph"]


def mapped_graph(
    name: str, module: Mapping[str, Any], library: Library, ties: Sequence[tuple[str, int]] = ()
) -> Graph:
    """The graph of a module of Yosys' JSON whose cells are the library's, while its input ports of
    ``ties`` have these values.

    Gates are taken at the functions in the library, those that were made of one instance together.
    A group that holds a latch or a clock gate, of clk and enable alone, gates the clocks of
    registers by enable: what it does within a cycle is not looked at here.
    """
    return _Mapped(name, module, library, ties).build()


class _Mapped:
    def __init__(
        self,
        name: str,
        module: Mapping[str, Any],
        library: Library,
        ties: Sequence[tuple[str, int]],
    ):
        self.graph = empty_graph(name, module)
        cells = module["cells"].items()
        known = {n: data for n, data in cells if data["type"] in library.cells}
        self.graph.unknown += [
            (n, "", f"{data['type']} is no cell of the library")
            for n, data in cells
            if n not in known and data["type"] != "$scopeinfo"
        ]
        tied = {self.graph.ports[port][0]: value for port, value in ties}
        gates = fold_gates(
            [gate(n, data, library.cells[data["type"]]) for n, data in known.items()], tied
        )
        self.registers = [each for each in gates if each.cell.ff is not None]
        self.groups = find_groups(each for each in gates if each.cell.ff is None)
        self.gated: dict[Bit, tuple[Bit, Bit]] = {}  # clock and enable of each gated clock
        self.held: dict[Bit, tuple[Bit, Bit]] = {}  # source and enable behind an input D that holds

    def build(self) -> Graph:
        """The whole graph."""
        self._find_control()
        used = [bit for each in self.registers for bit in each.inputs.values()]
        used += [bit for bits in self.graph.ports.values() for bit in bits]
        self.used = {*used, *(bit for group in self.groups for bit in group.taken)}
        for group in self.groups:
            self._add_group(group, group.given(self.used))
        for register in self.registers:
            self._add_register(register)
        return self.graph

    def _find_control(self) -> None:
        """Buffers of clk and enable, and the gated clocks."""
        self.control = {
            bit: name for name in ("clk", "enable") for bit in self.graph.ports.get(name, [])
        }
        buffers = {
            next(iter(each.outputs.values())): _buffered(each)
            for group in self.groups
            for each in group.gates
            if _buffered(each) is not None
        }
        while found := {y: a for y, a in buffers.items() if a in self.control}:
            self.control |= {y: self.control[a] for y, a in found.items()}
            buffers = {y: a for y, a in buffers.items() if y not in found}

    def _add_group(self, group: Group, given: list[Bit]) -> None:
        if not all(each.cell.combinational for each in group.gates):
            self._add_clock_gate(group, given)
            return
        if self._add_hold(group, given):
            return
        table = group.table(given)
        first = self.graph.name(given[0]) if given else ""
        kind = ", ".join(dict.fromkeys(each.cell.name for each in group.gates))
        try:
            if table is None:
                raise LawError(f"{kind}: too many inputs, or a loop")
            law = find_law(f"{group.name} ({kind})", table)
        except LawError as error:
            self.graph.unknown.append((group.name, first, str(error)))
            return
        ends = [tuple((str(bit), bit) for bit in bits) for bits in (group.taken, given)]
        self.graph.nodes.append(Node(group.name, kind, ends[0], ends[1], law))

    def _add_clock_gate(self, group: Group, given: list[Bit]) -> None:
        names = {self.control.get(bit): bit for bit in group.taken}
        if names.keys() == {"clk", "enable"} and len(given) == 1:
            self.gated[given[0]] = names["clk"], names["enable"]
            return
        told = ", ".join(self.graph.name(bit) for bit in group.taken)
        text = f"a latch or clock gate takes {told}, not clk and enable"
        self.graph.unknown.append((group.name, "", text))

    def _add_hold(self, group: Group, given: list[Bit]) -> bool:
        """Whether the group is the enable of registers, each ``D = enable ? source : Q``."""
        enables = [bit for bit in group.taken if self.control.get(bit) == "enable"]
        if len(enables) != 1:
            return False
        for d in given:
            held = self._held(group, d, enables[0])
            if held is None:
                return False
            self.held[d] = held, enables[0]
        return True

    def _held(self, group: Group, d: Bit, enable: Bit) -> Bit | None:
        """The source of a register whose input is ``d``, where ``d`` is Q while enable is low."""
        cone = _cone(group, d)
        table, bits = cone.table([d]), cone.taken
        kept = {bit for each in self.registers if d in each.inputs.values() for bit in _state(each)}
        if table is None or len(bits) != 3 or enable not in bits or not kept & set(bits):
            return None
        (q,) = kept & set(bits)
        (source,) = set(bits) - {q, enable}
        place = {bit: bits.index(bit) for bit in bits}
        rows = table.rows
        same = all(r[3] == r[place[source] if r[place[enable]] else place[q]] for r in rows)
        return source if same else None

    def _add_register(self, register: Gate) -> None:
        ff, name = register.cell.ff or {}, register.name
        data, clock = _data(ff), literal(ff.get("clocked_on", ""))
        state = [*_state(register), -1 - len(self.graph.nodes)][0]
        sets = [_inactive(register, ff[key]) for key in ("clear", "preset") if key in ff]
        if data is None or clock is None or clock[1] or not all(sets):
            text = f"{register.cell.name} is no plain flip-flop here"
            self.graph.unknown.append((name, "", text))
            return
        line, d = register.inputs[clock[0]], register.inputs[data[0]]
        clk, enable = self.gated.get(line, (line, None))
        if enable is None and data[1]:
            enable = register.inputs[data[1]]
        elif enable is None and d in self.held:
            d, enable = self.held[d]
        ends: tuple[Pins, Pins] = (("D", d),), (("Q", state),)
        self.graph.nodes.append(Node(self.graph.name(state), name, *ends, None, clk, enable))
        for inverse in (bit for bit in _state(register, "IQN") if bit in self.used):
            ends = (("A", state),), (("Y", inverse),)
            self.graph.nodes.append(Node(f"{name} inverted", name, *ends, INVERSE))


def _data(ff: Mapping[str, str]) -> tuple[str, str] | None:
    """The pins of a flip-flop's data and enable, the second empty where it has none; None where the
    next state is anything else."""
    plain, state = literal(ff["next_state"]), ff["IQ"]
    if plain is not None:
        return None if plain[1] else (plain[0], "")
    function = parse_function(ff["next_state"])
    if len(function.names()) != 3 or state not in function.names():
        return None
    for d, enable in permutations(sorted(function.names() - {state})):
        rows = [dict(zip((state, d, enable), r, strict=True)) for r in product((0, 1), repeat=3)]
        if all(function.value(row) == row[d if row[enable] else state] for row in rows):
            return d, enable
    return None


def _buffered(each: Gate) -> Bit | None:
    """The input of a buffer."""
    if len(each.outputs) != 1 or not each.cell.combinational:
        return None
    function = literal(each.cell.outputs[0].function)
    return None if function is None or function[1] else each.inputs[function[0]]


def _state(register: Gate, which: str = "IQ") -> list[Bit]:
    """The nets at a register's outputs that carry its state, or with IQN its inverse."""
    name = (register.cell.ff or {}).get(which)
    return [bit for pin, bit in register.outputs.items() if register.cell.pin(pin).function == name]


def _inactive(register: Gate, function: str) -> bool:
    """Whether a clear or preset is tied so that it never acts."""
    pin = literal(function)
    return pin is not None and register.inputs.get(pin[0]) == ("1" if pin[1] else "0")


def _cone(group: Group, end: Bit) -> Group:
    """The gates of a group that lead to ``end``."""
    makers = {bit: each for each in group.gates for bit in each.outputs.values()}
    cone, waiting = [], [end]
    while waiting:
        each = makers.get(waiting.pop())
        if each is not None and each not in cone:
            cone.append(each)
            waiting += each.inputs.values()
    return Group(group.name, tuple(cone))
