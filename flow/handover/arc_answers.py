"""Reads OpenSTA's answers to an arc_script into arcs."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from cimforge.flow.handover.arc_axes import Axes
from cimforge.flow.handover.arc_queries import MARK, PERIOD
from cimforge.flow.handover.port_arcs import Check, Delay, PortArcs
from cimforge.flow.liberty.lookup_table import LookupTable

__all__ = ["read_arcs"]

NUMBER = r"(-?\d+\.\d+)"
ARRIVAL = re.compile(rf"{NUMBER} +data arrival time")
SLACK = re.compile(rf"{NUMBER} +slack")
CLOCK_EDGE = re.compile(rf"{NUMBER} +{NUMBER} +clock \S+ \((?:rise|fall) edge\)")
OUTPUT = re.compile(rf"{NUMBER} +{NUMBER} +{NUMBER} [\^v] \S+ \(out\)")
GIVEN = re.compile(rf"{NUMBER} +{NUMBER} +time given to startpoint")
LATCH_SETUP = re.compile(rf"library setup time +{NUMBER}")
PULSE = re.compile(rf"pulse width +{NUMBER}")
EDGES = ("rise", "fall")
LAUNCH = {"rise": "rising_edge", "fall": "falling_edge"}
Points = dict[tuple[float, float], float]


@dataclass(frozen=True)
class _Path:
    """A reported path: times in ns, of ``capture`` and ``launch`` clock edges, all since 0."""

    text: str
    group: str
    arrival: float
    slack: float
    launch: float
    capture: float


def read_arcs(printed: str, axes: Axes) -> PortArcs:
    """The arcs in the answers to arc_script: an arc without a path at one of its points has no
    table."""
    points = _Points()
    for words, paths in _answers(printed):
        if words[0] == "margin":
            points.margin = max([points.margin, *map(_margin, paths)])
    for words, paths in _answers(printed):
        for path in paths:
            if words[1:2] == ["gated"]:  # KIND gated SLEW CLOCK PORT EDGE
                points.add(["input", *words[4:]], words, path)
            elif words[1:] and ":" in path.group:
                points.add(path.group.split(":"), words, path)
    pins, wires = _loads(printed)
    period = re.search(r"^PERIOD (\S+)$", printed, re.M)
    found = float(period[1]) if period else 0.0
    return PortArcs(
        checks=_checks(points.needs, axes),
        delays=_delays(points, axes),
        # where no path has a slack the search ends where it began
        period=found if found != PERIOD and found < PERIOD * 2**20 else 0.0,
        pins=pins,
        wires=wires,
    )


def _loads(printed: str) -> tuple[dict[str, float], dict[str, float]]:
    """Capacitance of pins and of wires by bit of the inputs."""
    pins: dict[str, float] = {}
    wires: dict[str, float] = {}
    for bit, text in re.findall(rf"^{MARK} net (\S+)\n(.*?)(?=^{MARK} )", printed, re.M | re.S):
        for what, found in (("Pin", pins), ("Wire", wires)):
            told = re.search(rf"{what} capacitance:(.*)", text)
            numbers = re.findall(r"\d+\.\d+", told[1]) if told else []
            found[bit] = max(map(float, numbers), default=0.0)  # of rising and falling edges
    return pins, wires


class _Points:
    """What was measured, point by point: ``needs`` by input, kind, edge of clk and edge of the
    input; ``delays`` and ``slews`` by output, cause (an input, or clk), kind, edge of the cause and
    edge of the output."""

    def __init__(self) -> None:
        self.margin = 0.0
        self.needs: dict[tuple[str, ...], Points] = defaultdict(dict)
        self.delays: dict[tuple[str, ...], Points] = defaultdict(dict)
        self.slews: dict[tuple[str, ...], Points] = defaultdict(dict)

    def add(self, group: list[str], words: list[str], path: "_Path") -> None:
        """Count a ``path`` of a ``group`` in the answer to ``words``."""
        way, about, *at = words
        point = (float(at[0]), float(at[1]))
        worst: Callable[..., float] = max if way == "max" else min
        if group[0] in ("input", "held") and about != "delays":
            kind = "setup" if way == "max" else "hold"
            when, need = _need(path, kind, self.margin)
            place = self.needs[group[1], kind, when, group[2]]
            place[point] = max(place.get(point, need), need)
        elif group[0] in ("output", "through") and about == "delays":
            if group[0] == "output":
                key = (group[1], "clk", way, group[3], group[2])
            else:
                key = (group[2], group[1], way, group[3], group[4])
            output = OUTPUT.search(path.text)
            delay, slew = path.arrival - path.launch, float(output[1]) if output else 0.0
            self.delays[key][point] = worst(self.delays[key].get(point, delay), delay)
            self.slews[key][point] = worst(self.slews[key].get(point, slew), slew)


def _answers(printed: str) -> Iterator[tuple[list[str], list[_Path]]]:
    for answer in printed.split(f"{MARK} ")[1:]:
        words, _, text = answer.partition("\n")
        yield words.split(), [p for part in text.split("Startpoint: ")[1:] if (p := _path(part))]


def _path(text: str) -> _Path | None:
    arrival, slack = ARRIVAL.search(text), SLACK.search(text)
    if arrival is None or slack is None:
        return None
    edges = [(place.start(), float(place[2])) for place in CLOCK_EDGE.finditer(text)]
    before = [time for place, time in edges if place < arrival.start()]
    after = [time for place, time in edges if place > arrival.start()]
    group = re.search(r"Path Group: (\S+)", text)
    return _Path(
        text=text,
        group=group[1] if group else "",
        arrival=float(arrival[1]),
        slack=float(slack[1]),
        launch=before[0] if before else 0.0,
        capture=after[0] if after else 0.0,
    )


def _margin(path: _Path) -> float:
    """What a latch's data need before the clock closes it, for the gate behind the latch."""
    given = GIVEN.search(path.text)
    return PERIOD - path.slack - float(given[2]) - path.launch if given else 0.0


