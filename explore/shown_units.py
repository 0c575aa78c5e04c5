"""Units as a reader has them, on the terminal and on the page."""

__all__ = ["SHOWN_UNITS"]

# Those that are written otherwise than in JSON; none where there is nothing to count.
SHOWN_UNITS = {
    "um2": "µm²",
    "us": "µs",
    "luts": "LUT sites",
    "TOPS/mm2": "TOPS/mm²",
    "share": "of 1",
    "0 or 1": "",
}
