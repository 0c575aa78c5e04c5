"""cimforge schema: the JSON Schema of a configuration."""

import click

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.presets import PRESETS
from cimforge.scripts.options import print_json

__all__ = ["schema"]


@click.command(short_help="Print the JSON Schema of a config file.")
def schema() -> None:
    """Print the JSON Schema of a config file, presets included."""
    table = MacroConfig.model_json_schema()
    presets = [{"const": name, "description": preset.reason} for name, preset in PRESETS.items()]
    described = {"description": "start from this preset", "oneOf": presets}
    print_json({**table, "properties": {"preset": described, **table["properties"]}})
