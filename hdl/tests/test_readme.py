"""Tables of the documents that are made from data."""

import re
from collections.abc import Iterable
from pathlib import Path

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.params.errors import ConfigError
from cimforge.hdl.params.multiply import MULTIPLY
from cimforge.hdl.params.ram_blocks import BLOCK_RAM, LUT_RAM
from cimforge.hdl.params.storage import STORAGE
from cimforge.hdl.params.trees import ACCUMULATE, FINAL_ADDERS, TREES

README = Path(__file__).parents[1] / "README.md"


def style_table() -> str:
    """The styles as a Markdown table."""
    lines = [
        "| parameter | style | what it is | targets | landing | lead | groups |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, traits in STORAGE.items():
        targets = ", ".join(traits.targets)
        leads = sorted({MacroConfig(storage=name, ram=ram).lead for ram in _rams(name)})
        figures = f"{targets} | {traits.landing} | {_listed(leads)} | {_listed(traits.groups)}"
        lines.append(f"| storage | `{name}` | {traits.about} | {figures} |")
    for parameter, registry in (("multiply", MULTIPLY), ("tree", TREES)):
        for name, traits in registry.items():
            lines.append(f"| {parameter} | `{name}` | {traits.about} | all | | | |")
    for name, about in FINAL_ADDERS.items():
        lines.append(f"| final_adder | `{name}` | {about} | all | | | |")
    for name, traits in ACCUMULATE.items():
        lines.append(f"| accumulate | `{name}` | {traits.about} | all | | | |")
    return "\n".join(lines)


def _listed(items: Iterable[object]) -> str:
    return ", ".join(map(str, items))


def _rams(storage: str) -> tuple[str | None, ...]:
    """Whose blocks a style may be built of."""
    return STORAGE[storage].targets if STORAGE[storage].parts else (None,)


def _legal(**styles: object) -> bool:
    """Whether there is a macro of these styles, at some precision."""
    for bits, k in ((1, 1), (2, 1), (2, 2)):
        try:
            MacroConfig(**{"weight_bits": bits, "input_bits": bits, "bits_per_cycle": k, **styles})
        except ConfigError:
            continue
        return True
    return False


def together_table() -> str:
    """What goes together, tried on MacroConfig: for each storage style the groups that take the
    same styles, of multiplication, of trees and of accumulation."""
    lines = [
        "| storage | group | multiply | tree | accumulate | ram |",
        "|---|---|---|---|---|---|",
    ]
    for name, traits in STORAGE.items():
        kinds: dict[tuple, list[int]] = {}
        for size in sorted(traits.groups):
            shape = {"storage": name, "group": size}
            takes = (
                tuple(style for style in MULTIPLY if _legal(**shape, multiply=style)),
                tuple(tree for tree in TREES if _legal(**shape, tree=tree)),
                tuple(way for way in ACCUMULATE if _legal(**shape, accumulate=way)),
                tuple(ram for ram in _rams(name) if ram and _legal(storage=name, ram=ram)),
            )
            kinds.setdefault(takes, []).append(size)
        for takes, sizes in kinds.items():
            lines.append(f"| {name} | {_listed(sizes)} | {' | '.join(map(_listed, takes))} |")
    return "\n".join(lines)


def block_table() -> str:
    """The RAM blocks of tables."""
    lines = [
        "| ram | storage | cell | words x bits | registers | group x banks |",
        "|---|---|---|---|---|---|",
    ]
    for storage, blocks in (("lutram", LUT_RAM), ("bram", BLOCK_RAM)):
        for ram, block in blocks.items():
            shape = f"{block.words} x {block.bits} | {block.registers}"
            lines.append(
                f"| {ram} | `{storage}` | {block.cell} | {shape} | {_fitting(storage, ram)} |"
            )
    return "\n".join(lines)


def _fitting(storage: str, ram: str) -> str:
    """The most banks of each group that fit a block."""
    most = {}
    for size in sorted(STORAGE[storage].groups, reverse=True):
        shape = {"storage": storage, "ram": ram, "group": size}
        fitting = [banks for banks in range(1, 65) if _legal(**shape, banks=banks)]
        most |= {size: max(fitting)} if fitting else {}
    return _listed(f"{size} x {banks}" for size, banks in most.items())


def _between(name: str) -> str:
    """What stands between the marks of a generated table."""
    found = re.search(rf"<!-- {name} -->\n(.*?)\n?<!-- end -->", README.read_text(), re.S)
    assert found, name
    return found[1]


def test_the_table_of_styles_is_that_of_the_traits():
    assert _between("styles") == style_table(), f"the table must be:\n{style_table()}"


def test_the_tables_of_combinations_and_blocks_are_what_is_legal():
    assert _between("together") == together_table(), f"it must be:\n{together_table()}"
    assert _between("blocks") == block_table(), f"it must be:\n{block_table()}"


def test_the_documents_diagram_is_the_one_that_tiny_has_today(emitted):
    config = load_config("tiny")
    drawn = (emitted(config) / "timing.svg").read_text()
    assert (README.parent / "docs" / "timing.svg").read_text() == drawn
