"""Views of registers that need no library: SystemRDL, CMSIS-SVD, C header, Markdown."""

from typing import Any

from cimforge.hdl.bus.engine_map import ACCESS
from cimforge.hdl.bus.registers import Field
from cimforge.hdl.emit.map_view import MapView, engine_view, macro_view
from cimforge.hdl.emit.templates import render
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.descriptors import (
    DESCRIPTOR_WORDS,
    ROUNDINGS,
    UNITS,
    DescriptorField,
    pack_descriptor,
)
from cimforge.hdl.params.engine_config import CHANNEL_WORDS, EngineConfig

__all__ = ["engine_files", "field_rules", "macro_map_files", "rdl_text", "svd_text"]

RESERVED = """
    abstract accesstype addressingtype addrmap alias all alternate bit boolean bothedge byte compact
    component componentwidth constraint default encode enum external false field fullalign hw inside
    int internal jtag level longint mem na negedge nonsticky number onreadtype onwritetype posedge
    precedencetype property r rclr real ref reg regalign regfile rset ruser rw rw1 shortint
    shortreal signal signed string struct sw this true type unsigned w w1 wclr with within woclr
    woset wot wr wset wuser wzc wzs wzt
"""  # words of SystemRDL 2.0 (Accellera) that are no names
CHANNEL = (  # what a channel is in memory, a 32-bit word each
    ("bias", "added to a sum, two's complement"),
    ("multiplier", "0..2147483647, a fraction of 2^31"),
    ("shift", "two's complement, -31..31; positive: to the left"),
    ("weight_zero", "zero point of the weights, two's complement, -32768..32767"),
)


def engine_files(config: EngineConfig, prefix: str | None = None) -> dict[str, str]:
    """Views of an engine by file name: NAME.h, NAME.md, NAME.rdl, NAME.svd, NAME being
    ``config.module``; all from EngineMap and the table of descriptors.

    Symbols of the C header begin with ``prefix``, NAME where there is none: functions in small
    letters, the rest in capitals.
    """
    view = engine_view(config)
    named = prefix or view.name
    facts: dict[str, Any] = {
        **{"view": view, "access": ACCESS, "words": DESCRIPTOR_WORDS, "channel": CHANNEL},
        **{"units": UNITS, "roundings": ROUNDINGS, "channel_words": CHANNEL_WORDS},
        **{"config": config, "guard": named.upper(), "prefix": named.lower(), "bits": _bits},
        "defaults": {o.name: pack_descriptor(config, o.name, {}) for o in view.operations},
        **{"rules": field_rules(config), "values": _values},
        "used": {register.access for register in view.registers},
    }
    return {
        f"{view.name}.h": render("engine.h.j2", **facts),
        f"{view.name}.md": render("engine.md.j2", **facts),
        f"{view.name}.rdl": rdl_text(view),
        f"{view.name}.svd": svd_text(view),
    }


def macro_map_files(config: MacroConfig) -> dict[str, str]:
    """SystemRDL and CMSIS-SVD of a macro's registers and windows, NAME_regs.rdl and NAME_regs.svd,
    beside its header and document."""
    view = macro_view(config)
    return {f"{view.name}.rdl": rdl_text(view), f"{view.name}.svd": svd_text(view)}


def field_rules(config: EngineConfig) -> dict[str, tuple[tuple[str, str], ...]]:
    """What an operation's fields must be together, as check_descriptor has it: the field that is
    refused, and the rule in words."""
    room = f"sums + vectors at most {config.acc_vectors}"
    table = f"at most {config.channels}"
    return {
        "load": (("rows", f"first + rows at most {config.macro.rows}"),),
        "copy": (
            ("lines", "1 with channels"),
            ("count", f"target + count {table} with channels"),
            ("target", f"a multiple of {config.bus_bytes} without channels"),
        ),
        "run": (
            *(("vectors", room), ("skip", "below segment")),
            *(("skip_x", "below segments_x"), ("skip_y", "below segments_y")),
        ),
        "store": (
            *(("vectors", room), ("outputs", f"first + outputs at most {config.outputs}")),
            ("channel", f"channel + outputs {table} without raw"),
            ("highest", "not below lowest"),
        ),
    }


def rdl_text(view: MapView) -> str:
    """The map in SystemRDL 2.0: what is its own in hardware (hw) as seen from software's side.

    Windows are memories beside a map of the registers; else the registers are the map itself.
    """
    return render("map.rdl.j2", view=view, id=_rdl_name)


def svd_text(view: MapView) -> str:
    """The map as a CMSIS-SVD device of one peripheral at address 0; windows are arrays of
    registers."""
    return render("map.svd.j2", view=view)


def _bits(field: Field | DescriptorField) -> str:
    """The place of a field in its word."""
    top = field.low + field.width - 1
    return f"{top}:{field.low}" if field.width > 1 else f"{top}"


def _values(field: DescriptorField) -> str:
    """The legal values of a field."""
    whole = field.least == 0 and field.most + field.step == 1 << field.width
    told = "any" if whole and field.width > 1 else f"{field.least}..{field.most}"
    return f"{told}, by {field.step}" if field.step > 1 else told


def _rdl_name(name: str) -> str:
    """A name as SystemRDL takes it: words of the language are escaped."""
    return f"\\{name} " if name in RESERVED.split() else name
