"""What is legal together: each rule of a MacroConfig, with the nearest legal value."""

from typing import TYPE_CHECKING

from cimforge.hdl.params.errors import ConfigError, shown
from cimforge.hdl.params.features import FEATURES
from cimforge.hdl.params.multiply import MULTIPLY
from cimforge.hdl.params.names import check_name
from cimforge.hdl.params.ranges import nearest_divisor
from cimforge.hdl.params.storage import STORAGE
from cimforge.hdl.params.table_rules import check_tables
from cimforge.hdl.params.trees import ACCUMULATE, FINAL_ADDERS, TREES

if TYPE_CHECKING:
    from cimforge.hdl.params.config import MacroConfig

__all__ = ["check_parameters"]


def check_parameters(config: "MacroConfig") -> None:
    """Raise ConfigError for the first parameter that is illegal beside the others."""
    if config.input_bits % config.bits_per_cycle:
        rule = f"must divide input_bits = {config.input_bits}, not {config.bits_per_cycle}"
        nearest = nearest_divisor(config.input_bits, config.bits_per_cycle)
        raise ConfigError("bits_per_cycle", rule, nearest)
    if config.slice_bits is not None and config.weight_bits % config.slice_bits:
        rule = f"must divide weight_bits = {config.weight_bits}, not {config.slice_bits}"
        nearest = nearest_divisor(config.weight_bits, config.slice_bits)
        raise ConfigError("slice_bits", rule, nearest)
    for traits, choice in (
        (STORAGE, config.storage),
        (MULTIPLY, config.multiply),
        (TREES, config.tree),
        (FINAL_ADDERS, config.final_adder),
        (ACCUMULATE, config.accumulate),
    ):
        traits.find(choice)
    _check_binary(config)
    _check_digits(config)
    _check_group(config)
    _check_memory(config)
    check_tables(config)
    check_name(config.name)
    _check_features(config)
    _check_size(config)
    _check_final_adder(config)
    _check_accumulate(config)
    stages, levels = config.tree_stages, config.tree_levels if config.tree_stages else 0
    if isinstance(stages, int) and not 0 <= stages <= levels:
        rule = f"must be in 0..{levels} (levels of this {config.tree} tree) or 'auto'"
        nearest = max(0, min(stages, levels))
        raise ConfigError("tree_stages", f"{rule}, not {shown(stages)}", nearest)


def _check_binary(config: "MacroConfig") -> None:
    """A style of -1 and 1 has one bit a number."""
    widths = config.weight_bits, config.input_bits
    if config.binary and widths != (1, 1):
        rule = f"{config.multiply} needs weight_bits = input_bits = 1, not {widths[0]} and "
        legal = next(name for name, style in MULTIPLY.items() if not style.binary)
        raise ConfigError("multiply", rule + str(widths[1]), legal)


def _check_digits(config: "MacroConfig") -> None:
    """A style of digits takes whole digits a cycle."""
    size, k = config.multiply_traits.digit_bits, config.bits_per_cycle
    if not k % size:
        return
    legal = [d for d in range(size, config.input_bits + 1, size) if config.input_bits % d == 0]
    if legal:
        rule = f"must be a multiple of {size} with multiply {config.multiply}, not {k}"
        raise ConfigError("bits_per_cycle", rule, min(legal, key=lambda d: (abs(d - k), d)))
    rule = f"{config.multiply} takes {size} planes a digit, but {size} does not divide "
    plain = next(name for name, style in MULTIPLY.items() if style.digit_bits == 1)
    raise ConfigError("multiply", f"{rule}input_bits = {config.input_bits}", plain)


def _check_features(config: "MacroConfig") -> None:
    """Each known, and once, in the order of FEATURES: equal macros have equal names."""
    ordered = [name for name in FEATURES if name in config.features]
    for name in config.features:
        if name not in FEATURES:
            rule = f"must be among {', '.join(FEATURES)}, not {shown(name)}"
            raise ConfigError("features", rule, ordered)
    if list(config.features) != ordered:
        rule = f"must be named once each, in the order {', '.join(FEATURES)}"
        raise ConfigError("features", rule, ordered)


