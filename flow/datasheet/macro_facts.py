"""What a datasheet says of a macro before anything runs: figures, ports, registers, timing."""

from collections.abc import Iterator, Mapping
from typing import Any

from cimforge.flow.datasheet.port_table import PORTS, STREAMS, stream_of
from cimforge.hdl.bus.registers import Field, RegisterMap
from cimforge.hdl.params.config import MacroConfig

__all__ = ["macro_facts"]

ALWAYS = "of this configuration"
KINDS = {"fa": "full adders", "ha": "half adders"}


def macro_facts(config: MacroConfig, manifest: Mapping[str, Any], waves: str) -> dict[str, Any]:
    """JSON data of the macro of ``config``: from its ``manifest``, its register map behind a 32-bit
    bus, and ``waves``, the text that its timing diagram is drawn from.

    Each figure has its unit and the condition it holds under; cycles count clock edges.
    """
    registers = RegisterMap(config)
    return {
        "name": config.module,
        "generate": manifest["command"],
        "digest": manifest["digest"],
        "versions": manifest["tools"],
        "parameters": config.parameters(),
        "figures": [
            dict(zip(("what", "value", "unit", "condition"), row, strict=True))
            for row in _figures(config, manifest)
        ],
        "precisions": _precisions(manifest),
        "ports": [_port(port) for port in manifest["ports"]],
        "registers": [
            {**each._asdict(), "fields": [_field(field) for field in each.fields]}
            for each in registers.registers()
        ],
        "windows": [window._asdict() for window in registers.windows()],
        "waves": waves,
        "files": manifest["files"],
    }


def _figures(
    config: MacroConfig, manifest: Mapping[str, Any]
) -> Iterator[tuple[str, int, str, str]]:
    """What, value, unit and condition."""
    bits = config.input_bits
    pass_ = f"a pass of {bits}-bit {{}} inputs"
    if config.skips:
        pass_ += ", no plane of which is skipped"
    yield "products of a bit and a bit", config.macs_1b, "a cycle", "in each cycle of a pass"
    yield "weights kept", manifest["weight_capacity_bits"], "bits", "in all banks"
    yield "result", config.y_bits, "bits", "the widest that any pass makes, two's complement"
    for sign, tail in (("unsigned", ""), ("signed", "_signed")):
        told = pass_.format(sign)
        waits = f"{told}; from a vector taken to its result offered"
        yield f"latency, {sign}", manifest[f"latency{tail}"][bits], "cycles", waits
        waits = f"{told}; vectors and results never wait"
        yield f"a result every, {sign}", manifest[f"pass_interval{tail}"][bits], "cycles", waits
    loads = manifest["load_cycles"]
    yield "load of a bank", loads["write"], "cycles", "row by row"
    if config.grouped:
        yield "load of a bank, fast path", loads["fill"], "cycles", "rows in order with w_fill"
    read = manifest["read_latency"]
    yield "read-back", read, "cycles", "from a request taken to its row offered"
    yield "adder trees", manifest["trees"], "", ALWAYS
    yield "register ranks of a tree", manifest["tree_stages"], "", ALWAYS
    for kind, number in manifest["tree_adders"].items():
        yield f"{KINDS.get(kind, kind)} of a tree", number, "", "before any mapping"


def _precisions(manifest: Mapping[str, Any]) -> list[dict[str, int]]:
    """Latency and interval at every precision that a pass may choose."""
    keys = ("latency", "latency_signed", "pass_interval", "pass_interval_signed")
    return [
        {"bits": bits, **{key: manifest[key][bits] for key in keys}} for bits in manifest[keys[0]]
    ]


def _port(port: Mapping[str, Any]) -> dict[str, Any]:
    """A port with its stream and meaning; a style of one's own may have ports that no table has."""
    name = port["name"]
    meaning = PORTS[name].meaning.replace("`", "") if name in PORTS else ""
    return {**port, "stream": STREAMS[stream_of(name)], "meaning": meaning}


def _field(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "low": field.low,
        "high": field.low + field.width - 1,
        "meaning": field.meaning,
        "value": field.value or None,
    }
