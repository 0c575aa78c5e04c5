"""A design from Verilog that is not ours: a user's own macro, an edited one, a netlist of another
flow."""

import glob
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cimforge.flow.simulate.simulator import Design
from cimforge.hdl.emit.outputs import CELLS, MANIFEST
from cimforge.hdl.netlist.module import Module
from cimforge.hdl.netlist.yosys import YosysError, run_yosys
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.ranges import nearest_word

__all__ = ["given_design"]

Ports = dict[str, tuple[str, int]]


def given_design(
    config: MacroConfig,
    folder: Path,
    sources: Sequence[Path],
    ours: Module,
    *,
    models: Sequence[Path] = (),
    top: str | None = None,
) -> Design:
    """``sources``, and ``models`` of the cells that they instantiate, in place of our module
    ``ours``, which is the macro of ``config`` or stands around it.

    Module ``top`` (default: called as ours) must have its ports; outputs of its own may be left
    open. A source that is a folder stands for the Verilog that its file list names. Nothing is
    written but below ``folder``.

    Raises InputError, naming each difference, where its ports are others, and where a folder has no
    list or lacks a file of it. Where Yosys cannot read the sources the simulator is left to judge
    them.
    """
    ports = {port.name: (port.direction, port.width) for port in ours.ports.values()}
    top = top or ours.name
    given = [path for source in sources for path in _files(source, top)]
    files = [path.resolve() for path in (*models, *given)]
    with TemporaryDirectory(prefix="cimforge-") as scratch:
        place = Path(scratch)
        if (declared := _read_modules(place, given)) is not None:
            _compare(top, {name: _ports(module) for name, module in declared.items()}, ports)
        _check_whole(_read_modules(place, given, bodies=True), _read_modules(place, models))
    return Design(config, folder, tuple(map(str, files)), top, tuple(ports))


def _files(source: Path, top: str) -> list[Path]:
    """The file, or the Verilog of a folder that ``TOP.f`` lists or, where there is none, the list
    of what stands around TOP."""
    if not source.is_dir():
        return [source]
    around = sorted(source.glob(f"{glob.escape(top)}_*.f"))
    found = next((each for each in (source / f"{top}.f", *around) if each.is_file()), None)
    if found is None:
        rule = f"has no list {top}.f of its Verilog{_held(source)}"
        raise InputError(f"--sources: {source} {rule}; name the files, each with --sources")
    paths = [source / name for name in found.read_text().split() if name.endswith((".v", ".sv"))]
    if missing := [path for path in paths if not path.is_file()]:
        raise InputError(f"--sources: {missing[0]} is missing, which {found} lists")
    return paths


def _held(folder: Path) -> str:
    """What a folder of ours holds, where its manifest tells."""
    try:
        name = json.loads((folder / MANIFEST).read_text())["name"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return f", but the macro {name}: give its CONFIG, and --name where it has one"


def _read_modules(
    folder: Path, sources: Sequence[Path], bodies: bool = False
) -> dict[str, dict] | None:
    """Every module of the sources as Yosys' JSON, without what is inside unless ``bodies``; None
    where Yosys cannot read them."""
    if not sources:
        return {}
    names = []
    for index, source in enumerate(sources):  # the sandbox sees only what lies in its folder
        name = f"{index}{'.sv' if source.suffix == '.sv' else '.v'}"
        shutil.copyfile(source, folder / name)
        names.append(name)
    try:
        read = f"read_verilog -sv {'' if bodies else '-lib'} {' '.join(names)}"
        run_yosys(f"{read}\ndelete p:*\nwrite_json modules.json\n", folder)
    except YosysError:
        return None
    return json.loads((folder / "modules.json").read_text())["modules"]


def _ports(module: Mapping[str, Any]) -> Ports:
    return {name: (port["direction"], len(port["bits"])) for name, port in module["ports"].items()}


def _check_whole(sources: dict[str, dict] | None, models: dict[str, dict] | None) -> None:
    """Raise InputError where the sources instantiate what no file defines."""
    if sources is None or models is None:
        return  # the simulator will tell
    used = {cell["type"] for module in sources.values() for cell in module["cells"].values()}
    missing = sorted(name for name in used - {*sources, *models} if not name.startswith("$"))
    if missing:
        named = ", ".join(missing[:4]) + (", …" if len(missing) > 4 else "")
        raise InputError(
            f"--sources: instantiate {named}, which no file defines; give the file that does as "
            f"--sources or --models (the macro's own cells are in the {CELLS} beside it)"
        )


def _compare(top: str, modules: Mapping[str, Ports], wanted: Ports) -> None:
    if top not in modules:
        others = nearest_word(top, list(modules)) or ", ".join(list(modules)[-3:]) or "none"
        raise InputError(f"--sources: hold no module {top}; name yours with --top (near: {others})")
    given = modules[top]
    wrong = [
        f"{name} must be {_told(port)}, is {_told(given[name]) if name in given else 'missing'}"
        for name, port in wanted.items()
        if given.get(name) != port
    ]
    wrong += [
        f"{name} is {_told(port)} that ours lacks: tie it off in a module around yours"
        for name, port in given.items()
        if name not in wanted and port[0] != "output"
    ]
    if wrong:
        more = f"; and {len(wrong) - 4} more" if len(wrong) > 4 else ""
        raise InputError(f"--sources: ports of {top}: {'; '.join(wrong[:4])}{more}")


def _told(port: tuple[str, int]) -> str:
    direction, width = port
    article = "a" if direction[0] not in "aeiou" else "an"
    return f"{article} {direction} of {width} bit{'s' if width > 1 else ''}"
