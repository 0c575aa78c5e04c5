"""What each adder module of a macro must compute, from the configuration alone: no planner is
asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cimforge.flow.formal.kept_places import kept_places
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.mode import Mode
from cimforge.hdl.params.ranges import unsigned_width

__all__ = [
    "Atom",
    "Claim",
    "Pair",
    "Word",
    "macro_claims",
    "negated_claims",
    "unclaimed_sums",
]

Atom = int | tuple[str, frozenset]  # a bit of ``terms``, or a gate of two atoms


@dataclass(frozen=True)
class Word:
    """An unsigned operand: ``width`` bits of the input port from ``low`` up, worth ``2**shift``
    times its value, which is at most ``most``; or, ``inverted``, what it lacks to all ones."""

    low: int
    width: int
    shift: int
    most: int
    inverted: bool = False


@dataclass(frozen=True)
class Pair:
    """An operand of one bit, worth ``2**shift``: the ``and`` or ``or`` of two bits of the input
    port, which may be pairs themselves. What an approximate tree adds in place of both."""

    kind: str
    inputs: tuple["int | Pair", "int | Pair"]
    shift: int = 0

    @property
    def atom(self) -> Atom:
        """Equal for equal functions, whatever the order of the inputs."""
        return self.kind, frozenset(i if isinstance(i, int) else i.atom for i in self.inputs)

    @property
    def inner(self) -> list["Pair"]:
        """The pairs in it, itself last."""
        below = (pair for pair in self.inputs if isinstance(pair, Pair))
        return [*(inner for pair in below for inner in pair.inner), self]

    @property
    def places(self) -> list[int]:
        """The bits of the input port in it."""
        return [i for pair in self.inner for i in pair.inputs if isinstance(i, int)]


@dataclass(frozen=True)
class Claim:
    """``total = sum of the words and pairs``, ``depth`` registers after ``terms``; exactly, or
    where it is ``modular`` modulo ``2**total_bits``; while the input ports ``tied`` are 0 and those
    of ``high`` are 1. The terms of each of ``copies`` are one net, wherever the module is placed;
    ``loose`` terms may be constant, or one net; the nets that an ``alternative`` adds, other
    modules may add in another way. A sum that is left carry-save has its bits at ``places``, powers
    of two."""

    module: str
    sentence: str
    words: tuple[Word, ...]
    total_bits: int
    depth: int = 0
    modular: bool = False
    pairs: tuple[Pair, ...] = ()
    tied: tuple[str, ...] = ()
    copies: tuple[range, ...] = ()
    high: tuple[str, ...] = ()
    loose: range = range(0)
    places: tuple[int, ...] = ()
    alternative: bool = False
    late: int = 0

    @property
    def result(self) -> tuple[int, ...]:
        """The places of the bits of ``total``."""
        return self.places or tuple(range(self.total_bits))

    @property
    def ties(self) -> list[tuple[str, int]]:
        """The input ports that are constant, with their values."""
        return [*((name, 0) for name in self.tied), *((name, 1) for name in self.high)]

    @property
    def registers(self) -> int:
        """Most registers on a path from an input port: without any there is no clock."""
        return self.depth + self.late

    @property
    def input_bits(self) -> int:
        """Bits of the port ``terms``."""
        return sum(word.width for word in self.words) + sum(len(p.places) for p in self.pairs)


def macro_claims(config: MacroConfig) -> list[Claim]:
    """The claims of a macro: column tree, sum of a cycle's planes, the accumulator's sum, where
    rows make pairs the sum of two codes, where slices fuse the sums that do; of a binary macro,
    which has no signs and no feedback, the tree and the sum; of digits the tree, the sum of what
    they correct, of slices without sign and with one, the accumulator's; of tables each kind's
    tree, and the sums of ones (see unclaimed_sums)."""
    if config.binary:
        return [_tree(config), _match_sum(config)]
    if config.tables:
        fused = [_fusion_sum(config, mode) for mode in config.modes if mode.fused > 1]
        return _table_claims(config) + fused
    part, k = config.slice, config.bits_per_cycle
    if _digits(config):
        shares = {"digit_sum": range(2, k + 1, 2), "signed_digit_sum": range(k)}
        shares = shares if config.slices > 1 else {"digit_sum": range(k + 1)}
        sums = [_digit_sum(part, kind, places) for kind, places in shares.items()]
        sums = [replace(each, alternative=len(sums) > 1) for each in sums]
        claims = [_tree(part), *sums, _accumulate_digits(part)]
    elif config.carry_save:
        claims = [_planes_tree(part), _plane_sum(part), *_kept_sums(part)]
    else:
        claims = [_tree(part), _plane_sum(part), _accumulate_sum(part)]
    claims += [_pair_adder(part)] if config.pairs else []
    return claims + [_fusion_sum(config, mode) for mode in config.modes if mode.fused > 1]


def negated_claims(config: MacroConfig) -> list[Claim]:
    """What else holds of the modules of macro_claims: of a tree of all planes, its sum with the top
    plane negated, beside what flipping bits adds."""
    parts = [part.slice for part in config.parts] if config.carry_save else []
    return [_planes_tree(part, negated=True) for part in parts]


def unclaimed_sums(config: MacroConfig) -> tuple[str, ...]:
    """What adds in a macro, but is checked by simulation alone: in tables, blocks described
    with + together with their registers; of the input sum what stands behind the sums of ones."""
    if not config.tables:
        return ()
    return ("renewal",) if config.carry_save else ("input_sum", "join", "accumulator", "renewal")


def _table_claims(config: MacroConfig) -> list[Claim]:
    """For each kind of tables the tree of their entries; what else they share."""
    parts = [part.slice for part in config.parts]
    if config.carry_save:
        kept = [claim for part in parts for claim in (_planes_tree(part), *_kept_sums(part))]
        return [*kept, _plane_sum(config.slice)]
    sums = [_top_sum(config.slice)]
    sums += [_lower_sum(config.slice)] if config.bits_per_cycle > 1 else []
    return [*map(_tree, parts), *sums]


def _counts(config: MacroConfig, planes: int) -> list[tuple[int, int, int]]:
    """(width, shift, most) of the numbers of ones among each four rows of a plane."""
    sizes = [min(4, config.rows - row) for row in range(0, config.rows, 4)]
    return [(size.bit_length(), plane, size) for plane in range(planes) for size in sizes]


def _top_sum(config: MacroConfig) -> Claim:
    """The ones of the top plane."""
    counts, bits = _counts(config, 1), config.rows.bit_length()
    name, depth = f"{config.module}_top_sum", _sum_ranks(config, len(counts))
    return Claim(name, f"ones of {config.rows} bits", _side_by_side(counts), bits, depth)


def _sum_ranks(config: MacroConfig, words: int) -> int:
    """A register behind each level of so many words in pairs, or as many as there are: the tree's
    but one, and the lead's but two."""
    ranks = config.pipeline_stages - 1 + max(0, config.lead - 2) if config.pipeline_stages else 0
    return min((words - 1).bit_length(), ranks)


