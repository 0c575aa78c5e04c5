"""Hashes of what decides a measurement: the text of packages, and what else is told."""

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files

__all__ = ["HARDWARE", "content_key", "release", "source_digest"]

# Packages that decide a macro's Verilog.
HARDWARE = ("hdl.params", "hdl.netlist", "hdl.arith", "hdl.cells", "hdl.macro")
ENDINGS = (".py", ".v", ".j2", ".toml")


def content_key(*told: str) -> str:
    """SHA-256 of the texts, 24 digits: equal on every machine."""
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:24]


@cache
def source_digest(*packages: str) -> str:
    """SHA-256 of the files of packages of the house, tests and folders below them left out."""
    digest = hashlib.sha256()
    for package in packages:
        found = {each.name: each for each in files(f"cimforge.{package}").iterdir()}
        for name in sorted(name for name in found if name.endswith(ENDINGS)):
            digest.update(name.encode() + found[name].read_bytes())
    return digest.hexdigest()


@cache
def release(package: str) -> str:
    """The release of a package; empty where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
