"""Signatures of the nets of a netlist: what they are under many patterns at once.

Two nets of two netlists with one signature compute, but for a chance that the patterns make small,
the same function of the same registers.
"""

import random
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["ALL", "MODELS", "is_output", "net_signatures"]

PATTERNS = 512  # a third each with ones in half, an eighth and seven eighths of the places
ALL = (1 << PATTERNS) - 1
Bit = int | str
Values = Mapping[str, int]  # of a cell's inputs
Cell = Mapping[str, Any]


def net_signatures(module: Mapping[str, Any]) -> dict[int, int]:
    """The signature of each net bit of a flat module (Yosys JSON).

    Outputs of cells that MODELS does not have (registers, memories) and input ports are drawn by
    their names, so the same ones get the same values in another netlist.
    """
    drivers: dict[int, tuple[str, str, int]] = {}
    for name, cell in module["cells"].items():
        for port, bits in cell["connections"].items():
            if is_output(cell, port):
                drivers |= {bit: (name, port, i) for i, bit in enumerate(bits)}
    values: dict[int, int] = {}
    for name, port in module["ports"].items():
        if port["direction"] != "output":
            values |= {bit: _drawn(f"{name} {i}") for i, bit in enumerate(port["bits"])}
    for start in drivers:
        _evaluate(start, module["cells"], drivers, values)
    return values


def _evaluate(
    start: int,
    cells: Mapping[str, Cell],
    drivers: Mapping[int, tuple[str, str, int]],
    values: dict[int, int],
) -> None:
    """Give ``start`` its value, and before it all that it depends on."""
    waiting, open_cells = [start], set()
    while waiting:
        bit = waiting[-1]
        if bit in values or bit not in drivers:
            values.setdefault(bit, 0)  # an undriven net
            waiting.pop()
            continue
        name, port, place = drivers[bit]
        cell = cells[name]
        model = MODELS.get(cell["type"])
        missing = _missing(cell, values) if model else []
        if model is None or (missing and name in open_cells):  # or a loop
            values[bit] = _drawn(f"{name} {port} {place}")
        elif missing:
            open_cells.add(name)
            waiting += missing
        else:
            made = model(cell["parameters"], _inputs(cell, values))
            for output, value in made.items():
                for wire in cell["connections"].get(output, []):
                    values[wire] = value & ALL
            values.setdefault(bit, 0)


def is_output(cell: Cell, port: str) -> bool:
    """Whether a cell drives what is at its port; Yosys does not know of its own wrapper."""
    directions = cell.get("port_directions") or {"CO": "output", "O": "output"}
    return directions.get(port) == "output"


def _missing(cell: Cell, values: Mapping[int, int]) -> list[int]:
    """Input bits without a value yet."""
    return [
        bit
        for port, bits in cell["connections"].items()
        if not is_output(cell, port)
        for bit in bits
        if isinstance(bit, int) and bit not in values
    ]


def _inputs(cell: Cell, values: Mapping[int, int]) -> dict[str, int]:
    """The value of each one-bit input; an open or unknown one is 0."""
    return {
        port: (values[bits[0]] if isinstance(bits[0], int) else ALL * (bits[0] == "1"))
        for port, bits in cell["connections"].items()
        if bits and not is_output(cell, port)
    }


def _drawn(name: str) -> int:
    """Patterns of a free net."""
    draw = random.Random(name)
    a, b, c = (draw.getrandbits(PATTERNS) for _ in range(3))
    third = PATTERNS // 3
    low, middle = (1 << third) - 1, ((1 << third) - 1) << third
    return a & ~(low | middle) | (a & b & c) & low | (a | b | c) & middle


def table(init: Any, inputs: list[int]) -> int:
    """The output of a LUT: bit i of ``init`` where its inputs, the first lowest, make i."""
    value = init if isinstance(init, int) else _number(init)
    if not inputs:
        return ALL * (value & 1)
    half = 1 << (len(inputs) - 1)
    low, high = value & ((1 << half) - 1), value >> half & ((1 << half) - 1)
    if low == high:
        return table(low, inputs[:-1])
    last = inputs[-1]
    return table(high, inputs[:-1]) & last | table(low, inputs[:-1]) & ~last


def _number(parameter: Any) -> int:
    """A parameter of Yosys' JSON: binary digits, unknown ones 0, or an integer."""
    return parameter if isinstance(parameter, int) else int(_known(parameter) or "0", 2)


def _known(text: str) -> str:
    return "".join(digit if digit in "01" else "0" for digit in text.strip())


def _majority(a: int, b: int, c: int) -> int:
    return a & b | c & (a | b)


def _lut(init: str, names: str, output: str) -> Callable[[Any, Values], dict[str, int]]:
    """A LUT whose parameter ``init`` is its table."""
    return lambda p, v: {output: table(p.get(init, 0), [v.get(n, 0) for n in names.split()])}


def _gate(function: Callable[..., int], names: str = "A B") -> Callable[..., dict[str, int]]:
    """A gate of Yosys' own with output Y."""
    return lambda p, v: {"Y": function(*(v[name] for name in names.split()))}