def _checks(needs: Mapping[tuple[str, ...], Points], axes: Axes) -> dict[str, tuple[Check, ...]]:
    found: dict[str, list[Check]] = defaultdict(list)
    for name, kind, when in dict.fromkeys(key[:3] for key in needs):
        every = {edge: needs.get((name, kind, when, edge), {}) for edge in EDGES}
        if tables := _tables(every, axes, axes.slews):
            found[name].append(Check(kind, when, tables))
    return {name: tuple(checks) for name, checks in found.items()}


def _need(path: _Path, kind: str, margin: float) -> tuple[str, float]:
    """Which edge of clk an input that changes at 0 is checked against, and the time between."""
    capture = path.capture
    pulse, setup = PULSE.search(path.text), LATCH_SETUP.search(path.text)
    if pulse and kind == "setup":  # a latch: what counts is when it closes
        own = -float(setup[1]) if setup else 0.0
        return _edge(capture + float(pulse[1])), path.arrival - path.launch + max(own, margin)
    if kind == "setup":
        return _edge(capture), capture - path.slack - path.launch
    return _edge(capture), path.launch - path.slack - capture


def _edge(time: float) -> str:
    """The edge of clk at a time: it rises at multiples of PERIOD."""
    phase = time / PERIOD % 1
    return "rising" if min(phase, 1 - phase) < 0.25 else "falling"


def _delays(points: _Points, axes: Axes) -> dict[str, tuple[Delay, ...]]:
    found: dict[str, list[Delay]] = defaultdict(list)
    for name, cause in dict.fromkeys(key[:2] for key in points.delays):
        keys = [key for key in points.delays if key[:2] == (name, cause)]
        for kind in ("max", "min"):
            own = [key for key in keys if key[2] == kind]
            if cause == "clk":
                senses = {sense: [k for k in own if k[3] == w] for w, sense in LAUNCH.items()}
            else:
                senses = {_sense(keys): own}
            for sense, chosen in senses.items():
                delays = _tables(_by_edge(points.delays, chosen, kind), axes, axes.loads)
                slews = _tables(_by_edge(points.slews, chosen, kind), axes, axes.loads)
                if delays:
                    found[name].append(Delay(cause, kind, sense, delays, slews))
    return {name: tuple(arcs) for name, arcs in found.items()}


def _sense(keys: Iterable[tuple[str, ...]]) -> str:
    """The unateness of an arc with these edges of cause and output."""
    alike = {key[3] == key[4] for key in keys}
    return "non_unate" if len(alike) > 1 else f"{'posi' if True in alike else 'nega'}tive_unate"


def _by_edge(
    values: Mapping[tuple[str, ...], Points], keys: Iterable[tuple[str, ...]], kind: str
) -> dict[str, Points]:
    """The worst values of all causes, by edge of the output."""
    worst: Callable[..., float] = max if kind == "max" else min
    found: dict[str, Points] = {edge: {} for edge in EDGES}
    for key in keys:
        place = found[key[4]]
        for point, value in values[key].items():
            place[point] = worst(place.get(point, value), value)
    return found


def _tables(
    edges: Mapping[str, Points], axes: Axes, columns: tuple[float, ...]
) -> dict[str, LookupTable]:
    """A table for each edge that has a value at every point."""
    found = {}
    for edge, points in edges.items():
        rows = [[points.get((_as_asked(s), _as_asked(c))) for c in columns] for s in axes.slews]
        if all(value is not None for row in rows for value in row):
            values = tuple(tuple(v for v in row if v is not None) for row in rows)
            found[edge] = LookupTable(axes.slews, columns, values)
    return found


def _as_asked(value: float) -> float:
    """A point as the script wrote it."""
    return float(f"{value:.6g}")
