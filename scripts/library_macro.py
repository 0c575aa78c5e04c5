"""Refuses macros that are not made of a library's cells alone."""

from cimforge.flow.synth.storage_check import check_storage
from cimforge.flow.synth.targets import LIBERTY
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.storage import STORAGE

__all__ = ["check_library_macro"]

RAMLESS = next(name for name, traits in STORAGE.items() if not traits.memory)


def check_library_macro(config: MacroConfig, verb: str, lack: str) -> None:
    """Raise InputError, for ``verb``, where cells do not hold the weights: where they are in RAMs,
    as no library does what ``lack`` says."""
    check_storage(config, LIBERTY, verb)
    if config.storage_traits.memory:
        rule = f"no cell library {lack} the RAMs of storage {config.storage}"
        raise InputError(f"{verb}: {rule} (nearest legal value: --set storage={RAMLESS})")
