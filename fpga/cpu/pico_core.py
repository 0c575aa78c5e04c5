"""PicoRV32, Claire Wolf's RISC-V core, as a leaf whose Verilog comes from the package index."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from cimforge.hdl.netlist.module import LEAF, Child, Port
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.install_hint import install_hint

__all__ = ["CORE_FILE", "PicoCore", "core_text"]

CORE_FILE = "picorv32.v"
PACKAGE = "pythondata_cpu_picorv32"
INPUTS = {
    **{"clk": 1, "resetn": 1, "mem_ready": 1, "mem_rdata": 32},
    **{"pcpi_wr": 1, "pcpi_rd": 32, "pcpi_wait": 1, "pcpi_ready": 1, "irq": 32},
}
OUTPUTS = {
    **{"trap": 1, "mem_valid": 1, "mem_instr": 1, "mem_addr": 32, "mem_wdata": 32, "mem_wstrb": 4},
    **{"mem_la_read": 1, "mem_la_write": 1, "mem_la_addr": 32, "mem_la_wdata": 32},
    **{"mem_la_wstrb": 4, "pcpi_valid": 1, "pcpi_insn": 32, "pcpi_rs1": 32, "pcpi_rs2": 32},
    **{"eoi": 32, "trace_valid": 1, "trace_data": 36},
}
# Small: no cycle counters, for there is a timer; no interrupts, for software polls.
PARAMETERS = {"ENABLE_COUNTERS": 0, "ENABLE_COUNTERS64": 0}


class PicoCore:
    """The core: RV32I with the ``parameters`` that are not its own defaults or PARAMETERS.

    It begins at address 0. ``mem_*`` is its memory interface (CpuBus); ``trap`` is high for good
    from an illegal instruction or a misaligned access on. An instruction takes 3 cycles and more,
    and the wait for each of its words. ``resetn`` is low to reset.
    """

    name = kind = "picorv32"
    role = LEAF
    latency = 1
    comment = "PicoRV32, a RISC-V core."
    children: Sequence[Child] = ()

    def __init__(self, parameters: Mapping[str, int]):
        self._parameters = {**PARAMETERS, **parameters}

    @property
    def ports(self) -> Mapping[str, Port]:
        """Its ports by name."""
        ways = {"input": INPUTS, "output": OUTPUTS}
        return {n: Port(n, way, width) for way, ports in ways.items() for n, width in ports.items()}

    @property
    def reference(self) -> str:
        """What stands before the instance's name."""
        values = ", ".join(f".{name}({value})" for name, value in self._parameters.items())
        return f"{self.name} #({values})"

    def verilog(self) -> str:
        """Nothing: its text is that of CORE_FILE."""
        return ""


def core_text() -> str:
    """The core's Verilog, as its package has it.

    Raises InputError, naming the way to get it, where the package is not installed.
    """
    try:
        package = import_module(PACKAGE)
    except ModuleNotFoundError:
        raise InputError(f"PicoRV32 is not installed; run {install_hint('soc')}") from None
    return (Path(package.data_location) / CORE_FILE).read_text()
