"""What an emitted engine's memory port promises from cycle to cycle."""

__all__ = ["PortRules"]

OFFERED = {  # streams that the engine offers, and what stands in them
    "read": ("address", "beats"),
    "write": ("address", "beats"),
    "write_data": ("data", "strobe", "last"),
}


class PortRules:
    """Asserts that what is offered stands, unchanged, until it is taken; a hard reset alone ends
    that promise, and a new PortRules begins behind it."""

    def __init__(self, dut):
        self._lines = {
            name: (
                *(getattr(dut, f"{name}_valid"), getattr(dut, f"{name}_ready")),
                [getattr(dut, f"{name}_{field}") for field in fields],
            )
            for name, fields in OFFERED.items()
        }
        self._stands: dict[str, list] = {}

    def look(self) -> None:
        """Once a cycle, where all lines have settled."""
        for name, (valid, ready, fields) in self._lines.items():
            offered = bool(int(valid.value))
            told = [str(field.value) for field in fields] if offered else []
            due = self._stands.pop(name, None)
            assert due is None or offered, f"{name} is withdrawn: {due}"
            assert due is None or due == told, f"{name} changes from {due} to {told}"
            if offered and not int(ready.value):
                self._stands[name] = told
