"""An engine between a master of its registers and a slave of its memory, as an EngineBench."""

import numpy as np
from cocotb.triggers import RisingEdge

from cimforge.cocotb_tests.bus_fronts.whole_bench import WholeBench
from cimforge.cocotb_tests.engine.engine_bench import Ending
from cimforge.hdl.bus.engine_map import COUNTERS

__all__ = ["BussedBench"]


class BussedBench:
    """Does through buses what an EngineBench does at the engine's own ports.

    Of interrupts the registers tell whether there was any. The memory pauses as it likes.
    """

    def __init__(self, dut):
        self._whole = WholeBench(dut)
        self.dut, self.config, self.rng = dut, self._whole.config, self._whole.rng

    async def begin(self, image: np.ndarray, base: int) -> None:
        """Reset, with a memory that holds ``image`` from the address ``base`` on."""
        self._whole.hold(image.tobytes(), base)
        await self._whole.start()

    def remember(self, image: np.ndarray, base: int) -> None:
        """Memory holds something else; no burst is open."""
        assert not self._whole.watch.open
        self._whole.hold(image.tobytes(), base)

    @property
    def image(self) -> np.ndarray:
        """What memory holds; may be changed."""
        return np.frombuffer(self._whole.memory.bytes, np.uint8)

    def pace(self, number: int) -> None:
        """Nothing: the rates at which the slave pauses change by themselves."""

    async def run(self, base: int, count: int) -> Ending:
        """Run one queue to its end."""
        whole = self._whole
        await whole.write(control=whole.map.register("control").word(clear=1))
        await whole.begin(base, count)
        status = await whole.ended()
        assert status["done"] != status["error"], status
        assert not whole.watch.open, "a burst is open behind the queue's end"
        counts = {name: await whole.read(name) for name in COUNTERS}
        events = whole.map.register("irq_status")
        told = events.field("descriptor").of(await whole.read("irq_status"))
        ended, error = await whole.read("queue_done"), await whole.error()
        macs = self.config.macros * self.config.macro.macs_1b * counts["compute"]
        high, low = await whole.read("macs_high"), await whole.read("macs_low")
        assert high << 32 | low == macs, f"{high << 32 | low} MACs, must be {macs}"
        overflow = bool(status["overflow"])
        return Ending(bool(status["done"]), error, ended, bool(told), overflow, counts)

    async def start(self, base: int, count: int, cycles: int) -> None:
        """Start a queue and leave it after that many cycles."""
        await self._whole.begin(base, count)
        for _ in range(cycles):
            await RisingEdge(self.dut.clk)

    async def soft_reset(self) -> None:
        """Reset without breaking a promise to memory, which owes nothing afterwards."""
        await self._whole.soft_reset()
