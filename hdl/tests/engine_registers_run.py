"""A model of the engine's registers, cycle by cycle, made from EngineMap, and a bench for both."""

from collections.abc import Callable

from amaranth.sim import Simulator

from cimforge.hdl.bus.engine_map import COUNTERS, INTERRUPTS, EngineMap
from cimforge.hdl.bus.engine_registers import COUNTED, EngineRegisters
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["EVENT_PORTS", "Bench", "Model", "Request"]

Request = tuple[int, int | None, int]  # address, the word written or None, strobe
PULSES = {"start": "start", "reset": "soft_reset", "clear": "clear"}
ERROR_PORTS = ("error_cause", "error_field", "error_index")
EVENT_PORTS = (
    *("ended", "interrupt", "finished", "failed", "overflow", *ERROR_PORTS),
    *COUNTED.values(),
)
QUIET = dict.fromkeys(EVENT_PORTS, 0)


class Model:
    """What the ports show, from the words of the registers; ``step`` is a rising edge."""

    def __init__(self, config: EngineConfig):
        self.map = EngineMap(config)
        self.macs = config.macros * config.macro.macs_1b
        self.reset()

    def reset(self) -> None:
        """As after rst."""
        self.words = {r.name: r.constant for r in self.map.registers()}
        self.pulses, self.answer = dict.fromkeys(PULSES, 0), (0, 0, 0)
        self.seen = dict.fromkeys(COUNTED, 0)
        self.counted = 0  # 1b-MACs; the upper half of the last cycle's comes a cycle late

    def outputs(self) -> dict[str, int]:
        """The ports in this cycle."""
        ready, error, data = self.answer
        irq = self.words["irq_status"] & self.words["irq_enable"]
        return {
            **{PULSES[name]: value for name, value in self.pulses.items()},
            **{"queue_base": self.words["queue_base"], "queue_count": self.words["queue_count"]},
            **{"irq": int(irq != 0), "registers_ready": ready},
            **({"registers_error": error, "registers_data_r": data} if ready else {}),
        }

    def read(self, name: str, inputs: dict[str, int]) -> int:
        """The word of a register in this cycle."""
        word = self.words[name]
        if name == "status":
            return word | self.map.register(name).word(
                busy=inputs["busy"], resetting=inputs["resetting"]
            )
        return word

    def step(self, inputs: dict[str, int], request: Request | None) -> None:
        """A rising edge with these inputs, and this request on the bus."""
        pulses, written = self.pulses, {}
        begins = request is not None and not self.answer[0]
        self.answer = (0, 0, 0)
        if begins:
            written, error, data = self._judge(inputs, *request)
            self.answer = (1, int(error), data)
        control = self.map.register("control")
        asked = {name: control.field(name).of(written.get("control", 0)) for name in PULSES}
        if pulses["reset"]:
            answer = self.answer
            self.reset()
            self.answer = answer
            return
        self._count(inputs, pulses)
        self._tell(inputs, pulses, written)
        self.words |= {n: w for n, w in written.items() if self.map.register(n).access == "rw"}
        self.pulses = asked

    def _judge(self, inputs, address, word, strobe) -> tuple[dict[str, int], bool, int]:
        """What an access writes, whether it is an error, and what it reads."""
        name = {r.offset: r.name for r in self.map.registers()}.get(address)
        if name is None or strobe != 0xF:
            return {}, True, 0
        if word is None:
            return {}, False, self.read(name, inputs)
        idle = not inputs["busy"] and not inputs["resetting"]
        right = self.map.register(name).access != "ro" and self.map.is_word(name, word)
        right &= idle or not self.map.needs_idle(name)
        if name == "control" and word & 1:
            right &= idle and self.words["queue_count"] != 0
        return ({name: word} if right else {}), not right, 0

    def _count(self, inputs, pulses) -> None:
        for name in COUNTERS:
            self.words[name] = (self.words[name] + self.seen[name]) % (1 << 32)
        self.counted = (self.counted + self.macs * self.seen["compute"]) % (1 << 64)
        settled = self.counted - self.macs * self.seen["compute"]
        self.words["macs_low"] = self.counted % (1 << 32)
        self.words["macs_high"] = settled % (1 << 64) >> 32
        if pulses["clear"]:
            self.words |= dict.fromkeys((*COUNTERS, "macs_low", "macs_high"), 0)
            self.counted = 0
        live = not inputs["resetting"]
        self.seen = {name: inputs[port] * live for name, port in COUNTED.items()}

    def _tell(self, inputs, pulses, written) -> None:
        status = self.map.register("status")
        cleared = status.word(done=1, error=1) if pulses["start"] | pulses["clear"] else 0
        cleared |= status.word(overflow=1) if pulses["clear"] else 0
        self.words["status"] &= ~cleared
        if pulses["start"] | pulses["clear"]:
            self.words |= {"error": 0, "error_index": 0}
        self.words["irq_status"] &= ~written.get("irq_status", 0)
        if inputs["resetting"]:
            if pulses["start"]:
                self.words["queue_done"] = 0
            return
        done = self.words["queue_done"] + inputs["ended"]
        self.words["queue_done"] = 0 if pulses["start"] else done % (1 << 16)
        self.words["status"] |= status.word(
            done=inputs["finished"], error=inputs["failed"], overflow=inputs["overflow"]
        )
        events = zip(INTERRUPTS, ("finished", "failed", "interrupt"), strict=True)
        come = {name: inputs[port] for name, port in events}
        self.words["irq_status"] |= self.map.register("irq_status").word(**come)
        if inputs["failed"]:
            cause, field, index = (inputs[port] for port in ERROR_PORTS)
            self.words["error"] = self.map.register("error").word(cause=cause, field=field)
            self.words["error_index"] = index


