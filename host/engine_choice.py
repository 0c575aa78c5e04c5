"""The schedule of a layer that takes least, of those that the engine holds."""

from collections.abc import Iterator
from math import ceil

from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.engine_cost import computing, copy_area, predicted
from cimforge.host.engine_shape import Choice, Shape, Tiling

__all__ = ["best_choice", "choices", "fits", "least_batch"]

MOST_BATCH = 1 << 16
NEAR = 1.02


def best_choice(tiling: Tiling, batch: int) -> tuple[Choice, int]:
    """The choice to take, and its predicted cycles: of those within NEAR of the least that of most
    vectors and columns, for it has the fewest descriptors, the fewest copies, and the most room for
    what takes longer."""
    told = {choice: predicted(tiling, choice, batch) for choice in choices(tiling, batch)}
    least = min(told.values())
    near = [choice for choice, cycles in told.items() if cycles <= NEAR * least]
    best = max(near, key=lambda choice: (choice.vectors, choice.columns, -told[choice]))
    return best, told[best]


def choices(tiling: Tiling, batch: int) -> Iterator[Choice]:
    """Legal choices worth a look: groups of even size; the most vectors that the sums of a group
    and the activation buffer hold, once or twice, and fewer, so that copies overlap."""
    config, shape = tiling.config, tiling.shape
    columns = tiling.column_tiles
    seen = set()
    for group in dict.fromkeys(ceil(columns / n) for n in range(1, columns + 1)):
        sums = config.acc_vectors // group
        for kind in ("window",) if shape.window else ("tiles", "whole"):
            for room in (config.act_bytes, config.act_bytes // 2):
                for vectors in _counts(tiling, kind, batch, sums, room):
                    choice = Choice(kind, vectors, group)
                    if choice not in seen and fits(tiling, choice, batch):
                        seen.add(choice)
                        yield choice


def fits(tiling: Tiling, choice: Choice, batch: int) -> bool:
    """Whether the kept sums and the activation buffer hold a part."""
    most = min(choice.vectors, batch)
    if tiling.shape.window:
        most = max(part.vectors for part in tiling.parts(choice, batch))
    held = most * choice.columns <= tiling.config.acc_vectors
    return held and copy_area(tiling, choice, batch) <= tiling.config.act_bytes


def _counts(tiling: Tiling, kind: str, batch: int, sums: int, room: int) -> list[int]:
    """Vectors of a part of which ``sums`` are kept and whose activations take ``room``: the most,
    and of an evenly cut batch those of 1, 2, 4 and 8 times as many parts, and one more."""
    window = tiling.shape.window
    if sums < 1:
        return []
    if window:
        return _window_counts(tiling, batch, sums, room)
    each = tiling.pitch if kind == "whole" else max(tiling.slices)
    most = min(sums, room // each, batch)
    if most < 1:
        return []
    parts = ceil(batch / most)
    return [
        ceil(batch / min(n, batch)) for n in (parts, parts + 1, 2 * parts, 4 * parts, 8 * parts)
    ]


def _window_counts(tiling: Tiling, batch: int, sums: int, room: int) -> list[int]:
    """The same of images: whole ones, else lines of outputs, else pieces of one."""
    window, slack = tiling.shape.window, 2 * tiling.config.bus_bytes
    assert window
    whole, across = window.vectors, window.count_x
    images = min(sums // whole, (room - slack) // tiling.image_bytes, batch)
    counts = [
        ceil(batch / min(n * ceil(batch / images), batch)) * whole for n in (1, 2, 4) if images > 0
    ]
    reach = (window.kernel_y - 1) * window.dilation_y + 1
    most = ((room - slack) // tiling.line_bytes - reach) // window.stride_y + 1
    if (room - slack) // tiling.line_bytes >= window.height:
        most = window.count_y
    lines = min(sums // across, most, window.count_y)
    bands = ceil(window.count_y / lines) if lines > 0 else 0
    for n in (1, 2, 4) if bands else ():
        counts.append(ceil(window.count_y / min(n * bands, window.count_y)) * across)
    if not counts and most > 0:
        counts.append(min(sums, across))
    return counts


def least_batch(config: EngineConfig, inputs: int, outputs: int, share: float = 0.9) -> int | None:
    """The least batch of a fully connected layer (K ``inputs``, N ``outputs``, requantised to
    bytes) of whose predicted cycles the macro computes at least ``share``; None where even 2^16
    vectors do not reach it, for the bus carries them too slowly.

    By engine_cost.predicted, of a batch of V vectors that is one part, in passes of p cycles:
    ``share = R C V p / (start + max(R C V p, R C fetch) + tail)``. A batch that is the first not to
    fit the kept sums at once may fall short again. Raises ValueError for a share outside 0..1.
    """
    if not 0 < share < 1:
        raise ValueError(f"share must be above 0 and below 1, not {share!r}")
    tiling, high = Tiling(config, Shape(inputs, outputs)), 1
    while _share(tiling, high) < share:
        if high >= MOST_BATCH:
            return None
        high *= 2
    low = high // 2  # falls short
    while high - low > 1:
        middle = (low + high) // 2
        if _share(tiling, middle) < share:
            low = middle
        else:
            high = middle
    return high


def _share(tiling: Tiling, batch: int) -> float:
    return computing(tiling, batch) / best_choice(tiling, batch)[1]
