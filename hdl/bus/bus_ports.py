"""Buses as signatures, each as its master or source sees it, under the names of its standard."""

from amaranth.lib.wiring import In, Out, Signature

from cimforge.hdl.bus.registers import WORD_BITS
from cimforge.hdl.bus.signatures import WishboneSignature

__all__ = [
    *("OKAY", "SLVERR"),
    *("apb_bus", "axi4_bus", "axi4lite_bus", "axi_stream", "check_widths", "wishbone_burst_bus"),
    "register_wishbone",
]

# AMBA's responses: bit 1 tells of an error
OKAY = 0b00
SLVERR = 0b10


def check_widths(address_bits: int, data_bits: int = WORD_BITS) -> None:
    """Raise ValueError where these widths make no bus: ``data_bits`` must be a power of 2."""
    if type(address_bits) is not int or not 3 <= address_bits <= 64:
        raise ValueError(f"address_bits must be an integer in 3..64, not {address_bits!r}")
    if data_bits not in (8 << place for place in range(8)):
        raise ValueError(f"data_bits must be a power of 2 in 8..1024, not {data_bits!r}")


def axi4lite_bus(address_bits: int) -> Signature:
    """AXI4-Lite of 32 bits (AMBA AXI, part B): five channels, each with valid and ready."""
    check_widths(address_bits)
    return Signature(
        {
            **{"awaddr": Out(address_bits), "awprot": Out(3), "awvalid": Out(1), "awready": In(1)},
            **{"wdata": Out(32), "wstrb": Out(4), "wvalid": Out(1), "wready": In(1)},
            **{"bresp": In(2), "bvalid": In(1), "bready": Out(1)},
            **{"araddr": Out(address_bits), "arprot": Out(3), "arvalid": Out(1), "arready": In(1)},
            **{"rdata": In(32), "rresp": In(2), "rvalid": In(1), "rready": Out(1)},
        }
    )


def apb_bus(address_bits: int) -> Signature:
    """APB4 of 32 bits, one select (AMBA APB, issue C)."""
    check_widths(address_bits)
    return Signature(
        {
            **{"psel": Out(1), "penable": Out(1), "pwrite": Out(1), "paddr": Out(address_bits)},
            **{"pwdata": Out(32), "pstrb": Out(4), "pprot": Out(3)},
            **{"pready": In(1), "prdata": In(32), "pslverr": In(1)},
        }
    )


def register_wishbone(address_bits: int) -> Signature:
    """Wishbone B4 of 32 bits, standard cycles; addresses count bytes."""
    check_widths(address_bits)
    return WishboneSignature(address_bits=address_bits)


def wishbone_burst_bus(address_bits: int, data_bits: int) -> Signature:
    """Wishbone B4 with registered feedback: standard cycles and what tells of a burst, ``cti`` and
    ``bte``; addresses count bytes."""
    check_widths(address_bits, data_bits)
    return Signature(
        {
            **{"cyc": Out(1), "stb": Out(1), "we": Out(1), "adr": Out(address_bits)},
            **{"sel": Out(data_bits // 8), "dat_w": Out(data_bits), "dat_r": In(data_bits)},
            **{"cti": Out(3), "bte": Out(2), "ack": In(1), "err": In(1)},
        }
    )


def axi4_bus(address_bits: int, data_bits: int) -> Signature:
    """AXI4 with one identifier bit (AMBA AXI, part A), without regions and user signals."""
    check_widths(address_bits, data_bits)
    request = {
        **{"id": 1, "addr": address_bits, "len": 8, "size": 3, "burst": 2, "lock": 1, "cache": 4},
        **{"prot": 3, "qos": 4},
    }
    channels = {
        f"{channel}{name}": Out(width)
        for channel in ("aw", "ar")
        for name, width in {**request, "valid": 1}.items()
    }
    return Signature(
        {
            **channels,
            **{"awready": In(1), "arready": In(1)},
            **{"wdata": Out(data_bits), "wstrb": Out(data_bits // 8), "wlast": Out(1)},
            **{"wvalid": Out(1), "wready": In(1)},
            **{"bid": In(1), "bresp": In(2), "bvalid": In(1), "bready": Out(1)},
            **{"rid": In(1), "rdata": In(data_bits), "rresp": In(2), "rlast": In(1)},
            **{"rvalid": In(1), "rready": Out(1)},
        }
    )


def axi_stream(data_bits: int) -> Signature:
    """AXI4-Stream of whole packets: ``tkeep`` marks the bytes that count, ``tlast`` a packet's
    end."""
    check_widths(8, data_bits)
    return Signature(
        {
            **{"tdata": Out(data_bits), "tkeep": Out(data_bits // 8), "tlast": Out(1)},
            **{"tvalid": Out(1), "tready": In(1)},
        }
    )
