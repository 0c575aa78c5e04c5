"""Why an engine's queue was stopped: one table for hardware, software and documents."""

__all__ = ["ERROR_CAUSES"]

ERROR_CAUSES = {  # by the number in error.cause
    "none": "no error",
    "descriptor": "a descriptor's field is illegal",
    "read": "memory answered a read with an error",
    "write": "memory answered a write with an error",
    "channel": "a channel's requantisation is illegal",
}
