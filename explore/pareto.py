"""Which points no other point beats: the Pareto front of a sweep's objectives."""

from collections.abc import Mapping, Sequence

from cimforge.explore.sweep import MAXIMISE

__all__ = ["beaten_area", "pareto_front"]

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


def beaten_area(
    points: Sequence[Figures], objectives: Mapping[str, str], worst: Mapping[str, float]
) -> float:
    """The area of the plane of two ``objectives`` that the points beat, within the corner at
    ``worst``: the hypervolume of their front, which grows as a front gets better (Zitzler and
    Thiele, IEEE Trans. Evol. Comput. 3(4), 1999)."""
    (first, way), (second, other) = objectives.items()
    signs = {name: -1 if each == MAXIMISE else 1 for name, each in objectives.items()}
    covered, reached = 0.0, worst[second]
    for place in pareto_front(points, {first: way, second: other}):
        width = signs[first] * (worst[first] - points[place][first])
        gained = signs[second] * (reached - points[place][second])
        if width > 0 and gained > 0:
            covered += width * gained
            reached = points[place][second]
    return covered


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
