"""The examples in Python of the pages on applications run as they stand."""

import re
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", ["binary", "hamming", "gf2", "ternary"])
def test_the_page_s_example_runs(page):
    (text,) = re.findall(r"```python\n(.*?)```", (PAGES / f"{page}.md").read_text(), re.S)
    exec(compile(text, f"{page}.md", "exec"), {})
