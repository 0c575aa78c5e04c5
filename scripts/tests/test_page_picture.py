"""A picture of a sweep's page, taken in Chromium where it is installed."""

import shutil
import sys

import pytest
from click.testing import CliRunner
from PIL import Image

from cimforge.explore.sweep_page import sweep_page
from cimforge.explore.tests.made_report import made_report
from cimforge.scripts import page_picture

needs_browser = pytest.mark.skipif(
    shutil.which("chromium") is None, reason="no chromium on PATH; install Debian's chromium"
)


def run(*words):
    """The command's outcome."""
    return CliRunner().invoke(page_picture.main, [str(word) for word in words])


@needs_browser
def test_a_picture_is_of_the_size_asked_for_and_shows_the_points(tmp_path):
    (tmp_path / "page.html").write_text(sweep_page(made_report(tmp_path)))
    out = tmp_path / "page.png"
    done = run(tmp_path / "page.html", "--width", 800, "--height", 700, "-o", out)
    assert done.exit_code == 0, done.output
    picture = Image.open(out)
    assert picture.size == (800, 700)
    colours = {colour for _, colour in picture.convert("RGB").getcolors(256)}
    assert any(r > 180 and g < 90 and b < 40 for r, g, b in colours)  # the front is orange
    assert len(colours) <= page_picture.COLOURS


def test_without_a_browser_one_line_says_what_is_missing(tmp_path, monkeypatch):
    (tmp_path / "page.html").write_text("")
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run(tmp_path / "page.html", "-o", tmp_path / "page.png")
    assert done.exit_code == 1
    assert done.output == "page_picture: no chromium on PATH (Debian: apt install chromium)\n"


def test_a_browser_that_fails_is_told_in_one_line(tmp_path, monkeypatch):
    (tmp_path / "page.html").write_text("")
    (tmp_path / "chromium").write_text(f"#!{sys.executable}\nraise SystemExit(1)\n")
    (tmp_path / "chromium").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run(tmp_path / "page.html", "-o", tmp_path / "page.png")
    assert done.exit_code == 1
    assert done.output == f"page_picture: chromium took no picture of {tmp_path / 'page.html'}\n"
