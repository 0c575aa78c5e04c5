"""The slave that decides in a cycle of its own, access by access, in Amaranth's simulator."""

import random
from collections.abc import Callable, Iterator

import pytest
from amaranth.sim import Simulator

from cimforge.hdl.bus.decided_slave import DecidedSlave
from cimforge.hdl.bus.registers import RegisterMap
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.tests.configs import DIVERSE

CONFIGS = {name: DIVERSE[name] for name in ("tiny", "tables", "sliced_tables")}
every_config = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
PERIOD = 1 + DecidedSlave.latency  # cycles from one access to the next
PATIENCE = 3 * PERIOD
WORD = 0xFFFFFFFF


class Bench:
    """A master, and a macro that takes nothing and holds a result and a row where ``answers``."""

    def __init__(self, config: MacroConfig, answers: bool):
        self.config, self.map, self.slave = config, RegisterMap(config), DecidedSlave(config)
        self.rng = random.Random(1)
        self.answers = answers
        self.data = {
            name: self.rng.getrandbits(len(getattr(self.slave, name).data)) for name in "yq"
        }

    def run(self, test: Callable) -> None:
        """Simulate ``test(bench)``."""

        async def whole(ctx):
            self.ctx = ctx
            for name, value in self.data.items():
                ctx.set(getattr(self.slave, name).valid, int(self.answers))
                ctx.set(getattr(self.slave, name).data, value)
            await ctx.tick().repeat(2)
            await test(self)

        simulator = Simulator(self.slave)
        simulator.add_clock(1e-6)
        simulator.add_testbench(whole)
        simulator.run()

    def ask(self, address: int, data: int | None = None, select: int = 0xF) -> None:
        """Put a request on the bus; a read where there are no data."""
        wb = self.slave.wb
        asked = ((wb.adr, address), (wb.sel, select), (wb.we, int(data is not None)))
        for signal, value in (*asked, (wb.dat_w, data or 0), (wb.cyc, 1), (wb.stb, 1)):
            self.ctx.set(signal, value)

    def give_up(self, *lines: str) -> None:
        """Take cyc, stb or both back."""
        for line in lines or ("cyc", "stb"):
            self.ctx.set(getattr(self.slave.wb, line), 0)

    def answer(self) -> str:
        """What the bus answers in this cycle."""
        answers = {name: self.ctx.get(getattr(self.slave.wb, name)) for name in ("ack", "err")}
        return " ".join(name for name, value in answers.items() if value)

    async def access(self, *asked: int | None) -> tuple[str, int]:
        """A whole access: its answer, which comes in the cycle told, and the word it carries."""
        self.ask(*asked)
        for _ in range(self.slave.latency):
            assert self.answer() == ""
            await self.ctx.tick()
        told = self.answer(), self.ctx.get(self.slave.wb.dat_r)
        await self.ctx.tick()
        self.give_up()
        await self.ctx.tick().repeat(2)
        return told

    def at(self, register: str) -> int:
        """Address of a register."""
        return self.map.register(register).offset

    async def state(self) -> dict[str, int]:
        """What an access can change: all that the macro sees, the registers, irq and busy."""
        outputs = {name: value for name, _, value in self.slave.members() if name[:3] != "wb_"}
        inputs = [name for name in outputs if name[:6] in ("y_data", "q_data")]
        seen = {n: self.ctx.get(v) for n, v in outputs.items() if n not in inputs}
        for register in ("status", "irq_enable"):
            seen[register] = (await self.access(self.at(register)))[1]
        return seen

    def legal(self) -> dict[str, tuple[int, int | None]]:
        """An access of each kind that changes something, or reads, where it is legal."""
        accesses: dict[str, tuple[int, int | None]] = {
            f"{stream}_start": (self.at(f"{stream}_start"), 0) for stream in "xwr"
        }
        accesses |= {f"{stream}_next": (self.at(f"{stream}_next"), WORD) for stream in "yq"}
        accesses |= {"control": (self.at("control"), 1), "enable": (self.at("irq_enable"), 3)}
        for window in self.map.windows():
            word = self.rng.randrange(window.words)
            data = WORD if window.access == "wo" else None
            accesses[f"{window.name} window"] = (window.offset + 4 * word, data)
        return accesses | {"id": (self.at("id"), None)}

    def wrong(self) -> Iterator[tuple[int, int | None, int]]:
        """Accesses that are errors whatever the state."""
        readable = {r.offset for r in self.map.registers() if r.access != "wo"}
        writable = {r.offset for r in self.map.registers() if r.access != "ro"}
        for window in self.map.windows():
            place = writable if window.access == "wo" else readable
            place |= {window.offset + 4 * word for word in range(window.words)}
        for address in range(0, 1 << self.map.address_bits, 4):
            if address not in readable:
                yield address, None, 0xF
            if address not in writable:
                yield address, WORD, 0xF
        for address, data in self.legal().values():
            yield from ((address + byte, data, 0xF) for byte in (1, 2, 3))
            yield from ((address, data, select) for select in (0, 1, 7, 0xE))
        for command in ("x_start", "w_start", "r_start"):
            register = self.map.register(command)
            bits = [1 << place for place in range(32) if register.reserved >> place & 1]
            yield from ((register.offset, bit, 0xF) for bit in bits)
            for field in register.fields:
                values = {field.limit, (1 << field.width) - 1} if field.limit else ()
                beyond = [value for value in values if field.limit <= value < 1 << field.width]
                yield from ((register.offset, value << field.low, 0xF) for value in beyond)


