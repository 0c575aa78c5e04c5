"""Commands of the bus slave: what their words must be, from the register map's fields."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Signal, Value

from cimforge.hdl.bus.registers import Register

__all__ = ["Command", "legal_word"]


class Command(NamedTuple):
    """A register whose write does something to a stream: ``ready`` says whether it may now,
    ``given`` is high in the cycle of a legal write."""

    register: Register
    ready: Value
    given: Signal

    def legal(self, word: Value) -> Value:
        """Whether ``word`` may be written now: the fields' values exist, reserved bits are 0."""
        return Cat(self.ready, *legal_word(self.register, word)).all()


def legal_word(register: Register, word: Value) -> list[Value]:
    """What must hold of a ``word`` that is written to a command's register, whenever."""
    fields = register.fields
    exist = [field.of(word) < field.limit for field in fields if field.limit]
    return [*exist, (word & register.reserved) == 0 if fields else Const(1)]
