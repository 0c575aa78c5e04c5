"""Which banks may be written and which may compute."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import Component

from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["BankGuard"]


class BankGuard(Component):
    """Keeps a bank's rows from changing while vectors are left that need them.

    ``load_safe`` says that no RUN of ``load_bank`` has vectors still to hand over, of at most
    ``most`` RUNs, which hand over in order; ``run_safe`` that no LOAD of ``run_bank`` is under way.
    ``loads`` and ``runs`` begin one, ``loaded`` and ``released`` end the oldest. With several
    modes ``run_fuse`` is that of the newest LOAD of ``run_bank``, whose ``load_fuse`` was given
    with it. Latency 1 cycle.
    """

    latency = 1

    def __init__(self, config: EngineConfig, most: int):
        self._config, self._most = config, most
        bank, fuse = max(1, config.macro.bank_bits), max(1, config.macro.w_fuse_width)
        super().__init__(
            {
                **{"load_bank": In(bank), "run_bank": In(bank), "load_fuse": In(fuse)},
                **{"loads": In(1), "runs": In(1), "loaded": In(1), "released": In(1)},
                **{"load_safe": Out(1), "run_safe": Out(1), "run_fuse": Out(fuse)},
            }
        )

    def elaborate(self, platform):
        m = Module()
        loading, loading_bank = Signal(), Signal.like(self.load_bank)
        m.d.comb += self.run_safe.eq(~loading | (loading_bank != self.run_bank))
        with m.If(self.loads):
            m.d.sync += [loading.eq(1), loading_bank.eq(self.load_bank)]
        with m.Elif(self.loaded):
            m.d.sync += loading.eq(0)

        banks = [Signal.like(self.run_bank, name=f"run_bank{n}") for n in range(self._most)]
        count, left = Signal(range(self._most + 1)), Signal(range(self._most + 1))
        used = [(count > n) & (bank == self.load_bank) for n, bank in enumerate(banks)]
        m.d.comb += [self.load_safe.eq(~Cat(used).any()), left.eq(count - self.released)]
        m.d.sync += count.eq(left + self.runs)
        for place, bank in enumerate(banks):
            older = banks[place + 1] if place + 1 < self._most else bank
            moved = Mux(self.released, older, bank)
            m.d.sync += bank.eq(Mux(self.runs & (left == place), self.run_bank, moved))
        self._build_modes(m)
        return m

    def _build_modes(self, m: Module) -> None:
        """The mode of each bank."""
        width = self._config.macro.w_fuse_width
        if not width:
            m.d.comb += self.run_fuse.eq(Const(0, 1))
            return
        modes = Array(
            Signal(width, name=f"bank_fuse{n}", reset_less=True)
            for n in range(self._config.macro.banks)
        )
        with m.If(self.loads):
            m.d.sync += modes[self.load_bank].eq(self.load_fuse)
        m.d.comb += self.run_fuse.eq(modes[self.run_bank])
