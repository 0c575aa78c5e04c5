"""Reads .npy files of integers and packs them, refusing anything else in one line."""

import os
import warnings
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

__all__ = ["load_array", "npy_bytes"]


def load_array(path: Path) -> NDArray[Any]:
    """The array in the .npy file ``path``.

    Raises ValueError, one line naming the file and the reason, where it is missing, no .npy, an
    archive, truncated, larger in its header than on disk or holds Python objects (which are never
    unpickled).
    """
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy warns of headers that Python 2 wrote
            return _read(file)
    except OSError as error:
        reason = error.strerror or str(error)
    except MemoryError:
        reason = "its header claims more data than memory holds"
    except Exception as error:  # numpy's header parser raises almost anything on damaged files
        reason = " ".join(str(error).split()) or type(error).__name__
    raise ValueError(f"{path}: {reason[:160]}")


def _read(file: BinaryIO) -> NDArray[Any]:
    if file.read(6) != b"\x93NUMPY":
        raise ValueError("not a .npy file; write one with numpy.save")
    file.seek(0)
    shape, dtype = _header(file)
    if dtype.hasobject:
        raise ValueError("holds Python objects, which are never loaded; convert with .astype(int)")
    data = file.tell()
    held, claimed = file.seek(0, os.SEEK_END) - data, prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or held != claimed:
        rule = f"its header claims {min(claimed, 2**63)} bytes of data, the file holds {held}"
        raise ValueError(f"truncated or damaged: {rule}")
    file.seek(0)
    return np.load(file, allow_pickle=False)


def _header(file: BinaryIO) -> tuple[tuple[int, ...], np.dtype[Any]]:
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            read = np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
    except Exception:
        raise ValueError("damaged .npy header; write the file again with numpy.save") from None
    return shape, dtype


def npy_bytes(array: NDArray[Any]) -> bytes:
    """The .npy file of ``array``."""
    file = BytesIO()
    np.save(file, array)
    return file.getvalue()
