"""A network from a file, by what the file holds."""

from pathlib import Path

from cimforge.compiler.graph.graph import Graph, GraphError
from cimforge.compiler.importers.onnx_import import import_onnx
from cimforge.compiler.importers.tflite_import import import_tflite

__all__ = ["SUFFIXES", "import_model"]

# Of each kind of file whose arithmetic it may have, the likeliest first.
SUFFIXES: dict[str, tuple[str, ...]] = {".tflite": ("tflite", "litert"), ".onnx": ("onnx",)}


def import_model(path: Path, rule: str | None = None) -> Graph:
    """The network in ``path``, to be computed by ``rule``, or by the likeliest of its kind.

    Raises GraphError, one line that names the file.
    """
    rules = SUFFIXES.get(path.suffix.lower())
    if rules is None:
        known = " or ".join(SUFFIXES)
        raise GraphError(f"{path}: must be a network in a {known} file")
    if rule is not None and rule not in rules:
        raise GraphError(f"{path}: is computed by {' or '.join(rules)}, not {rule}")
    if rules[0] == "onnx":
        return import_onnx(path)
    return import_tflite(path, rule or rules[0])
