"""Tools that tasks call and not every machine has, by name; simulators have their own."""

__all__ = ["NETWORK_FILES", "PLACERS", "TIMING"]

TIMING = "opensta"
NETWORK_FILES = "models"  # extras, by their names
PLACERS = "fpga"
