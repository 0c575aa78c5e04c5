"""The C driver, compiled, on a whole engine of emitted Verilog: its accesses go over the bus."""

from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.task import bridge, resume

from cimforge.cocotb_tests.bus_fronts.register_model import Access
from cimforge.cocotb_tests.bus_fronts.whole_bench import WholeBench
from cimforge.flow.simulate.job import load_job
from cimforge.hdl.params.engine_errors import ERROR_CAUSES
from cimforge.host.engine_plan import plan_layer
from cimforge.host.engine_table import layer_table
from cimforge.host.tests.c_driver import CDriver
from cimforge.host.tests.engine_bench import random_inputs, random_linear, reference

LAYERS = int(load_job().get("layers", 4))
SIZE = 1 << 17  # bytes of memory from 0 on
QUEUE = 1 << 16  # where the driver puts descriptors
LOOKS = 1 << 20  # at the status
OK, FAILED = 0, -9


class BusPort:
    """The driver's callbacks, each of which lasts as long as its access takes on the bus; memory is
    the processor's own."""

    def __init__(self, bench: WholeBench):
        self.bench = bench

    def read_register(self, offset: int) -> int:
        """The register at byte ``offset``."""
        return resume(self._access)(offset, None)

    def write_register(self, offset: int, value: int) -> None:
        """Write it."""
        resume(self._access)(offset, value)

    async def _access(self, offset: int, value: int | None) -> int:
        ((failed, word),) = await self.bench.batch([Access(offset, value)])
        assert not failed, f"the driver is refused at {offset:#x}"
        return word

    def read_memory(self, address: int, count: int) -> bytes:
        """Bytes from ``address`` on."""
        return bytes(self.bench.memory.bytes[address : address + count])

    def write_memory(self, address: int, data: bytes) -> None:
        """Write bytes from ``address`` on."""
        assert 0 <= address <= address + len(data) <= SIZE
        self.bench.memory.bytes[address : address + len(data)] = data


async def driven(dut) -> tuple[WholeBench, Any, BusPort]:
    """An engine, its driver, and what is between them."""
    bench = await WholeBench(dut).start()
    bench.hold(bytes(SIZE), 0)
    port = BusPort(bench)
    driver: Any = CDriver(bench.config, Path.cwd(), port)  # type: ignore[arg-type]
    assert await bridge(driver.init)(LOOKS) == OK
    return bench, driver, port


async def computed(bench: WholeBench, driver, port: BusPort, bad: range | None = None) -> int:
    """A random layer by the driver's own commands; what cim_run returns. Results are right where it
    succeeds."""
    rng = bench.rng
    layer, batch = random_linear(rng, bench.config), rng.randint(1, 9)
    plan, x = plan_layer(bench.config, layer, batch), random_inputs(rng, bench.config, layer, batch)
    for address, data in list(plan.segments())[:-1]:  # all but its queue
        port.write_memory(address, data)
    port.write_memory(plan.inputs.address, plan.image.inputs(x)[1])
    assert driver.begin(QUEUE) == OK
    addresses = plan.inputs.address, plan.outputs.address
    assert driver.linear(layer_table(plan), *addresses, batch) == OK
    bench.memory.bad = (bad,) if bad else ()
    told = await bridge(driver.run)(LOOKS)
    if told == OK:
        data = port.read_memory(plan.outputs.address, plan.outputs.size)
        results = plan.image.results(data, batch, plan.output_pitch)
        assert np.array_equal(results, reference(layer, x))
        counters = await bridge(driver.counters)()
        assert counters[-1] == await bench.read("macs_low") > 0
    return told


@cocotb.test()
async def layers_by_the_c_driver(dut):
    """Layers, computed from tables, are what plain loops say."""
    bench, driver, port = await driven(dut)
    for _ in range(LAYERS):
        assert await computed(bench, driver, port) == OK


@cocotb.test()
async def failures_by_the_c_driver(dut):
    """Memory that fails, at the queue's third descriptor, is told; the next layer is computed."""
    bench, driver, port = await driven(dut)
    for _ in range(2):
        hole = range(QUEUE + 128, QUEUE + 192)
        assert await computed(bench, driver, port, hole) == FAILED
        cause, index, field = await bridge(driver.failure)()
        assert (list(ERROR_CAUSES)[cause], index, field) == ("read", 2, 0)
        assert await computed(bench, driver, port) == OK
