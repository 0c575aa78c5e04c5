"""Blocks without leaf cells in the Python simulator, against plain Python."""

from collections.abc import Callable, Iterable
from random import Random

import pytest
from amaranth.hdl import ClockDomain, Module, Signal
from amaranth.sim import Simulator

from cimforge.hdl.cells.flop import FlopGate, FlopStore
from cimforge.hdl.cells.plain_multiply import Multiplier
from cimforge.hdl.macro.arbiter import below, one_hot
from cimforge.hdl.macro.serialiser import Serialiser
from cimforge.hdl.netlist.block import Block
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.tests.configs import DIVERSE, macro
from cimforge.hdl.tests.sequencer_run import first_cycle


def simulate(block: Block, drive: Callable) -> None:
    """Run ``drive(ctx)`` beside a clocked block."""
    top = Module()
    top.domains.sync = ClockDomain(reset_less=True)
    top.submodules.block = block
    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.run()


def fits(ctx, block: Block, values: dict[str, int]) -> None:
    """Set those of the ports that the block has."""
    for name, value in values.items():
        if name in block.signature.members:
            ctx.set(getattr(block, name), value)


def random_values(block: Block, random: Random, names: Iterable[str]) -> dict[str, int]:
    """Random values of the named ports; 0 for one that the config leaves out."""
    return {
        name: random.getrandbits(len(getattr(block, name)))
        if name in block.signature.members
        else 0
        for name in names
    }


@pytest.mark.parametrize("name", DIVERSE)
def test_multiplier_masks_the_selected_bank(name):
    config = DIVERSE[name]
    block, random, width = Multiplier(config), Random(name), config.weight_bits

    async def drive(ctx):
        for bank in [*range(config.selected_banks), None] * 3:
            stored, planes_n = (
                random.getrandbits(len(port)) for port in (block.stored, block.planes_n)
            )
            select = 0 if bank is None else 1 << bank
            fits(ctx, block, {"stored": stored, "planes_n": planes_n, "bank_select": select})
            if config.selected_banks == 1:
                code = ~stored % 2**width
            else:
                code = 0 if bank is None else (stored >> bank * width) % 2**width
            planes = [not (planes_n >> j) & 1 for j in range(config.bits_per_cycle)]
            products = sum(code << j * width for j, plane in enumerate(planes) if plane)
            assert ctx.get(block.products) == products

    simulate(block, drive)


def test_multiplier_of_one_bit_is_a_nor():
    block = Multiplier(macro(1, 1, 1, 1))

    async def drive(ctx):
        for stored, plane_n in [(0, 0), (0, 1), (1, 0), (1, 1)]:
            fits(ctx, block, {"stored": stored, "planes_n": plane_n})
            assert ctx.get(block.products) == (not (stored or plane_n))

    simulate(block, drive)


def test_flop_store_takes_its_weight_while_gated():
    config, random = macro(1, 1, 5, 1), Random(1)
    block = FlopStore(config)

    async def drive(ctx):
        ctx.set(block.gate, 1)
        held = None
        for cycle in range(60):
            value, gate = random.getrandbits(5), cycle == 0 or random.random() < 0.4
            ctx.set(block.d, value)
            ctx.set(block.gate, gate)
            assert held is None or ctx.get(block.q) == held, "q changes before the edge"
            await ctx.tick()
            held = value if gate else held
            assert ctx.get(block.q) == held

    simulate(block, drive)


@pytest.mark.parametrize("banks", [1, 2, 3, 64])
def test_flop_gate_enables_one_bank_of_a_selected_row(banks):
    block = FlopGate(macro(1, 1, 1, 1, banks=banks))

    async def drive(ctx):
        for bank in range(banks + 1):
            for row in (0, 1):
                lines = 1 << bank if bank < banks else 0
                fits(ctx, block, {"row": row, "bank": lines})
                opened = lines if banks > 1 else 1
                assert ctx.get(block.gate) == (opened if row else 0)

    simulate(block, drive)


