"""The Pareto front against its definition."""

import random

from cimforge.explore.pareto import beaten_area, pareto_front


def test_the_front_is_what_no_point_beats():
    draw = random.Random(7)
    print("seed 7")
    ways = {"area": "minimise", "tops": "maximise", "cycles": "minimise"}
    points = [{name: draw.randrange(8) for name in ways} for _ in range(200)]

    def beats(one, other):
        better = [one["area"] <= other["area"], one["tops"] >= other["tops"]]
        return all(better) and one["cycles"] <= other["cycles"] and one != other

    front = pareto_front(points, ways)
    wanted = {p for p, x in enumerate(points) if not any(beats(other, x) for other in points)}
    assert set(front) == wanted
    assert len(front) == len(wanted) > 3
    areas = [points[place]["area"] for place in front]
    assert areas == sorted(areas)


def test_equal_points_are_all_told_and_none_of_none():
    assert pareto_front([{"a": 1}, {"a": 1}, {"a": 2}], {"a": "minimise"}) == [0, 1]
    assert pareto_front([{"a": 1}, {"a": 1}, {"a": 2}], {"a": "maximise"}) == [2]
    assert pareto_front([], {"a": "minimise"}) == []


def test_the_beaten_area_is_that_of_the_steps_by_hand():
    """Corner at area 10, rate 0: 7 x 2, and 4 x 3 above it."""
    told = [(3, 2), (6, 5), (7, 4), (12, 9)]
    points = [{"area": area, "tops": tops} for area, tops in told]
    ways = {"area": "minimise", "tops": "maximise"}
    assert beaten_area(points, ways, {"area": 10, "tops": 0}) == 7 * 2 + 4 * 3
    turned = {"tops": "maximise", "area": "minimise"}
    assert beaten_area(points, turned, {"area": 10, "tops": 0}) == 7 * 2 + 4 * 3
    assert beaten_area([], ways, {"area": 10, "tops": 0}) == 0
