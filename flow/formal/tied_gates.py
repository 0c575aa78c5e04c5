"""Mapped modules with input ports tied: what follows is constant, gates and registers alike."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

from cimforge.flow.formal.gate_groups import Gate
from cimforge.flow.formal.leaf_laws import Bit
from cimforge.flow.liberty.function import parse_function

__all__ = ["fold_gates"]


def fold_gates(gates: Sequence[Gate], tied: Mapping[Bit, int]) -> list[Gate]:
    """The gates that are left where nets are ``tied`` to values, constants at their inputs.

    A register whose next state is constant is, once it has been enabled; so is one that holds that
    value while it is not. Gates behind one tied port are the mapper's to choose; what they do to
    the bits that they take is the checker's matter.
    """
    if not tied:
        return list(gates)
    known: dict[Bit, int] = dict(tied)
    waiting = list(gates)
    while True:
        drivers = {bit: each for each in waiting for bit in each.outputs.values()}
        found = {bit: v for each in waiting for bit, v in _made(each, known, drivers)}
        if not found.keys() - known.keys():
            break
        known |= found
        waiting = [each for each in waiting if not known.keys() >= set(each.outputs.values())]
    return [replace(each, inputs=_folded(each, known)) for each in waiting]


def _folded(each: Gate, known: Mapping[Bit, int]) -> dict[str, Bit]:
    """Its inputs, constants in place of nets of known value."""
    return {pin: str(known[bit]) if bit in known else bit for pin, bit in each.inputs.items()}


def _value(bit: Bit, known: Mapping[Bit, int]) -> int | None:
    return int(bit) if bit in ("0", "1") else known.get(bit)


def _made(
    each: Gate, known: Mapping[Bit, int], drivers: Mapping[Bit, Gate]
) -> Iterator[tuple[Bit, int]]:
    """Outputs of a gate or register whose value is known."""
    if each.cell.ff is not None:
        yield from _kept(each, known, drivers)
    elif each.cell.combinational:
        for pin, bit in each.outputs.items():
            values = _values(each, pin, known)
            if len(values) == 1:
                yield bit, values.pop()


def _values(each: Gate, pin: str, known: Mapping[Bit, int]) -> set[int]:
    """What an output may be, whatever the unknown inputs are; both values where they are many."""
    free = sorted({str(b) for b in each.inputs.values() if _value(b, known) is None})
    if len(free) > 4:
        return {0, 1}
    function = parse_function(each.cell.pin(pin).function)
    values = set()
    for pattern in product((0, 1), repeat=len(free)):
        given = dict(zip(free, pattern, strict=True))
        pins = {p: given.get(str(b), _value(b, known) or 0) for p, b in each.inputs.items()}
        values.add(function.value(pins))
    return values


def _kept(
    each: Gate, known: Mapping[Bit, int], drivers: Mapping[Bit, Gate]
) -> Iterator[tuple[Bit, int]]:
    """Outputs of a register that takes one value, or none, at every edge."""
    ff = each.cell.ff or {}
    names = parse_function(ff["next_state"]).names() - {ff["IQ"]}
    state = {each.cell.pin(pin).function: bit for pin, bit in each.outputs.items()}
    for value in (0, 1):
        held = {**known, **{bit: value ^ (n != ff["IQ"]) for n, bit in state.items()}}
        taken = (_taken(each.inputs[name], held, drivers) for name in names if name in each.inputs)
        if {value} in taken and _holds(each, held, drivers, value):
            yield from ((bit, held[bit]) for bit in state.values())
            return


def _taken(bit: Bit, known: Mapping[Bit, int], drivers: Mapping[Bit, Gate]) -> set[int]:
    """What a net may be, by its own gate."""
    value = _value(bit, known)
    if value is not None:
        return {value}
    each = drivers.get(bit)
    if each is None or each.cell.ff is not None or not each.cell.combinational:
        return {0, 1}
    (pin,) = (pin for pin, net in each.outputs.items() if net == bit)
    return _values(each, pin, known)


def _holds(each: Gate, known: Mapping[Bit, int], drivers: Mapping[Bit, Gate], value: int) -> bool:
    """Whether the next state is ``value`` whatever the unknown pins are."""
    ff = each.cell.ff or {}
    function = parse_function(ff["next_state"])
    names = sorted(function.names())
    may = [
        {value} if name == ff["IQ"] else _taken(each.inputs[name], known, drivers) for name in names
    ]
    rows = product(*may)
    return all(function.value(dict(zip(names, row, strict=True))) == value for row in rows)
