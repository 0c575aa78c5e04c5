"""cimforge mvm refuses every file that is no array of fitting integers, in one line, at once."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cimforge.scripts.tests.conftest import SIMULATOR
from cimforge.scripts.tests.test_bad_input import check_refused


def with_header(text: str, data: bytes = b"", version: int = 1) -> bytes:
    """The bytes of a .npy file with this header."""
    header = text.encode().ljust(117) + b"\n"
    size = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + size + header + data


def described(shape: str, descr: str = "'<i8'", data: bytes = b"") -> bytes:
    """A .npy file whose header describes ``shape`` and ``descr``."""
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"
    return with_header(text, data)


GOOD = described("(2, 8)", "'|i1'", bytes(16))
SHAPE = (2, 8)
DAMAGED = "damaged .npy header; write the file again with numpy.save"
NOT_NPY = "not a .npy file; write one with numpy.save"

FILES: list[tuple[str, bytes, str]] = [
    ("empty", b"", NOT_NPY),
    ("text", b"1 2 3\n", NOT_NPY),
    ("wrong magic", b"\x93NUMPX" + GOOD[6:], NOT_NPY),
    ("archive", b"PK\x03\x04" + bytes(100), NOT_NPY),
    ("magic alone", GOOD[:6], DAMAGED),
    ("no header", GOOD[:8], DAMAGED),
    ("half a header", GOOD[:40], DAMAGED),
    ("unknown version", GOOD[:6] + b"\x09\x00" + GOOD[8:], DAMAGED),
    ("no literal", described("__import__('os').getpid()"), DAMAGED),
    ("deep", with_header("(" * 5000), DAMAGED),
    ("no dtype", described("(2, 8)", "'<q9'"), DAMAGED),
    ("no shape", described("'2 x 8'"), DAMAGED),
    ("truncated", GOOD[:-3], "header claims 16 bytes of data, the file holds 13"),
    ("bytes after it", GOOD + b"zz", "header claims 16 bytes of data, the file holds 18"),
    ("huge", described("(10**9, 8)".replace("10**9", "1" + "0" * 9)), "the file holds 0"),
    ("astronomical", described(f"(1{'0' * 60}, 8)"), "claims 9223372036854775808 bytes"),
    ("negative", described("(-1, 8)", data=bytes(64)), "truncated or damaged"),
    ("twice negative", described("(-2, -8)", data=bytes(128)), "truncated or damaged"),
    ("huge of nothing", described("(1000000000000, 8)", "'|V0'"), "integer dtype, not |V0"),
    ("pickle", described("(2, 8)", "'|O'", b"cos\nsystem\n."), "holds Python objects"),
]

ARRAYS = [
    ("zero-dimensional", np.int8(3), "x must have 2 dimensions (batch, K), not 0: shape ()"),
    ("three-dimensional", np.zeros((2, 8, 2), int), "x must have 2 dimensions (batch, K), not 3"),
    ("other K", np.zeros((2, 7), int), "x (2, 7) and w (8, 4) do not multiply: K is 7 in x but 8"),
    ("other K of a vector", np.zeros(7, int), "x (1, 7) and w (8, 4) do not multiply"),
    ("no K", np.zeros((2, 0), int), "K is 0 in x but 8 in w"),
    (
        "structured",
        np.zeros(SHAPE, [("a", "i4")]),
        "x must have an integer dtype, not [('a', '<i4')]",
    ),
    ("complex", np.zeros(SHAPE, complex), "x must have an integer dtype, not complex128"),
    ("dates", np.zeros(SHAPE, "M8[s]"), "x must have an integer dtype, not datetime64[s]"),
    ("strings", np.full(SHAPE, "1"), "x must have an integer dtype, not <U1"),
    ("whole floats", np.full(SHAPE, 3.0), "its values are whole: convert with .astype(int)"),
    ("halves", np.full(SHAPE, 0.5), "x[0, 0] = 0.5 is not an integer; quantise or round first"),
    ("NaN", np.full(SHAPE, np.nan), "x[0, 0] = nan is not an integer"),
    ("infinity", np.full(SHAPE, -np.inf, np.float16), "x[0, 0] = -inf is not an integer"),
    ("too large", np.full(SHAPE, 16), "x[0, 0] = 16 does not fit input_bits = 4"),
    ("too small", np.full(SHAPE, -9), "4-bit signed holds -8..7 (nearest legal value: -8;"),
    (
        "of both signs",
        np.array([[8, -1] * 4]),
        "x[0, 0] = 8 does not fit input_bits = 4: 4-bit sig",
    ),
    ("uint64", np.full(SHAPE, 2**64 - 1, np.uint64), "x[0, 0] = 18446744073709551615 does not fit"),
    ("int64", np.full(SHAPE, -(2**63)), "x[0, 0] = -9223372036854775808 does not fit"),
]

WEIGHTS = [
    ("a vector", np.zeros(8, int), "w must have 2 dimensions (K, N), not 1: shape (8,)"),
    ("no N", np.zeros((8, 0), int), "N must be at least 1, not 0: w has shape (8, 0)"),
    ("too large", np.full((8, 4), 16), "w[0, 0] = 16 does not fit weight_bits = 4"),
]

OPTIONS = [
    ("--x-precision", "s9", "x_precision must have at most input_bits = 4 bits, not 9"),
    ("--x-precision", "s1", "x[0, 0] = 1 does not fit x_precision: 1-bit signed holds -1..0"),
    *(
        ("--x-precision", text, "'--x-precision': must be s or u and 1..16 bits, for example s8")
        for text in ("u0", "s17", "8", "", "s", "S8", "s-1", "s08", "s٣", "s" + "9" * 5000)
    ),
    ("--w-precision", "u17", "'--w-precision': must be s or u and 1..16 bits, for example s8"),
    ("-o", "", "must not be empty"),
    ("-o", ".", ". is a folder; name a file"),
    ("-o", "x.npy/y.npy", "x.npy is not a folder"),
    ("-o", "y.csv", "y.csv: written as .npy, so name a file that ends in .npy"),
    ("-o", "x.npy", "-o x.npy: is the input x.npy; choose another name"),
    ("-o", "./w.npy", "-o w.npy: is the input w.npy; choose another name"),
    ("-o", "bulid/y.npy", "bulid does not exist; did you mean build? Else mkdir -p bulid"),
    ("-o", "/dev/null", "/dev/null is a device, which is never replaced; name a file"),
    *(
        ("--clock", text, f"'--clock': must be above 0 and at most 100,000 MHz, not {shown}")
        for text, shown in (("0", "0"), ("-1", "-1"), ("1e6", "1e+06"), ("nan", "nan"))
    ),
    ("--clock", "fast", "Invalid value for '--clock': 'fast' is not a valid float"),
    ("--weights", "missing.npy", "missing.npy: No such file or directory"),
    ("--weights", ".", "Invalid value for '--weights': File '.' is a directory"),
    ("--weights", "/dev/zero", f"/dev/zero: {NOT_NPY}"),
]


@pytest.fixture
def refuse(cimforge, folder) -> Callable[..., None]:
    """Runs mvm, with good x.npy and w.npy where the test wrote none, and checks its refusal."""

    def run(expected: str, *options: str) -> None:
        for name, shape in (("x.npy", SHAPE), ("w.npy", (8, 4))):
            if not (folder / name).exists():
                np.save(folder / name, np.ones(shape, np.int8))
        words = ("mvm", "tiny", "--weights", "w.npy", "--inputs", "x.npy", "-o", "y.npy")
        check_refused(cimforge(*words, "--simulator", SIMULATOR, "--json", *options), expected)
        assert sorted(path.name for path in folder.iterdir()) == ["w.npy", "x.npy"]

    return run


@pytest.mark.parametrize(("content", "expected"), [f[1:] for f in FILES], ids=[f[0] for f in FILES])
def test_a_file_that_is_no_array_is_refused(refuse, folder, content, expected):
    (folder / "x.npy").write_bytes(content)
    refuse(expected)


@pytest.mark.parametrize(("x", "expected"), [a[1:] for a in ARRAYS], ids=[a[0] for a in ARRAYS])
def test_inputs_that_are_no_fitting_integers_are_refused(refuse, x, expected):
    np.save("x.npy", x)
    refuse(expected)


@pytest.mark.parametrize(("w", "expected"), [w[1:] for w in WEIGHTS], ids=[w[0] for w in WEIGHTS])
def test_weights_that_are_no_fitting_integers_are_refused(refuse, w, expected):
    np.save("w.npy", w)
    refuse(expected)


@pytest.mark.parametrize(("option", "value", "expected"), OPTIONS)
def test_an_option_that_is_wrong_is_refused(refuse, option, value, expected):
    if value.startswith("/dev") and not Path(value).exists():
        pytest.skip(f"no {value} here")
    refuse(expected, option, value)


def test_objects_and_archives_of_numpy_are_refused(refuse, folder):
    np.save("x.npy", np.array([[1, None]], object), allow_pickle=True)
    refuse("x.npy: holds Python objects, which are never loaded; convert with .astype(int)")
    with (folder / "x.npy").open("wb") as file:
        np.savez(file, x=np.ones(SHAPE))
    refuse(f"x.npy: {NOT_NPY}")


def test_what_does_not_fit_names_both_files(refuse):
    np.save("x.npy", np.zeros((2, 7), int))
    refuse("(x is x.npy, w is w.npy)")


@pytest.mark.filterwarnings("error")
def test_a_header_of_python_2_warns_of_nothing(refuse, folder):
    header = "{'descr': '|i1', 'fortran_order': False, 'shape': (2L, 7L), }"
    (folder / "x.npy").write_bytes(with_header(header, bytes(14)))
    refuse("x (2, 7) and w (8, 4) do not multiply")