def _check_size(config: "MacroConfig") -> None:
    """The bits stored, the sums of groups among them."""
    limit = f"2^{config.storage_traits.max_bits.bit_length() - 1} bits of {config.storage}"
    most = config.storage_traits.max_bits // (config.cols * config.stored_bits)
    if not most:
        rule = f"is {config.group}, but one bank with its groups' sums must have at most {limit}"
        raise ConfigError("group", rule, config.storage_traits.groups[0])
    if config.banks > most:
        limit += ", groups' sums included" if config.grouped else ""
        rule = f"is {config.banks}, but rows * cols * weight_bits * banks must be at most {limit}"
        raise ConfigError("banks", rule, most)


def _check_final_adder(config: "MacroConfig") -> None:
    """A final adder other than a ripple of full adders: in trees of columns."""
    if config.final_adder != "ripple" and not config.tree_traits.columns:
        trees = ", ".join(name for name, tree in TREES.items() if tree.columns)
        rule = f"{config.final_adder} needs a tree of columns ({trees}), not {config.tree}"
        raise ConfigError("final_adder", rule, "ripple")


def _check_accumulate(config: "MacroConfig") -> None:
    """Sums in two words: of planes, in an exact tree of columns; ranks of a final adder: behind
    such sums."""
    trees = [name for name, tree in TREES.items() if tree.columns and tree.exact]
    plain = next(name for name, way in ACCUMULATE.items() if not way.carry_save)
    rule = ""
    if config.carry_save and config.tree not in trees:
        rule = f"{config.accumulate} needs tree = {' or '.join(trees)}, not {config.tree}"
    styles = [name for name, s in MULTIPLY.items() if not s.binary and s.digit_bits == 1]
    if config.carry_save and config.multiply not in styles:
        rule = f"{config.accumulate} needs multiply = {' or '.join(styles)}, not {config.multiply}"
    if rule:
        raise ConfigError("accumulate", rule, plain)
    most = config.accumulate_traits.most_final_stages
    if config.final_stages > most:
        rule = f"must be {f'in 0..{most}' if most else 0} with accumulate = {config.accumulate}"
        raise ConfigError("final_stages", f"{rule}, not {config.final_stages}", most)


def _check_memory(config: "MacroConfig") -> None:
    """Parameters of RAMs: where weights are in RAMs, and words enough for the banks."""
    if config.storage_traits.memory:
        if config.memory.words < config.banks:
            rule = f"must be at least banks = {config.banks}, not {config.sram_words}"
            raise ConfigError("sram_words", rule, config.banks)
        return
    styles = " or ".join(name for name, traits in STORAGE.items() if traits.memory)
    for key in ("sram_words", "sram_bits", "sram_ports"):
        if getattr(config, key) is not None:
            rule = f"is for storage = {styles} alone, not {config.storage}"
            raise ConfigError(key, f"{rule} (nearest legal value: None)")  # None: left out


def _check_group(config: "MacroConfig") -> None:
    """Groups of several rows: where the storage, the multiply style and the tree have them."""
    legal = config.storage_traits.groups
    if config.group not in legal:
        rule = f"must be {' or '.join(map(str, legal))} with storage {config.storage}"
        nearest = min(legal, key=lambda size: (abs(size - config.group), size))
        raise ConfigError("group", f"{rule}, not {config.group}", nearest)
    styles = [name for name, style in MULTIPLY.items() if style.grouped]
    trees = [name for name, tree in TREES.items() if tree.exact]
    for parameter, needed, chosen, words in (
        ("multiply", "multiply =", config.multiply, styles),
        ("tree", "an exact tree:", config.tree, trees),
    ):
        if (config.group == 1 and not config.tables) or chosen in words:
            continue
        if 1 not in legal or config.tables:
            kept = "sums of them" if config.tables else "them in groups"
            rule = f"{chosen} takes single rows, but {config.storage} stores {kept}"
            raise ConfigError(parameter, rule, words[0])
        rule = f"{config.group} needs {needed} {' or '.join(words)}, not {chosen}"
        raise ConfigError("group", rule, 1)
