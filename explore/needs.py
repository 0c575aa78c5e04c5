"""Tools that tasks call and not every machine has, by name; simulators have their own."""

__all__ = ["NETWORK_FILES", "TIMING"]

TIMING = "opensta"
NETWORK_FILES = "models"  # the extra that reads them