class Bench:
    """The registers in the simulator and the model beside them, compared in every cycle."""

    def __init__(self, config: EngineConfig):
        self.block, self.model = EngineRegisters(config), Model(config)
        self.map = self.model.map
        self.ports = {name: value for name, _, value in self.block.members()}
        self.levels = {"busy": 0, "resetting": 0}

    def run(self, test: Callable) -> None:
        """Simulate ``test(bench)``."""

        async def whole(ctx):
            self.ctx = ctx
            await test(self)

        simulator = Simulator(self.block)
        simulator.add_clock(1e-6)
        simulator.add_testbench(whole)
        simulator.run()

    async def cycle(self, request: Request | None = None, **events: int) -> dict[str, int]:
        """One cycle with a request on the bus or none, and these events: its outputs."""
        inputs = {**QUIET, **self.levels, **events}
        address, word, strobe = request or (0, None, 0)
        asked = {"valid": request is not None, "write": word is not None, "address": address}
        asked |= {"strobe": strobe, "data_w": word or 0}
        for name, value in asked.items():
            self.ctx.set(self.ports[f"registers_{name}"], int(value))
        for name, value in inputs.items():
            self.ctx.set(self.ports[name], value)
        expected = self.model.outputs()
        found = {name: self.ctx.get(self.ports[name]) for name in expected}
        assert found == expected, (request, events)
        self.model.step(inputs, request)
        await self.ctx.tick()
        return found

    async def access(self, address: int, word: int | None = None, strobe: int = 0xF):
        """A whole access: the word it read, or "error"; two cycles."""
        request = (address, word, strobe)
        assert not (await self.cycle(request))["registers_ready"]
        answer = await self.cycle(request)
        assert answer["registers_ready"]
        if answer["registers_error"]:
            assert answer["registers_data_r"] == 0
            return "error"
        return answer["registers_data_r"]

    async def read(self, name: str) -> int:
        """The word of a register."""
        return await self.access(self.map.register(name).offset)

    async def write(self, name: str, word: int):
        """Write a register: 0, or "error"."""
        return await self.access(self.map.register(name).offset, word)

    async def words(self) -> dict[str, int]:
        """All registers."""
        return {r.name: await self.read(r.name) for r in self.map.registers()}
