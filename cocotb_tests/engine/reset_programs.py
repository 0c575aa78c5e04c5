"""Programs in whose every phase an engine is reset, and the phases that they pass through."""

from random import Random

import numpy as np

from cimforge.cocotb_tests.engine.program_draw import Kind, Program, draw_program
from cimforge.hdl.params.descriptors import DESCRIPTOR_BYTES, pack_descriptor
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["ENDINGS", "expected_phases", "labels", "reset_program"]

ENDINGS = ("end", "malformed", "unread", "unwritten", "bad channel")
PATCHES = {"segments_x": 2, "segments_y": 2, "accumulate": 0, "vectors": 3}
FETCH = ("asks", "words", "waits")


def reset_program(config: EngineConfig, rng: Random, ending: str) -> Program:
    """One descriptor of each kind; then what ``ending`` says, one of ENDINGS."""
    kinds: list[Kind] = [
        *(("load", {}), ("copy", {"channels": 1}), ("copy", {"channels": 0, "lines": 3})),
        *(("run", PATCHES), ("run", {"accumulate": 1}), ("store", {"raw": 1, "vectors": 3})),
        ("store", {"raw": 0, "vectors": min(4, config.acc_vectors)}),
    ]
    last = {"unread": "load", "unwritten": "store", "bad channel": "copy"}.get(ending, "end")
    told = {"channels": 1, "count": 3} if ending == "bad channel" else {}
    program = draw_program(config, rng, 0, [*kinds, (last, told)])
    values = program.descriptors[-1][1]
    missing = program.base + 2 * len(program.image) & ~0xFFF
    if ending == "unread":
        values["source"] = missing
    elif ending == "unwritten":
        values["target"] = missing
    elif ending == "bad channel":
        place = values["source"] - program.base + 16 + 4  # the second one's multiplier
        program.image[place : place + 4] = 0xFF
    words = pack_descriptor(config, last, values)
    if ending == "malformed":  # beside all, so that the STORE before it is under way
        words[0] |= 0x700
        words[15] = 1
    place = (len(program.descriptors) - 1) * DESCRIPTOR_BYTES
    program.image[place : place + DESCRIPTOR_BYTES] = np.array(words, "<u4").view(np.uint8)
    return program


def labels(program: Program) -> list[str]:
    """What each descriptor is called in phases."""
    return [_label(name, values) for name, values in program.descriptors]


def _label(name: str, values: dict[str, int]) -> str:
    if name == "copy":
        return "copy of channels" if values.get("channels") else "copy"
    if name == "run":
        patches = values.get("segments_x", 1) > 1
        return "run, adding" if values.get("accumulate") else "run of patches" if patches else "run"
    if name == "store":
        return "store of sums" if values.get("raw") else "store of elements"
    return name


def expected_phases(config: EngineConfig) -> set[str]:
    """Every phase that reset_program passes through, of all ENDINGS."""
    loads, runs = ("load", "copy of channels", "copy"), ("run", "run of patches", "run, adding")
    stores = ("store of sums", "store of elements")
    found = {"next", "compare", "verdict", "drain", "idle", "drain after an error"}
    found |= {f"offer {label}" for label in (*loads, *runs, *stores, "end")}
    found |= {f"{label}: {doing}" for label in loads for doing in FETCH}
    found |= {f"{label}: {doing}" for label in runs for doing in ("gathers", "offers")}
    found |= {f"{label}: awaits results" for label in runs}
    steps = ("prepare", "settle", "fetch", "groups", "drain", "asks", "words")
    found |= {f"{label}: {step}" for label in stores for step in steps}
    found |= {"load: row", "load: failed"}
    if config.weight_zeros:
        found.add("store of elements: ones")
    return found
