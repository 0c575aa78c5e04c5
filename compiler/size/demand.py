"""What is asked of a chip's macros, and the market's five tiers."""

from dataclasses import dataclass

__all__ = ["TIERS", "Demand"]

MB, GOPS, TOPS = 1 << 20, 1e9, 1e12


@dataclass(frozen=True)
class Demand:
    """``memory`` bytes of weights held at once, and ``rate`` operations a second, two a
    multiply-accumulate, at ``weight_bits`` x ``input_bits``."""

    name: str
    memory: int
    rate: float
    weight_bits: int = 8
    input_bits: int = 8


# Memory and speed that on-device AI asks for by product, as market surveys of compute-in-memory
# print them; a megabyte is 2^20 bytes here.
TIERS = (
    Demand("wearable", 2 * MB, 100 * GOPS),
    Demand("smart camera", 32 * MB, 16 * TOPS),
    Demand("mobile", 64 * MB, 32 * TOPS),
    Demand("AR/VR", 128 * MB, 64 * TOPS),
    Demand("driving", 512 * MB, 256 * TOPS),
)
