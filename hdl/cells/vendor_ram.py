"""RAM blocks of FPGAs as leaves, and a wrapper with plain ports around each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from cimforge.hdl.netlist.module import LEAF, Child, Port
from cimforge.hdl.netlist.structure import Bus, Net, Structure, concat, constant
from cimforge.hdl.params.ram_blocks import RamBlock

__all__ = ["VendorRam", "build_ram_block"]


@dataclass(frozen=True)
class VendorRam:
    """A vendor's RAM block, instantiated by its name; its behavioural model is a file beside the
    macro's, which synthesis for the vendor's FPGA leaves out."""

    name: str
    comment: str
    ports: Mapping[str, Port]
    parameters: Mapping[str, str]
    kind: str = "ram_block"
    role: str = LEAF
    latency: int = 1
    children: Sequence[Child] = ()

    @property
    def reference(self) -> str:
        """What stands before an instance's name."""
        values = ", ".join(f".{name}({value})" for name, value in self.parameters.items())
        return f"{self.name} #({values})"

    def verilog(self) -> str:
        """Nothing: its text is a file of its own."""
        return ""

    def model(self) -> str:
        """The text of that file."""
        return files("cimforge.hdl.cells").joinpath("models", f"{self.name}.v").read_text()


def _leaf(block: RamBlock, inputs: str, outputs: str, **parameters: str) -> VendorRam:
    """The leaf of a block, of ports ``name`` or ``name:width``."""

    def port(text: str, direction: str) -> Port:
        name, _, width = text.partition(":")
        return Port(name, direction, int(width or 1))

    ports = [port(text, "input") for text in inputs.split()]
    ports += [port(text, "output") for text in outputs.split()]
    return VendorRam(block.cell, block.about, {p.name: p for p in ports}, parameters)


@cache
def build_ram_block(prefix: str, block: RamBlock) -> Structure:
    """``block`` behind plain ports: ``q`` is the word ``read_address``, block.registers edges of
    clk with ``enable`` later; at an edge with ``write`` high the word ``write_address`` takes
    ``d``. Where both are the same word in one cycle q is undefined. Not reset."""
    out = Structure(prefix, "ram_block", f"{block.about}.", role="storage", latency=block.registers)
    nets = {"clk": out.port("input", "clk")}
    if block.registers:
        nets["enable"] = out.port("input", "enable")
    for name, width in (("read_address", block.address_bits), ("write", 1)):
        nets[name] = out.port("input", name, width)
    nets["write_address"] = out.port("input", "write_address", block.address_bits)
    nets["d"] = out.port("input", "d", block.bits)
    nets["q"] = out.port("output", "q", block.bits)
    WIRINGS[block.cell](out, block, nets)
    return out


def _wire_lut_ram(out: Structure, block: RamBlock, nets: dict[str, Bus]) -> None:
    leaf = _leaf(block, "DI:4 WAD:4 WRE WCK RAD:4", "DO:4", WCKMUX='"WCK"', WREMUX='"WRE"')
    pins = {"DI": nets["d"], "WAD": nets["write_address"], "WRE": nets["write"]}
    pins |= {"WCK": nets["clk"], "RAD": nets["read_address"], "DO": nets["q"]}
    out.place(leaf, "ram", **pins)


