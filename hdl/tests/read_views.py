"""What each view of a register map says, read by programs that are not ours."""

from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from cmsis_svd.parser import SVDParser
from systemrdl.node import MemNode, RegNode

from cimforge.hdl.emit.library_views import compiled
from cimforge.hdl.emit.map_view import MapView
from cimforge.hdl.emit.register_views import rdl_text

__all__ = ["IPXACT", "Seen", "expected", "of_ipxact", "of_rdl", "of_svd", "windows"]

IPXACT = "{http://www.accellera.org/XMLSchema/IPXACT/1685-2014}"
READS, WRITES = ("ro", "rw", "w1c", "w1p"), ("wo", "rw", "w1c", "w1p")
Windows = dict[str, tuple[int, int, bool]]


class Seen(NamedTuple):
    """What a view says of a register: places and widths of fields, the word after reset."""

    offset: int
    reads: bool
    writes: bool
    clears: bool
    reset: int | None
    fields: dict[str, tuple[int, int]]


def expected(view: MapView) -> dict[str, Seen]:
    """The registers, from the map itself."""
    return {
        r.name: Seen(
            *(r.offset, r.access in READS, r.access in WRITES, r.access == "w1c", view.reset(r)),
            {field.name: (field.low, field.width) for field in r.fields},
        )
        for r in view.registers
    }


def windows(view: MapView) -> Windows:
    """Offset, words and whether it is written of each window."""
    return {w.name: (w.offset, w.words, w.access == "wo") for w in view.windows}


def of_rdl(view: MapView, folder: Path) -> tuple[dict[str, Seen], Windows]:
    """What the compiled SystemRDL says."""
    top = compiled(rdl_text(view), folder / "map.rdl").top
    assert top.inst_name == view.name
    registers, mems = {}, {}
    for node in top.descendants():
        if isinstance(node, MemNode):
            words, written = node.get_property("mementries"), node.get_property("sw").name == "w"
            mems[node.inst_name] = (node.absolute_address, words, written)
        elif isinstance(node, RegNode):
            fields = node.fields()
            resets = [field.get_property("reset") for field in fields]
            word = None
            if None not in resets:
                word = sum(r << f.low for r, f in zip(resets, fields, strict=True))
            clears = {str(f.get_property("onwrite")) == "OnWriteType.woclr" for f in fields}
            pulses = {bool(f.get_property("singlepulse")) for f in fields}
            assert pulses == {node.inst_name == "control"}
            registers[node.inst_name] = Seen(
                *(node.absolute_address, node.has_sw_readable, node.has_sw_writable),
                *(clears == {True}, word),
                {field.inst_name: (field.low, field.width) for field in fields},
            )
    return registers, mems


def of_svd(path: Path) -> tuple[dict[str, Seen], Windows]:
    """What the CMSIS-SVD says."""
    registers, arrays = {}, {}
    (peripheral,) = SVDParser.for_xml_file(str(path)).get_device().peripherals
    for register in peripheral.registers:
        if not hasattr(register, "name"):  # an array
            first, places = register.registers[0], register.registers
            assert [r.address_offset - first.address_offset for r in places] == [
                4 * place for place in range(len(places))
            ]
            name = first.name.removesuffix("_WINDOW[0]").lower()
            arrays[name] = (first.address_offset, len(places), first.access.value == "write-only")
            continue
        access = register.access.value
        kind = getattr(register.modified_write_values, "value", None)
        assert kind in (None, "oneToClear")
        registers[register.name.lower()] = Seen(
            *(register.address_offset, access != "write-only", access != "read-only"),
            *(kind == "oneToClear", register.reset_value if register.reset_mask else None),
            {field.name.lower(): (field.bit_offset, field.bit_width) for field in register.fields},
        )
    return registers, arrays


def of_ipxact(path: Path) -> tuple[dict[str, Seen], Windows]:
    """What the IP-XACT says."""

    def text(element, name: str) -> str | None:
        found = element.find(f"{IPXACT}{name}")
        return None if found is None else found.text

    def number(element, name: str) -> int:
        told = text(element, name)
        return int(told.removeprefix("'h"), 16 if told.startswith("'h") else 10)

    registers, mems = {}, {}
    for block in ElementTree.parse(path).iter(f"{IPXACT}addressBlock"):
        base = number(block, "baseAddress")
        if text(block, "usage") == "memory":
            written = text(block, "access") == "write-only"
            mems[text(block, "name")] = (base, number(block, "range") // 4, written)
        for register in block.findall(f"{IPXACT}register"):
            fields, resets, kinds, clears = {}, [], set(), set()
            for field in register.findall(f"{IPXACT}field"):
                place = number(field, "bitOffset")
                fields[text(field, "name")] = (place, number(field, "bitWidth"))
                kinds.add(text(field, "access"))
                clears.add(text(field, "modifiedWriteValue"))
                reset = field.find(f"{IPXACT}resets/{IPXACT}reset")
                resets.append(None if reset is None else number(reset, "value") << place)
            (kind,) = kinds
            registers[text(register, "name")] = Seen(
                *(base + number(register, "addressOffset"), kind != "write-only"),
                *(kind != "read-only", clears == {"oneToClear"}),
                *(None if None in resets else sum(resets), fields),
            )
    return registers, mems
