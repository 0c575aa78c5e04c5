"""A macro as other tools' cost models read it."""
