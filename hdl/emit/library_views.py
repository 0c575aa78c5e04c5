"""Views of registers that libraries make of their SystemRDL: IP-XACT, HTML, Python classes."""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from cimforge.hdl.emit.map_view import MapView
from cimforge.hdl.emit.register_views import rdl_text
from cimforge.hdl.emit.templates import render
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.install_hint import install_hint

__all__ = ["check_libraries", "compiled", "library_files", "page"]

VENDOR = "cimforge"
SITE = (".css", ".html", ".js", ".json", ".png", ".woff2")  # what a browser of today asks for
REMOTE = re.compile(r"<script[^>]*src=\"https?:.*?</script>", re.S)  # formulas, and here are none


def library_files(view: MapView, document: str = "") -> dict[str, bytes]:
    """Views by path, folders with ``/``, all from ``rdl_text(view)``; equal input gives equal
    bytes.

    NAME.html is ``document``, the map's page in Markdown, where it is given.
    NAME.xml is IP-XACT (IEEE 1685-2014). NAME_html/index.html is a site of a page for each
    register, which a browser shows from a server only (``python -m http.server -d NAME_html``);
    NAME.html opens from disk.
    NAME_python/NAME is a package of classes for peakrdl-python's library: with NAME_python on the
    path, ``NAME.reg_model.RegModel`` takes functions that read and write words.

    Raises InputError where a library of the extra ``registers`` is not installed.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        top = compiled(rdl_text(view), root / f"{view.name}.rdl").top
        _ipxact(top, root / f"{view.name}.xml", view)
        _html(top, root / f"{view.name}_html", view)
        _python(top, root / f"{view.name}_python")
        kinds = (".xml", ".py", *SITE)
        every = sorted(path for path in root.rglob("*") if path.suffix in kinds)
        found = [p for p in every if not any(part[0] == "." for part in p.relative_to(root).parts)]
        files = {str(path.relative_to(root)): path.read_bytes() for path in found}
    shown = {f"{view.name}.html": page(view.title, document).encode()} if document else {}
    return {**shown, **files}


def compiled(text: str, path: Path) -> Any:
    """The root node of SystemRDL, elaborated; it is written to ``path`` for the compiler.

    Raises InputError where the compiler is not installed, and its own error for a wrong text.
    """
    with _libraries():
        from systemrdl import RDLCompiler
    path.write_text(text)
    compiler = RDLCompiler()
    compiler.compile_file(str(path))
    return compiler.elaborate()


def page(title: str, markdown_text: str) -> str:
    """A document in Markdown as one HTML page that needs nothing beside it.

    Raises InputError where the library is not installed.
    """
    with _libraries():
        import markdown
    body = markdown.markdown(markdown_text, extensions=["tables", "toc"])
    return render("page.html.j2", title=title, body=body)


def check_libraries() -> None:
    """Raise InputError where a library is not installed: before work whose views would miss it."""
    with _libraries():
        for name in ("markdown", "peakrdl_html", "peakrdl_ipxact", "peakrdl_python", "systemrdl"):
            import_module(name)


@contextmanager
def _libraries() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        hint = install_hint("registers")
        raise InputError(f"views of registers: need {error.name}; run {hint}") from None


def _ipxact(top: Any, path: Path, view: MapView) -> None:
    with _libraries():
        from peakrdl_ipxact.exporter import IPXACTExporter
    told = {"vendor": VENDOR, "library": VENDOR, "version": str(view.version)}
    IPXACTExporter(**told).export(top, str(path))


def _html(top: Any, folder: Path, view: MapView) -> None:
    """A site without the time of its making, and without scripts from elsewhere."""
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")  # links to sources need git: none here
    with _libraries():
        from peakrdl_html.exporter import HTMLExporter
    exporter = HTMLExporter(generate_source_links=False)
    exporter.export(top, str(folder), title=view.title, footer="; ".join(view.origin))
    index = folder / "index.html"
    text = REMOTE.sub("", index.read_text())
    made = re.search(r"BUILD_TS = (\d+)", text)
    if made:
        stamp = str(int(hashlib.sha256(rdl_text(view).encode()).hexdigest()[:8], 16))
        text = text.replace(made[1], stamp)
    index.write_text(text)


def _python(top: Any, folder: Path) -> None:
    """Classes without tests, and without a copy of the library, whose licence is another."""
    with _libraries():
        from peakrdl_python.exporter import PythonExporter
        from peakrdl_python.systemrdl_node_hashes import NodeHashingMethod
    PythonExporter().export(
        top,
        str(folder),
        skip_test_case_generation=True,
        skip_library_copy=True,
        skip_systemrdl_name_and_desc_properties=True,
        hashing_method=NodeHashingMethod.SHA256,  # Python's own differs from run to run
    )
