"""The timing diagram: the emitted macro behaves, cycle by cycle, as it is drawn."""

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge

from cimforge.cocotb_tests.stimuli import needs_every_plane
from cimforge.flow.simulate.job import job_config
from cimforge.hdl.emit.diagram import record
from cimforge.hdl.macro.ports import macro_ports

CONFIG = job_config()


@cocotb.test()
async def test_streams_follow_the_diagram(dut):
    """The recorded inputs, replayed, give the recorded valids and readies."""
    trace = record(CONFIG)
    inputs = [
        port.name
        for port in macro_ports(CONFIG)
        if port.direction == "input" and port.name in trace
    ]
    outputs = [name for name in trace if name.endswith(("_valid", "_ready")) and name not in inputs]
    Clock(dut.clk, 10, unit="ns").start()
    dut.rst.value = 1
    for name in inputs:
        getattr(dut, name).value = 0
    dut.x_data.value = needs_every_plane(CONFIG.input_bits)
    dut.w_data.value = 0
    for _ in range(2):
        await RisingEdge(dut.clk)
    dut.rst.value = 0
    for cycle in range(len(trace["x_valid"])):
        for name in inputs:
            getattr(dut, name).value = trace[name][cycle]
        await FallingEdge(dut.clk)
        for name in outputs:
            shown = int(getattr(dut, name).value)
            assert shown == trace[name][cycle], (
                f"cycle {cycle}: {name} is {shown}, drawn {trace[name][cycle]}"
            )
        await RisingEdge(dut.clk)
