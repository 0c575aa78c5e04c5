"""An .onnx file as a Graph."""

from pathlib import Path

from cimforge.compiler.graph.graph import Graph, GraphError, Node, ordered
from cimforge.compiler.graph.operator import HostOperator
from cimforge.compiler.importers.onnx_builder import Builder, UnsupportedError
from cimforge.compiler.importers.onnx_file import BROKEN, OnnxFile, RawNode, read_onnx
from cimforge.compiler.importers.onnx_operators import READERS

__all__ = ["import_onnx"]

# attributes that change nothing where a node infers and its arrays are whole
WITHOUT_EFFECT = {
    *("consumed_inputs", "momentum", "ratio", "seed", "spatial", "stash_type", "storage_order"),
    *("antialias", "cubic_coeff_a", "exclude_outside", "extrapolation_value"),
    *("keep_aspect_ratio_policy", "kernel_shape", "opset", "qk_matmul_output_mode"),
    *("saturate", "softmax_precision"),
}


def import_onnx(path: Path) -> Graph:
    """The network in the .onnx file ``path``: tensors keep their names and, but for what is called
    ``name:images``, ONNX's layout. An open batch is 1.

    Raises GraphError, one line with the file, the node and what to do, where the file is none, or
    asks for what is not computed here; InputError where the package onnx is missing.
    """
    file = read_onnx(path)
    try:
        file = file._replace(nodes=_in_order(file))
        net = Builder(file)
        for place, node in enumerate(file.nodes):
            if place not in net.done:
                _read(net, node)
        for name in file.outputs:
            net.output(name)
        return net.graph([tensor.name for tensor in file.inputs], file.outputs)
    except (GraphError, UnsupportedError) as error:
        raise GraphError(f"{path}: {error}") from None
    except BROKEN as error:
        raise GraphError(f"{path}: {_line(error)}") from None


def _in_order(file: OnnxFile) -> tuple[RawNode, ...]:
    """The nodes, each behind those whose outputs it reads; those of constants alone first, so that
    every scale is known when a node behind it is read."""
    known = set(file.constants) | {tensor.name for tensor in file.inputs}
    dummies = [
        Node(node.title, HostOperator(node.kind, (("place", place),)), node.inputs, node.outputs)
        for place, node in enumerate(file.nodes)
    ]
    made: set[str] = set()
    for node in dummies:
        for name in filter(None, node.outputs):
            if name in made or name in known:
                raise GraphError(f"{node}: makes {name!r}, which is there already")
            made.add(name)
    sorted_nodes = []
    for each in ordered(dummies, known):
        assert isinstance(each.operator, HostOperator)
        sorted_nodes.append(file.nodes[each.operator.attributes[0][1]])
    fixed = set(file.constants) | {""}
    early: list[RawNode] = []
    late: list[RawNode] = []
    for raw in sorted_nodes:
        if fixed.issuperset(raw.inputs):
            fixed.update(raw.outputs)
            early.append(raw)
        else:
            late.append(raw)
    return (*early, *late)


def _read(net: Builder, node: RawNode) -> None:
    where = f"node {node.title!r} ({node.operator})"
    reader = READERS.get((node.domain, node.kind))
    try:
        if reader is None:
            raise UnsupportedError("is not computed here")
        reader(net, node)
        passed_over = set(node.attributes) - node.attributes.asked - WITHOUT_EFFECT
        if passed_over:
            raise UnsupportedError(f"attribute {min(passed_over)!r} is not computed here")
    except UnsupportedError as error:
        way = "leave it out, or export the network without it"
        raise GraphError(f"{where}: {error}; {way}") from None
    except BROKEN as error:
        raise GraphError(f"{where}: {_line(error)}") from None


def _line(error: BaseException) -> str:
    told = str(error).split("\n")[0] or type(error).__name__
    return f"is broken: {told[:200]}"
