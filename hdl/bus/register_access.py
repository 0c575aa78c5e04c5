"""What the front ends of registers have in common: one access, from its request to its answer."""

from typing import Any, NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from cimforge.hdl.bus.registers import WORD_BITS

__all__ = ["Answer", "Asked", "build_access", "check_patience"]

MOST_PATIENCE = (1 << 16) - 1


class Asked(NamedTuple):
    """An access as a bus asks for it: stands still from ``valid`` until it is answered."""

    valid: Value
    write: Value
    address: Value
    strobe: Value
    data: Value


class Answer(NamedTuple):
    """In the cycle in which ``done`` is high, which ends the access: whether it failed, and the
    word read, 0 with an error."""

    done: Signal
    error: Signal
    data: Signal


def check_patience(patience: int) -> int:
    """``patience``; raises ValueError where it is no number of cycles that a front end counts."""
    if type(patience) is not int or not 0 <= patience <= MOST_PATIENCE:
        raise ValueError(f"patience must be an integer in 0..{MOST_PATIENCE}, not {patience!r}")
    return patience


def build_access(m: Module, registers: Any, asked: Asked, patience: int) -> Answer:
    """Hand an access to ``registers`` (a register_port, as its master) and return its answer.

    A misaligned address, or a write of some bytes only, is refused in its first cycle and not
    handed on. Where the register side refuses, the same access is asked for again until it is taken
    or ``patience`` cycles have passed, counted from its first: then the error is the answer. So a
    register side that answers within n cycles makes an access last ``patience`` + n at most.
    """
    refused = Signal()
    done = Signal()
    error = Signal()
    data = Signal(WORD_BITS)
    spent: Value = Const(1)
    if patience:
        waited_q = Signal(range(patience + 1))
        spent = waited_q == patience
        with m.If(~asked.valid | done):
            m.d.sync += waited_q.eq(0)
        with m.Elif(~spent):
            m.d.sync += waited_q.eq(waited_q + 1)
    whole = asked.strobe.all() | ~asked.write
    m.d.comb += [
        refused.eq(Cat(asked.address[:2].any(), ~whole).any()),
        registers.valid.eq(asked.valid & ~refused),
        registers.write.eq(asked.write),
        registers.address.eq(asked.address),
        registers.strobe.eq(Const(0b1111, 4)),
        registers.data_w.eq(asked.data),
        error.eq(refused | registers.error),
        done.eq(asked.valid & (refused | (registers.ready & (~registers.error | spent)))),
        data.eq(Mux(error, 0, registers.data_r)),
    ]
    return Answer(done, error, data)
