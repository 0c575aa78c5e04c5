"""Sequencer: accepts beats, hands out planes and tells the accumulators what arrives."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, ResetSignal, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import Member

from cimforge.hdl.macro.arbiter import Arbiter, below, one_hot
from cimforge.hdl.macro.bank_entry import BankEntry, encoded
from cimforge.hdl.macro.bank_modes import BankModes
from cimforge.hdl.macro.first_group import FirstGroup
from cimforge.hdl.macro.pair_arbiter import PairArbiter
from cimforge.hdl.macro.slot_arbiter import SlotArbiter
from cimforge.hdl.macro.streams import SINKS, macro_streams, without_data
from cimforge.hdl.macro.token import Token, delayed, delays
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["Sequencer"]

TO_ACCUMULATORS = ("accumulate", "restart", "negate", "ending", "sign")
TO_MATCHES = ("accumulate",)
TO_DIGITS = ("accumulate", "restart")
WITH_PLANES = ("plane_negate", "plane_ending")  # undelayed, for the input sum
WITH_DIGITS = ("plane_ending", "plane_sign")


class Sequencer(Block):
    """Control of one macro: accepts beats, hands out planes and tells the accumulators what
    arrives.

    A pass takes ``ceil(x_bits / bits_per_cycle)`` cycles, most significant planes first, one pass
    after the other without a gap; a read-back is a pass of one one-hot plane that ends on q instead
    of y. What the array needs to know about a plane travels beside it in a token, through as many
    registers as the array and the trees have (config.ranks), and on to the result through those of
    the final adder. Latency from acceptance to y_valid or q_valid: planes + result_ranks + 1
    cycles.

    Flow control: while a result is valid and not ready everything behind it holds (``enable`` low),
    for the accumulators are the only result registers; it is low as well while no plane is on its
    way to them, so that registers of an idle array take no clock. The order of passes, read-backs
    and writes is Arbiter's. Flip-flops are written at the edge that accepts the row; styles with
    write_landing in the cycle after it. No ready depends on its own valid; x_ready and r_ready
    depend on each other's valid and, with write_landing, on w_valid; w_ready depends on no valid.

    Where rows make pairs, a write that is not filled takes a slot: a pass of its neighbour's
    one-hot plane, without result, whose code the accumulators hold in the cycle ``sum_capture``;
    the sum lands in the cycle after it.

    Where weights are in RAMs, ``read_words`` is high with the first plane of a pass that enters
    another bank (BankEntry); addresses are the banks' numbers. A row that shares its port with that
    read lands in the cycle after it.

    While no pass is under way nothing that the array sees changes: planes, selects and read lines
    keep the values of the last one, in a stall and in a reset too, so an idle array burns no power.

    With inputs of -1 and 1 (binary) ``active`` marks the rows that count, ``count`` their number,
    both for the planes that are handed out now.

    Where weights have several slices, ``sign`` and ``sign_flips`` have a line for each: whether the
    bank's, or the offered row's, sign acts there; ``y_mode`` has one for each mode, that of the
    result that stands in the accumulators (BankModes).

    Where passes skip (zero_skip), ``marks`` belongs to the vector that x offers, and a pass begins
    at the group that FirstGroup finds: what is said here of cycles and latency is the most.

    Where planes make digits, ``plane_ending``, and of whole weights ``plane_sign``, tell of the
    planes that are handed out now, and an unsigned pass takes ``ceil((x_bits + 1) /
    bits_per_cycle)`` cycles.

    Reset (``rst``, synchronous, active high) drops passes and tokens and holds every valid and
    ready low; bank signs are weights and keep their value.
    """

    role = "control"
    has_reset = True

    def __init__(self, config: MacroConfig):
        self._config = config
        self.latency = config.result_ranks + 1
        self._standing = {name: Signal(name=f"{name}_valid_q") for name in "yq"}
        streams = {
            name: (Out if name in SINKS else In)(without_data(stream))
            for name, stream in macro_streams(config).items()
        }
        members = {**streams, **self._array_ports(config), **_accumulator_ports(config)}
        super().__init__(config.module, "sequencer", members)

    @staticmethod
    def _array_ports(config: MacroConfig) -> dict[str, Member]:
        """What serialisers and the array are told, and tell."""
        k, banks = config.bits_per_cycle, config.selected_banks
        memory = config.storage_traits.memory
        to_serialisers = {
            "load": Out(int(config.max_planes > 1)),
            "step": Out(1),
            "first": Out(0 if config.binary else config.max_planes),
            "following": Out(config.max_planes - 1),
            "fill": Out(config.fill_bits),
            "sign_plane": Out(k if k > 1 else 0),
            "read": Out(int(config.tree_traits.pairings > 0)),
            "active": Out(config.rows if config.binary else 0),
            "count": Out(config.x_rows_width),
            "read_row": Out(config.rows),
            "marks": In(config.mark_bits if config.skips else 0),
        }
        to_array = {
            "bank_select": Out(banks if banks > 1 else 0),
            "enable": Out(1 if config.ranks else 0),
            "capture": Out(1 if config.write_landing else 0),
            "write_row": Out(config.rows),
            "write_bank": Out(config.bank_bits if memory else banks if banks > 1 else 0),
            "read_words": Out(int(memory)),
            "read_bank": Out(config.bank_bits if memory else 0),
            "bank_exists": Out(int(memory)),
            "sign_flips": Out(config.slices if config.slices > 1 else 0),
            "write_sum": Out(config.pairs),
            "sum_capture": Out(int(config.pairs > 0)),
            "sum_fill": Out(int(config.pairs > 0)),
        }
        return {**to_serialisers, **to_array}

    @property
    def _arbiter(self) -> type[Arbiter]:
        """Who says who may move."""
        return PairArbiter if self._config.pairs else Arbiter

    def _drive(self, m: Module, **values) -> None:
        """Drive those of the ports that exist."""
        m.d.comb += [
            getattr(self, name).eq(value) for name, value in values.items() if hasattr(self, name)
        ]

    def _is_free(self, token: data.View, live: Value) -> Value:
        """Whether a pass may begin after this cycle."""
        return live & (~token.valid | token.last)

    def _is_running(self, token: data.View) -> Value:
        """Whether a pass, or a read-back, has the array."""
        return token.valid

    @property
    def _stalled(self) -> Value:
        """Whether a result stands that is not taken."""
        return (self.y.valid & ~self.y.ready) | (self.q.valid & ~self.q.ready)

    def _build_live(self, m: Module) -> Value:
        """Whether streams may move."""
        return ~ResetSignal()

    def elaborate(self, platform):
        m = Module()
        live = Signal()
        enable = Signal()
        free = Signal()
        m.d.comb += [live.eq(self._build_live(m)), enable.eq(~self._stalled)]
        config = self._config
        arbiter = self._arbiter(m, config, self.x, self.r, self.w, live, free)

        token = Signal(Token, name="token_0")
        m.d.comb += free.eq(self._is_free(token, live))
        bank = self._build_bank(m, arbiter)
        self._build_pass(m, arbiter, token, enable)
        sign: Value = Const(0)
        if config.binary:
            self._build_count(m, arbiter)
        else:
            sign = (self._build_signs(m, arbiter) & bank).any()
        if isinstance(arbiter, SlotArbiter):
            sign &= ~arbiter.reads_array
        m.d.comb += token.sign.eq(sign)
        entry = None
        if self._config.storage_traits.memory:
            entry = BankEntry(m, self._config, token.valid & token.restart & enable & live, bank)
            self._drive(m, read_words=entry.read, read_bank=entry.number, bank_exists=entry.exists)
        arbiter.grant(self._is_running(token), bank, token.last, token.read)
        tokens = delays(m, token, self._config.ranks, enable)
        joining, signing = tokens[-1 - config.join_ranks], tokens[-1 - config.sign_ranks]
        self._build_results(m, arbiter, tokens[-1], (joining, signing), enable)
        if config.slices > 1:
            self._build_modes(m, arbiter, bank, (tokens[-1], signing), enable)
        self._build_write(m, arbiter, entry)
        self._drive_enable(m, tokens, enable)
        self._drive_bank(m, bank)
        self._drive(m, plane_negate=token.negate, plane_ending=token.ending, plane_sign=token.sign)
        return m

    def _drive_enable(self, m: Module, tokens: list[data.View], enable: Value) -> None:
        """Registers of an idle array take no clock."""
        under_way = reduce(or_, (token.valid for token in tokens[:-1]), Const(0))
        self._drive(m, enable=enable & under_way)

    def _drive_accumulate(self, m: Module, token: data.View, enable: Value) -> None:
        """Tell the accumulators that a plane arrives."""
        self._drive(m, accumulate=token.valid & enable)

    def _changes_result(self, token: data.View) -> Value:
        """Whether what arrives at the accumulators is to be seen in the result."""
        return token.valid

    def _stand(self, m: Module, valid: Signal, comes: Value, taken: Value, enable: Value) -> None:
        """Keep whether a result stands, from whether one comes."""
        with m.If(enable):
            m.d.sync += valid.eq(comes)

    def _drive_bank(self, m: Module, bank: Value) -> None:
        """Tell the array which bank a plane belongs to."""
        self._drive(m, bank_select=bank)

    def _build_bank(self, m: Module, arbiter: Arbiter) -> Value:
        """The select lines of the bank of the last pass or read-back, one hot."""
        if self._config.banks == 1:
            return Const(1, 1)
        bank = Signal(self._config.banks, reset_less=True)
        with m.If(arbiter.x_fire):
            m.d.sync += bank.eq(arbiter.banks["x"])
        with m.Elif(arbiter.r_fire):
            m.d.sync += bank.eq(arbiter.banks["r"])
        if isinstance(arbiter, SlotArbiter):
            with m.If(arbiter.slot):
                m.d.sync += bank.eq(arbiter.bank)
        return bank

    def _build_pass(self, m: Module, arbiter: Arbiter, token: data.View, enable: Value) -> None:
        """Selects the group of planes that comes next, a line each, and says what the present one
        means; a read-back has one cycle and no group."""
        marks = getattr(self, "marks", None)
        first = FirstGroup(m, self._config, self.x.bits, self.x.signed, marks)
        running = Signal()
        restart = Signal(reset_less=True)
        signed = Signal(reset_less=True)
        following = Signal(self._config.max_planes - 1)  # none while idle, after a reset too
        reading = Signal(reset_less=True)
        with m.If(arbiter.x_fire):
            m.d.sync += [running.eq(1), restart.eq(1), reading.eq(0)]
            m.d.sync += [following.eq(first.line[1:]), signed.eq(self.x.signed)]
        with m.Elif(arbiter.r_fire):
            m.d.sync += [running.eq(1), restart.eq(1), reading.eq(1)]
            m.d.sync += [following.eq(0), signed.eq(0)]
        with m.Elif(token.last):
            m.d.sync += running.eq(0)
        with m.Elif(running & enable):
            m.d.sync += [following.eq(following >> 1), restart.eq(0)]
        if isinstance(arbiter, SlotArbiter):
            with m.If(arbiter.slot):
                m.d.sync += [running.eq(1), restart.eq(1), reading.eq(1)]
                m.d.sync += [following.eq(0), signed.eq(0)]
        self._drive(m, read=reading)
        self._build_next_planes(m, arbiter, first, following, running & enable)
        m.d.comb += [
            token.valid.eq(running),
            token.restart.eq(restart),
            token.negate.eq(signed & restart),
            token.ending.eq(~following.any()),
            token.last.eq(running & token.ending & enable),
            token.read.eq(running & reading),
        ]

    def _build_count(self, m: Module, arbiter: Arbiter) -> None:
        """The number of rows that count in a pass, and their lines: none in a read-back, whose row
        counts alone, and none for a missing bank."""
        rows = self._config.rows
        count = Signal(self._config.x_rows_width, name="count_q", reset_less=True)
        offered = self.x.rows
        every = offered == 0
        if rows + 1 < 1 << len(offered):
            every |= offered > rows
        exists = arbiter.banks["x"].any()
        with m.If(arbiter.x_fire):
            m.d.sync += count.eq(Mux(exists, Mux(every, rows, offered), 0))
        with m.Elif(arbiter.r_fire):
            m.d.sync += count.eq(0)
        counts = exists & arbiter.x_fire
        active = below(m, "active_line", Mux(counts, Mux(every, rows, offered), 0), rows)
        self._drive(m, count=count, active=active)

    def _build_next_planes(
        self, m: Module, arbiter: Arbiter, first: FirstGroup, following: Value, goes_on: Value
    ) -> None:
        """What the plane register takes at this edge: a vector's first group where one is accepted,
        the row of a read-back or slot, or the ``following`` group of the pass that ``goes_on``, if
        it has one. Planes above the precision carry the sign."""
        row, reads = getattr(self.r, "row", Const(0, 1)), arbiter.r_fire
        if isinstance(arbiter, PairArbiter):
            row, reads = Mux(arbiter.wants, arbiter.row ^ 1, row), reads | arbiter.slot
        # selected before it is known whether anything fires: what does not step is not taken
        ends, x_turn = Signal(name="ends"), Signal(name="x_begins")
        m.d.comb += [ends.eq(~following.any()), x_turn.eq(ends & arbiter.x_turn)]
        lines = one_hot(m, "read_line", row, self._config.rows, ends & ~arbiter.x_turn)
        step = arbiter.x_fire | reads | (goes_on & ~ends)
        self._drive(m, load=arbiter.x_fire, step=step, read_row=lines)
        begins = first.line & x_turn.replicate(len(first.line))
        if self._config.masks_missing:
            begins, following = self._build_missing(m, arbiter, begins, following)
        self._drive(m, following=following, first=begins)
        self._drive(m, fill=first.fill, sign_plane=first.sign_plane)

    def _build_missing(
        self, m: Module, arbiter: Arbiter, begins: Value, following: Value
    ) -> tuple[Value, Value]:
        """The groups selected at a pass's begin, and later, but none of a missing bank: its codes
        are 0, but those of negative digits inverted, which an approximate tree does not sum up to
        what is taken off."""
        exists, kept = arbiter.banks["x"].any(), Signal(name="bank_exists_q", reset_less=True)
        with m.If(arbiter.x_fire):
            m.d.sync += kept.eq(exists)
        begins &= exists.replicate(len(begins))
        return begins, following & kept.replicate(len(following))

    def _build_signs(self, m: Module, arbiter: Arbiter) -> Signal:
        """Bank signs, set by every write to a row that exists."""
        config = self._config
        signs = Signal(config.banks, name="bank_signs", reset_less=True)
        line = arbiter.banks["w"]
        with m.If(arbiter.w_fire & self._row_exists):
            m.d.sync += signs.eq(Mux(self.w.signed, signs | line, signs & ~line))
        return signs

    @property
    def _row_exists(self) -> Value:
        """Whether the row that w offers exists."""
        config = self._config
        return Const(1) if config.rows == 1 << config.row_bits else self.w.row < config.rows

    def _build_modes(
        self, m: Module, arbiter: Arbiter, bank: Value, late: tuple[data.View, ...], enable: Value
    ) -> None:
        """Which slices signs act in, of what arrives and of the row offered, and the mode of the
        result; ``late`` are the tokens that arrive at the accumulators and where signs act."""
        accepted = arbiter.w_fire & self._row_exists
        written = arbiter.banks["w"] & accepted.replicate(self._config.banks)
        modes = BankModes(m, self._config, self.w.fuse, written)
        arriving, signing = late
        ranks = self._config.sign_ranks
        joined = modes.running(bank, enable, self._config.ranks - ranks)
        count = len(joined)
        lines = delayed(m, joined, ranks, enable, shape=count, name="mode_joined")
        y_mode = Signal(len(lines), name="y_mode_q", reset_less=True)
        final = self._config.final_stages
        comes = self._changes_result(arriving)
        valid = delayed(m, comes, final, enable, shape=1, name="mode_valid_final")
        mode = delayed(m, lines, final, enable, shape=len(lines), name="mode_final")
        with m.If(valid & enable):
            m.d.sync += y_mode.eq(mode)
        slices = self._config.slices
        flips = modes.offered_tops() & self.w.signed.replicate(slices)
        sign = modes.tops(joined) & signing.sign.replicate(slices)
        self._drive(m, sign=sign, y_mode=y_mode, sign_flips=flips)

    def _build_results(
        self,
        m: Module,
        arbiter: Arbiter,
        token: data.View,
        late: tuple[data.View, data.View],
        enable: Value,
    ) -> None:
        """Tells the accumulators what arrives, and what joins and whose sign acts (``late``), and
        the streams when a result stands."""
        joining, signing = late
        told = {name: token[name] for name in ("restart", "negate")}
        told |= {"ending": joining.ending, "join_negate": joining.negate}
        if self._config.slices == 1:
            told["sign"] = signing.sign
        self._drive(m, **told)
        self._drive_accumulate(m, token, enable)
        ends = token.valid & token.last
        row_comes, final = token.read, self._config.final_stages
        if isinstance(arbiter, SlotArbiter):
            row_comes = token.read & ~self._build_slot_end(m, arbiter, ends, enable)
        for stream, mine in ((self.y, ~token.read), (self.q, row_comes)):
            valid = self._standing["y" if stream is self.y else "q"]
            comes = delayed(m, ends & mine, final, enable, shape=1, name=f"{valid.name}_final")
            self._stand(m, valid, comes, stream.ready, enable)
            m.d.comb += stream.valid.eq(valid & ~ResetSignal())
        if final:
            self._build_finish(m, ends, enable)

    def _build_finish(self, m: Module, ends: Value, enable: Value) -> None:
        """Tells the final adder's ranks when one of them takes a result."""
        under_way = Signal(self._config.final_stages, name="finishing_q")
        with m.If(enable):
            m.d.sync += under_way.eq(Cat(ends, under_way)[: len(under_way)])
        self._drive(m, finish=under_way.any() & enable)

    def _build_slot_end(self, m: Module, arbiter: SlotArbiter, ends: Value, enable: Value) -> Value:
        """Tells when what a slot reads stands in y; returns whether what arrives at the
        accumulators belongs to a slot."""
        ranks, final = self._config.ranks, self._config.final_stages
        late = delayed(m, arbiter.reads_array, ranks, enable, shape=1, name="reads_neighbour")
        done = delayed(m, ends & late, final, enable, shape=1, name="slot_done_final")
        with m.If(enable):
            m.d.sync += arbiter.done.eq(done)
        return late

    def _build_write(self, m: Module, arbiter: Arbiter, entry: BankEntry | None) -> None:
        """Row lines of a write, high while a row is written, and bank lines: in the accepting
        cycle, or registered for styles that write in the cycle after it."""
        row: Value = getattr(self.w, "row", Const(0, 1))
        bank, fire = arbiter.banks["w"], arbiter.w_fire
        if isinstance(arbiter, PairArbiter):
            fire_q = Signal()
            m.d.sync += fire_q.eq(fire)
            row, bank, fire = arbiter.row, arbiter.bank, fire_q
            self._build_sum_write(m, arbiter)
        elif self._config.write_landing:
            row_q = Signal(len(row), reset_less=True)
            bank_q = Signal(self._config.banks, reset_less=True)
            fire_q = Signal()
            with m.If(fire):
                m.d.sync += [row_q.eq(row), bank_q.eq(bank)]
            waits = arbiter.row_waits
            m.d.sync += fire_q.eq(fire if waits is None else fire | waits)
            row, bank, fire = row_q, bank_q, fire_q
        if entry is not None:
            bank, fire = self._build_word_write(m, arbiter, entry, bank, fire)
        row_lines = one_hot(m, "write_line", row, self._config.rows, fire)
        self._drive(m, capture=arbiter.w_fire, write_row=row_lines, write_bank=bank)

    def _build_word_write(
        self, m: Module, arbiter: Arbiter, entry: BankEntry, bank: Value, accepted: Value
    ) -> tuple[Value, Value]:
        """The number of the bank that an accepted row is written to, and whether it is now: not
        while its port reads."""
        lands = Signal(name="row_lands")
        wanted = accepted & bank.any()
        if arbiter.row_waits is None:
            m.d.comb += lands.eq(wanted)
        else:
            m.d.comb += lands.eq(wanted & ~entry.read)
            m.d.comb += arbiter.row_waits.eq(wanted & entry.read)
        entry.follow(lands, bank)
        return encoded(bank, self._config.bank_bits), lands

    def _build_sum_write(self, m: Module, arbiter: PairArbiter) -> None:
        """When a pair's sum is made, of what, and the line that writes it in the cycle after.

        Of the neighbour's code where a slot is done, else of the row that may come in: so the
        choice waits for no ready, and results do not toggle the adders."""
        capture, lands = Signal(name="captures_sum"), Signal(name="sum_lands")
        m.d.comb += capture.eq(arbiter.filled | arbiter.done)
        m.d.sync += lands.eq(capture)
        lines = one_hot(m, "sum_line", arbiter.row[1:], self._config.pairs, lands)
        self._drive(m, sum_capture=capture, sum_fill=~arbiter.done, write_sum=lines)


