"""Says to the program that classifies digits what it must refuse."""

import cocotb
import numpy as np
from cocotb.task import bridge
from cocotb.triggers import ClockCycles

from cimforge.compiler.soc.classifier_client import ClassifierClient
from cimforge.flow.simulate.job import load_job
from cimforge.flow.simulate.serial_line import SerialLine
from cimforge.host.driver import LinkError


@cocotb.test()
async def illegal_commands_are_refused_and_the_next_is_served(dut):
    """Unknown letters, counts and pixels; of another engine's program the engine."""
    job = load_job()
    images = np.load(job["inputs"])["images"]
    line = SerialLine(dut, job["divisor"], 20_000)
    client = ClassifierClient(line)

    def refusal(data: bytes) -> str:
        line.write(data)
        return client._line()

    def session() -> None:
        assert client.greeting() == job["name"]
        assert refusal(b"z") == "error command"
        assert refusal(b"e\x00") == "error count"
        assert refusal(b"e" + bytes([job["batch"] + 1])) == "error count"
        assert refusal(b"e\x01" + bytes(63) + b"\x11") == "error pixel"
        try:
            told = client.classify(images, "engine").classes.tolist()
        except LinkError as error:
            told = str(error)
        assert told == job["expected"]

    dut.rst.value = 1
    await ClockCycles(dut.clk, 4)
    dut.rst.value = 0
    await bridge(session)()
    assert not int(dut.trap.value)
