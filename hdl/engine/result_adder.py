"""Results of a pass as sums."""

from amaranth.hdl import Module, Signal, Value, signed
from amaranth.lib.wiring import Component

from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["ResultAdder", "results_bits"]


def results_bits(config: EngineConfig) -> int:
    """Bits of the results of all macros, macro 0 lowest."""
    return config.macros * max(mode.y_width for mode in config.macro.modes)


class ResultAdder(Component):
    """``sums[j] = kept[j] + y[j]`` modulo 2^acc_bits, j < outputs.

    y[j] is output j of the macros side by side in mode ``fuse`` (too large means 0), sign-extended:
    macro m's are those from m * outputs of the mode on; 0 of outputs that the mode does not have.
    ``overflow`` says that a sum left the range of acc_bits, two's complement. Combinational.
    """

    def __init__(self, config: EngineConfig):
        self._config = config
        sums = config.outputs * config.acc_bits
        super().__init__(
            {
                **{"data": In(results_bits(config)), "fuse": In(config.macro.w_fuse_width)},
                **{"kept": In(sums), "sums": Out(sums), "overflow": Out(1)},
            }
        )

    def elaborate(self, platform):
        m = Module()
        width = self._config.acc_bits
        leaves = Signal(self._config.outputs)
        for output, y in enumerate(self._build_results(m)):
            lane = slice(output * width, (output + 1) * width)
            total = Signal(signed(width + 1), name=f"total{output}")
            m.d.comb += [
                total.eq(self.kept[lane].as_signed() + y),
                *(self.sums[lane].eq(total), leaves[output].eq(total[-1] ^ total[-2])),
            ]
        m.d.comb += self.overflow.eq(leaves.any())
        return m

    def _build_results(self, m: Module) -> list[Signal]:
        """Each output as the mode has it."""
        config, modes = self._config, self._config.macro.modes
        results = []
        for output in range(config.outputs):
            y = Signal(signed(max(mode.y_bits for mode in modes)), name=f"y{output}")
            choices = [self._result(number, output) for number in range(len(modes))]
            with m.Switch(self.fuse):
                for number, choice in enumerate(choices[1:], 1):
                    with m.Case(number):
                        m.d.comb += y.eq(choice)
                with m.Default():
                    m.d.comb += y.eq(choices[0])
            results.append(y)
        return results

    def _result(self, mode: int, output: int) -> Value | int:
        """Where an output lies in the results of a mode."""
        config, own = self._config, self._config.macro.modes[mode]
        macro, place = divmod(output, own.outputs)
        if macro >= config.macros:
            return 0
        low = macro * (results_bits(config) // config.macros) + place * own.y_bits
        return self.data[low : low + own.y_bits].as_signed()
