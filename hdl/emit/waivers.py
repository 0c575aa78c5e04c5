"""Verilator lint waivers of the emitted files, each with its reason."""

from cimforge.hdl.params.config import MacroConfig

__all__ = [
    "FRONT_WAIVERS",
    "TABLE_WAIVERS",
    "WAIVERS",
    "WRAPPER_WAIVERS",
    "lint_waivers",
    "macro_waivers",
]

WAIVERS = (
    (
        "DECLFILENAME",
        "{name}.v",
        None,
        "one file holds all modules of a macro, so that a user copies one file",
    ),
    ("DECLFILENAME", "cim_cells.v", None, "one file holds all leaf cells"),
    ("LATCH", "cim_cells.v", None, "cim_latch is a latch: it is the weight storage"),
    ("UNUSEDPARAM", "cim_cells.v", "*'LOADS'*", "only a technology's drivers come in strengths"),
    (
        "UNUSEDSIGNAL",
        "{name}.v",
        "*'n_*'*",
        "carries and shifted-out bits of machine-written arithmetic",
    ),
    (
        "UNUSEDSIGNAL",
        "{name}.v",
        "*'x_bits'*",
        "a macro with 1-bit inputs has one precision, whatever x_bits says",
    ),
    (
        "WIDTHEXPAND",
        "{name}.v",
        "*Operator ADD*",
        "the input sum adds constants to a shorter count",
    ),
    ("WIDTHTRUNC", "{name}.v", "*Logical operator LOGNOT*", "!count compares a counter with zero"),
)

BINARY_WAIVERS = (
    (
        *("UNUSEDSIGNAL", "{name}.v", "*'active_line*"),
        "lines that count are decoded half by half; some bits have a second name",
    ),
    ("UNUSEDSIGNAL", "{name}.v", "*'x_signed'*", "-1 and 1 have no sign, whatever x_signed says"),
    ("UNUSEDSIGNAL", "{name}.v", "*'w_signed'*", "-1 and 1 have no sign, whatever w_signed says"),
)

LONE_ROW_WAIVERS = (
    ("UNUSEDSIGNAL", "{name}.v", "*'w_fill'*", "a row alone makes no pair, so it fills as written"),
)

TABLE_WAIVERS = (
    ("UNUSEDSIGNAL", "{name}.v", "*'spare*", "bits of a block's words that no sum has"),
    *(
        ("UNUSEDSIGNAL", "{name}.v", f"*'{net}*", "bits that a shift brings, or has no place for")
        for net in ("total'", "top_count'", "top_sum'", "sum_")
    ),
    ("UNUSEDSIGNAL", "{name}.v", "*'write_line'*", "a bank's number needs no line of bank 0"),
)

WRAPPER_WAIVERS = (
    ("DECLFILENAME", "{name}.v", None, "one file holds the slave and the wrapper"),
    (
        *("WIDTHEXPAND", "{name}.v", "*Operator *"),
        "decoders compare addresses and fields with constants as short as they can be written",
    ),
    ("WIDTHTRUNC", "{name}.v", "*Logical operator LOGNOT*", "!address compares it with zero"),
    ("UNUSEDSIGNAL", "{name}.v", "*'n_*'*", "a command's field is wider than the macro's port"),
)
FRONT_WAIVERS = (
    *WRAPPER_WAIVERS,
    ("UNUSEDSIGNAL", "{name}.v", "*prot'*", "everybody may reach the registers"),
)


def macro_waivers(config: MacroConfig) -> tuple[tuple, ...]:
    """The waivers of a macro: those of all, and what its styles need."""
    binary = BINARY_WAIVERS if config.binary else ()
    sizes = [size for part in config.parts for size in part.group_sizes]
    lone = config.grouped and max(sizes) == 1
    tables = (*TABLE_WAIVERS, *_model_waivers(config)) if config.tables else ()
    return (*WAIVERS, *binary, *(LONE_ROW_WAIVERS if lone else ()), *tables)


def _model_waivers(config: MacroConfig) -> list[tuple]:
    """Those of the behavioural models of a vendor's blocks."""
    reason = "a vendor's block has pins and parameters that are constant here"
    rules = ("UNUSEDSIGNAL", "UNUSEDPARAM")
    return [(rule, f"{model}.v", None, reason) for model in config.models for rule in rules]


def lint_waivers(name: str, waivers: tuple[tuple, ...] = WAIVERS) -> str:
    """Text of ``NAME.vlt``: with it ``verilator --lint-only -Wall`` is clean."""
    lines = ["`verilator_config"]
    for rule, file, match, reason in waivers:
        pattern = f' -match "{match}"' if match else ""
        lines += [
            f"// {reason}",
            f'lint_off -rule {rule} -file "*{file.format(name=name)}"{pattern}',
        ]
    return "\n".join(lines) + "\n"