def _lower_sum(config: MacroConfig) -> Claim:
    """``sum of 2^j ones of plane j``, and a line at each place, which make -1: modulo the width of
    the correction. Of three planes and more the bits are not counted before."""
    lower, bits = config.bits_per_cycle - 1, _negative_bits(config)
    single = [(1, plane, 1) for plane in range(lower) for _ in range(config.rows)]
    parts = single if lower >= 3 else _counts(config, lower)
    line = sum(width for width, *_ in parts)
    words = _side_by_side([*parts, *((1, place, 1) for place in range(bits))])
    depth = _sum_ranks(config, len(parts) + 1)
    name, text = f"{config.module}_lower_sum", f"ones of {lower} planes less 1"
    copies = (range(line, line + bits),)
    return Claim(name, text, words, bits, depth, modular=True, copies=copies)


def _negative_bits(config: MacroConfig) -> int:
    """Bits, two's complement, of a cycle's ones negated: from ``-rows (2^k - 1)`` up to ``rows
    2^(k-1)``, none beyond y_bits."""
    k, place = config.bits_per_cycle, config.weight_bits - 1
    least = config.rows * ((1 << k) - 1)
    bits = 1 + max((least - 1).bit_length(), (config.rows << (k - 1)).bit_length())
    return min(bits, config.y_bits - place)


def _planes_tree(config: MacroConfig, negated: bool = False) -> Claim:
    """The operands of all planes of a cycle, plane j's 2^j times; while the sign plane is negated
    what those of the top plane lack to all ones."""
    k, widths, most = config.bits_per_cycle, config.operand_widths, config.multiply_traits.most
    group = config.group
    words: list[Word] = []
    tops = [min(group, config.rows - row) for row in range(0, config.rows, group)]
    for plane in range(k):
        inverted = negated and plane == k - 1
        for size, width in zip(tops, widths, strict=True):
            low = words[-1].low + words[-1].width if words else 0
            largest = (1 << width) - 1 if inverted else size * most(config.weight_bits)
            words.append(Word(low, width, plane, largest, inverted))
    name, depth = f"{config.module}_tree", config.pipeline_stages
    claim = Claim(name, f"sum of {k} planes", tuple(words), config.y_bits, depth, True)
    claim = replace(claim, places=kept_places(config).total, late=config.lead)
    return replace(claim, high=("negate",)) if negated else replace(claim, tied=("negate",))


