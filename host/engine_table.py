"""A plan's layer as the table that the C driver computes its commands from."""

from cimforge.hdl.params.descriptors import ROUNDINGS
from cimforge.host.engine_plan import EnginePlan

__all__ = ["TABLE_FIELDS", "layer_table", "table_text"]

# The members of cim_linear_layer in host/c/cimforge_engine.h, in their order.
TABLE_FIELDS = (
    *("inputs", "outputs", "depth", "width", "group", "weights", "channels"),
    *("input_pitch", "output_pitch", "weights_signed", "fuse", "inputs_signed", "bits"),
    *("raw", "rounding", "wide", "ones", "zero", "lowest", "highest"),
)


def layer_table(plan: EnginePlan) -> dict[str, int]:
    """The members of cim_linear_layer for a plan's weights and channels, of any batch.

    Raises ValueError for a layer that scans images: its commands come from the plan alone.
    """
    tiling, image = plan.image.tiling, plan.image
    if tiling.shape.window:
        raise ValueError("the layer must be linear: the C driver has no plan of its own for images")
    told, shape = image.layer.requantise, tiling.shape
    numbers = {
        **{"inputs": shape.inputs, "outputs": shape.outputs},
        **{"depth": tiling.depth, "width": tiling.width, "group": tiling.group},
        **{"weights": plan.weights.address, "channels": plan.channels.address},
        **{"input_pitch": tiling.pitch, "output_pitch": plan.output_pitch},
        **{"weights_signed": int(image.signed), "fuse": shape.fuse},
        **{"inputs_signed": int(shape.signed), "bits": shape.bits, "raw": int(told is None)},
        **{"rounding": 0, "wide": 0, "ones": 0, "zero": 0, "lowest": 0, "highest": 0},
    }
    if told:
        numbers |= {"rounding": ROUNDINGS.index(told.rounding), "wide": int(told.wide)}
        numbers |= {"zero": told.zero, "lowest": told.lowest, "highest": told.highest}
        numbers["ones"] = tiling.mode.outputs - 1 if image.ones else 0
    return {name: numbers[name] for name in TABLE_FIELDS}


def table_text(name: str, plan: EnginePlan) -> str:
    """The same as C, a constant of this name."""
    lines = (f"  .{key} = {value}," for key, value in layer_table(plan).items())
    return "\n".join([f"static const cim_linear_layer {name} = {{", *lines, "};", ""])
