"""A macro for AccelForge: an architecture whose multiply-accumulates cost what was measured."""

from cimforge.compiler.export.exported_macro import ExportedMacro

__all__ = ["accelforge_text"]


def accelforge_text(macro: ExportedMacro, command: str) -> str:
    """The ``arch`` of an AccelForge specification: off-chip memory of the table of constants, over
    ``cols`` columns that share inputs and ``rows`` rows whose products are summed, each with
    ``banks`` weights and a multiply-accumulate at full precision.

    Units are AccelForge's: J, m2, bits and seconds. A multiply-accumulate takes ``cycles *
    period``; its energy and area are the measured ones, spread evenly, weights' included. What is
    absent is 0 (time: as many a second as one likes), with a comment.
    """
    config, constants = macro.config, macro.constants
    lines = [f"# {line}" for line in macro.header(command)]
    energy = _value(macro.mac_pj, 1e-12)
    absent = " # energy: not measured" if macro.fj is None else ""
    bit = f"{constants.dram_pj / constants.dram_bits * 1e-12:.6g}"
    lines += [
        "arch:",
        "  nodes:",
        "  - !Memory",
        "    name: MainMemory",
        "    size: inf",
        "    leak_power: 0",
        "    area: 0 # not of the macro",
        "    tensors: {keep: ~Intermediates, may_keep: All}",
        f"    actions: # J a bit: {constants.source}",
        f"    - {{name: read, energy: {bit}, throughput: inf}}",
        f"    - {{name: write, energy: {bit}, throughput: inf}}",
        "",
        "  - !Container",
        f"    name: {config.module}",
        "    spatial:",
        f"    - {{name: columns, fanout: {config.cols}, reuse: input, min_usage: 0}}",
        f"    - {{name: rows, fanout: {config.rows}, reuse: output, min_usage: 0}}",
        "",
        "  - !Memory",
        "    name: Weights",
        f"    size: {config.banks} * (weight.bits_per_value if weight else 0)",
        "    leak_power: 0 # in the energy of a multiply-accumulate",
        "    area: 0 # in that of a multiply-accumulate",
        "    actions: # reading is in the multiply-accumulate, writing was not measured",
        "    - {name: read, energy: 0, throughput: inf}",
        "    - {name: write, energy: 0, throughput: inf}",
        "    tensors: {keep: weight}",
        "",
        "  - !Compute",
        "    name: MAC",
        "    leak_power: 0 # in its energy",
        f"    area: {_number(macro.mac_um2, 1e-12)}",
        f"    actions: # {macro.cycles} cycles",
        f"    - {{name: compute, energy: {energy}, throughput: {_rate(macro)}}}{absent}",
        "    enabled: len(All) == 3",
    ]
    return "\n".join(lines) + "\n"


def _value(value: float | None, scale: float) -> str:
    return "0" if value is None else f"{value * scale:.6g}"


def _number(value: float | None, scale: float) -> str:
    return f"{_value(value, scale)}{' # not measured' if value is None else ''}"


def _rate(macro: ExportedMacro) -> str:
    """Multiply-accumulates a second."""
    if macro.period is None:
        return "inf"
    return f"{1e9 / (macro.cycles * macro.period):.6g}"
