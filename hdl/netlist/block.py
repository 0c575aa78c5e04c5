"""Blocks: Amaranth components that are emitted once under their own module name and instantiated by
it."""

from collections.abc import Iterator, Mapping
from functools import cached_property

from amaranth.back.rtlil import convert
from amaranth.hdl import ClockDomain, ClockSignal, Const, Instance, Value
from amaranth.hdl._ir import PortDirection  # what convert takes; no public name has it yet
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cimforge.hdl.netlist.module import Child, Module, Port, check_role
from cimforge.hdl.netlist.verilog import modules_to_verilog

__all__ = ["Block", "In", "Out"]


class Block(wiring.Component):
    """A component with a module name; ports of width 0 are left out of its signature.

    ``members`` may hold signatures: member ``valid`` of ``x`` is emitted as port ``x_valid``.
    ``comment`` is the first paragraph of the class docstring and heads the emitted module. Its
    clock is ``clk``; only blocks with ``has_reset`` have the synchronous, active-high ``rst``. Any
    Amaranth submodule may stand inside and becomes part of the module; ``inner`` are modules of
    their own, by instance name, to be placed with ``instance``.

    Raises ValueError where ``role`` is none.
    """

    role = ""
    has_reset = False
    latency = 0

    def __init__(
        self,
        prefix: str,
        kind: str,
        members: Mapping[str, wiring.Member],
        inner: Mapping[str, Module] | None = None,
    ):
        self.name, self.kind = f"{prefix}_{kind}", kind
        check_role(self.role, type(self).__name__)
        self.children = tuple(Child(name, module) for name, module in (inner or {}).items())
        kept = {n: m for n, m in members.items() if m.is_signature or m.shape != 0}
        super().__init__(kept)
        self._MustUse__silence = True  # to look at a block's ports is a use, too

    @property
    def comment(self) -> str:
        """One sentence that says what the block is."""
        return (self.__doc__ or "").split("\n\n")[0].replace("\n    ", " ").strip()

    def members(self) -> Iterator[tuple[str, wiring.Member, Value]]:
        """Name, member and value of each port but clock and reset."""
        for path, member, value in self.signature.flatten(self):
            yield "_".join(map(str, path)), member, Value.cast(value)

    @cached_property
    def ports(self) -> Mapping[str, Port]:
        """Its ports by name, listed once for all its instances; clk and rst where the hardware
        inside may use them."""
        clocks = [Port("clk", "input", 1)] if self.clocked else []
        clocks += [Port("rst", "input", 1)] if self.has_reset else []
        ways = {wiring.In: "input", wiring.Out: "output"}
        signals = [Port(n, ways[m.flow], len(value)) for n, m, value in self.members()]
        return {port.name: port for port in (*clocks, *signals)}

    @property
    def clocked(self) -> bool:
        """Whether it has a clock: every block that is not stated to be combinational."""
        return self.has_reset or self.latency > 0

    def clock_domain(self, name: str) -> ClockDomain:
        """The domain in which the block is emitted."""
        return ClockDomain(name, reset_less=not self.has_reset)

    def value(self, name: str) -> Value:
        """The value of the port ``name``; 0 where its width is 0."""
        return next((value for port, _, value in self.members() if port == name), Const(0, 1))

    def instance(self, name: str, **pins: Value) -> Instance:
        """The instance of the inner module ``name``; ``pins`` as for Structure.place."""
        module = next(child.module for child in self.children if child.instance == name)
        offered: dict[str, Value] = {"clk": ClockSignal(), **pins}
        missing = [port for port in module.ports if port not in offered]
        if missing:
            raise ValueError(f"{name}: nothing is offered to {', '.join(missing)} of {module.name}")
        ways = {"input": "i", "output": "o"}
        taken = {}
        for port in module.ports.values():
            value = Value.cast(offered[port.name])
            if len(value) != port.width:
                rule = f"has {port.width} bits, not {len(value)}"
                raise ValueError(f"{name}: port {port.name} of {module.name} {rule}")
            taken[f"{ways[port.direction]}_{port.name}"] = value
        parameters = getattr(module, "parameters", {})
        taken |= {f"p_{key}": value for key, value in parameters.items()}
        return Instance(module.name, **taken)

    def verilog(self) -> str:
        """Its text; many blocks at once are faster through modules_to_verilog."""
        return modules_to_verilog([self])

    def rtlil(self) -> str:
        """Its RTLIL, ports named by the path of their members; submodules are modules below it."""
        ways = {wiring.In: PortDirection.Input, wiring.Out: PortDirection.Output}
        ports = {name: (value, ways[member.flow]) for name, member, value in self.members()}
        domain = self.clock_domain
        return convert(self, name=self.name, ports=ports, emit_src=False, missing_domain=domain)
