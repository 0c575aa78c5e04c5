"""Cuts the power groups from a Liberty file, which no test needs: trim_liberty.py IN OUT.gz"""

import gzip
import re
import sys
from pathlib import Path

CUT = ("internal_power", "leakage_power", "power_lut_template")
START = re.compile(rf"^[ \t]*(?:{'|'.join(CUT)})\s*\([^)]*\)\s*\{{", re.M)
BRACE = re.compile(r"[{}]")
SAID = "/* Trimmed for tests: without the groups {}. Else as published. */\n"


def trim(text: str) -> str:
    """The text without these groups, and a comment that says so."""
    kept, at = [SAID.format(", ".join(CUT))], 0
    for start in START.finditer(text):
        kept.append(text[at : start.start()])
        depth, end = 1, start.end()
        while depth:
            brace = BRACE.search(text, end)
            assert brace, "a group does not end"
            depth += 1 if brace[0] == "{" else -1
            end = brace.end()
        at = end + 1
    return "".join([*kept, text[at:]])


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    data = source.read_bytes()
    text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()
    target.write_bytes(gzip.compress(trim(text).encode(), 9, mtime=0))
