"""The documents' pictures of an engine are those of the hardware of today."""

from pathlib import Path

from cimforge.hdl.tests.tools import needs_icarus
from cimforge.scripts.engine_timing import draw_engine

DOCS = Path(__file__).parents[1] / "docs"


@needs_icarus
def test_pictures_are_drawn_from_todays_hardware(tmp_path):
    for path in draw_engine(tmp_path):
        assert path.read_bytes() == (DOCS / path.name).read_bytes(), path.name
