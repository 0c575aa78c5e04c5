"""Signatures of bus and streams: their ports' names, directions and widths; what they refuse."""

import pytest

from cimforge.hdl.bus.signatures import (
    StreamSignature,
    WishboneSignature,
    bus_ports,
    directions,
    flat_ports,
    macro_streams,
    stream_ports,
)
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.tests.configs import DIVERSE, macro


def test_both_sides_of_a_bus():
    master = directions(flat_ports("wb", WishboneSignature(address_bits=9)))
    slave = directions(flat_ports("wb", WishboneSignature(address_bits=9).flip()))
    assert master["wb_adr"] == ("output", 9)
    assert master["wb_dat_r"] == ("input", 32)
    assert master["wb_sel"] == ("output", 4)
    turned = {"input": "output", "output": "input"}
    assert slave == {name: (turned[way], width) for name, (way, width) in master.items()}
    assert slave.items() <= bus_ports(DIVERSE["tiny"]).items()


def test_a_stream_that_cannot_be_held_up_has_no_ready():
    assert set(StreamSignature({"data": 8}).members) == {"valid", "ready", "data"}
    assert set(StreamSignature({"data": 8}, has_ready=False).members) == {"valid", "data"}


@pytest.mark.parametrize(
    "config", [DIVERSE["tiny"], macro(5, 3, 3, 6, 2, 3, "latch"), macro(1, 1, 1, 1)]
)
def test_the_macros_streams_are_its_ports(config):
    """All ports but clock, reset and those of the storage style, in the same directions."""
    control = {"clk", "rst", *(name for name, _ in config.storage_traits.control_ports)}
    table = {p.name: (p.direction, p.width) for p in macro_ports(config) if p.name not in control}
    assert stream_ports(config) == table
    assert list(macro_streams(config)["y"].members) == ["valid", "ready", "data"]


@pytest.mark.parametrize("bits", [0, -1, 8.0, "8", True])
def test_widths_of_an_address_are_checked(bits):
    rule = f"address_bits must be an integer of at least 1, not {bits!r}"
    with pytest.raises(ValueError, match=rule):
        WishboneSignature(address_bits=bits)


@pytest.mark.parametrize("bits", [0, 12, 128, 8.0])
def test_widths_of_data_are_checked(bits):
    with pytest.raises(ValueError, match=rf"data_bits must be 8, 16, 32 or 64, not {bits!r}"):
        WishboneSignature(address_bits=9, data_bits=bits)


def test_a_payload_holds_no_handshake():
    with pytest.raises(ValueError, match="payload must not hold the handshake 'ready'"):
        StreamSignature({"ready": 1})


def test_words_of_a_register_are_checked():
    from cimforge.hdl.bus.registers import RegisterMap

    start = RegisterMap(DIVERSE["tiny"]).register("w_start")
    assert start.word(row=3, bank=0, signed=1) == 3 | 1 << 31
    with pytest.raises(ValueError, match=r"field row of w_start must be in 0\.\.7, not 8"):
        start.word(row=8)
