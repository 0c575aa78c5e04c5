"""The leaf cells of a design, with the law of each."""

from collections.abc import Mapping
from typing import Any

from cimforge.flow.formal.cell_laws import Law, LawError, find_law
from cimforge.flow.formal.truth_table import truth_table

__all__ = ["LEAF", "Bit", "Leaves", "Modules"]

LEAF = "cim_leaf"  # attribute of the modules in the file of leaf cells
Bit = int | str  # a net's number in its module, or the constant "0", "1", "x", "z"
Modules = Mapping[str, Mapping[str, Any]]  # of Yosys' JSON


class Leaves:
    """The leaf cells of a design: their laws, each found once from its gates in the netlist."""

    def __init__(self, modules: Modules):
        self._modules = modules
        self._laws: dict[str, Law | LawError] = {}

    def __contains__(self, kind: str) -> bool:
        """Whether ``kind`` is a module, not an operator of Yosys."""
        return kind in self._modules

    def is_leaf(self, kind: str) -> bool:
        """Whether the module comes from the file of leaf cells."""
        return LEAF in self._modules[kind]["attributes"]

    def hdl_name(self, kind: str) -> str:
        """The name in the Verilog of a module that Yosys renamed for its parameters."""
        return self._modules[kind]["attributes"].get("hdlname", kind)

    def law(self, kind: str) -> Law:
        """The law of a module; raises LawError where it has none."""
        if kind not in self._laws:
            try:
                table = truth_table(self._modules[kind])
                if table is None:
                    raise LawError(f"{self.hdl_name(kind)} is not a small module of gates")
                self._laws[kind] = find_law(self.hdl_name(kind), table)
            except LawError as error:
                self._laws[kind] = error
        found = self._laws[kind]
        if isinstance(found, LawError):
            raise found
        return found

    def wires(self, kind: str) -> list[tuple[tuple[str, int], tuple[str, int]]] | None:
        """(input pin, place), (output pin, place) of each wire, where the module is wires only."""
        module = self._modules[kind]
        if module["cells"]:
            return None
        sides: dict[str, dict[Bit, tuple[str, int]]] = {"input": {}, "output": {}}
        for name, port in module["ports"].items():
            places = {bit: (name, place) for place, bit in enumerate(port["bits"])}
            if len(places) < len(port["bits"]):
                return None  # one net on two places
            sides[port["direction"]] |= places
        if not sides["output"].keys() <= sides["input"].keys():
            return None
        return [(sides["input"][bit], target) for bit, target in sides["output"].items()]

    def ports(self, kind: str) -> Mapping[str, Any]:
        """The ports of a module as JSON has them."""
        return self._modules[kind]["ports"]
