"""The page of a datasheet and its JSON, a set of files of their own that keeps checks' results."""

import json
from pathlib import Path
from typing import Any

from cimforge.flow.datasheet.datasheet_page import render_datasheet
from cimforge.hdl.emit.outputs import listing, open_outputs

__all__ = ["PAGE", "DatasheetPages"]

PAGE = "datasheet"  # the folder that holds it, below the macro's


class DatasheetPages:
    """The page and its JSON of the macro ``name`` in ``folder``, and the seconds that its checks
    took: a file apart, as they are never the same twice and nothing but an estimate is from them.
    """

    def __init__(self, name: str, folder: Path):
        self._name, self._folder = name, folder
        tails = (".html", ".json", "_seconds.json")
        self.page, self.stored, self._times = (f"{name}_{PAGE}{tail}" for tail in tails)
        self.seconds: dict[str, float] = {}

    @property
    def path(self) -> Path:
        """Where the page is."""
        return self._folder / self.page

    def kept(self) -> dict[str, Any]:
        """The JSON that stands there, empty without one; InputError where it was edited."""
        if not (self._folder / self.stored).exists():
            return {}
        with open_outputs(self._folder, self._name) as outputs:
            outputs.check(dict.fromkeys((self.page, self.stored, self._times)))
            if (times := self._folder / self._times).exists():
                self.seconds = json.loads(times.read_text())
            return json.loads((self._folder / self.stored).read_text())

    def write(self, sheet: dict[str, Any], drawing: str) -> None:
        """All files, whole or not at all."""
        text = json.dumps(sheet, indent=1) + "\n"
        page = render_datasheet(json.loads(text), drawing)
        contents = {self.page: page, self.stored: text}
        if self.seconds:
            contents[self._times] = json.dumps(self.seconds, indent=1) + "\n"
        told = {"name": self._name, "command": sheet["command"]}
        with open_outputs(self._folder, self._name) as outputs:
            outputs.write(contents, {**told, "files": listing(contents)})
