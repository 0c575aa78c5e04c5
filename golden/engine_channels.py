"""The table of channels: what a column's sums are requantised with (README.md, E7)."""

import numpy as np

from cimforge.golden.engine_memory import Bytes
from cimforge.hdl.params.engine_config import CHANNEL_WORDS, EngineConfig

__all__ = ["CHANNEL_BYTES", "ChannelError", "ChannelTable"]

CHANNEL_BYTES = 4 * CHANNEL_WORDS


class ChannelError(Exception):
    """A channel whose multiplier or shift is illegal: ``channel`` is its number in the table."""

    def __init__(self, channel: int, rule: str):
        super().__init__(f"channel {channel}: {rule}")
        self.channel = channel


class ChannelTable:
    """``bias``, ``multiplier``, ``shift`` and ``weight_zero`` of each channel, (channels,) each;
    all are 0 until they are stored."""

    def __init__(self, config: EngineConfig):
        self.bias, self.multiplier, self.shift, self.weight_zero = np.zeros(
            (CHANNEL_WORDS, config.channels), np.int64
        )

    def store(self, first: int, data: Bytes) -> None:
        """Store the channels that ``data`` holds, CHANNEL_BYTES each, from ``first`` on.

        Little-endian words: bias int32; multiplier 0..2^31-1; shift int32, -31..31; weight zero
        point int16, in the low half of its word, of which the high half is ignored. Raises
        ChannelError, with nothing stored, for a multiplier or shift out of its range.
        """
        words = np.frombuffer(data.tobytes(), "<i4").reshape(-1, CHANNEL_WORDS).astype(np.int64)
        bias, multiplier, shift, weight_zero = words.T
        for number, (m, s) in enumerate(zip(multiplier, shift, strict=True), first):
            if m < 0:  # bit 31 of the word
                raise ChannelError(number, f"multiplier must be below 2^31, not {m + (1 << 32)}")
            if not -31 <= s <= 31:
                raise ChannelError(number, f"shift must be in -31..31, not {s}")
        part = slice(first, first + len(words))
        self.bias[part], self.multiplier[part], self.shift[part] = bias, multiplier, shift
        self.weight_zero[part] = weight_zero.astype(np.int16)
