"""The checker: walks the graph of an adder module from its inputs and proves that it computes its
claim, whatever planner made it.

Every net stands for a bit of a weight, or for its inverse: a cell that keeps a weighted sum passes
its inputs' weights on to its outputs. As long as each bit goes one way only, every cut through the
module holds ``sum of operands = sum of weight * bit + constant``; at the outputs this is the claim.
"""

from collections import defaultdict
from collections.abc import Iterator

from cimforge.flow.formal.bit_weights import (
    CONSTANTS,
    Literal,
    claimed_pairs,
    first_literals,
    pass_on,
)
from cimforge.flow.formal.cut_bits import Cut, Walked, may_count
from cimforge.flow.formal.leaf_laws import Bit
from cimforge.flow.formal.netlist_graph import Graph, Node
from cimforge.flow.formal.tree_claims import Claim
from cimforge.flow.formal.tree_rules import BrokenRuleError, Fault

__all__ = ["check_module"]


def check_module(graph: Graph, claim: Claim) -> list[Fault]:
    """The rules that the module breaks, empty where it is proven. The walk ends at the first broken
    weight or depth, for all behind it would follow."""
    check = _Check(graph, claim)
    check.run()
    return check.faults


class _Check:
    def __init__(self, graph: Graph, claim: Claim):
        self.graph, self.claim = graph, claim
        self.faults = [Fault(graph.module, "cell", *where) for where in graph.unknown]
        self.control, self.nodes = _split_control(graph)
        self.sources: dict[Bit, Node] = {}
        self.uses: dict[Bit, list[str]] = defaultdict(list)
        self.literals: dict[Bit, Literal] = {}
        self.constants: dict[Node, int] = {}
        self.cuts: list[Cut] = []

    def run(self) -> None:
        """Check all rules, the structure's before the weights'."""
        self._check_ports()
        self._find_sources()
        self._check_uses()
        self._check_registers()
        if self.faults:
            return
        try:
            self._walk()
            self._check_result()
        except BrokenRuleError as broken:
            self.faults.append(broken.in_module(self.graph.module))
            return
        self._check_cuts()
        self._check_constant()

    def _fail(self, rule: str, cell: str, bit: str, text: str) -> None:
        self.faults.append(Fault(self.graph.module, rule, cell, bit, text))

    def _check_ports(self) -> None:
        wanted = {"terms": self.claim.input_bits, "total": len(self.claim.result)}
        wanted |= {"clk": 1, "enable": 1} if self.claim.registers else {}
        wanted |= {name: 1 for name, _ in self.claim.ties}
        found = {name: len(bits) for name, bits in self.graph.ports.items()}
        if found != wanted or self.graph.inputs != wanted.keys() - {"total"}:
            told, must = (", ".join(f"{n}[{w}]" for n, w in p.items()) for p in (found, wanted))
            self._fail("ports", "", told, f"must be {must}")

    def _find_sources(self) -> None:
        for node in self.nodes:
            for _, bit in node.outputs:
                if bit in self.sources or bit in self.control or bit in self.graph.input_bits:
                    self._fail("driven", node.cell, self.graph.name(bit), "has another driver")
                self.sources[bit] = node
            for pin, bit in node.inputs:
                self.uses[bit].append(f"{node.cell}.{pin}")
        for place, bit in enumerate(self.graph.ports.get("total", [])):
            self.uses[bit].append(f"total[{place}]")

    def _check_uses(self) -> None:
        for bit, users in self.uses.items():
            where = users[0].rpartition(".")[0] or users[0], self.graph.name(bit)
            if bit in CONSTANTS:
                continue
            if bit in self.control:
                self._fail("used once", *where, "a control line is added")
            elif bit not in self.sources and bit not in self.graph.input_bits:
                self._fail("driven", *where, f"nothing drives it at {users[0]}")
            elif len(users) > 1:
                self._fail("used once", *where, f"goes to {', '.join(users)}")

    def _check_registers(self) -> None:
        for node in (node for node in self.nodes if node.law is None):
            for line, name in ((node.clock, "clk"), (node.enable, "enable")):
                if line is None or self.control.get(line) != name:
                    found = "nothing" if line is None else self.graph.name(line)
                    bit = self.graph.name(node.outputs[0][1])
                    self._fail("register", node.cell, bit, f"takes {found} as its {name}")

    def _walk(self) -> None:
        """Give every net its literal."""
        self.literals = first_literals(self.claim, self.graph.ports["terms"])
        pairs = claimed_pairs(self.claim)
        for node in self._in_order():
            passed = pass_on(node, self.literals, pairs, self.graph.name)
            self.literals |= passed.literals
            self.constants[node] = passed.constant
            if passed.lost:
                self.cuts.append(Cut(node, None, passed.lost))
        unused = (bit for bit in self.literals if bit not in self.uses)
        self.cuts += [Cut(self.sources.get(b), b, self.literals[b].weight) for b in unused]

    def _in_order(self) -> Iterator[Node]:
        """The nodes, each behind those that drive it."""
        waiting = {n: sum(bit in self.sources for _, bit in n.inputs) for n in self.nodes}
        takers: dict[Bit, list[Node]] = defaultdict(list)
        for node in self.nodes:
            for _, bit in node.inputs:
                takers[bit].append(node)
        ready = [node for node, count in reversed(waiting.items()) if not count]
        while ready:
            node = ready.pop()
            del waiting[node]
            yield node
            for taker in (taker for _, bit in node.outputs for taker in takers[bit]):
                waiting[taker] -= 1
                if not waiting[taker]:
                    ready.append(taker)
        for node in waiting:
            bit = self.graph.name(node.outputs[0][1])
            raise BrokenRuleError("driven", node.cell, bit, "stands in a loop, or behind one")

    def _check_result(self) -> None:
        for index, bit in enumerate(self.graph.ports["total"]):
            place = self.claim.result[index]
            where, name = f"total[{index}]", self.graph.name(bit)
            if bit == "0":
                continue
            if bit == "1":
                raise BrokenRuleError("constant", where, name, "is always 1")
            literal = self.literals[bit]
            if literal.signed != 1 << place:
                text = f"has {literal.told()} where {1 << place} belongs"
                raise BrokenRuleError("weight", where, name, text)
            if literal.depth != self.claim.depth:
                text = f"comes through {literal.depth} registers, not {self.claim.depth}"
                raise BrokenRuleError("depth", where, name, text)

    def _check_cuts(self) -> None:
        weights = {bit: literal.weight for bit, literal in self.literals.items()}
        walked = Walked(self.sources, weights, self.constants)
        for cut in self.cuts:
            most = may_count(cut, self.claim, self.graph, walked)
            if most is not None:
                cell = cut.node.cell if cut.node else ""
                bit = "its carry" if cut.bit is None else self.graph.name(cut.bit)
                text = f"is cut off and may be 1: it weighs {cut.weight}, {most} may come to it"
                self._fail("dropped", cell, bit, text)

    def _check_constant(self) -> None:
        total = sum(self.constants.values())
        if total % (1 << self.claim.total_bits) if self.claim.modular else total:
            where = ", ".join(node.cell for node, value in self.constants.items() if value)
            self._fail("constant", where, "", f"constants add up to {total}")


def _split_control(graph: Graph) -> tuple[dict[Bit, str], list[Node]]:
    """Nets of clk and enable, by the port's name, with those behind drivers; and the other nodes,
    whose bits are added."""
    control = {bit: name for name in ("clk", "enable") for bit in graph.ports.get(name, [])}
    nodes = graph.nodes
    while True:
        drivers = {n for n in nodes if n.is_wire and n.inputs[0][1] in control}
        if not drivers:
            return control, nodes
        control |= {node.outputs[0][1]: control[node.inputs[0][1]] for node in drivers}
        nodes = [node for node in nodes if node not in drivers]