def _kept_sums(config: MacroConfig) -> list[Claim]:
    """``start + kept words 2^k + total + correction 2^(weight_bits-1)``, left in two words, and
    their sum; both modulo ``2^y_bits``."""
    at, y_bits = kept_places(config), config.y_bits
    bits = [(1, place, 1) for place in (*at.start, *at.feedback, *at.total)]
    width = _correction_bits(config)
    words = _side_by_side([*bits, (width, config.weight_bits - 1, (1 << width) - 1)])
    loose = range(len(at.start))
    text = "sum of start value, kept words, total and correction"
    name = f"{config.module}_accumulate_sum"
    kept = Claim(name, text, words, y_bits, modular=True, loose=loose, places=at.kept)
    both = _side_by_side([(1, place, 1) for place in at.kept])
    name, depth = f"{config.module}_result_sum", config.final_stages
    return [kept, Claim(name, "sum of the kept words", both, y_bits, depth, modular=True)]


def _tree(config: MacroConfig) -> Claim:
    """The operands of a column's rows, those of a group of rows as one."""
    if config.tree_traits.pairings:
        return _paired_tree(config)
    group, most = config.group, config.multiply_traits.most
    sizes = [min(group, config.rows - row) for row in range(0, config.rows, group)]
    tops = [size * most(config.weight_bits) for size in sizes]
    words = _side_by_side([(top.bit_length(), 0, top) for top in tops])
    name, bits = f"{config.module}_tree", sum(tops).bit_length()
    return Claim(name, f"sum of {len(words)} operands", words, bits, config.pipeline_stages)


