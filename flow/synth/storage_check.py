"""Which synthesis targets have the cells of a macro's storage."""

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.errors import ConfigError
from cimforge.hdl.params.storage import STORAGE
from cimforge.hdl.params.table_rules import TABLE_KEYS, fitting_groups

__all__ = ["PLAIN", "check_storage", "plain_rival", "refuse_tables"]

PLAIN = next(iter(STORAGE))  # one cell a bit, on any target


def check_storage(config: MacroConfig, target: str, option: str = "") -> None:
    """Raise InputError where ``target`` has no cell for the macro's storage: of an FPGA's RAM
    blocks where it is another's. ``option`` is what names the target, default --target."""
    where = option or f"--target {target}"
    if target not in config.storage_traits.targets:
        fitting = next(name for name, traits in STORAGE.items() if target in traits.targets)
        flag, _, chosen = where.partition(" ")
        # What chooses a target can choose that of the block.
        nearest = f"--set storage={fitting}"
        if config.tables and chosen == target:
            nearest = f"{flag} {config.ram}"
        rule = f"storage {config.storage} has no cell on {target}"
    elif config.tables and config.ram != target:
        rule = f"storage {config.storage} is in blocks of {config.ram}, not {target}"
        nearest = f"--set ram={target}{_smaller_group(config, target)}"
    else:
        return
    raise InputError(f"{where}: {rule} (nearest legal value: {nearest})")


def refuse_tables(config: MacroConfig, where: str, rule: str) -> None:
    """Raise InputError where the weights are in an FPGA's RAM blocks."""
    if config.tables:
        raise InputError(f"{where}: {rule} (nearest legal value: --set storage={PLAIN})")


def plain_rival(config: MacroConfig) -> MacroConfig | None:
    """The same macro with one flip-flop a bit of weight; None where there is none so large."""
    kept = {key: value for key, value in config if key not in ("group", "name", *TABLE_KEYS)}
    try:
        return MacroConfig(**{**kept, "storage": PLAIN})
    except ConfigError:
        return None


def _smaller_group(config: MacroConfig, target: str) -> str:
    """What else to set where the groups do not fit the target's block."""
    fitting = fitting_groups(config.storage_traits, target, config.banks)
    if config.group in fitting or not fitting:
        return ""
    return f" --set group={fitting[0]}"
