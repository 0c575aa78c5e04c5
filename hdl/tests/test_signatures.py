"""The bus and the streams beside it: their ports, and what they refuse."""

import pytest

from cimforge.hdl.bus.registers import RegisterMap
from cimforge.hdl.bus.signatures import WishboneSignature, bus_ports, stream_ports
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.tests.configs import DIVERSE, macro


def test_the_bus_side_of_a_slave():
    ports = bus_ports(DIVERSE["tiny"])
    assert ports["wb_adr"] == ("input", 9)
    assert ports["wb_dat_r"] == ("output", 32)
    assert ports["wb_sel"] == ("input", 4)
    assert ports["busy"] == ports["irq"] == ("output", 1)
    assert len(ports) == 11


@pytest.mark.parametrize(
    "config", [DIVERSE["tiny"], macro(5, 3, 3, 6, 2, 3, "latch"), macro(1, 1, 1, 1)]
)
def test_the_macros_streams_are_its_ports(config):
    """All ports but clock, reset and those of the storage style, in the same directions."""
    control = {"clk", "rst", *(name for name, _ in config.storage_traits.control_ports)}
    table = {p.name: (p.direction, p.width) for p in macro_ports(config) if p.name not in control}
    assert stream_ports(config) == table


@pytest.mark.parametrize("bits", [0, -1, 8.0, "8", True])
def test_widths_of_an_address_are_checked(bits):
    rule = f"address_bits must be an integer of at least 1, not {bits!r}"
    with pytest.raises(ValueError, match=rule):
        WishboneSignature(address_bits=bits)


@pytest.mark.parametrize("bits", [0, 12, 128, 8.0])
def test_widths_of_data_are_checked(bits):
    with pytest.raises(ValueError, match=rf"data_bits must be 8, 16, 32 or 64, not {bits!r}"):
        WishboneSignature(address_bits=9, data_bits=bits)


def test_words_of_a_register_are_checked():
    start = RegisterMap(DIVERSE["tiny"]).register("w_start")
    assert start.word(row=3, bank=0, signed=1) == 3 | 1 << 31
    with pytest.raises(ValueError, match=r"field row of w_start must be in 0\.\.7, not 8"):
        start.word(row=8)
