"""The macro's streams as signatures, seen from the source: valid, ready and what a beat carries."""

from amaranth.lib.wiring import In, Out, Signature

from cimforge.hdl.params.config import MacroConfig

__all__ = ["SINKS", "SOURCES", "beat_stream", "macro_streams", "without_data"]

SOURCES = ("x", "w", "r")  # streams into the macro
SINKS = ("y", "q")  # streams out of it


def beat_stream(**fields: int) -> Signature:
    """A valid/ready stream whose beats carry ``fields`` of these widths; those of width 0 are left
    out. A beat moves at a rising edge with valid and ready high; it is stable until then."""
    payload = {name: Out(width) for name, width in fields.items() if width}
    return Signature({"valid": Out(1), "ready": In(1), **payload})


def macro_streams(config: MacroConfig) -> dict[str, Signature]:
    """The five streams of a macro by name, in the order of its ports."""
    row = max(mode.row_width for mode in config.modes)
    fill = {"fill": int(config.grouped)}
    place = {"bank": config.bank_bits, "row": config.row_bits}
    return {
        "x": beat_stream(
            data=config.rows * config.input_bits,
            bits=config.x_bits_width,
            signed=1,
            bank=config.bank_bits,
            rows=config.x_rows_width,
        ),
        "y": beat_stream(data=max(mode.y_width for mode in config.modes)),
        "w": beat_stream(**place, data=row, signed=1, fuse=config.w_fuse_width, **fill),
        "r": beat_stream(**place),
        "q": beat_stream(data=row),
    }


def without_data(stream: Signature) -> Signature:
    """What control needs of a stream: all but the data."""
    return Signature({name: m for name, m in stream.members.items() if name != "data"})