@every_config
@pytest.mark.parametrize("answers", [False, True], ids=["idle", "answering"])
def test_an_error_changes_nothing_and_carries_nothing(config, answers):
    async def test(bench):
        before = await bench.state()
        wrong = [*bench.wrong()]
        assert len(wrong) > 100
        for asked in wrong:
            assert await bench.access(*asked) == ("err", 0), asked
        assert await bench.state() == before

    Bench(config, answers).run(test)


@every_config
def test_what_its_stream_does_not_allow_is_an_error(config):
    """Nothing to read or release; then each beat waits: neither it nor its window changes."""

    async def test(bench):
        legal = bench.legal()
        before = await bench.state()
        for kind in ("y_next", "q_next", "y window", "q window"):
            assert await bench.access(*legal[kind]) == ("err", 0)
        assert await bench.state() == before
        for kind in ("x_start", "w_start", "r_start"):
            assert (await bench.access(*legal[kind]))[0] == "ack"
        before = await bench.state()
        for kind in ("x_start", "w_start", "r_start", "x window", "w window"):
            assert await bench.access(*legal[kind]) == ("err", 0)
        assert await bench.state() == before

    Bench(config, answers=False).run(test)


@every_config
def test_every_word_is_read_right(config):
    def results(bench) -> Iterator[int]:
        """The Y window by hand: mode after mode, each result extended by its sign."""
        for mode in config.modes:
            for column in range(mode.outputs):
                value = bench.data["y"] >> column * mode.y_bits & (1 << mode.y_bits) - 1
                value -= (value >> mode.y_bits - 1) << mode.y_bits
                yield from (value >> 32 * part & WORD for part in range(bench.map.result_words))

    async def test(bench):
        for register in bench.map.registers()[:4]:
            assert await bench.access(register.offset) == ("ack", register.constant)
        window = bench.map.window("y")
        words = [*results(bench)]
        assert len(words) == window.words
        for word, expected in enumerate(words):
            assert await bench.access(window.offset + 4 * word) == ("ack", expected)
        window = bench.map.window("q")
        for word in range(window.words):
            expected = bench.data["q"] >> 32 * word & WORD
            assert await bench.access(window.offset + 4 * word) == ("ack", expected)
        assert await bench.access(bench.at("control")) == ("ack", 0)
        states = 0b11111
        assert await bench.access(bench.at("status")) == ("ack", states | 1 << 20 | 1 << 26)
        assert (await bench.access(bench.at("irq_enable"), 0x1A))[0] == "ack"
        assert await bench.access(bench.at("irq_enable")) == ("ack", 0x1A)

    Bench(config, answers=True).run(test)


@every_config
@pytest.mark.parametrize("lines", [("cyc",), ("stb",), ("cyc", "stb")], ids=" ".join)
@pytest.mark.parametrize("upheld", range(1, DecidedSlave.latency))
def test_an_access_that_is_given_up_does_nothing(config, lines, upheld):
    """After one cycle, or two; not even where the next access begins in the very cycle behind, or
    the master has another request on the bus meanwhile."""

    async def test(bench):
        before = await bench.state()
        for kind, asked in bench.legal().items():
            bench.ask(*asked)
            for _ in range(upheld):
                assert bench.answer() == ""
                await bench.ctx.tick()
            bench.ctx.set(bench.slave.wb.adr, bench.at("irq_enable"))
            bench.give_up(*lines)
            for _ in range(PATIENCE):
                assert bench.answer() == "", kind
                await bench.ctx.tick()
            bench.give_up()
            assert await bench.state() == before, kind
            bench.ask(*asked)
            await bench.ctx.tick().repeat(upheld)
            bench.give_up(*lines)
            await bench.ctx.tick()
            assert await bench.access(bench.at("id")) == ("ack", 0x43494D31)
            assert await bench.state() == before, kind

    Bench(config, answers=True).run(test)


@every_config
def test_an_access_is_what_was_asked_for_at_first(config):
    """A master that changes address, word or bytes after the first cycle changes nothing."""

    async def test(bench):
        window = bench.map.window("x")
        bench.ask(window.offset, 0x12345678 & (1 << len(bench.slave.x.data)) - 1)
        await bench.ctx.tick()
        bench.ask(bench.at("control"), 1, 0)
        await bench.ctx.tick().repeat(bench.slave.latency - 1)
        assert bench.answer() == "ack"
        bench.give_up()
        await bench.ctx.tick().repeat(3)
        assert bench.ctx.get(bench.slave.x.data) == 0x12345678 & (1 << len(bench.slave.x.data)) - 1
        assert not bench.ctx.get(bench.slave.macro_rst)

    Bench(config, answers=False).run(test)


@every_config
def test_what_was_decided_is_done(config):
    """A master that goes in the cycle of the answer does not see it; the interrupt is enabled."""

    async def test(bench):
        bench.ask(bench.at("irq_enable"), 0b11)
        await bench.ctx.tick().repeat(bench.slave.latency)
        bench.give_up()
        assert bench.answer() == ""
        await bench.ctx.tick().repeat(2)
        assert (await bench.access(bench.at("irq_enable")))[1] == 0b11

    Bench(config, answers=False).run(test)


def test_one_access_in_four_cycles():
    """A master that asks on and on: of 40 cycles ten bring an answer, in turn right and wrong."""

    async def test(bench):
        answers = []
        for access in range(10):
            bench.ask(bench.at("id"), None if access % 2 else 0)
            for _ in range(PERIOD):
                answers.append(bench.answer())
                await bench.ctx.tick()
        assert answers == ["", "", "", "err", "", "", "", "ack"] * 5

    Bench(CONFIGS["tiny"], answers=False).run(test)
