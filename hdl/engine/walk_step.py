"""What moves the walk through a RUN's patches, and the pieces that it yields."""

from amaranth.lib.data import StructLayout

from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["FACTORS", "STEP", "cut_layout", "lane_bits", "piece_layout", "span_fields"]

# What comes after a piece. One is high in a cycle at most, but for row, which comes with vector,
# image, with row, skip_x, beside multiply or skip_y, and begin, beside which others say nothing.
STEP = StructLayout(
    {
        "begin": 1,  # a command
        **{"multiply": 1, "skip_x": 1, "skip_y": 1},  # its first position is made
        "word": 1,  # the next piece is of the same segment
        "segment": 1,  # it is of the segment beside
        "line": 1,  # of the first segment of the line of segments below
        "vector": 1,  # of the next vector
        "row": 1,  # which is the first of its row of vectors
        "image": 1,  # and of its image
    }
)

# Bits of the factors of a line's bytes (LineFactors).
FACTORS = StructLayout({"step": 1, "stride": 1, "origin": 1, "above": 1})


def lane_bits(config: EngineConfig) -> int:
    """Bits of a byte's number in a word of the activation buffer."""
    return unsigned_width(config.gather_bytes - 1)


def span_fields(config: EngineConfig) -> dict[str, int]:
    """Which bytes of a word lie in the image: none where it is ``outside``; else those above
    ``low``, with ``cut_low``, and below ``high``, with ``cut_high``."""
    lane = lane_bits(config)
    return {"outside": 1, "cut_low": 1, "low": lane, "cut_high": 1, "high": lane}


def cut_layout(config: EngineConfig) -> StructLayout:
    """A piece: bytes ``first`` .. ``end`` of the ``word``-th word of a vector, those above it 0;
    ``fresh`` begins a vector, ``closing`` completes it, ``final`` the last one of a command."""
    lane = lane_bits(config)
    word = unsigned_width(config.gather_words - 1)
    marks = {"fresh": 1, "closing": 1, "final": 1}
    return StructLayout({"word": word, "first": lane, "end": lane, **marks})


def piece_layout(config: EngineConfig) -> StructLayout:
    """A piece (cut_layout), and which of its bytes lie in the image (span_fields)."""
    parts = {name: field.shape for name, field in cut_layout(config)}
    return StructLayout({**parts, **span_fields(config)})
