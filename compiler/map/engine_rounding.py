"""Whether an engine's requantiser makes of a layer's sums what its framework makes, proved for all
sums that can occur.

Both are steps that never fall: a result's threshold is the least accumulator that reaches it. Two
such functions are equal over a range where each threshold of the one is reached by the other there
and not one before it. So a layer takes a bisection for each level of its results, 8 bits some 255,
in place of a look at each of perhaps 2^24 accumulators. Where a multiplier grows, results of
positive accumulators grow and those of negative ones fall: the multipliers that meet all
thresholds of a channel are an interval, whose ends are found by bisection, too. So is proved what
is equal, and with ``single`` and ``half_even`` also that no multiplier of 31 bits would be.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.graph import Graph, Node
from cimforge.compiler.map.accumulator_rule import PROBE_ROWS, AccumulatorRule, accumulator_rule
from cimforge.compiler.reference.fixed_point import fixed_multiplier
from cimforge.golden.requantise import requantise
from cimforge.host.engine_layer import Requantisation

__all__ = ["Difference", "Proof", "proves_equal"]

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
MOST_MULTIPLIER, POINT = (1 << 31) - 1, 31
# Those that may be a framework's, the likeliest first.
ROUNDINGS = {"onnx": ("half_even", "single"), "litert": ("single", "half_even")}
TFLITE = ("double", "single", "half_even")
# A multiplier has 30 bits at least: bounds that are farther apart than so are not the nearest ones.
NEAR = 2.0**-27
GUESS = 2.0**-22  # how far a threshold may lie from where real numbers would have it, float32's
EDGE = 1 << 12  # so near to its least or greatest a multiplier may need another shift
HALF_WORD = 1 << 15


class Difference(NamedTuple):
    """An accumulator of a channel, of which reference and engine make different results."""

    channel: int
    accumulator: int
    reference: int
    engine: int


@dataclass(frozen=True)
class Proof:
    """Of the layer ``node`` with ``channels``: ``equal`` tells that ``requantise`` on an engine
    gives the reference's result for every accumulator that inputs of the layer's kind can make; it
    does so in ``proven`` channels. ``worst`` is a difference in the channel with most accumulators
    that differ, ``differing`` how many these are, each counted as often as results are apart, of
    ``accumulators`` in its range."""

    node: str
    equal: bool
    rounding: str
    channels: int
    proven: int
    requantise: Requantisation
    worst: Difference | None = None
    differing: int = 0
    accumulators: int = 0

    def row(self) -> dict[str, str]:
        """A line of a table."""
        told = "none"
        if self.worst:
            channel, value, wanted, found = self.worst
            sums = f"{self.differing:,} of {self.accumulators:,} of channel {channel}"
            told = f"{sums}: {value:,} is {wanted}, not {found}"
        return {
            **{"layer": self.node, "rounding": self.rounding},
            **{"channels equal": f"{self.proven:,} of {self.channels:,}", "sums that differ": told},
        }


class _Threshold(NamedTuple):
    """Accumulators (rows, N) from which on a result is at least ``level`` (rows, N), as the
    reference has it; ``reach`` where it must be reached there, ``below`` where it must not be
    reached one before."""

    at: Ints
    level: Ints
    reach: Flags
    below: Flags

    def channels(self, own: Ints) -> "_Threshold":
        """Those of some channels."""
        at, level = self.at[:, own], self.level[:, own]
        return _Threshold(at, level, self.reach[:, own], self.below[:, own])

    def rows(self, order: Ints) -> "_Threshold":
        """Some rows of each channel."""
        at, level = (np.take_along_axis(each, order, axis=0) for each in self[:2])
        reach, below = (np.take_along_axis(each, order, axis=0) for each in self[2:])
        return _Threshold(at, level, reach, below)


def proves_equal(graph: Graph, node: Node | str) -> Proof:
    """The best rounding, multipliers and shifts that an engine has for a layer, with the proof that
    they are its reference's, or the sums of which they are not.

    Raises ValueError, one line with the node, for a node that is no product with constant weights
    and requantised results, or that no engine requantises.
    """
    if isinstance(node, str):
        found = [each for each in graph.nodes if each.name == node]
        if not found:
            raise ValueError(f"there is no node {node!r}")
        node = found[0]
    rule = accumulator_rule(graph, node)
    _check(node, rule)
    thresholds = _thresholds(rule)
    best: Proof | None = None
    order = ROUNDINGS.get(graph.rule, TFLITE)
    for rounding in sorted(order, key=lambda each: each != "single") if rule.wide else order:
        proof = _Search(node, rule, thresholds, rounding).proof()
        if best is None or proof.proven > best.proven:
            best = proof
        if best.equal:
            break
    assert best
    return best


def _check(node: Node, rule: AccumulatorRule) -> None:
    """Raise ValueError for what no engine's descriptors and channels hold."""
    if rule.limits[1] >= HALF_WORD:
        raise ValueError(f"{node}: results must fit 16 bits, two's complement, or 8")
    outside = (rule.folded < -(1 << 31)) | (rule.folded >= 1 << 31)
    if outside.any():
        place = int(np.argmax(outside))
        told = f"with the zero point folded in: {rule.folded[place]}"
        raise ValueError(f"{node}: bias[{place}] leaves 32 bits {told}")


