"""Tables of the documents that are made from data."""

import re
from pathlib import Path

from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.params.multiply import MULTIPLY
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
        figures = f"{targets} | {traits.landing} | {traits.lead} | {_listed(traits.groups)}"
        lines.append(f"| storage | `{name}` | {traits.about} | {figures} |")
    for parameter, registry in (("multiply", MULTIPLY), ("tree", TREES)):
        for name, traits in registry.items():
            lines.append(f"| {parameter} | `{name}` | {traits.about} | all | | | |")
    for name, about in FINAL_ADDERS.items():
        lines.append(f"| final_adder | `{name}` | {about} | all | | | |")
    for name, traits in ACCUMULATE.items():
        lines.append(f"| accumulate | `{name}` | {traits.about} | all | | | |")
    return "\n".join(lines)


def _listed(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))


def test_the_table_of_styles_is_that_of_the_traits():
    found = re.search(r"<!-- styles -->\n(.*?)\n?<!-- end -->", README.read_text(), re.S)
    assert found
    assert found[1] == style_table(), f"the table must be:\n{style_table()}"


def test_the_documents_diagram_is_the_one_that_tiny_has_today(emitted):
    config = load_config("tiny")
    drawn = (emitted(config) / "timing.svg").read_text()
    assert (README.parent / "docs" / "timing.svg").read_text() == drawn
