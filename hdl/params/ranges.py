"""Widths from value ranges, and nearest legal numbers."""

__all__ = ["nearest_divisor", "nearest_word", "signed_width", "unsigned_width"]

from difflib import get_close_matches


def unsigned_width(highest: int) -> int:
    """Bits of an unsigned number in 0..highest; 0 where highest is 0."""
    return highest.bit_length()


def signed_width(lowest: int, highest: int) -> int:
    """Least bits of a two's complement number that holds lowest..highest (lowest <= 0 <= highest);
    at least 1."""
    return 1 + max((-lowest - 1).bit_length() if lowest else 0, highest.bit_length())


def nearest_divisor(whole: int, near: int) -> int:
    """The divisor of ``whole`` nearest to ``near``, the smaller one of two equally near."""
    return min((d for d in range(1, whole + 1) if whole % d == 0), key=lambda d: (abs(d - near), d))


def nearest_word(word: str, words: list[str]) -> str | None:
    """The most similar of ``words``, or None where none is similar."""
    spelled = {each.lower(): each for each in reversed(words)}
    close = get_close_matches(str(word).lower(), spelled, n=1, cutoff=0.5)
    return spelled[close[0]] if close else None