def _accumulator_ports(config: MacroConfig) -> dict[str, Member]:
    """What accumulators, and what makes corrections, are told: in the cycle in which the totals
    arrive, or undelayed with the planes."""
    signals = TO_MATCHES if config.binary else TO_DIGITS if config.digits else TO_ACCUMULATORS
    to_accumulators = {name: Out(1) for name in signals}
    to_accumulators["restart"] = Out(int(config.restarts))
    to_accumulators["finish"] = Out(int(config.final_stages > 0))
    summed = config.sums_constants and not config.binary
    told = WITH_DIGITS if config.digits else WITH_PLANES
    with_planes = {name: Out(1) for name in told if summed}
    if config.carry_save:
        with_planes["plane_negate"] = Out(1)
    if config.slices > 1:
        to_accumulators |= {"sign": Out(config.slices), "y_mode": Out(len(config.modes))}
        with_planes["plane_sign"] = Out(0)  # signs go to each slice, with its totals
    joins = {}
    if config.tables and not config.carry_save:
        to_accumulators |= {"restart": Out(0), "negate": Out(0), "ending": Out(0)}
        with_planes["plane_ending"] = Out(0)
        joins = {name: Out(1) for name in ("join_negate", "pass_ends")}
        joins["pass_begins"] = Out(int(config.max_planes > 1))
    return {**with_planes, **to_accumulators, **joins}