def _wire_ecp5(out: Structure, block: RamBlock, nets: dict[str, Bus]) -> None:
    """Port A writes, port B reads; the lower half of a word is on A's data pins."""
    control = ["CLK", "CE", "OCE", "WE", "RST", "CS0", "CS1", "CS2"]
    names = [
        f"{name[:2] if name[:2] == 'CS' else name}{side}{name[2:] if name[:2] == 'CS' else ''}"
        for side in "AB"
        for name in control
    ]
    half = block.bits // 2
    inputs = [*names, *(f"AD{side}{bit}" for side in "AB" for bit in range(14))]
    inputs += [f"DI{side}{bit}" for side in "AB" for bit in range(half)]
    outputs = [f"DO{side}{bit}" for side in "AB" for bit in range(half)]
    modes = {"DATA_WIDTH_A": "36", "DATA_WIDTH_B": "36"}
    modes |= dict.fromkeys(("REGMODE_A", "REGMODE_B"), '"OUTREG"')
    modes |= {"RESETMODE": '"SYNC"', "ASYNC_RESET_RELEASE": '"SYNC"', "GSR": '"DISABLED"'}
    modes |= dict.fromkeys(("CSDECODE_A", "CSDECODE_B"), '"0b000"')
    leaf = _leaf(block, " ".join(inputs), " ".join(outputs), **modes)
    low, high = constant(0, 1), constant(1, 1)
    pins: dict[str, Net] = dict.fromkeys(names, low)
    pins |= {"CLKA": nets["clk"], "CLKB": nets["clk"], "WEA": high, "CEA": nets["write"]}
    pins |= dict.fromkeys(("CEB", "OCEA", "OCEB"), nets["enable"])
    places: dict[str, Net] = {f"ADA{bit}": high if bit < 4 else low for bit in range(5)}
    places |= {f"ADB{bit}": low for bit in range(5)}
    for bit in range(block.address_bits):
        places[f"ADA{5 + bit}"] = nets["write_address"].bits(bit)
        places[f"ADB{5 + bit}"] = nets["read_address"].bits(bit)
    words = {
        f"D{way}{side}{bit}": nets[net].bits(place * half + bit)
        for way, net in (("I", "d"), ("O", "q"))
        for place, side in enumerate("AB")
        for bit in range(half)
    }
    out.place(leaf, "ram", **pins, **places, **words)


def _wire_ice40(out: Structure, block: RamBlock, nets: dict[str, Bus]) -> None:
    inputs = "RCLK RCLKE RE RADDR:11 WCLK WCLKE WE WADDR:11 MASK:16 WDATA:16"
    leaf = _leaf(block, inputs, "RDATA:16", READ_MODE="0", WRITE_MODE="0")
    above = constant(0, 11 - block.address_bits)
    pins: dict[str, Net] = {"RDATA": nets["q"], "WDATA": nets["d"], "MASK": constant(0, 16)}
    pins |= {"RCLK": nets["clk"], "RCLKE": nets["enable"], "RE": constant(1, 1)}
    pins |= {"WCLK": nets["clk"], "WCLKE": constant(1, 1), "WE": nets["write"]}
    pins |= {"RADDR": concat([nets["read_address"], above])}
    out.place(leaf, "ram", **pins, WADDR=concat([nets["write_address"], above]))


def _wire_gowin(out: Structure, block: RamBlock, nets: dict[str, Bus]) -> None:
    inputs = "CLKA CEA CLKB CEB OCE RESETA RESETB ADA:14 ADB:14 BLKSELA:3 BLKSELB:3 DI:36"
    modes = {"READ_MODE": "1'b1", "BIT_WIDTH_0": "36", "BIT_WIDTH_1": "36"}
    modes |= {"BLK_SEL_0": "3'b000", "BLK_SEL_1": "3'b000", "RESET_MODE": '"SYNC"'}
    leaf = _leaf(block, inputs, "DO:36", **modes)
    pins: dict[str, Net] = {"DI": nets["d"], "DO": nets["q"], "CEA": nets["write"]}
    pins |= dict.fromkeys(("CLKA", "CLKB"), nets["clk"])
    pins |= dict.fromkeys(("CEB", "OCE"), nets["enable"])
    pins |= dict.fromkeys(("RESETA", "RESETB"), constant(0, 1))
    pins |= dict.fromkeys(("BLKSELA", "BLKSELB"), constant(0, 3))
    every = concat([constant(15, 4), constant(0, 1), nets["write_address"]])
    out.place(leaf, "ram", **pins, ADA=every, ADB=concat([constant(0, 5), nets["read_address"]]))


WIRINGS: dict[str, Callable[[Structure, RamBlock, dict[str, Bus]], None]] = {
    "TRELLIS_DPR16X4": _wire_lut_ram,
    "DP16KD": _wire_ecp5,
    "SB_RAM40_4K": _wire_ice40,
    "SDPX9B": _wire_gowin,
}