def _thresholds(rule: AccumulatorRule) -> _Threshold:
    """All of the reference, one row a level; and what must not be reached at the ends."""
    ends = rule.results(np.stack([rule.lowest, rule.highest]))
    lowest, highest = int(ends.min()), int(ends.max())
    level = np.arange(lowest, highest + 2)[:, None] + np.zeros_like(rule.lowest)
    inside = (level > ends[0]) & (level <= ends[1])
    at = _bisected(rule, level, inside)
    # A clamp below the first result of all channels and above the last: beyond them nothing is.
    first, last = (level == ends[0]) & (level > lowest), (level == ends[1] + 1) & (level <= highest)
    at = np.where(first, rule.lowest, np.where(last, rule.highest + 1, at))
    return _Threshold(at, level, inside | first, inside | last)


def _bisected(rule: AccumulatorRule, level: Ints, inside: Flags) -> Ints:
    """The least accumulators whose results are at least ``level``, where ``inside``."""
    low, high = (np.broadcast_to(e, level.shape).copy() for e in (rule.lowest, rule.highest))
    guess = (level - rule.zero - 0.5) / rule.factors
    for side in (-1, 1):
        near = np.clip(guess + side * (2 + np.abs(guess) * GUESS), low, high).astype(np.int64)
        reached = rule.results(near) >= level
        low, high = np.where(reached, low, near), np.where(reached, near, high)
    return _bisect(np.where(inside, low, high - 1), high, lambda at: rule.results(at) >= level)[1]


def _bisect(low: Ints, high: Ints, reached: Callable[[Ints], Flags]) -> tuple[Ints, Ints]:
    """Neighbours between ``low`` and ``high``, of which the upper is the least that is
    ``reached``, where one above low and below high is, else high."""
    while (apart := high - low > 1).any():
        middle = low + (high - low) // 2
        up = reached(middle)
        low, high = np.where(apart & ~up, middle, low), np.where(apart & up, middle, high)
    return low, high


