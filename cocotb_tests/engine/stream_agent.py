"""The two streams of an engine that takes data in place of memory: words in, bytes out."""

from random import Random

from cocotb.triggers import FallingEdge, RisingEdge

from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["StreamAgent"]


class StreamAgent:
    """Gives the bytes of ``incoming`` as whole words, and gathers those that come with their
    strobe in ``outgoing``; ``pace`` is the share of cycles in which either moves when it could.

    What the engine offers must stand until it is taken; a word without a strobed byte is none.
    """

    def __init__(self, dut, config: EngineConfig, rng: Random):
        self.dut, self.size, self.rng, self.pace = dut, config.bus_bytes, rng, 0.7
        self.incoming, self.outgoing = bytearray(), bytearray()
        self._offered: tuple[str, ...] | None = None

    async def run(self) -> None:
        """For ever."""
        dut = self.dut
        while True:
            await FallingEdge(dut.clk)
            taken = int(dut.into_valid.value) and int(dut.into_ready.value)
            stays = int(dut.into_valid.value) and not taken
            self._look()
            await RisingEdge(dut.clk)
            if taken:
                del self.incoming[: self.size]
            offers = stays or (self.incoming and self.rng.random() < self.pace)
            dut.into_valid.value = int(bool(offers))
            if offers:
                dut.into_data.value = int.from_bytes(self.incoming[: self.size], "little")
            dut.out_ready.value = int(self.rng.random() < self.pace)

    def _look(self) -> None:
        """What comes out in this cycle."""
        dut = self.dut
        if not int(dut.out_valid.value):
            assert self._offered is None, "a word was taken back"
            return
        offered = tuple(str(getattr(dut, f"out_{n}").value) for n in ("data", "strobe", "last"))
        assert self._offered in (None, offered), "a word has changed before it was taken"
        self._offered = offered
        if int(dut.out_ready.value):
            self._offered = None
            strobe, text = int(dut.out_strobe.value), str(dut.out_data.value)
            octets = [text[place : place + 8] for place in range(0, len(text), 8)][::-1]
            self.outgoing += bytes(
                int(octet, 2) for lane, octet in enumerate(octets) if strobe >> lane & 1
            )
