"""A full disk: Yosys ends well with half a file, and that is told."""

import shutil
from collections import namedtuple

import pytest

from cimforge.hdl.netlist.yosys import YosysError, run_yosys

Usage = namedtuple("Usage", "total used free")


def test_a_run_on_a_full_disk_is_one_line(tmp_path, monkeypatch):
    run_yosys("log fine\n", tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(4096, 4096, 0))
    with pytest.raises(YosysError, match="No space left on device") as refused:
        run_yosys("log fine\n", tmp_path)
    assert str(tmp_path) in str(refused.value)
