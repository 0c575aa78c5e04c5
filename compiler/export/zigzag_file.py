"""A macro for ZigZag: as a hardware file with what was measured, and as one for ZigZag-IMC's own
cost model."""

from collections.abc import Sequence

from cimforge.compiler.export.exported_macro import ExportedMacro

__all__ = ["zigzag_imc_text", "zigzag_mapping_text", "zigzag_text"]

TOP_BITS = 10**10  # of the memory above: more than any network holds
SUM_BITS = 32
OPERANDS = ("I1", "I2", "O")  # inputs, weights, results


def zigzag_text(macro: ExportedMacro, command: str) -> str:
    """A hardware file of ``rows`` x ``cols`` units, each a multiply-accumulate at full precision:
    unit energy in pJ and area in mm2 are the measured ones, spread evenly. A cycle of it is a pass,
    ``cycles`` of the macro; weights stay in the units' ``banks``, inputs and results come from the
    memory above, at the energy of off-chip memory in the table of constants.
    """
    config = macro.config
    energy, area = macro.mac_pj, macro.mac_um2
    took = "" if macro.period is None else f", {macro.cycles * macro.period:.4f} ns"
    lines = [*_header(macro, command), f"# a cycle is a pass: {macro.cycles} of the macro's{took}"]
    lines += [f"name: {config.module}", "memories:"]
    lines += [*_cells(macro), *_accumulators(macro), *_top(macro)]
    lines += ["operational_array:", "  is_imc: False"]
    lines += [f"  input_precision: [{config.input_bits}, {config.weight_bits}]"]
    lines += [f"  unit_energy: {_number(energy)} # pJ{_absent(energy)}"]
    lines += [f"  unit_area: {_number(None if area is None else area * 1e-6)} # mm2{_absent(area)}"]
    lines += _sizes(macro)
    return "\n".join(lines) + "\n"


def zigzag_imc_text(macro: ExportedMacro, command: str) -> str:
    """The same geometry for ZigZag-IMC, which has energy, area and clock of a model of its own
    (28 nm); cell area is that measured where it is. Raises ValueError where the model does not take
    the macro: sizes and precisions must be powers of 2."""
    config = macro.config
    asked = {
        **{"rows": config.rows, "input_bits": config.input_bits},
        **{"weight_bits": config.weight_bits, "bits_per_cycle": config.bits_per_cycle},
    }
    for key, value in asked.items():
        if value & (value - 1):
            rule = "must be a power of 2 for ZigZag-IMC"
            raise ValueError(f"{key} {rule} (nearest legal value: {1 << value.bit_length() - 1})")
    lines = [*_header(macro, command), "# energy, logic area and clock are ZigZag-IMC's, not ours"]
    lines += [f"name: {config.module}_imc", "memories:"]
    lines += [*_cells(macro), *_accumulators(macro), *_top(macro)]
    lines += ["operational_array:", "  is_imc: True", "  imc_type: digital"]
    lines += [f"  input_precision: [{config.input_bits}, {config.weight_bits}]"]
    lines += [f"  bit_serial_precision: {config.bits_per_cycle}"]
    lines += _sizes(macro)
    return "\n".join(lines) + "\n"


def zigzag_mapping_text() -> str:
    """The mapping that the macro is built for: outputs on columns, what is summed on rows."""
    return "\n".join(
        [
            "- name: default",
            "  memory_operand_links: {O: O, W: I2, I: I1}",
            "  spatial_mapping_hint:",
            "    D1: [K]",
            "    D2: [C, FX, FY]",
            "",
        ]
    )


def _header(macro: ExportedMacro, command: str) -> list[str]:
    return [f"# {line}" for line in macro.header(command)]


def _cells(macro: ExportedMacro) -> list[str]:
    """Weights beside each unit, one of ``banks`` in use; what they take is in the units'."""
    bits = macro.config.weight_bits
    ports = [("rw_port_1", "read_write", bits, ("I2, fh", "I2, tl"))]
    size = bits * macro.config.banks
    note = "# cells' area and reading are in the units', writing was not measured"
    return [f"  cells: {note}", *_memory(size, 0.0, ("I2",), ports, ())]


def _accumulators(macro: ExportedMacro) -> list[str]:
    """A result a column, its energy in the units' as well; as wide as workloads declare sums."""
    bits = max(SUM_BITS, macro.config.y_bits)
    ports = [
        (f"{kind[0]}_port_{place}", kind, bits, (f"O, {way}",))
        for kind, ways in (("read", ("tl", "th")), ("write", ("fh", "fl")))
        for place, way in enumerate(ways, 1)
    ]
    return ["  accumulators:", *_memory(bits, 0.0, ("O",), ports, ("D2",))]


def _top(macro: ExportedMacro) -> list[str]:
    """The memory above, of everything; a pass takes all rows' inputs and gives all results."""
    config, constants = macro.config, macro.constants
    widest = max(config.rows * config.input_bits, config.cols * max(SUM_BITS, config.y_bits))
    width = int(constants.dram_bits)
    # ZigZag counts accesses of the most bits: that the macro, not this memory, sets the pace.
    cost = constants.dram_pj * widest / constants.dram_bits
    reads = ("I1, tl", "I2, tl", "O, tl", "O, th")
    writes = ("I1, fh", "I2, fh", "O, fh", "O, fl")
    ports = [("r_port_1", "read", width, reads), ("w_port_1", "write", width, writes)]
    energy = f"{constants.dram_pj:g} pJ for {constants.dram_bits:g} bits"
    note = f"# {energy}, told for {widest}: {constants.source}"
    return [
        f"  memory: {note}",
        *_memory(TOP_BITS, cost, OPERANDS, ports, ("D1", "D2"), widest),
    ]


def _memory(
    size: int,
    cost: float,
    operands: Sequence[str],
    ports: Sequence[tuple[str, str, int, Sequence[str]]],
    served: Sequence[str],
    most: int = 0,
) -> list[str]:
    lines = [
        f"    size: {size}",
        f"    r_cost: {_number(cost)}",
        f"    w_cost: {_number(cost)}",
        "    area: 0.0",
        f"    latency: {int(bool(served))}",
        f"    operands: [{', '.join(operands)}]",
        "    ports:",
    ]
    for name, kind, width, allocation in ports:
        lines += [f"      - name: {name}", f"        type: {kind}"]
        lines += [f"        bandwidth_min: {width}"]
        lines += [f"        bandwidth_max: {max(width, most)}", "        allocation:"]
        lines += [f"          - {each}" for each in allocation]
    return [*lines, f"    served_dimensions: [{', '.join(served)}]"]


def _sizes(macro: ExportedMacro) -> list[str]:
    """D1: columns, which share inputs; D2: rows, whose products are summed."""
    return ["  dimensions: [D1, D2]", f"  sizes: [{macro.config.cols}, {macro.config.rows}]"]


def _number(value: float | None) -> str:
    """A number as YAML reads it as one; 0 where it is absent."""
    return f"{value or 0.0:.9f}".rstrip("0") + ("0" if (value or 0.0) == int(value or 0) else "")


def _absent(value: float | None) -> str:
    return ", not measured" if value is None else ""
