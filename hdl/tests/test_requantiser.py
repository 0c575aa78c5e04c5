"""The requantiser against the golden model and cases worked by hand, with stalls."""

from random import Random

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from cimforge.golden.requantise import requantise
from cimforge.hdl.engine.requantiser import Requantiser
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.descriptors import ROUNDINGS
from cimforge.hdl.params.engine_config import EngineConfig

INT16, INT32 = (-(1 << 15), (1 << 15) - 1), (-(1 << 31), (1 << 31) - 1)
OPEN = {"zero": 0, "lowest": INT16[0], "highest": INT16[1]}


def engine(acc_bits: int, weight_zeros: bool = False) -> EngineConfig:
    macro = MacroConfig(rows=4, cols=2, weight_bits=4, input_bits=4)
    return EngineConfig(macro=macro, acc_bits=acc_bits, weight_zeros=weight_zeros)


def elements(config: EngineConfig, rounding: str, limits: dict, sums: list[dict], seed: int):
    """The elements of sums with their channels, whose lane is stalled at random."""
    top, lane, random = Module(), Requantiser(config), Random(seed)
    top.domains.sync = ClockDomain(reset_less=True)
    top.submodules.lane = lane
    out = []

    async def drive(ctx):
        ctx.set(lane.rounding, ROUNDINGS.index(rounding))
        for name, value in limits.items():
            ctx.set(getattr(lane, name), value)
        for number in range(len(sums) + lane.latency):
            while random.random() < 0.1:
                ctx.set(lane.enable, 0)
                ctx.set(lane.sum, random.getrandbits(config.acc_bits))
                await ctx.tick()
            if number >= lane.latency:
                out.append(ctx.get(lane.element))
            ctx.set(lane.enable, 1)
            for name, value in sums[min(number, len(sums) - 1)].items():
                port = getattr(lane, name)
                ctx.set(port, value)
            await ctx.tick()

    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.run()
    return out


def expected(rounding: str, limits: dict, sums: list[dict]) -> list[int]:
    return [
        int(
            requantise(
                [each["sum"] - each.get("ones", 0) * each.get("weight_zero", 0)],
                [each["bias"]],
                [each["multiplier"]],
                [each["shift"]],
                rounding=rounding,
                **limits,
            )[0]
        )
        for each in sums
    ]


def near(random: Random, low: int, high: int) -> int:
    """A number in low..high: an extreme, one of any size, or beside a power of 2."""
    kind, size = random.random(), random.randrange(high.bit_length() + 1)
    if kind < 0.15:
        return random.choice([low, high, 0])
    if kind < 0.5:
        value = (1 << size) + random.randint(-1, 1)
        return max(low, min(high, random.choice([value, -value])))
    value = random.getrandbits(size)
    return max(low, min(high, random.choice([value, -value])))


def drawn(config: EngineConfig, random: Random) -> dict:
    """A sum with its channel; every second one is a tie or next to it: a product of a power of 2
    and an odd number, which is shifted to the guard."""
    acc = -(1 << config.acc_bits - 1), (1 << config.acc_bits - 1) - 1
    each = {"sum": near(random, *acc), "bias": near(random, *INT32)}
    each |= {"multiplier": near(random, 0, INT32[1]), "shift": random.randint(-31, 31)}
    if config.weight_zeros:
        each |= {"ones": near(random, *acc), "weight_zero": near(random, *INT16)}
    elif random.random() < 0.5:
        size = random.randint(0, 30)
        each |= {"bias": random.randint(-3, 3), "multiplier": 1 << size}
        places = random.randint(0, 15) + max(0, size - 31)
        each |= {"shift": max(-31, min(31, 31 - size - places))}
        each["sum"] = (2 * random.randint(-200, 200) + 1 << places >> 1) - each["bias"]
        each["sum"] += random.choice([0, 0, 1, -1])
    return each


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize(("acc_bits", "zeros"), [(32, False), (48, False), (32, True), (48, True)])
def test_elements_are_those_of_the_golden_model(acc_bits, zeros, rounding):
    config, random = engine(acc_bits, zeros), Random(f"{acc_bits} {zeros} {rounding}")
    for seed in range(4):
        zero, *ends = (near(random, *INT16) for _ in range(3))
        limits = {"zero": zero, "lowest": min(ends), "highest": max(ends)} if seed else OPEN
        sums = [drawn(config, random) for _ in range(200)]
        found = elements(config, rounding, limits, sums, seed)
        wanted = expected(rounding, limits, sums)
        differ = [n for n in range(len(sums)) if found[n] != wanted[n]]
        assert not differ, (limits, sums[differ[0]], found[differ[0]], wanted[differ[0]])


