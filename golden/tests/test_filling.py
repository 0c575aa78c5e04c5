"""Filled rows: when a group is defined, and when a promise was broken."""

from collections.abc import Callable

import numpy as np
import pytest

from cimforge.golden.macro import MacroModel
from cimforge.hdl.params.config import MacroConfig

CONFIG = MacroConfig(rows=5, cols=2, weight_bits=4, input_bits=4, banks=2, group=2)
ROW = np.array([3, 9])


def loaded() -> MacroModel:
    """A model whose banks are written."""
    model = MacroModel(CONFIG)
    for bank in range(CONFIG.banks):
        model.load(np.ones((CONFIG.rows, CONFIG.cols), np.int64), bank=bank, signed=False)
    return model


def known(model: MacroModel) -> list[int]:
    """The rows of bank 0 that are defined."""
    return [row for row in range(CONFIG.rows) if model.defined(0, row)]


def test_a_group_is_undefined_from_its_first_filled_row_to_its_last() -> None:
    model = loaded()
    model.write(0, 2, ROW, False, fill=True)
    assert known(model) == [0, 1, 4]
    assert not model.defined(0)
    model.write(0, 3, ROW, False, fill=True)
    assert known(model) == [0, 1, 2, 3, 4]
    assert model.read(0, 2).tolist() == model.read(0, 3).tolist() == ROW.tolist()


def test_a_row_without_neighbour_is_defined_at_once() -> None:
    model = MacroModel(CONFIG)
    model.write(0, 4, ROW, False, fill=True)
    assert known(model) == [4]


BETWEEN: dict[str, Callable[[MacroModel], None]] = {
    "another row": lambda model: model.write(0, 4, ROW, False, fill=True),
    "another bank": lambda model: model.write(1, 1, ROW, False, fill=True),
    "a missing row": lambda model: model.write(0, 7, ROW, False, fill=True),
    "a plain write": lambda model: model.write(1, 4, ROW, False),
    "a load": lambda model: model.load(np.ones((5, 2), np.int64), bank=1, signed=False),
    "a reset": lambda model: model.interrupt(),
}


@pytest.mark.parametrize("broken", BETWEEN)
def test_a_broken_promise_leaves_the_group_undefined_until_written_again(broken: str) -> None:
    model = loaded()
    model.write(0, 0, ROW, False, fill=True)
    BETWEEN[broken](model)
    model.write(0, 1, ROW, False, fill=True)
    assert known(model) == [2, 3, 4]
    model.write(0, 0, ROW, False)
    assert known(model) == [0, 2, 3, 4]
    model.write(0, 1, ROW, False)
    assert model.defined(0)


def test_the_last_row_by_a_plain_write_defines_itself_alone() -> None:
    model = loaded()
    model.write(0, 0, ROW, False, fill=True)
    model.write(0, 1, ROW, False)
    assert known(model) == [1, 2, 3, 4]


def test_without_groups_filling_is_writing() -> None:
    model = MacroModel(MacroConfig(rows=5, cols=2, weight_bits=4, input_bits=4))
    model.write(0, 0, ROW, False, fill=True)
    assert model.defined(0, 0)


def test_fill_is_a_flag() -> None:
    with pytest.raises(ValueError, match=r"^fill must be an integer in 0\.\.1, not 2"):
        loaded().write(0, 0, ROW, False, fill=2)  # type: ignore[arg-type]