def _wrapper(p: Any, v: Values) -> dict[str, int]:
    """iCE40's carry with the LUT it shares a cell with."""
    last = v["CI"] if _number(p["I3_IS_CI"]) else v.get("I3", 0)
    return {
        "CO": _majority(v["A"], v["B"], v["CI"]),
        "O": table(p["LUT"], [v.get("I0", 0), v["A"], v["B"], last]),
    }


def _ccu2c(p: Any, v: Values) -> dict[str, int]:
    """ECP5's two carries: each a LUT that propagates, and its lower quarter that generates."""
    carry, out = v.get("CIN", 0), {}
    for half in "01":
        ins = [v.get(f"{name}{half}", 0) for name in "ABCD"]
        inject = p.get(f"INJECT1_{half}") == "YES"
        whole = table(p[f"INIT{half}"], ins)
        part = 0 if inject else table(_number(p[f"INIT{half}"]) & 15, ins[:2])
        out[f"S{half}"] = whole ^ (0 if inject else carry)
        carry = ~whole & part | whole & carry
    return {**out, "COUT": carry}


def _alu(p: Any, v: Values) -> dict[str, int]:
    """Gowin's ALU as an adder or subtractor (mode 2: by I3), else an unknown function."""
    a, b, add, carry = v["I0"], v["I1"], v.get("I3", 0), v["CIN"]
    mode = _number(p["ALU_MODE"])
    same = {0: a ^ b, 1: a ^ ~b, 2: add & (a ^ b) | ~add & (a ^ ~b)}.get(mode, a ^ b)
    return {"SUM": same ^ carry, "COUT": same & carry | ~same & a}


def _l2t4(p: Any, v: Values) -> dict[str, int]:
    first = table(p["INIT_L00"], [v.get("I0", 0), v.get("I1", 0)])
    second = table(p["INIT_L01"], [v.get("I2", 0), v.get("I3", 0)])
    return {"O": table(p["INIT_L10"], [first, second])}


def _l2t5(p: Any, v: Values) -> dict[str, int]:
    first = table(p["INIT_L02"], [v.get("I0", 0), v.get("I1", 0)])
    second = table(p["INIT_L03"], [v.get("I2", 0), v.get("I3", 0)])
    both = table(p["INIT_L11"], [first, second])
    return {"O": table(p["INIT_L20"], [v.get("I4", 0), both])}


def _mux(low: int, high: int, select: int) -> int:
    return select & high | ~select & low


MODELS: dict[str, Callable[[Any, Values], dict[str, int]]] = {
    "$_NOT_": _gate(lambda a: ~a, "A"),
    "$_BUF_": _gate(lambda a: a, "A"),
    "$_AND_": _gate(lambda a, b: a & b),
    "$_NAND_": _gate(lambda a, b: ~(a & b)),
    "$_OR_": _gate(lambda a, b: a | b),
    "$_NOR_": _gate(lambda a, b: ~(a | b)),
    "$_XOR_": _gate(lambda a, b: a ^ b),
    "$_XNOR_": _gate(lambda a, b: ~(a ^ b)),
    "$_ANDNOT_": _gate(lambda a, b: a & ~b),
    "$_ORNOT_": _gate(lambda a, b: a | ~b),
    "$_MUX_": _gate(_mux, "A B S"),
    "$_NMUX_": _gate(lambda a, b, s: ~_mux(a, b, s), "A B S"),
    "SB_LUT4": _lut("LUT_INIT", "I0 I1 I2 I3", "O"),
    "SB_CARRY": lambda p, v: {"CO": _majority(v.get("I0", 0), v.get("I1", 0), v["CI"])},
    "$__ICE40_CARRY_WRAPPER": _wrapper,
    "LUT4": lambda p, v: (
        _lut("INIT", "A B C D", "Z") if "A" in v else _lut("INIT", "I0 I1 I2 I3", "F")
    )(p, v),
    "CCU2C": _ccu2c,
    "LUT1": _lut("INIT", "I0", "F"),
    "LUT2": _lut("INIT", "I0 I1", "F"),
    "LUT3": _lut("INIT", "I0 I1 I2", "F"),
    "ALU": _alu,
    "VCC": lambda p, v: {"V": ALL},
    "GND": lambda p, v: {"G": 0},
    "CC_LUT1": _lut("INIT", "I0", "O"),
    "CC_LUT2": _lut("INIT", "I0 I1", "O"),
    "CC_LUT3": _lut("INIT", "I0 I1 I2", "O"),
    "CC_LUT4": _lut("INIT", "I0 I1 I2 I3", "O"),
    "CC_L2T4": _l2t4,
    "CC_L2T5": _l2t5,
    "CC_MX2": lambda p, v: {"Y": _mux(v["D0"], v["D1"], v["S0"])},
    "CC_MX4": lambda p, v: {
        "Y": _mux(_mux(v["D0"], v["D1"], v["S0"]), _mux(v["D2"], v["D3"], v["S0"]), v["S1"])
    },
    "CC_ADDF": lambda p, v: {
        "S": v["A"] ^ v["B"] ^ v["CI"],
        "CO": _majority(v["A"], v["B"], v["CI"]),
    },
}
