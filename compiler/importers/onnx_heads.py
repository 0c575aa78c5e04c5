"""ONNX's Attention, without a cache of keys: of floats, for the host."""

from cimforge.compiler.graph.operator import HostOperator
from cimforge.compiler.graph.tensor import KINDS
from cimforge.compiler.importers.onnx_builder import Builder, UnsupportedError
from cimforge.compiler.importers.onnx_file import RawNode

__all__ = ["ATTENTION"]


def _attention(net: Builder, node: RawNode) -> None:
    get = node.attributes.get
    if len([name for name in node.outputs if name]) > 1 or any(node.inputs[4:]):
        raise UnsupportedError("a cache of keys, or scores as an output, are not computed here")
    q, k, v = (net.tensor(name) for name in node.inputs[:3])
    if KINDS[q.kind] is not None or not q.kind == k.kind == v.kind:
        raise UnsupportedError(f"Q, K and V must be floats alike, not {q.kind}, {k.kind}, {v.kind}")
    heads = int(get("q_num_heads", 0)), int(get("kv_num_heads", 0))
    rank = len(q.shape)
    if rank == 4:
        heads = q.shape[1], k.shape[1] if len(k.shape) == 4 else 0
    if rank not in (3, 4) or min(heads) < 1 or heads[0] % heads[1]:
        raise UnsupportedError(f"Q of shape {q.shape} does not fit {heads[0]} and {heads[1]} heads")
    if rank == 3 and (q.shape[2] % heads[0] or k.shape[2] % heads[1] or v.shape[2] % heads[1]):
        raise UnsupportedError(f"Q of shape {q.shape} does not fit {heads[0]} heads")
    attributes = (
        *(("heads", heads), ("scale", float(get("scale", 0.0) or 0.0))),
        *(("causal", int(get("is_causal", 0))), ("cap", float(get("softcap", 0.0)))),
    )
    given = [name or None for name in node.inputs[:4]]
    net.emit(HostOperator("Attention", attributes), given, node.outputs[:1], title=node.title)


ATTENTION = {("", "Attention"): _attention}
