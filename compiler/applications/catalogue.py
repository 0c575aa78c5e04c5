"""Every example, by name."""

from cimforge.compiler.applications.example_binary import BINARY
from cimforge.compiler.applications.example_gf2 import CLMUL, CRC
from cimforge.compiler.applications.example_hamming import GENES, HAMMING
from cimforge.compiler.applications.example_ternary import TERNARY
from cimforge.compiler.applications.outcome import Example

__all__ = ["EXAMPLES"]

EXAMPLES: dict[str, Example] = {
    "binary": BINARY,
    "hamming": HAMMING,
    "genes": GENES,
    "crc32": CRC,
    "clmul": CLMUL,
    "ternary": TERNARY,
}
