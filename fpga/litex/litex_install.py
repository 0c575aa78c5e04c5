"""LiteX as an optional package: whether it is there, and how it is kept quiet."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.install_hint import install_hint

__all__ = ["check_litex", "quiet_litex"]


def check_litex() -> None:
    """Raise InputError, naming the way to get it, where LiteX is not installed."""
    if missing := [name for name in ("litex", "migen") if find_spec(name) is None]:
        rule = f"a LiteX system needs {missing[0]}, which is not installed"
        raise InputError(f"{rule}; run {install_hint('litex')}")


@contextmanager
def quiet_litex() -> Iterator[None]:
    """LiteX without its log: it sets the whole program's up where there is none, and takes stderr
    away with its errors."""
    before, stderr = logging.root.manager.disable, sys.stderr
    handler = logging.NullHandler()
    logging.root.addHandler(handler)
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
        logging.root.removeHandler(handler)
        sys.stderr = stderr