def _paired_tree(config: MacroConfig) -> Claim:
    """An approximate tree while it computes: in each place the bits of rows 4i, 4i+1 as an OR, of
    4i+2, 4i+3 as an AND, again and again; what has no partner counts as it is."""
    rows, most = config.rows, config.multiply_traits.most(config.weight_bits)
    bits = most.bit_length()
    words, pairs = [], []
    for place in range(bits):
        values: list[int | Pair] = [row * bits + place for row in range(rows)]
        alone: list[int | Pair] = []
        for shift in range(place + 1, place + 1 + config.tree_traits.pairings):
            alone += values[len(values) // 2 * 2 :]
            couples = list(zip(values[0::2], values[1::2], strict=False))
            values = [Pair(("or", "and")[i % 2], pair, shift) for i, pair in enumerate(couples)]
        counted = [*values, *alone]
        pairs += [value for value in counted if isinstance(value, Pair)]
        words += [Word(value, 1, place, 1) for value in counted if isinstance(value, int)]
    name, total = f"{config.module}_tree", (rows * most).bit_length()
    text = f"sum of {len(pairs)} pairs and {len(words)} bits"
    tied = ("exact",) if rows > 1 else ()
    depth = config.pipeline_stages
    return Claim(name, text, tuple(words), total, depth, pairs=tuple(pairs), tied=tied)


def _plane_sum(config: MacroConfig) -> Claim:
    """Of one plane without ranks, its ones; else ``sum of plane_j 2^j + rows 2^(k-1) negate + rows
    ending``, both bits once for every 1 of rows: modulo the width of what the accumulators add."""
    k, rows, summed = config.bits_per_cycle, config.rows, config.sums_constants
    ones = [place for place in range(rows.bit_length()) if rows >> place & 1]
    shifts = [plane for plane in range(k) for _ in range(rows)]
    if summed:
        shifts += [place + low for low in (k - 1, 0) for place in ones]
    words = _side_by_side([(1, shift, 1) for shift in shifts])
    bits = _correction_bits(config) if summed else rows.bit_length()
    text = f"sum of {k} planes of {rows} bits"
    modular = summed and rows * 3 << (k - 1) >= 1 << bits
    starts = range(k * rows, len(shifts), len(ones))
    copies = tuple(range(start, start + len(ones)) for start in starts)
    name, depth = f"{config.module}_plane_sum", config.pipeline_stages
    return Claim(name, text, words, bits, depth, modular, copies=copies)


def _correction_bits(config: MacroConfig) -> int:
    """Bits for up to ``rows (2^k + 2^(k-1))``, none beyond y_bits."""
    place = config.weight_bits - 1
    return min(
        unsigned_width(config.rows * 3 << (config.bits_per_cycle - 1)), config.y_bits - place
    )


def _accumulate_sum(config: MacroConfig) -> Claim:
    """``negate 2^(k-1) + feedback 2^k + sum of total_j 2^j + correction 2^(weight_bits-1)``,
    modulo ``2^y_bits``."""
    k, y_bits, place = config.bits_per_cycle, config.y_bits, config.weight_bits - 1
    parts = [
        (1, k - 1),
        (y_bits - k, k),
        *((config.tree_bits, plane) for plane in range(k)),
        (_correction_bits(config), place),
    ]
    words = _side_by_side([(width, shift, (1 << width) - 1) for width, shift in parts])
    text = "sum of negation, feedback, totals and correction"
    return Claim(f"{config.module}_accumulate_sum", text, words, y_bits, modular=True)


def _digits(config: MacroConfig) -> bool:
    return config.multiply_traits.digit_bits == 2


def _digit_correction_bits(config: MacroConfig) -> int:
    """Bits for up to ``rows 2^(k + weight_bits)``, none beyond y_bits."""
    most = config.rows << (config.bits_per_cycle + config.weight_bits)
    return min(most.bit_length(), config.y_bits)


def _digit_sum(config: MacroConfig, kind: str, shares: Sequence[int]) -> Claim:
    """``sum of negative_i 4^i + 2^(weight_bits-1) (sum of share_j 2^j + c)`` over the places j of
    ``shares``, k / 2 negative digits and as many shares of each row as there are places: modulo
    the width of what the accumulators add. c is what shares of ones only lack to ``rows 2^(k+1)``
    in the last cycle of a pass, and to ``rows (2^(k+1) - 2)`` in others: the bits of both, once
    each for every 1 there."""
    k, rows, place = config.bits_per_cycle, config.rows, config.weight_bits - 1
    bits = _digit_correction_bits(config)
    shifts = [*range(0, k, 2), *(place + share for share in shares)]
    parts = [(1, shift, 1) for shift in shifts for _ in range(rows)]
    copies = []
    for wanted in (2 ** (k + 1), 2 ** (k + 1) - 2):
        constant = rows * (wanted - sum(2**share for share in shares)) % 2 ** (bits - place)
        ones = [place + bit for bit in range(bits - place) if constant // 2**bit % 2]
        copies.append(range(len(parts), len(parts) + len(ones)))
        parts += [(1, shift, 1) for shift in ones]
    name, text = f"{config.module}_{kind}", f"sum of {len(shifts)} x {rows} bits and constants"
    words, depth = _side_by_side(parts), config.pipeline_stages
    return Claim(name, text, words, bits, depth, modular=True, copies=tuple(copies))


def _accumulate_digits(config: MacroConfig) -> Claim:
    """``feedback 2^k + sum of total_i 4^i + correction``, modulo ``2^y_bits``."""
    k, y_bits, tree_bits = config.bits_per_cycle, config.y_bits, config.tree_bits
    totals = [(tree_bits, shift) for shift in range(0, k, 2)]
    parts = [(y_bits - k, k), *totals, (_digit_correction_bits(config), 0)]
    words = _side_by_side([(width, shift, (1 << width) - 1) for width, shift in parts])
    name, text = f"{config.module}_accumulate_sum", "sum of feedback, totals and correction"
    return Claim(name, text, words, y_bits, modular=True)


def _pair_adder(config: MacroConfig) -> Claim:
    width = config.weight_bits
    words = _side_by_side([(width, 0, (1 << width) - 1)] * 2)
    return Claim(f"{config.module}_pair_adder", "sum of two codes", words, width + 1)


def _fusion_sum(config: MacroConfig, mode: Mode) -> Claim:
    """``sum of part_i 2^(i n)``, modulo ``2^y_bits``: parts of n weight bits, results of the widest
    narrower mode that divides this one, sign-extended: copies of their top bits."""
    divisors = [each for each in config.modes if each.fused < mode.fused]
    part = max(each for each in divisors if mode.fused % each.fused == 0)
    shifts = range(0, mode.weight_bits, part.weight_bits)
    widths = [mode.y_bits - shift for shift in shifts]
    ends = [sum(widths[: place + 1]) for place in range(len(widths))]
    signs = zip(ends, widths, strict=True)
    copies = tuple(range(end - width + part.y_bits - 1, end) for end, width in signs)
    parts = [(width, place, (1 << width) - 1) for width, place in zip(widths, shifts, strict=True)]
    name = f"{config.module}_fused{mode.fused}_sum"
    text = f"sum of {len(shifts)} results of {part.fused} slices"
    words = _side_by_side(parts)
    return Claim(name, text, words, mode.y_bits, modular=True, copies=copies, alternative=True)


def _match_sum(config: MacroConfig) -> Claim:
    """``2 total + correction``, modulo ``2^y_bits``."""
    widths = config.rows.bit_length(), config.rows.bit_length() + 1
    parts = [(width, 1 - place, (1 << width) - 1) for place, width in enumerate(widths)]
    name, text = f"{config.module}_accumulate_sum", "sum of the doubled total and correction"
    return Claim(name, text, _side_by_side(parts), widths[1], modular=True)


def _side_by_side(parts: list[tuple[int, int, int]]) -> tuple[Word, ...]:
    """Words of (width, shift, most), one behind the other."""

    def words() -> Iterator[Word]:
        low = 0
        for width, shift, most in parts:
            yield Word(low, width, shift, most)
            low += width

    return tuple(words())
