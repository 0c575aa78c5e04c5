"""A picture of a sweep's page, as a PNG of 256 colours: a document's, made by a command.

    .venv/bin/python -m cimforge.scripts.page_picture build/explore/macros.html \\
        --link 'target=SG13G2&where=tops>=0.5' -o explore/docs/macros.png
"""

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from cimforge.hdl.emit.outputs import write_file
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.install_hint import install_hint
from cimforge.scripts.options import OutputPath

__all__ = ["main", "page_picture"]

BROWSER = "chromium"
SECONDS = 60
SETTLED = "--virtual-time-budget=4000"  # ms that the page's clock runs on for its drawing
COLOURS = 256


def page_picture(page: Path, link: str, width: int, height: int) -> bytes:
    """The upper ``width`` x ``height`` pixels of a page, opened with the fragment ``link``, as a
    PNG of 256 colours. Raises InputError without a browser, or where it takes no picture."""
    if shutil.which(BROWSER) is None:
        raise InputError(f"no {BROWSER} on PATH (Debian: apt install {BROWSER})")
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise InputError(f"needs PIL; run {install_hint('networks')}") from None
    with TemporaryDirectory() as folder:
        taken = Path(folder) / "page.png"
        options = ["--headless", "--disable-gpu", "--hide-scrollbars", SETTLED]
        options += ["--no-sandbox"] if os.geteuid() == 0 else []  # refused to root otherwise
        options += [f"--window-size={width},{height}", f"--screenshot={taken}"]
        options += [f"--user-data-dir={folder}/profile", f"{page.resolve().as_uri()}#{link}"]
        try:
            subprocess.run([BROWSER, *options], capture_output=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise InputError(f"{BROWSER}: no picture of {page} in {SECONDS} s") from None
        if not taken.exists():
            raise InputError(f"{BROWSER} took no picture of {page}")
        picture = Image.open(taken).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    text = io.BytesIO()
    picture.save(text, "PNG", optimize=True)
    return text.getvalue()


@click.command()
@click.argument("page", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--link", default="", help="What the page shows: the address after its #.")
@click.option("--width", type=click.IntRange(300, 4000), default=1200, show_default=True)
@click.option("--height", type=click.IntRange(100, 9000), default=860, show_default=True)
@click.option("-o", "--output", type=OutputPath(".png"), required=True)
def main(page: Path, link: str, width: int, height: int, output: Path) -> None:
    """Take a picture of PAGE, the page of a sweep, in Chromium."""
    try:
        write_file(output, page_picture(page, link, width, height))
    except InputError as error:
        sys.exit(f"page_picture: {error}")
    print(f"{output}: {output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
