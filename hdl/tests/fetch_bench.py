"""The fetch unit with all that is around it, and what its commands must do, in plain Python."""

from copy import deepcopy
from dataclasses import dataclass, field
from random import Random

from cimforge.hdl.engine.fetch_unit import FetchUnit
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.tests.read_memory import ReadMemory, Sink, Source, Timing

__all__ = ["CHANNEL_BYTES", "Effects", "FetchBench", "random_command"]

CHANNEL_BYTES = 16
Command = dict[str, int]


@dataclass
class Effects:
    """What commands have done: rows that macros took, the activation buffer (None where nothing was
    written), and the channel table."""

    rows: list[dict[str, int]] = field(default_factory=list)
    act: list[int | None] = field(default_factory=list)
    channels: dict[int, tuple[int, ...]] = field(default_factory=dict)


def signed(value: int, bits: int) -> int:
    """The two's complement number of ``bits`` bits."""
    return value - (1 << bits) if value >> bits - 1 else value


class Model:
    """Commands one byte, row or channel at a time, as the descriptors' table tells them."""

    def __init__(self, config: EngineConfig, memory: ReadMemory):
        self.config, self.memory = config, memory
        self.effects = Effects(act=[None] * config.act_bytes)
        self.stream: list[int] = []  # words that the stream brings

    def do(self, command: Command) -> bool:
        """Carry out a command; returns whether a channel was bad."""
        if command["load"]:
            self._load(command)
        elif command["channels"]:
            return self._table(command)
        else:
            self._copy(command)
        return False

    def _taken(self, command: Command, address: int, count: int) -> bytes:
        """``count`` bytes of memory; a stream brings the same, and what fills its last word."""
        if command.get("stream"):
            size = self.config.bus_bytes
            words = range(address, address + count, size)
            self.stream += [self.memory.number(word, size) for word in words]
        return bytes(self.memory.byte(address + b) for b in range(count))

    def _load(self, command: Command) -> None:
        size = self.config.row_words * self.config.bus_bytes
        names = {"bank", "signed", "fuse", "fill"} & command.keys()
        for number in range(command["rows"]):
            taken = self._taken(command, command["source"] + number * size, size)
            data = int.from_bytes(taken, "little") % (1 << self.config.row_bits)
            told = {"row": command["first"] + number, "data": data}
            self.effects.rows.append(told | {name: command[name] for name in names})

    def _copy(self, command: Command) -> None:
        for line in range(command["lines"]):
            source = command["source"] + line * command["source_pitch"]
            target = command["target"] + line * command["target_pitch"]
            for place, byte in enumerate(self._taken(command, source, command["count"])):
                self.effects.act[(target + place) % self.config.act_bytes] = byte

    def _table(self, command: Command) -> bool:
        taken = self._taken(command, command["source"], CHANNEL_BYTES * command["count"])
        bad = False
        for number in range(command["count"]):
            own = taken[CHANNEL_BYTES * number : CHANNEL_BYTES * (number + 1)]
            words = [int.from_bytes(own[b : b + 4], "little") for b in range(0, CHANNEL_BYTES, 4)]
            bias, multiplier, shift, zero = words
            if multiplier >= 1 << 31 or not -31 <= signed(shift, 32) <= 31:
                bad = True
                continue
            kept = signed(bias, 32), multiplier, signed(shift, 32), signed(zero & 0xFFFF, 16)
            self.effects.channels[command["target"] + number] = kept
        return bad


