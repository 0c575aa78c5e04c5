"""A timing diagram in strips that a printed page holds, each with the signals' names before it."""

import re
from math import ceil

from markupsafe import Markup

__all__ = ["print_strips"]

WIDEST = 1050  # px of a drawing that is legible on an A4 page: letters of 5 points
CYCLE = 40  # px, as wavedrom draws it
HEAD, FOOT = 40, 34  # px of the titles above and below, which are not cut in pieces
SIZE = re.compile(r'<svg\b[^>]*?\bheight="(\d+)" id="(\w+)"[^>]*?\bwidth="(\d+)"')
NAMES = re.compile(r'id="lanes_\d+" transform="translate\(([\d.]+),')


def print_strips(drawing: str) -> list[Markup]:
    """SVGs, each a window of whole cycles of ``drawing``, which is in the same page: none where it
    is narrow enough to be printed as it is. They refer to the drawing, and repeat nothing."""
    size, names = SIZE.search(drawing), NAMES.search(drawing)
    if size is None or names is None or int(size[3]) <= WIDEST:
        return []
    height, width, left = int(size[1]) - HEAD - FOOT, int(size[3]), int(float(names[1]))
    cycles = ceil((width - left) / CYCLE)
    number = ceil(cycles * CYCLE / (WIDEST - left))
    window = ceil(cycles / number) * CYCLE
    shown = Markup('<use href="#{}"/>').format(size[2])

    def part(place: int, begin: int, wide: int) -> Markup:
        view = Markup('<svg x="{}" width="{}" height="{}" viewBox="{} {} {} {}">{}</svg>')
        return view.format(place, wide, height, begin, HEAD, wide, height, shown)

    strip = Markup('<svg viewBox="0 0 {} {}">{}{}</svg>')
    begins = range(left, width, window)
    return [
        strip.format(left + window, height, part(0, 0, left), part(left, begin, window))
        for begin in begins
    ]
