"""The picture holds both designs and every layer, and equal input gives equal bytes."""

from io import BytesIO

import pytest

from cimforge.compiler.energy.movement import layer_energies
from cimforge.compiler.energy.tests.test_movement import CONFIG, CONSTANTS, network

draw = pytest.importorskip("cimforge.compiler.energy.energy_picture", reason="needs matplotlib")


def drawn(layers) -> bytes:
    file = BytesIO()
    draw.draw_energies(file, layers, "a title", "a subtitle")
    return file.getvalue()


def test_a_picture():
    layers = layer_energies(network(), CONFIG, CONSTANTS, 50.0)
    first = drawn(layers)
    assert first == drawn(layers)
    text = first.decode()
    for told in ("a title", "a subtitle", "macros", "von Neumann", "0 FullyConnected 12 x 6"):
        assert f"<!-- {told}" in text
    assert "the first 40 of 41" in drawn(layers * 41).decode()


def test_no_layer():
    with pytest.raises(ValueError, match="at least one layer"):
        drawn(())
