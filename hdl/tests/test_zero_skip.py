"""zero_skip: where the sequencer begins, what finds it, and that it is absent where it is off."""

from itertools import product
from random import Random

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from cimforge.hdl.macro.first_group import FirstGroup
from cimforge.hdl.macro.top import macro_modules
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.tests.sequencer_run import first_cycle


def skipping(**parameters) -> MacroConfig:
    """A small macro with zero_skip."""
    return MacroConfig(**{"rows": 2, "cols": 1, **parameters}, features=["zero_skip"])


class Begin(Block):
    """FirstGroup behind ports."""

    role = "control"

    def __init__(self, config: MacroConfig):
        self.config = config
        k, groups = config.bits_per_cycle, config.max_planes
        ports = {
            **{"bits": In(config.x_bits_width), "signed": In(1)},
            **{"marks": In(config.mark_bits), "line": Out(groups)},
            **{"fill": Out(max(1, config.fill_bits)), "sign_plane": Out(k)},
        }
        super().__init__("test", "begin", ports)

    def elaborate(self, platform):
        m = Module()
        first = FirstGroup(m, self.config, self.bits, self.signed, self.marks)
        for name in ("line", "fill", "sign_plane"):
            m.d.comb += getattr(self, name).eq(getattr(first, name))
        return m


@pytest.mark.parametrize(
    ("input_bits", "k", "multiply"),
    [
        *((8, 1, "plain"), (6, 2, "plain"), (6, 3, "plain"), (9, 3, "plain"), (16, 4, "plain")),
        *((6, 2, "booth"), (4, 4, "booth"), (16, 4, "booth")),
    ],
)
def test_a_pass_begins_at_the_highest_mark_below_the_precision(input_bits, k, multiply):
    config = skipping(input_bits=input_bits, bits_per_cycle=k, multiply=multiply)
    random = Random(input_bits)
    block = Begin(config)
    top = Module()
    top.domains.sync = ClockDomain()
    top.submodules.block = block

    async def drive(ctx):
        for precision, signed in product(range(input_bits + 2), (0, 1)):
            x_bits = config.effective_x_bits(precision)
            for _ in range(12):
                marks = random.getrandbits(config.mark_bits) >> random.randrange(input_bits)
                beyond = x_bits + (config.digits and not signed)  # an unsigned digit's upper plane
                marked = [plane for plane in range(k, beyond) if marks >> plane - k & 1]
                begin = max(marked, default=0) // k
                most = config.cycles_per_pass(x_bits, bool(signed)) - 1
                fill, sign = first_cycle(config, x_bits, bool(signed))
                if begin < most:  # a whole group, whose top plane carries the sign
                    fill, sign = 0, signed << (k - 1)
                for port, value in ((block.bits, precision), (block.signed, signed)):
                    ctx.set(port, value)
                ctx.set(block.marks, marks)
                found = tuple(map(ctx.get, (block.line, block.fill, block.sign_plane)))
                assert found == (1 << begin, fill, sign), f"{precision} bits, marks {marks:b}"

    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.run()


def kinds(config: MacroConfig) -> set[str]:
    return {module.kind for module in macro_modules(config)}


def test_marks_are_built_where_passes_can_be_shorter():
    assert {"plane_mark", "plane_marks"} <= kinds(skipping())
    assert not {"plane_mark", "plane_marks"} & kinds(skipping(input_bits=4, bits_per_cycle=4))
    assert not {"plane_mark", "plane_marks"} & kinds(MacroConfig(rows=2, cols=1))


def test_formulas_are_the_most_that_a_vector_takes():
    plain, config = MacroConfig(rows=2, cols=1), skipping()
    assert config.skips
    assert not plain.skips
    assert config.cycles_per_pass() == plain.cycles_per_pass() == 8
    assert config.latency() == plain.latency() == 9
    assert config.module != plain.module