class FetchBench:
    """A fetch unit, memory, streams, and who takes rows; ``effects`` is what came of it."""

    def __init__(self, config: EngineConfig, seed: str, timing: Timing):
        print(f"seed {seed}")
        self.config, self.timing = config, timing
        self.random = random = Random(seed)
        self.block = block = FetchUnit(config)
        self.memory = ReadMemory(config, block.read, block.read_data, random, timing)
        self.commands = Source(block.command, random, timing.beat)
        self.rows = Sink(block.w, random, timing.beat)
        self.into = Source(block.into, random, timing.beat) if config.streams else None
        self.model = Model(config, self.memory)
        self.effects = Effects(act=[None] * config.act_bytes)
        self.ended: list[tuple[int, int]] = []  # failed and bad_channel of each command
        self.taken: list[int] = []  # cycle of each command's acceptance
        self.cycle, self.flush, self._flushed = 0, 0, 0

    async def step(self, ctx) -> None:
        """One cycle, with what holds in each."""
        block = self.block
        ctx.set(block.flush, self.flush)
        parts = [self.memory, self.commands, self.rows, *([self.into] if self.into else [])]
        for part in parts:
            part.drive(ctx)
        self._see_writes(ctx)
        idle = ctx.get(block.idle)
        if idle:
            assert not self.memory.due
            assert ctx.get(block.read.valid) == ctx.get(block.w.valid) == 0
        assert bool(ctx.get(block.command.ready)) == bool(idle and not self.flush)
        if ctx.get(block.done):
            assert (idle, self.flush) == (0, 0)
            self.ended.append((int(ctx.get(block.failed)), int(ctx.get(block.bad_channel))))
        self.memory.see(ctx)
        self.rows.see(ctx, may_fall=bool(self._flushed))
        self._flushed = self.flush
        if self.commands.see(ctx) is not None:
            self.taken.append(self.cycle)
        if self.into:
            self.into.see(ctx)
        self.effects.rows = self.rows.beats
        await ctx.tick()
        self.cycle += 1

    def _see_writes(self, ctx) -> None:
        block, size = self.block, self.config.bus_bytes
        if ctx.get(block.act_write):
            address, data = ctx.get(block.act_address), ctx.get(block.act_data)
            strobe = ctx.get(block.act_strobe)
            assert address % size == 0
            for byte in range(size):
                if strobe >> byte & 1:
                    self.effects.act[address + byte] = data >> 8 * byte & 0xFF
        if ctx.get(block.channel_write):
            number = ctx.get(block.channel_number) if self.config.channel_bits else 0
            values = [ctx.get(getattr(block, f"channel_{n}")) for n in ("bias", "multiplier")]
            values += [ctx.get(block.channel_shift), ctx.get(block.channel_zero)]
            bits = (32, None, 6, 16)
            told = (signed(v, b) if b else v for v, b in zip(values, bits, strict=True))
            self.effects.channels[number] = tuple(told)

    async def until_done(self, ctx, count: int = 1, limit: int = 4000) -> None:
        """Go on until ``count`` commands more have ended."""
        target = len(self.ended) + count
        for _ in range(limit):
            await self.step(ctx)
            if len(self.ended) == target:
                return
        raise AssertionError(f"hung: {limit} cycles")

    def give(self, command: Command) -> bool:
        """Offer a command, and let the model do it; returns whether a channel of it is bad."""
        known = self.block.command.signature.members
        self.commands.beats.append({k: v for k, v in command.items() if k in known})
        before = len(self.model.stream)
        bad = self.model.do(command)
        for word in self.model.stream[before:]:
            self.into.beats.append({"data": word})
        return bad

    def check(self) -> None:
        """What was done is what the model did."""
        told = self.model.effects
        fields = [n for n in self.block.w.signature.members if n not in ("valid", "ready")]
        assert self.effects.rows == [{name: row[name] for name in fields} for row in told.rows]
        assert self.effects.act == told.act
        assert self.effects.channels == told.channels

    def forget(self) -> None:
        """Begin anew from what was done so far; what is offered is not any more."""
        self.commands.withdraw()
        if self.into:
            self.into.withdraw()
        self.model.effects = deepcopy(self.effects)


def random_command(bench: FetchBench, kind: str, small: bool = False) -> Command:
    """A legal command: ``load``, ``copy`` or ``channels``; with ``small`` of a few words."""
    config, random = bench.config, bench.random
    macro, step = config.macro, config.bus_bytes

    def multiple(most: int) -> int:
        return random.randrange(most // step) * step

    source = random.choice([multiple(1 << 12), multiple(1 << 32), (1 << 32) - 2 * step])
    command = {"load": int(kind == "load"), "source": source}
    if config.streams:
        command["stream"] = random.getrandbits(1)
    if kind == "load":
        first = random.randrange(macro.rows)
        rows = random.randint(1, min(macro.rows - first, 3 if small else macro.rows))
        command |= {"first": first, "rows": rows, "bank": random.randrange(macro.banks)}
        command |= {"signed": random.getrandbits(1)}
        command |= {"fuse": random.randrange(len(macro.modes))} if macro.w_fuse_width else {}
        return command | ({"fill": random.getrandbits(1)} if macro.grouped else {})
    if kind == "copy":
        count = random.randint(1, 3 * step) if small else _line_bytes(config, random)
        lines = random.randint(1, 3 if small or count > 64 else 9)
        command |= {"source_pitch": multiple(1 << 32), "target": multiple(1 << 20)}
        command |= {"target_pitch": multiple(1 << 20), "count": count, "lines": lines}
        return command | {"channels": 0}
    target = random.randrange(config.channels)
    count = random.randint(1, min(config.channels - target, config.act_bytes, 3 if small else 9))
    _draw_channels(bench, source, count)
    command |= {"target": target, "count": count, "lines": 1, "channels": 1}
    return command | {"source_pitch": multiple(1 << 32), "target_pitch": multiple(1 << 20)}


def _line_bytes(config: EngineConfig, random: Random) -> int:
    """Of a line: often a few words, sometimes all that the buffer holds."""
    return random.choice([random.randint(1, 6 * config.bus_bytes), config.act_bytes])


def _draw_channels(bench: FetchBench, source: int, count: int) -> None:
    """Channels in memory, most of which are legal: their extremes, and those just outside."""
    random = bench.random
    for number in range(count):
        multiplier = random.choice([0, 1, (1 << 31) - 1, random.getrandbits(31), 1 << 31])
        shift = random.choice([-31, 31, 0, -1, random.randint(-31, 31), -32, 32, 1 << 30, -64])
        words = random.getrandbits(32), multiplier, shift % (1 << 32), random.getrandbits(32)
        for place, word in enumerate(words):
            for byte in range(4):
                address = source + CHANNEL_BYTES * number + 4 * place + byte
                bench.memory.content[address % (1 << 32)] = word >> 8 * byte & 0xFF
