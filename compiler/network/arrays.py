"""Arrays of a user's .npy and .npz files by name, refusing anything else in one line."""

import warnings
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.npy import load_array

__all__ = ["load_arrays"]

MOST_BYTES = 1 << 32  # of an archive's arrays, unpacked


def load_arrays(path: Path) -> dict[str, NDArray]:
    """The arrays of a file by name; that of a .npy is called as the file.

    Raises ValueError, one line naming the file and the reason, as load_array does.
    """
    if path.suffix.lower() != ".npz":
        return {path.stem: load_array(path)}
    try:
        with ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MOST_BYTES:
            raise ValueError(f"holds {size} bytes unpacked, more than {MOST_BYTES}")
        with warnings.catch_warnings(), np.load(path, allow_pickle=False) as saved:
            warnings.simplefilter("ignore")
            arrays = {name: np.asarray(saved[name]) for name in saved.files}
        if not arrays:
            raise ValueError("holds no array")
        return arrays
    except OSError as error:
        reason = error.strerror or str(error)
    except BadZipFile:
        reason = "not a .npz file; write one with numpy.savez"
    except MemoryError:
        reason = "its headers claim more data than memory holds"
    except Exception as error:  # numpy raises almost anything on damaged files
        reason = " ".join(str(error).split()) or type(error).__name__
    raise ValueError(f"{path}: {reason[:160]}")
