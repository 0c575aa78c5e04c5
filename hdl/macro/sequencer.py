"""Sequencer: the streams' handshakes and the order of passes, writes and read-backs."""

from amaranth.hdl import Const, Module, Mux, ResetSignal, Signal, Value
from amaranth.lib.data import StructLayout

from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["Sequencer", "one_hot"]


def one_hot(index: Value, count: int) -> Value:
    """``count`` bits with bit ``index`` set; none where index >= count."""
    return (Const(1, count) << index)[:count] if count > 1 else Const(1, 1)


class Sequencer(Block):
    """Control of one macro: accepts beats, hands out planes and tells the accumulators what
    arrives.

    A pass takes ``ceil(x_bits / bits_per_cycle)`` cycles, most significant planes first, one pass
    after the other without a gap; a read-back is a pass of one one-hot plane that ends on q instead
    of y. What the array needs to know about a plane travels beside it in a token through
    ``pipeline_stages`` ranks. Latency from acceptance to y_valid or q_valid: planes +
    pipeline_stages + 1 cycles.

    Flow control: while a result is valid and not ready everything behind it holds (``enable`` low),
    for the accumulators are the only result registers. x and r share the array and take turns when
    both wait. A write to the bank of a running pass waits for the pass's last cycle, and then goes
    before the next pass; where a vector waits behind a read-back, the vector goes first. Flip-flops
    are written at the edge that accepts the row; latches in the low phase of the cycle after it, so
    a vector or read-back of that bank is then held back by one cycle, after which it goes before
    any further write. No ready depends on its own valid; x_ready and r_ready depend on each other's
    valid and, with latches, on w_valid; w_ready depends on no valid.

    Reset (``rst``, synchronous, active high) drops passes and tokens and holds every valid and
    ready low; bank signs are weights and keep their value.
    """

    has_reset = True

    def __init__(self, config: MacroConfig):
        self._config = config
        k, bank, row = config.bits_per_cycle, In(config.bank_bits), In(config.row_bits)
        late = config.write_landing > 0
        ports = {
            **{
                "x_valid": In(1),
                "x_ready": Out(1),
                "x_bits": In(config.x_bits_width),
                "x_signed": In(1),
                "x_bank": bank,
            },
            **{"y_valid": Out(1), "y_ready": In(1)},
            **{
                "w_valid": In(1),
                "w_ready": Out(1),
                "w_bank": bank,
                "w_row": row,
                "w_signed": In(1),
            },
            **{"r_valid": In(1), "r_ready": Out(1), "r_bank": bank, "r_row": row},
            **{"q_valid": Out(1), "q_ready": In(1)},
            # to the serialisers
            **{
                "load": Out(1),
                "plane": Out((config.max_planes - 1).bit_length()),
                "fill": Out(k - 1),
            },
            **{"sign_plane": Out(k if k > 1 else 0), "read": Out(1), "read_row": Out(config.rows)},
            # to the words and trees
            **{
                "bank_select": Out(config.banks if config.banks > 1 else 0),
                "enable": Out(1 if config.pipeline_stages else 0),
            },
            **{
                "capture": Out(1 if late else 0),
                "write_row": Out(config.rows),
                "write_bank": Out(config.banks),
            },
            # to the accumulators, in the cycle in which the totals arrive
            **{"accumulate": Out(1), "restart": Out(1), "negate": Out(1), "sign": Out(1)},
        }
        super().__init__(config.module, "sequencer", ports)

    def _port(self, name: str) -> Value:
        """A port, or 0 where its width is 0."""
        return getattr(self, name, Const(0, 1))

    def _drive(self, m: Module, **values) -> None:
        """Drive those of the ports that exist."""
        m.d.comb += [
            getattr(self, name).eq(value) for name, value in values.items() if hasattr(self, name)
        ]

    def elaborate(self, platform):
        m = Module()
        banks = self._config.banks
        live = Signal()
        enable = Signal()
        m.d.comb += live.eq(~ResetSignal())
        m.d.comb += enable.eq(~((self.y_valid & ~self.y_ready) | (self.q_valid & ~self.q_ready)))
        self._drive(m, enable=enable)

        active = Signal()
        reading = Signal()
        restart = Signal()
        prefer_x = Signal()
        plane = Signal(max(1, (self._config.max_planes - 1).bit_length()))
        bank = Signal(banks) if banks > 1 else Const(1, 1)
        last = Signal()
        slot = Signal()
        m.d.comb += last.eq(active & (plane == 0) & enable)
        m.d.comb += slot.eq(live & (~active | last))

        x_bank, r_bank, w_bank = (Signal(banks, name=f"{s}_bank_select") for s in "xrw")
        for select, stream in ((x_bank, "x"), (r_bank, "r"), (w_bank, "w")):
            m.d.comb += select.eq(one_hot(self._port(f"{stream}_bank"), banks))
        x_held, r_held, w_held = self._build_write_order(m, slot, x_bank, r_bank, w_bank)
        m.d.comb += self.x_ready.eq(slot & ~x_held & ~(self.r_valid & ~prefer_x))
        m.d.comb += self.r_ready.eq(slot & ~r_held & ~(self.x_valid & prefer_x))
        x_waits_q = Signal()
        m.d.sync += x_waits_q.eq(self.x_valid & ~self.x_ready)
        busy = active & (w_bank & bank).any() & ~(last & ~(reading & x_waits_q))
        m.d.comb += self.w_ready.eq(live & ~w_held & ~busy)

        x_fire = Signal()
        r_fire = Signal()
        w_fire = Signal()
        m.d.comb += x_fire.eq(self.x_valid & self.x_ready)
        m.d.comb += r_fire.eq(self.r_valid & self.r_ready)
        m.d.comb += w_fire.eq(self.w_valid & self.w_ready)
        self._build_pass(m, x_fire, r_fire, last, enable, active, reading, restart, plane)
        with m.If(x_fire | r_fire):
            m.d.sync += prefer_x.eq(r_fire)
            if banks > 1:
                m.d.sync += bank.eq(Mux(x_fire, x_bank, r_bank))
        self._drive(m, bank_select=bank)

        sign = self._build_signs(m, w_fire, w_bank, bank)
        negate = self._build_precision(m, x_fire, r_fire, restart)
        self._build_tokens(m, enable, active, last, reading, restart, negate, sign)
        self._build_write(m, w_fire, w_bank)
        return m

    def _build_write_order(self, m, slot, x_bank, r_bank, w_bank):
        """With latches: what a write accepted now, which lands in the next cycle, holds back; else
        nothing."""
        if self._config.write_landing == 0:
            return Const(0), Const(0), Const(0)
        turn_q = Signal()
        x_held = Signal()
        r_held = Signal()
        w_fire = self.w_valid & self.w_ready
        m.d.comb += x_held.eq(w_fire & (x_bank & w_bank).any())
        m.d.comb += r_held.eq(w_fire & (r_bank & w_bank).any())
        m.d.sync += turn_q.eq(slot & ((x_held & self.x_valid) | (r_held & self.r_valid)))
        return x_held, r_held, turn_q

    def _build_pass(self, m, x_fire, r_fire, last, enable, active, reading, restart, plane):
        """Counts a pass's planes down to 0; a read-back has one."""
        first_plane = Signal(len(plane))
        with m.Switch(self.x_bits):
            for bits in range(1, self._config.input_bits + 1):
                with m.Case(bits):
                    m.d.comb += first_plane.eq(self._config.cycles_per_pass(bits) - 1)
            with m.Default():
                m.d.comb += first_plane.eq(self._config.max_planes - 1)
        with m.If(x_fire | r_fire):
            m.d.sync += [
                active.eq(1),
                reading.eq(r_fire),
                restart.eq(1),
                plane.eq(Mux(x_fire, first_plane, 0)),
            ]
        with m.Elif(last):
            m.d.sync += [active.eq(0), reading.eq(0)]
        with m.Elif(enable):
            m.d.sync += [plane.eq(plane - 1), restart.eq(0)]
        row_q = Signal(max(1, self._config.row_bits))
        with m.If(r_fire):
            m.d.sync += row_q.eq(self._port("r_row"))
        lines = one_hot(row_q, self._config.rows) & reading.replicate(self._config.rows)
        self._drive(m, load=x_fire, plane=plane, read=reading, read_row=lines)

    def _build_precision(self, m, x_fire, r_fire, restart):
        """Which planes of the first cycle carry the sign; returns whether its top plane counts
        negative."""
        k = self._config.bits_per_cycle
        signed_q = Signal()
        fill_q = Signal(max(1, k - 1))
        fill = Signal(max(1, k - 1))
        sign_plane_q = Signal(k)
        sign_plane = Signal(k)
        with m.Switch(self.x_bits):
            for bits in range(1, self._config.input_bits + 1):
                in_top = bits - k * (self._config.cycles_per_pass(bits) - 1)
                with m.Case(bits):
                    m.d.comb += fill.eq(sum(1 << (j - 1) for j in range(in_top, k)))
                    m.d.comb += sign_plane.eq(self.x_signed << (in_top - 1))
            with m.Default():
                m.d.comb += sign_plane.eq(self.x_signed << (k - 1))
        with m.If(x_fire | r_fire):
            m.d.sync += signed_q.eq(self.x_signed & x_fire)
        if k > 1:
            with m.If(x_fire):
                m.d.sync += [fill_q.eq(fill), sign_plane_q.eq(sign_plane)]
            m.d.comb += self.fill.eq(fill_q & restart.replicate(k - 1))
            m.d.comb += self.sign_plane.eq(sign_plane_q)
        return signed_q & restart

    def _build_signs(self, m, w_fire, w_bank, bank):
        """Bank signs, set by every write to a row that exists; returns the active bank's."""
        signs_q = Signal(self._config.banks, reset_less=True)
        rows = self._config.rows
        every_row_exists = rows == 1 << self._config.row_bits
        exists = Const(1) if every_row_exists else self._port("w_row") < rows
        with m.If(w_fire & exists):
            m.d.sync += signs_q.eq(Mux(self.w_signed, signs_q | w_bank, signs_q & ~w_bank))
        return (signs_q & bank).any()

    def _build_tokens(self, m, enable, active, last, reading, restart, negate, sign):
        """Carries what a plane means through as many ranks as the trees have, then to the
        outputs."""
        flags = ("valid", "restart", "negate", "sign", "last", "read")
        layout = StructLayout(dict.fromkeys(flags, 1))
        token = Signal(layout, name="token_0")
        m.d.comb += [token.valid.eq(active), token.last.eq(last), token.read.eq(reading)]
        m.d.comb += [token.restart.eq(restart), token.negate.eq(negate), token.sign.eq(sign)]
        for stage in range(1, self._config.pipeline_stages + 1):
            following = Signal(layout, name=f"token_{stage}")
            with m.If(enable):
                m.d.sync += following.eq(token)
            token = following
        m.d.comb += [
            self.restart.eq(token.restart),
            self.negate.eq(token.negate),
            self.sign.eq(token.sign),
        ]
        m.d.comb += self.accumulate.eq(token.valid & enable)

        y_valid_q = Signal()
        q_valid_q = Signal()
        with m.If(enable):
            m.d.sync += y_valid_q.eq(token.valid & token.last & ~token.read)
            m.d.sync += q_valid_q.eq(token.valid & token.last & token.read)
        m.d.comb += [
            self.y_valid.eq(y_valid_q & ~ResetSignal()),
            self.q_valid.eq(q_valid_q & ~ResetSignal()),
        ]

    def _build_write(self, m, w_fire, w_bank):
        """Row and bank lines of a write: in the accepting cycle, or registered for the latches'
        cycle after it."""
        row, rows, banks = self._port("w_row"), self._config.rows, self._config.banks
        lines = w_bank & w_fire.replicate(banks)
        if self._config.write_landing:
            row_q = Signal(len(row))
            lines_q = Signal(banks)
            with m.If(w_fire):
                m.d.sync += row_q.eq(row)
            m.d.sync += lines_q.eq(lines)
            row, lines = row_q, lines_q
        self._drive(m, capture=w_fire, write_row=one_hot(row, rows), write_bank=lines)
