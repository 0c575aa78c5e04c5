"""A design from Verilog that is not ours: a user's own macro, an edited one, a netlist of another
flow."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from cimforge.flow.simulate.simulator import Design
from cimforge.hdl.bus.signatures import bus_ports
from cimforge.hdl.macro.ports import macro_ports
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
    *,
    models: Sequence[Path] = (),
    top: str | None = None,
    bus: str | None = None,
) -> Design:
    """``sources``, and ``models`` of the cells that they instantiate, as the macro of ``config``.

    Module ``top`` (default: the name of the macro, or of its wrapper for ``bus``) must have the
    macro's ports; outputs of its own may be left open. Nothing is written but below ``folder``.

    Raises InputError, naming each difference, where its ports are others. Where Yosys cannot read
    the sources the simulator is left to judge them.
    """
    ports = _wrapper_ports(config) if bus else _macro_ports(config)
    top = top or (f"{config.module}_wb" if bus else config.module)
    files = [path.resolve() for path in (*models, *sources)]
    with TemporaryDirectory(prefix="cimforge-") as scratch:
        modules = _read_modules(Path(scratch), sources)
    if modules is not None:
        _compare(top, modules, ports)
    return Design(config, folder, tuple(map(str, files)), top, tuple(ports))


def _macro_ports(config: MacroConfig) -> Ports:
    return {port.name: (port.direction, port.width) for port in macro_ports(config)}


def _wrapper_ports(config: MacroConfig) -> Ports:
    control = dict(config.storage_traits.control_ports)
    own = dict.fromkeys(("clk", "rst"), ("input", 1))
    return {**own, **{name: ("input", width) for name, width in control.items()}} | bus_ports(
        config
    )


def _read_modules(folder: Path, sources: Sequence[Path]) -> dict[str, Ports] | None:
    """The ports of every module of the sources; None where Yosys cannot read them."""
    names = []
    for index, source in enumerate(sources):  # the sandbox sees only what lies in its folder
        name = f"{index}{'.sv' if source.suffix == '.sv' else '.v'}"
        shutil.copyfile(source, folder / name)
        names.append(name)
    try:
        run_yosys(f"read_verilog -sv -lib {' '.join(names)}\nwrite_json ports.json\n", folder)
    except YosysError:
        return None
    found = json.loads((folder / "ports.json").read_text())["modules"]
    return {
        name: {port: (p["direction"], len(p["bits"])) for port, p in module["ports"].items()}
        for name, module in found.items()
    }


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
        f"{name} is {_told(port)} that the macro lacks: tie it off in a module around yours"
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
