"""The test plan: which claim each test shows, when a test does not apply, and what need not be
covered."""

import tomllib
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

from cimforge.hdl.params.config import MacroConfig

__all__ = ["load_testplan", "load_waivers", "reason_to_skip", "waived_bins"]


@cache
def _plan() -> dict[str, list[dict]]:
    return tomllib.loads(files("cimforge.cocotb_tests").joinpath("testplan.toml").read_text())


def load_testplan() -> list[dict]:
    """The claims: ``text``, ``tests`` and, for tests with conditions, why they may not apply
    (``applies``)."""
    return _plan()["claim"]


def load_waivers() -> list[dict]:
    """The waivers: ``bins`` ("group: name" with * and ?), ``reason`` and, where it holds for some
    configurations only, ``when``: a MacroConfig attribute and the values it must have, each."""
    return _plan().get("waiver", [])


def waived_bins(config: MacroConfig, bins: Iterable[str]) -> dict[str, str]:
    """Those of ``bins`` that a macro of ``config`` need not hit, with the reason."""
    waivers = [waiver for waiver in load_waivers() if _holds(waiver.get("when", {}), config)]
    return {
        name: waiver["reason"]
        for name in bins
        for waiver in waivers
        if fnmatchcase(name, waiver["bins"])
    }


def _holds(when: dict[str, list], config: MacroConfig) -> bool:
    return all(getattr(config, name) in values for name, values in when.items())


def reason_to_skip(test: str) -> str:
    """Why a test (``module.name/parameters``) may not apply to a configuration."""
    name = test.partition("/")[0]
    claims = (claim for claim in load_testplan() if name in claim["tests"])
    return next((claim["applies"] for claim in claims if "applies" in claim), "no reason given")
