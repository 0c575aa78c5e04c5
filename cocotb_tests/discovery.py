"""Which tests a regression must run, found without simulator or filter: what a report is held
against.

``python -m cimforge.cocotb_tests.discovery MODULE…`` prints them as JSON, [name, skipped] each.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from tempfile import NamedTemporaryFile
from typing import Any, NamedTuple

from cocotb.regression import Test, TestGenerator

from cimforge.flow.simulate.job import JOB_VARIABLE, job_text
from cimforge.flow.simulate.tool_environment import clean_environment
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.ranges import nearest_word

__all__ = ["PlannedTest", "SuiteError", "chosen", "exactly", "planned_tests"]

LIMIT_S = 300


class SuiteError(RuntimeError):
    """The test modules cannot be loaded; the text says why."""


class PlannedTest(NamedTuple):
    """A test by its full name, and whether it applies to the configuration."""

    name: str
    skip: bool

    @property
    def module(self) -> str:
        """The full name of its module."""
        return self.name.partition(".test_")[0]

    @property
    def short(self) -> str:
        """``module.test/parameters``, without the packages."""
        return f"{self.module.rpartition('.')[2]}{self.name.removeprefix(self.module)}"


def planned_tests(
    modules: Sequence[str], config: MacroConfig, settings: Mapping[str, Any]
) -> list[PlannedTest]:
    """Every test of ``modules`` with every set of its parameters, for a job of these settings.

    They are listed in a process of their own, for modules read the job when imported. Raises
    SuiteError where one cannot be imported.
    """
    return _planned(tuple(modules), job_text(config, settings))


def chosen(planned: Sequence[PlannedTest], test_filter: str | None) -> list[PlannedTest]:
    """Those whose full name matches the regular expression somewhere.

    Raises InputError, with the nearest name, where none does.
    """
    tests = [test for test in planned if re.search(test_filter or "", test.name)]
    if not tests:
        names = {test.short.partition("/")[0] for test in planned}
        words = sorted({part for name in names for part in (name, *name.split(".test_"))})
        near = nearest_word(str(test_filter), words)
        modules = sorted({name.partition(".")[0] for name in names})
        hint = f"; did you mean {near}?" if near else f"; tests are in {', '.join(modules)}"
        raise InputError(f"--test {test_filter}: no test's name matches{hint}")
    return tests


def exactly(tests: Sequence[PlannedTest]) -> str:
    """A regular expression that matches the full names of ``tests`` and no other."""
    return f"^(?:{'|'.join(re.escape(test.name) for test in tests)})$"


@cache
def _planned(modules: tuple[str, ...], job: str) -> list[PlannedTest]:
    paths = os.pathsep.join(path for path in sys.path if path)
    with NamedTemporaryFile("w", prefix="cimforge-", suffix=".json") as file:
        file.write(job)
        file.flush()
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "cimforge.cocotb_tests.discovery", *modules],
                env=clean_environment() | {"PYTHONPATH": paths, JOB_VARIABLE: file.name},
                capture_output=True,
                text=True,
                timeout=LIMIT_S,
            )
        except subprocess.TimeoutExpired:
            raise SuiteError(f"the tests cannot be loaded within {LIMIT_S} s") from None
    if done.returncode:
        cause = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise SuiteError(f"the tests cannot be loaded: {cause}")
    return [PlannedTest(*test) for test in json.loads(done.stdout)]


def _tests_of(module: str) -> Iterator[Test]:
    for value in vars(import_module(module)).values():
        if isinstance(value, Test):
            yield value
        elif isinstance(value, TestGenerator):
            yield from value.generate_tests()


if __name__ == "__main__":
    found = [(test.fullname, test.skip) for module in sys.argv[1:] for test in _tests_of(module)]
    print(json.dumps(found))
