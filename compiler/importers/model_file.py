"""A network from a file, by what the file holds."""

from collections.abc import Callable
from pathlib import Path

from cimforge.compiler.graph.graph import Graph, GraphError
from cimforge.compiler.importers.onnx_import import import_onnx
from cimforge.compiler.importers.tflite_import import import_tflite

__all__ = ["SUFFIXES", "import_model"]

SUFFIXES: dict[str, Callable[[Path], Graph]] = {".tflite": import_tflite, ".onnx": import_onnx}


def import_model(path: Path) -> Graph:
    """The network in ``path``. Raises GraphError, one line that names the file."""
    importer = SUFFIXES.get(path.suffix.lower())
    if importer is None:
        known = " or ".join(SUFFIXES)
        raise GraphError(f"{path}: must be a network in a {known} file")
    return importer(path)
