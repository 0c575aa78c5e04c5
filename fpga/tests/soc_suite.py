"""Talks to a simulated system that runs soc_check.c."""

import cocotb
from cocotb.task import bridge
from cocotb.triggers import ClockCycles

from cimforge.flow.simulate.job import load_job
from cimforge.flow.simulate.serial_line import SerialLine

BYTES = 16


async def begin(dut) -> SerialLine:
    """The line to a system that has just been reset."""
    line = SerialLine(dut, load_job()["divisor"])
    dut.rst.value = 1
    await ClockCycles(dut.clk, 3)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 200)
    line.reset_input_buffer()
    return line


def told(line: SerialLine) -> str:
    """What the program says up to the end of the line that says how many checks failed."""
    text = b""
    while b"failures" not in text or not text.endswith(b"\n"):
        byte = line.read(1)
        assert byte, f"silent after {text!r}"
        text += byte
    return text.decode()


@cocotb.test()
async def the_core_sees_its_memory_and_registers(dut):
    """The program's own checks; then bytes there and back, and the light."""
    line = await begin(dut)

    def session() -> str:
        text = told(line)
        for byte in (1, 254, 3):
            line.write(bytes([byte]))
            assert line.read(1) == bytes([byte + 1 & 255])
        return text

    assert await bridge(session)() == "failures 0\n"
    assert int(dut.light.value) == 1
    assert not int(dut.trap.value)


@cocotb.test()
async def a_program_that_ends_traps_and_reset_begins_again(dut):
    """trap stays high until reset."""
    line = await begin(dut)
    await bridge(told)(line)

    def end() -> None:
        line.write(b"x")

    await bridge(end)()
    await ClockCycles(dut.clk, 500)
    assert int(dut.trap.value)
    dut.rst.value = 1
    await ClockCycles(dut.clk, 2)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 100)
    assert not int(dut.trap.value)
    assert await bridge(told)(line) == "failures 0\n"