def planes_of(config: MacroConfig, element: int, x_bits: int, signed: bool) -> list[int]:
    """Groups of k planes, most significant first, of one extended element: what a pass sees."""
    k = config.bits_per_cycle
    element %= 2**x_bits
    negative = signed and element >> (x_bits - 1)
    extended = element - 2**x_bits if negative else element
    groups = range(config.cycles_per_pass(x_bits))
    return [(extended >> group * k) % 2**k for group in reversed(groups)]


SERIALISERS = [(1, 1), (5, 1), (8, 1), (6, 2), (6, 3), (9, 3), (4, 4), (16, 4), (15, 5)]


@pytest.mark.parametrize(("input_bits", "k"), SERIALISERS)
def test_serialiser_hands_out_extended_planes_of_every_precision(input_bits, k):
    config, random = macro(1, 1, 1, input_bits, k), Random(input_bits)
    block = Serialiser(config)

    async def drive(ctx):
        for x_bits in range(1, input_bits + 1):
            for signed in (False, True):
                element, other = (random.getrandbits(input_bits) for _ in range(2))
                groups = planes_of(config, element, x_bits, signed)
                fill, sign_plane = first_cycle(config, x_bits, signed)
                fits(ctx, block, {"fill": fill, "sign_plane": sign_plane})
                for number, planes in enumerate(groups):
                    line, first = 1 << len(groups) - 1 - number, number == 0
                    held = (other if first else element) % 2 ** (input_bits - k)
                    fits(ctx, block, {"x": element if first else other, "element": held})
                    fits(ctx, block, {"first": line * first, "following": line * (not first)})
                    assert ctx.get(block.planes_n) == planes ^ (2**k - 1)

    simulate(block, drive)


@pytest.mark.parametrize(("input_bits", "k"), SERIALISERS)
def test_serialiser_reads_back_with_plane_0_alone(input_bits, k):
    block, random = Serialiser(macro(1, 1, 1, input_bits, k)), Random(k)

    async def drive(ctx):
        for _ in range(20):
            names = ("x", "element", "fill", "sign_plane", "read_row")
            values = random_values(block, random, names)
            fits(ctx, block, values)
            assert ctx.get(block.planes_n) == 2**k - 1 - values["read_row"]

    simulate(block, drive)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 64])
def test_one_hot_has_no_line_for_what_does_not_exist(count):
    top, bits = Module(), max(1, (count - 1).bit_length())
    index, enable, lines = Signal(bits), Signal(), Signal(count)
    top.d.comb += lines.eq(one_hot(top, "line", index, count, enable))

    async def drive(ctx):
        for value in range(2**bits if count > 1 else 1):
            for on in (0, 1):
                ctx.set(index, value)
                ctx.set(enable, on)
                assert ctx.get(lines) == (on << value if value < count else 0)

    simulator = Simulator(top)
    simulator.add_testbench(drive)
    simulator.run()


def test_a_block_leaves_out_ports_without_bits():
    blocks = {
        Serialiser: {"x", "first", "read_row", "planes_n"},
        Multiplier: {"stored", "planes_n", "products"},
    }
    for kind, names in blocks.items():
        block = kind(macro(1, 1, 1, 1))

        async def drive(ctx, block=block, names=names):
            assert set(block.signature.members) == names

        simulate(block, drive)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 8, 9, 33])
def test_lines_below_a_number(count):
    m = Module()
    number, lines = Signal(count.bit_length()), Signal(count)
    m.d.comb += lines.eq(below(m, "line", number, count))

    async def drive(ctx):
        for value in range(count + 1):
            ctx.set(number, value)
            await ctx.delay(1e-9)
            assert ctx.get(lines) == (1 << value) - 1

    simulator = Simulator(m)
    simulator.add_testbench(drive)
    simulator.run()
