"""What the documents point to is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *ROOT.glob("*.md"),
    *(
        path
        for room in ROOT.iterdir()
        if (room / "__init__.py").exists()
        for path in room.glob("**/*.md")
    ),
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_modules_named_are_there(document):
    text = document.read_text()
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        assert link.startswith("http") or (document.parent / link).exists(), link
    if document.parent != ROOT:
        names = {path.name for path in ROOT.glob("*/**/*.py") if ".venv" not in path.parts}
        for name in re.findall(r"`(\w+\.py)`", text):
            assert name in names, name


def test_every_room_with_a_readme_is_linked_from_one():
    linked = {
        (document.parent / link).resolve()
        for document in DOCUMENTS
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text())
    }
    assert {room for room in ROOT.glob("*/README.md") if room.parent.name[0] != "."} <= linked
