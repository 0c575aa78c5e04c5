"""Optional features of a macro by name: pure data; each costs nothing where it is off."""

__all__ = ["FEATURES"]

FEATURES = {
    "zero_skip": "a pass begins at the first group of planes that matters to any row",
}
