"""A macro for CIM-Tuner: its five numbers, as the .cfg file that its simulator reads."""

from typing import Any

from cimforge.compiler.export.exported_macro import ExportedMacro

__all__ = ["cim_tuner_numbers", "cim_tuner_text"]

OUTPUT_BITS = 32  # of the accumulator behind macros, as its own files have it


def cim_tuner_numbers(macro: ExportedMacro) -> dict[str, int]:
    """CIM-Tuner's matrix abstraction of a macro:

    - ``accumulation_length``: inputs summed, rows
    - ``parallel_channels``: outputs at once, cols
    - ``storage_compute_ratio``: weights held for each that computes, banks
    - ``input_bandwidth``: bits of inputs taken a cycle, rows x input bits / cycles of a vector
    - ``update_bandwidth``: bits of weights written a cycle
    """
    config = macro.config
    return {
        "accumulation_length": config.rows,
        "parallel_channels": config.cols,
        "storage_compute_ratio": config.banks,
        "input_bandwidth": config.rows * config.input_bits // macro.cycles,
        "update_bandwidth": macro.update_bits,
    }


def cim_tuner_text(macro: ExportedMacro, command: str) -> str:
    """The .cfg file. Keys of what was not measured are left out, with a comment: the simulator asks
    for them. Its energy is int8-like, TOPS/W at full precision, two operations a
    multiply-accumulate; its frequency is whole MHz."""
    config, numbers = macro.config, cim_tuner_numbers(macro)
    sections: dict[str, dict[str, Any]] = {
        "name": {"cim_name": config.module},
        "data precision": {
            "data_width_input": config.input_bits,
            "data_width_weight": config.weight_bits,
            "data_width_output": OUTPUT_BITS,
        },
        "arch paras": {
            "single_macro_al": numbers["accumulation_length"],
            "single_macro_pc": numbers["parallel_channels"],
            "initial_scr": numbers["storage_compute_ratio"],
            "input_compute_bw": numbers["input_bandwidth"],
            "weight_update_bw": numbers["update_bandwidth"],
            "frequency": None if macro.period is None else int(1e3 / macro.period),
            "simultaneously_write_compute": config.banks > 1,
        },
        "energy_efficiency TOPS/W": {
            "energy_efficiency": f"{2 / macro.mac_pj:.4g}" if macro.mac_pj else None
        },
        "area um^2": {"macro_area": None if macro.area is None else f"{macro.area:.2f}"},
    }
    lines = [f"# {line}" for line in macro.header(command)]
    for section, values in sections.items():
        lines += ["", f"[{section}]"]
        lines += [
            f"# {key}: not measured" if value is None else f"{key} = {value}"
            for key, value in values.items()
        ]
    return "\n".join(lines) + "\n"
