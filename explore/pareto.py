"""Which points no other point beats: the Pareto front of a sweep's objectives."""

from collections.abc import Mapping, Sequence

from cimforge.explore.sweep import MAXIMISE

__all__ = ["pareto_front"]

Figures = Mapping[str, float]


def pareto_front(points: Sequence[Figures], objectives: Mapping[str, str]) -> list[int]:
    """The places in ``points`` of those that no other beats: none is at least as good in every
    objective (MINIMISE or MAXIMISE by metric) and better in one. Of equal points all are told. In
    the order of the first objective, the best first."""
    costs = [
        tuple((-1 if way == MAXIMISE else 1) * point[name] for name, way in objectives.items())
        for point in points
    ]
    order = sorted(range(len(points)), key=lambda place: (costs[place], place))
    front: list[int] = []
    for place in order:  # whoever beats a point stands before it
        cost = costs[place]
        if not any(_beats(costs[other], cost) for other in front):
            front.append(place)
    return front


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
