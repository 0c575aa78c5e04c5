"""Fusion: the sums of a column's weight slices as results of the weights that a bank makes of
them."""

from amaranth.hdl import Cat, Module, Signal, Value

from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.arith.plan import Operand, Plan
from cimforge.hdl.arith.planners import plan_sum
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.netlist.drivers import LOADS, spread
from cimforge.hdl.netlist.structure import Structure, constant
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.mode import Mode

__all__ = ["Fusion", "build_fusion_sum", "build_mode_select", "fusion_plan", "parts_of"]


def parts_of(config: MacroConfig, mode: Mode) -> Mode:
    """The mode whose results are the parts of this one's: the widest that divides it."""
    narrower = [each for each in config.modes if each.fused < mode.fused]
    return next(each for each in narrower if mode.fused % each.fused == 0)


def fusion_plan(config: MacroConfig, mode: Mode) -> Plan:
    """Plan of ``sum over i of 2^(i n) part_i`` modulo 2^y_bits, n the weight bits of a part.

    Terms in order: the parts, the least significant first, each sign-extended to the top of the
    result: y_bits - i n bits.
    """
    part, operands, low = parts_of(config, mode), [], 0
    for shift in range(0, mode.weight_bits, part.weight_bits):
        width = mode.y_bits - shift
        operands.append(Operand(tuple(range(low, low + width)), shift))
        low += width
    return plan_sum(config.tree, operands, mode.y_bits, final=config.final_adder)


def build_fusion_sum(config: MacroConfig, mode: Mode) -> Structure:
    """The adder of one result of ``mode`` as a structural module, combinational."""
    comment = f"Result of {mode.fused} fused slices."
    plan = fusion_plan(config, mode)
    return build_adder(config.module, f"fused{mode.fused}_sum", comment, plan, role="accumulate")


class Fusion(Block):
    """Results of one column in each mode: ``y[s] = sum over i < f of 2^(i slice_bits) sums[f s +
    i]`` for weight s of f slices each.

    ``sums`` holds the accumulators' results of the column's slices side by side, the least
    significant lowest, each two's complement in the narrowest mode's y_bits; ``y0``, ``y1``, ...
    the results of mode 0, 1, ..., the last one's sums themselves left out, result s of mode m at
    bit s * y_bits(m). A wide weight's result is the sum of those of the widest mode
    that divides it, each shifted by its weights below. Nothing overflows: y_bits of each mode
    holds its results. Combinational (latency 0), behind the accumulators: no result is held twice.
    """

    role = "accumulate"

    def __init__(self, config: MacroConfig):
        self._config = config
        modes, single = config.modes, config.modes[-1]
        wide = modes[:-1]
        ports = {"sums": In(config.slices * single.y_bits)}
        ports |= {f"y{n}": Out(mode.y_width // config.cols) for n, mode in enumerate(wide)}
        adders = {mode: build_fusion_sum(config, mode) for mode in wide}
        inner = {
            f"fused{mode.fused}_sum{place}": adder
            for mode, adder in adders.items()
            for place in range(config.slices // mode.fused)
        }
        super().__init__(config.module, "fusion", ports, inner)

    def elaborate(self, platform):
        m = Module()
        modes = self._config.modes
        made: dict[Mode, Value] = {modes[-1]: self.sums}
        for mode in reversed(modes[:-1]):
            part = parts_of(self._config, mode)
            made[mode] = self._build_sums(m, mode, part, made[part])
        for number, mode in enumerate(modes[:-1]):
            m.d.comb += getattr(self, f"y{number}").eq(made[mode])
        return m

    def _build_sums(self, m: Module, mode: Mode, part: Mode, parts: Value) -> Signal:
        """The results of a mode, side by side, of those of its parts."""
        count, each = self._config.slices // mode.fused, mode.fused // part.fused
        results = Signal(mode.y_bits * count, name=f"fused{mode.fused}")
        for place in range(count):
            extended = [
                _extended(parts.word_select(place * each + i, part.y_bits), width)
                for i, width in enumerate(range(mode.y_bits, 0, -part.weight_bits)[:each])
            ]
            terms = Signal(sum(map(len, extended)), name=f"parts{mode.fused}_{place}")
            total = Signal(mode.y_bits, name=f"total{mode.fused}_{place}")
            name = f"fused{mode.fused}_sum{place}"
            m.d.comb += terms.eq(Cat(extended))
            m.submodules[name] = self.instance(name, terms=terms, total=total)
            m.d.comb += results.word_select(place, mode.y_bits).eq(total)
        return results


def build_mode_select(config: MacroConfig) -> Structure:
    """Structure ``y``: the results ``y0``, ``y1``, ... of that mode whose line of ``mode`` is high,
    all columns' from bit 0 up, other bits 0. Combinational: a pass's mode stands beside its
    result."""
    sentence = "Results of all columns in the mode of their bank."
    out = Structure(config.module, "mode_select", sentence, role="accumulate")
    modes = config.modes
    mode = out.port("input", "mode", len(modes))
    results = [out.port("input", f"y{n}", each.y_width) for n, each in enumerate(modes)]
    y = out.port("output", "y", max(result.width for result in results))
    lines = []
    for number, result in enumerate(results):
        line = out.wire(f"mode{number}")
        out.assign(line, mode.bits(number))
        lines.append(spread(out, line, result.width, 1, "accumulate"))
    for low in range(0, y.width, LOADS):
        chosen = []
        for result, driven in zip(results, lines, strict=True):
            count = min(LOADS, result.width - low)
            if count > 0:
                gap = min(LOADS, y.width - low) - count
                part = f"{result.bits(low, count)} & {{{count}{{{driven(low)}}}}}"
                chosen.append(f"{{{constant(0, gap)}, {part}}}" if gap else f"({part})")
        out.assign(y.bits(low, min(LOADS, y.width - low)), " | ".join(chosen))
    return out


def _extended(number: Value, width: int) -> Value:
    """A two's complement number in ``width`` bits."""
    return Cat(number, number[-1].replicate(width - len(number)))
