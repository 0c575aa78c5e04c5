"""Fields of the bus windows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cimforge.hdl.params.fields import from_fields, to_fields


def test_low_field_first_worked_by_hand():
    assert to_fields([1, -1, 3], 4) == 0x3F1
    assert from_fields(0x3F1, 4, 3, signed=True).tolist() == [1, -1, 3]
    assert from_fields(0x3F1, 4, 3, signed=False).tolist() == [1, 15, 3]


@given(st.integers(1, 43), st.booleans(), st.data())
def test_there_and_back(bits, signed, data):
    low = -(1 << (bits - 1)) if signed else 0
    numbers = st.integers(low, low + (1 << bits) - 1)
    values = data.draw(st.lists(numbers, min_size=1, max_size=20))
    packed = to_fields(np.array(values), bits)
    assert packed < 1 << (bits * len(values))
    assert from_fields(packed, bits, len(values), signed).tolist() == values
