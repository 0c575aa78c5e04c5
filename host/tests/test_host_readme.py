"""The README's example, on a pseudo-terminal with a twin of the board at the other end."""

import re
from pathlib import Path

import numpy as np
import pytest

from cimforge.hdl.params.config_file import load_config
from cimforge.host.tests.pty_board import pty_board

README = Path(__file__).parents[1] / "README.md"


def test_the_example_runs():
    pytest.importorskip("serial", reason="needs pyserial (cimforge[fpga])")
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.S)
    rng = np.random.default_rng(2)
    given = {"weights": rng.integers(-8, 8, (16, 8)), "vectors": rng.integers(-128, 128, (3, 16))}
    with pty_board(load_config("fpga_small")) as name:
        exec(example.replace("/dev/ttyUSB0", name), given)
    assert np.array_equal(given["y"], given["vectors"] @ given["weights"])