class _Search:
    """One rounding of a layer: the multipliers and shifts that meet most thresholds."""

    def __init__(self, node: Node, rule: AccumulatorRule, all_of: _Threshold, rounding: str):
        self._node, self._rule, self._all, self._rounding = node, rule, all_of, rounding
        self._lowest, self._highest = int(all_of.level[0, 0]), int(all_of.level[-1, 0]) - 1

    def proof(self) -> Proof:
        """What was found."""
        pairs = [fixed_multiplier(float(factor)) for factor in self._rule.factors]
        multiplier, shift = (np.array(column, np.int64) for column in zip(*pairs, strict=True))
        met = self._met(self._all, multiplier, shift)
        edge = (multiplier >= MOST_MULTIPLIER - EDGE).astype(np.int64)
        edge -= (multiplier <= MOST_MULTIPLIER // 2 + EDGE) & (multiplier > 0)
        for moved in (None, edge):  # shifts as they are, then those of multipliers at an edge
            own = np.flatnonzero(~met if moved is None else ~met & (edge != 0))
            if not len(own):
                continue
            some = self._all.channels(own)
            other = shift[own] if moved is None else np.clip(shift + moved, -POINT, POINT)[own]
            found = self._chosen(some, multiplier[own], other)
            good = self._met(some, found, other)
            multiplier[own[good]], shift[own[good]], met[own[good]] = found[good], other[good], True
        return self._told(multiplier, shift, met)

    def _results(self, values: Ints, multiplier: Ints, shift: Ints) -> Ints:
        """The engine's; of so many at a time as Python's integers leave memory for."""
        step = max(1, PROBE_ROWS // values.shape[1])
        parts = [
            requantise(
                *(values[first : first + step], 0, multiplier, shift),
                rounding=self._rounding,
                zero=self._rule.zero,
                lowest=self._lowest,
                highest=self._highest,
            )
            for first in range(0, len(values), step)
        ]
        return np.concatenate(parts)

    def _met(self, some: _Threshold, multiplier: Ints, shift: Ints) -> Flags:
        """Channels (N,) whose thresholds are all met."""
        reached = self._results(some.at, multiplier, shift) >= some.level
        before = self._results(some.at - 1, multiplier, shift) >= some.level
        wrong = (some.reach & ~reached) | (some.below & before)
        return np.logical_not(wrong.any(axis=0))

    def _chosen(self, some: _Threshold, nominal: Ints, shift: Ints) -> Ints:
        """Multipliers in the interval that meets all thresholds, the nearest to the nominal one; of
        channels with no such interval the nominal one."""
        binding = self._binding(some)
        least = self._bound(binding, shift, grows=True)
        most = self._bound(binding, shift, grows=False)
        inside = np.clip(nominal, least, np.maximum(least, most))
        return np.where(least <= most, inside, nominal)

    def _binding(self, some: _Threshold) -> _Threshold:
        """The thresholds that may bind a multiplier: with two roundings all of them."""
        if self._rounding == "double":
            return some
        at, level = some.at, some.level - self._rule.zero - 0.5
        keep = np.zeros(at.shape, bool)
        with np.errstate(all="ignore"):
            for place, told in ((at, some.reach), (at - 1, some.below)):
                ratio = np.where(told & (place != 0), level / place, np.nan)
                # a bound from below of positive accumulators reached, or negative ones not reached
                rises = (place > 0) == (place is at)
                for own, far in ((rises, -np.inf), (~rises, np.inf)):
                    bound = np.where(own & ~np.isnan(ratio), ratio, far)
                    end = bound.max(axis=0) if far < 0 else bound.min(axis=0)
                    keep |= np.isfinite(bound) & (np.abs(bound - end) <= np.abs(end) * NEAR)
        rows = max(1, int(keep.sum(axis=0).max()))
        order = np.argsort(~keep, axis=0, kind="stable")[:rows]
        return some.rows(order)

    def _bound(self, some: _Threshold, shift: Ints, *, grows: bool) -> Ints:
        """The least multiplier that meets what a greater one meets as well, where it ``grows``;
        else the greatest that meets what a smaller one meets."""
        at = some.at
        reach = some.reach & ((at > 0) if grows else (at < 0))
        below = some.below & ((at - 1 < 0) if grows else (at - 1 > 0))
        own = some._replace(reach=reach, below=below)
        least, most = np.full_like(shift, -1), np.full_like(shift, MOST_MULTIPLIER + 1)
        low, high = _bisect(least, most, lambda m: self._met(own, m, shift) == grows)
        return high if grows else low

    def _told(self, multiplier: Ints, shift: Ints, met: Flags) -> Proof:
        told = Requantisation(
            multiplier=multiplier,
            shift=shift,
            zero=self._rule.zero,
            lowest=self._lowest,
            highest=self._highest,
            rounding=self._rounding,
            wide=self._rule.wide,
        )
        facts = (self._rounding, len(met), int(met.sum()), told)
        if met.all():
            return Proof(str(self._node), True, *facts)
        return Proof(str(self._node), False, *facts, *self._worst(multiplier, shift, met))

    def _worst(self, multiplier: Ints, shift: Ints, met: Flags) -> tuple[Difference, int, int]:
        """The channel with most accumulators that differ, one of them, how many, of how many."""
        engine = self._engine_thresholds(multiplier, shift)
        apart = np.where(self._all.reach | self._all.below, np.abs(engine - self._all.at), 0)
        differing = np.where(met, 0, apart.sum(axis=0))
        channel = int(np.argmax(differing))
        row = int(np.argmax(apart[:, channel]))
        # from the lesser of both thresholds on one of the two has the level, and the other not
        value = int(min(engine[row, channel], self._all.at[row, channel]))
        probe = np.full((1, len(met)), value)
        found = Difference(
            channel,
            value,
            int(self._rule.results(probe)[0, channel]),
            int(self._results(probe, multiplier, shift)[0, channel]),
        )
        span = int(self._rule.highest[channel] - self._rule.lowest[channel]) + 1
        return found, int(differing[channel]), span

    def _engine_thresholds(self, multiplier: Ints, shift: Ints) -> Ints:
        """The least accumulators with which the engine reaches each level, one behind the range
        where none does."""
        level = self._all.level
        low = np.broadcast_to(self._rule.lowest - 1, level.shape)
        high = np.broadcast_to(self._rule.highest + 1, level.shape)
        return _bisect(low, high, lambda at: self._results(at, multiplier, shift) >= level)[1]
