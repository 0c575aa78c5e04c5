"""All hand-over views of a macro, written beside each other and compared with its ports."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cimforge.flow.handover.abstract_library import MacroCell, abstract_library
from cimforge.flow.handover.arc_axes import measured_axes
from cimforge.flow.handover.black_box import black_box
from cimforge.flow.handover.flow_settings import flow_settings
from cimforge.flow.handover.macro_lef import macro_lef
from cimforge.flow.handover.outline import Outline, estimate_outline
from cimforge.flow.handover.port_arcs import PortArcs
from cimforge.flow.handover.port_timing import measure_ports
from cimforge.flow.handover.power_intent import power_intent
from cimforge.flow.handover.scan_notes import scan_notes
from cimforge.flow.handover.tech_lef import GENERIC, TechLef
from cimforge.flow.handover.view_constraints import constraint_files, wrapper_tops
from cimforge.flow.handover.view_ports import compare_ports, read_ports, view_kind
from cimforge.flow.handover.whole_netlist import WholeNetlist, map_whole
from cimforge.hdl.bus.bus_wrapper import BUSES
from cimforge.hdl.emit.outputs import write_file
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.netlist.module import Port
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, canonical_command

__all__ = ["FOLDER", "HandoverReport", "view_faults", "write_views"]

FOLDER = "handover"
DEFAULT_CLOCK = 10.0  # ns, of constraints where nobody says
MADE_UP_LAYERS = (
    "no technology LEF: layers, tracks and places of the pins are of no process; give --lef FILE"
)
AREA_UNKNOWN = 2.0  # um2 a bit of storage: of an outline without a library, which says so


@dataclass(frozen=True)
class HandoverReport:
    """What was written to ``folder``: files by name with what each is for, and ``notes`` on what
    they do not tell. ``arcs``, ``area`` and ``leakage`` are None without a library."""

    name: str
    folder: Path
    files: Mapping[str, str]
    ports: int
    clock: float
    outline: Outline
    arcs: PortArcs | None = None
    area: float | None = None
    leakage: float | None = None
    notes: Sequence[str] = ()
    libraries: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """The JSON contract of ``cimforge handover``."""
        arcs = self.arcs
        checks = sum(map(len, arcs.checks.values())) if arcs else None
        return {
            "name": self.name,
            "folder": str(self.folder),
            "files": dict(self.files),
            "ports": self.ports,
            "clock_ns": self.clock,
            "min_period_ns": round(arcs.period, 4) if arcs and arcs.period else None,
            "checks": checks,
            "delays": sum(map(len, arcs.delays.values())) if arcs else None,
            "area_um2": None if self.area is None else round(self.area, 2),
            "leakage_nw": None if self.leakage is None else round(self.leakage, 3),
            "width_um": self.outline.width,
            "height_um": self.outline.height,
            "estimated": self.outline.estimated,
            "libraries": list(self.libraries),
            "notes": list(self.notes),
        }


@dataclass
class _Mapped:
    """What a library adds: the netlist, its arcs, and the cell that the abstract tells."""

    whole: WholeNetlist
    arcs: PortArcs
    area: float
    leakage: float | None
    volt: str
    notes: list[str] = field(default_factory=list)


def write_views(
    config: MacroConfig,
    folder: Path,
    *,
    liberty: Sequence[Path] = (),
    overrides: Mapping[str, str] | None = None,
    tech: TechLef | None = None,
    outline: Outline | None = None,
    clock: float | None = None,
    announce: Callable[[str], None] = print,
) -> HandoverReport:
    """Write the views of the macro emitted in ``folder`` to its subfolder FOLDER: without
    ``liberty`` all but the Liberty abstract, and an outline of made-up area.

    ``outline`` is a layout's, where there is one; else it is estimated on ``tech``'s layers. Equal
    input gives byte-equal files. Raises InputError where libraries lack what is needed or a view
    would not have the macro's ports, TimingError without OpenSTA, and YosysError.
    """
    ports, tech = macro_ports(config), tech or GENERIC
    mapped = _map(config, folder, liberty, overrides, tech, announce) if liberty else None
    announce("writing views")
    notes = mapped.notes if mapped else ["no library: no Liberty abstract, and areas are made up"]
    area = mapped.area if mapped else AREA_UNKNOWN * _bits(config)
    if not outline and not tech.source:
        notes.append(MADE_UP_LAYERS)
    outline = outline or estimate_outline(ports, area, tech)
    library = mapped.whole.library.parts[0].name if mapped else ""
    clock = clock or DEFAULT_CLOCK
    if mapped and mapped.arcs.period > clock:
        notes.append(
            f"from register to register it needs {mapped.arcs.period:.3f} ns, not {clock:g}"
        )
    texts = {
        f"{config.module}_bb.v": black_box(config.module, ports, canonical_command(config)),
        f"{config.module}.lef": macro_lef(config.module, ports, outline),
        f"{config.module}.upf": power_intent(config.module, ports, mapped.volt if mapped else ""),
        f"{config.module}_scan.md": scan_notes(config, ports, mapped.whole if mapped else None),
        **constraint_files(config, clock),
        **flow_settings(config, ports, clock, library),
    }
    if mapped:
        cell = _cell(config, ports, mapped, outline)
        texts[f"{config.module}.lib"] = abstract_library(cell)
    report = HandoverReport(
        name=config.module,
        folder=folder / FOLDER,
        files={name: _purpose(name, config) for name in sorted(texts)},
        ports=len(ports),
        clock=clock,
        outline=outline,
        arcs=mapped.arcs if mapped else None,
        area=mapped.area if mapped else None,
        leakage=mapped.leakage if mapped else None,
        notes=notes,
        libraries=[path.name for path in liberty],
    )
    _write(report, texts)
    faults = view_faults(config, report.folder)
    if faults:
        raise InputError(f"{report.folder}: {faults[0]}; no view may lack a port")
    return report


def view_faults(config: MacroConfig, folder: Path) -> list[str]:
    """Where the views in a folder do not have the ports of the macro, or of its wrapper."""
    wrappers = {top.name: list(top.ports.values()) for top in wrapper_tops(config)}
    lines = []
    for path in sorted(folder.iterdir()):
        if view_kind(path):
            own = wrappers.get(path.stem, macro_ports(config))
            lines += [f"{path.name}: {line}" for line in compare_ports(own, read_ports(path))]
    return lines


def _map(
    config: MacroConfig,
    folder: Path,
    liberty: Sequence[Path],
    overrides: Mapping[str, str] | None,
    tech: TechLef,
    announce: Callable[[str], None],
) -> _Mapped:
    announce(f"mapping {config.module}")
    whole = map_whole(config, folder, liberty, overrides)
    outputs = [port for port in macro_ports(config) if port.direction == "output"]
    most = max((whole.largest_load(port) for port in outputs), default=0.0)
    axes = measured_axes(list(whole.physics.values()), most)
    arcs = measure_ports(config, whole, axes, announce)
    area, unknown = whole.cell_area(tech.sizes)
    leakage, silent = whole.leakage()
    notes = list(whole.library.notes)
    notes += [f"{kind} has no area in {whole.library.name}: counted as 0" for kind in unknown]
    if silent:
        notes.append(f"no leakage of {', '.join(silent[:4])}: counted as 0")
    rams = config.storage_traits.memory
    if rams:
        notes.append("RAMs: neither their area nor paths that begin or end in them count")
    still = arcs.untimed(tuple(port.name for port in macro_ports(config)))
    if still:
        notes.append(f"no arc begins or ends at {', '.join(still)}")
    told = bool(leakage) or len(silent) < len(whole.physics)
    volt = whole.library.parts[0].header.values.get("nom_voltage", "")
    return _Mapped(whole, arcs, area, leakage if told else None, volt, notes)


def _cell(
    config: MacroConfig, ports: Sequence[Port], mapped: _Mapped, outline: Outline
) -> MacroCell:
    """The abstract's cell: inputs load with pins and wires, clk with pins alone, for no tree of
    buffers stands there yet."""
    arcs = mapped.arcs
    loads = {name: pins + arcs.wires.get(name, 0.0) for name, pins in arcs.pins.items()}
    loads["clk"] = arcs.pins.get("clk", 0.0)
    cells = mapped.area
    area = outline.width * outline.height
    notes = [
        f"{canonical_command(config)} --liberty; cells of {mapped.whole.library.name}",
        "Arcs: OpenSTA on the mapped netlist, of a bus the worst bit's; ideal clock, no layout.",
        f"Area: of the outline in the LEF ({'an estimate' if outline.estimated else 'a layout'});"
        f" its cells take {cells:.2f} um2.",
    ]
    return MacroCell(
        name=config.module,
        ports=ports,
        area=area,
        leakage=mapped.leakage,
        capacitances=loads,
        largest_loads={
            port.name: mapped.whole.largest_load(port)
            for port in ports
            if port.direction == "output"
        },
        arcs=arcs,
        header=mapped.whole.library.parts[0].header.values,
        notes=notes,
    )


def _bits(config: MacroConfig) -> int:
    return config.rows * config.cols * config.weight_bits * config.banks


def _write(report: HandoverReport, texts: Mapping[str, str]) -> None:
    """All files, those of an earlier run that are true no longer removed."""
    report.folder.mkdir(parents=True, exist_ok=True)
    texts = {**texts, "handover.json": json.dumps(_facts(report), indent=2) + "\n"}
    listed = report.folder / "handover.json"
    for name in _earlier(listed):
        if name not in texts:
            (report.folder / name).unlink(missing_ok=True)
    for name, text in texts.items():
        write_file(report.folder / name, text)


def _facts(report: HandoverReport) -> dict[str, Any]:
    """The report without where it lies."""
    return {key: value for key, value in report.as_json().items() if key != "folder"}


def _earlier(listed: Path) -> list[str]:
    """The files that an earlier run wrote here."""
    try:
        files = json.loads(listed.read_text())["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [name for name in files if isinstance(name, str) and "/" not in name]


PURPOSES = {
    "_bb.v": "black box, Verilog",
    "_pins.cfg": "pins by side, LibreLane",
    "_scan.md": "scan insertion notes",
    ".lef": "outline and pins",
    ".lib": "Liberty abstract",
    ".upf": "power intent",
    ".sdc": "constraints",
    "harden_librelane.json": "LibreLane: place and route it",
    "use_librelane.json": "LibreLane: use it as a macro",
    "harden_orfs.mk": "OpenROAD-flow-scripts: place and route it",
    "use_orfs.mk": "OpenROAD-flow-scripts: use it as a macro",
}


def _purpose(name: str, config: MacroConfig) -> str:
    """What a file is for; of constraints also of what."""
    purpose = next(purpose for end, purpose in PURPOSES.items() if name.endswith(end))
    if not name.endswith(".sdc"):
        return purpose
    titles = {
        f"{config.module}_{bus.tail}.sdc": f"the macro behind {bus.title}" for bus in BUSES.values()
    }
    return f"{purpose} of {titles.get(name, 'the macro')}"
