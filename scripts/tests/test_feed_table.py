"""The table of how well engines are fed is that of the document."""

from pathlib import Path

from click.testing import CliRunner

from cimforge.scripts.feed_table import feed_rows, main

DOCUMENT = Path(__file__).parents[2] / "hdl" / "docs" / "engine.md"


def test_the_document_holds_the_table():
    printed = CliRunner().invoke(main)
    assert printed.exit_code == 0
    assert len(printed.output.splitlines()) == len(feed_rows()) + 2 > 20
    assert printed.output in DOCUMENT.read_text()