HALF = 1 << 30  # a multiplier of one half
# sum, multiplier, shift, and the element of each rounding, worked by hand; bias 0
BY_HAND = [
    (3, HALF, 0, (2, 2, 2)),  # 1.5
    (-3, HALF, 0, (-1, -1, -2)),  # -1.5: both of TensorFlow Lite's go up
    (1, HALF, 0, (1, 1, 0)),  # 0.5
    (-1, HALF, 0, (0, 0, 0)),  # -0.5
    (5, HALF, 0, (3, 3, 2)),  # 2.5
    (-5, HALF, 0, (-2, -2, -2)),
    (3, HALF, -1, (1, 1, 1)),  # 0.75: twice rounded 2, then 1
    (-3, HALF, -1, (-1, -1, -1)),  # -0.75: twice rounded -1, then away from zero
    (1, HALF, -1, (1, 0, 0)),  # 0.25: twice rounded 1, then 1
    (10, HALF, -1, (3, 3, 2)),  # 2.5
    (-10, HALF, -1, (-3, -2, -2)),  # -2.5: the second rounding of double goes away from zero
    (1 << 30, 1, 1, (1, 1, 1)),  # nothing saturates: 2^31 / 2^31
    (1 << 20, 3, 31, (3, *[32767] * 2)),  # 2^51 saturates to 2^31 - 1, times 3: 3 - a little
    (-(1 << 20), 3, 31, (-3, *[-32768] * 2)),
    (-(1 << 31), (1 << 31) - 1, -31, (-1, -1, -1)),  # 1 - 2^31 over 2^31
    ((1 << 31) - 1, (1 << 31) - 1, -31, (1, 1, 1)),
    (7, (1 << 31) - 1, 31, (*[32767] * 3,)),
    (7, 0, 31, (0, 0, 0)),
    (5, 1, 31, (1, 5, 5)),  # double: saturated, times 2^-31; the others: no fraction at all
]


@pytest.mark.parametrize("acc_bits", [32, 48])
@pytest.mark.parametrize("place", range(len(ROUNDINGS)))
def test_cases_worked_by_hand(acc_bits, place):
    sums = [
        {"sum": value, "bias": 0, "multiplier": multiplier, "shift": shift}
        for value, multiplier, shift, _ in BY_HAND
    ]
    found = elements(engine(acc_bits), ROUNDINGS[place], OPEN, sums, 0)
    assert found == [case[-1][place] for case in BY_HAND]


def test_a_bias_that_leaves_32_bits_does_not_wrap():
    most = INT32[1]
    sums = [{"sum": most, "bias": most, "multiplier": 1 << 14, "shift": 0}]
    sums += [{"sum": INT32[0], "bias": INT32[0], "multiplier": 1 << 14, "shift": 0}]
    # a product of -2^62 - 2^32: above the bits that are kept one alone tells that it is large
    sums += [{"sum": INT32[0], "bias": INT32[0], "multiplier": HALF + 1, "shift": 0}]
    assert elements(engine(32), "single", OPEN, sums, 0) == [32767, -32768, -32768]
    assert elements(engine(32), "double", OPEN, sums, 0) == [16384, -16384, -32768]


def test_latency_grows_with_weight_zeros_by_their_product():
    for zeros, cycles in ((False, 8), (True, 9)):
        lane = Requantiser(engine(32, zeros))
        assert lane.latency == cycles
