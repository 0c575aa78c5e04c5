"""The model on vectors worked out by hand."""

import pytest

from cimforge.golden.macro import MacroModel
from cimforge.golden.numerics import to_patterns
from cimforge.golden.tests.vectors import VECTORS, Vector, unpack
from cimforge.hdl.params.config import MacroConfig


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_hand_computed_vector(vector: Vector) -> None:
    config = MacroConfig(**vector.parameters)
    model = MacroModel(config)
    for write in vector.writes:
        patterns = unpack(write.w_data, config.weight_bits, config.cols)
        model.write(write.bank, write.row, patterns, write.w_signed)

    y = model.mvm(
        unpack(vector.x_data, config.input_bits, config.rows),
        x_bits=vector.x_bits,
        x_signed=vector.x_signed,
        bank=vector.x_bank,
    )

    assert config.y_bits == vector.y_bits
    expected = unpack(vector.y_data, vector.y_bits, config.cols)
    assert to_patterns(y, vector.y_bits, True).tolist() == expected
    read = unpack(vector.q_data, config.weight_bits, config.cols)
    assert model.read(*vector.read).tolist() == read


def test_vectors_have_distinct_names() -> None:
    assert len({vector.name for vector in VECTORS}) == len(VECTORS)
