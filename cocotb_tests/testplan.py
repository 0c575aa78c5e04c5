"""The test plan: which claim each test shows, and when a test does not apply."""

import tomllib
from functools import cache
from importlib.resources import files

__all__ = ["load_testplan", "reason_to_skip"]


@cache
def load_testplan() -> list[dict]:
    """The claims: ``text``, ``tests`` and, for tests with conditions, why they may not apply
    (``applies``)."""
    return tomllib.loads(files("cimforge.cocotb_tests").joinpath("testplan.toml").read_text())[
        "claim"
    ]


def reason_to_skip(test: str) -> str:
    """Why a test (``module.name/parameters``) may not apply to a configuration."""
    name = test.partition("/")[0]
    claims = (claim for claim in load_testplan() if name in claim["tests"])
    return next((claim["applies"] for claim in claims if "applies" in claim), "no reason given")
