"""Rules of macros whose weights are in tables of sums: what fits a RAM block, and what is left
out."""

from typing import TYPE_CHECKING, Any

from cimforge.hdl.params.errors import ConfigError, shown
from cimforge.hdl.params.storage import STORAGE, StorageTraits

if TYPE_CHECKING:
    from cimforge.hdl.params.config import MacroConfig

__all__ = ["TABLE_KEYS", "check_tables", "fitting_groups", "settle_tables"]

TABLE_KEYS = ("ram", "ram_cols")  # parameters of tables alone
DEFAULT_RAM = "ecp5"


def settle_tables(parameters: dict[str, Any], default_cols: int) -> None:
    """Fill in ``group``, ``ram`` and ``ram_cols`` where they are left out: the largest group that
    fits the block, the default block, half of the columns."""
    traits = STORAGE[parameters["storage"]]
    if not traits.parts:
        parameters.setdefault("group", traits.groups[0])
        return
    if parameters.get("ram") is None:
        parameters["ram"] = DEFAULT_RAM
    ram, banks = parameters["ram"], parameters.get("banks", 1)
    if "group" not in parameters:
        fitting = fitting_groups(traits, ram, banks)
        parameters["group"] = fitting[0] if fitting else traits.groups[-1]
    cols = parameters.get("cols", default_cols)
    if len(traits.parts) > 1 and parameters.get("ram_cols") is None and type(cols) is int:
        parameters["ram_cols"] = cols // 2


def check_tables(config: "MacroConfig") -> None:
    """Raise ConfigError where tables do not fit their blocks, or parameters of tables are given
    without any."""
    traits = config.storage_traits
    if not traits.parts:
        styles = " or ".join(name for name, other in STORAGE.items() if other.parts)
        for key in TABLE_KEYS:
            if getattr(config, key) is not None:
                rule = f"is for storage = {styles} alone, not {config.storage}"
                raise ConfigError(key, f"{rule} (nearest legal value: None)")
        return
    if config.ram not in traits.targets:
        legal = " or ".join(traits.targets)
        rule = f"must be {legal} with storage {config.storage}, not {shown(config.ram)}"
        raise ConfigError("ram", rule, traits.targets[0])
    _check_depth(config)
    if len(traits.parts) == 1:
        if config.ram_cols is not None:
            hybrid = next(name for name, other in STORAGE.items() if len(other.parts) > 1)
            rule = f"is for storage = {hybrid} alone, not {config.storage}"
            raise ConfigError("ram_cols", f"{rule} (nearest legal value: None)")
    elif config.ram_cols is not None and config.ram_cols > config.cols:
        rule = f"must be at most cols = {config.cols}, not {config.ram_cols}"
        raise ConfigError("ram_cols", rule, config.cols)


def fitting_groups(traits: StorageTraits, ram: Any, banks: Any) -> list[int]:
    """The groups of a style that fit the block of a family, the style's own first."""
    return [size for size in traits.groups if _fits(traits.parts, ram, banks, size)]


def _check_depth(config: "MacroConfig") -> None:
    """2^group words for each bank must fit a block RAM."""
    traits = config.storage_traits
    if _fits(traits.parts, config.ram, config.banks, config.group):
        return
    blocks = STORAGE[traits.parts[0]].blocks
    assert blocks
    assert config.ram
    words = blocks[config.ram].words
    legal = fitting_groups(traits, config.ram, config.banks)
    if legal:
        rule = f"{config.group} needs 2^{config.group} words for each of {config.banks} banks, but"
        raise ConfigError("group", f"{rule} a block of {config.ram} has {words}", max(legal))
    least = min(traits.groups)
    rule = f"must be at most {words >> least}: groups of {least} rows need 2^{least} words a bank,"
    rule += f" and a block of {config.ram} has {words}, not {config.banks}"
    raise ConfigError("banks", rule, words >> least)


def _fits(parts: tuple[str, ...], ram: Any, banks: Any, group: int) -> bool:
    """Whether groups of that size fit a block of the first kind, which is that of ``group``. What
    is no number or block is refused elsewhere."""
    blocks = STORAGE[parts[0]].blocks
    if not blocks or type(banks) is not int or ram not in list(blocks):
        return True
    block = blocks[ram]
    return (banks if block.banks else 1) << group <= block.words
