"""ONNX's types of elements as kinds of the graph."""

from cimforge.compiler.graph.graph import GraphError

__all__ = ["kind_of"]

KINDS = {  # of onnx.proto: TensorProto.DataType
    **{1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64"},
    **{9: "bool", 10: "float16", 11: "float64", 12: "uint32"},
    **{21: "uint4", 22: "int4", 25: "uint2", 26: "int2"},
}
OTHERS = {  # refused by name
    **{0: "undefined", 8: "string", 13: "uint64", 14: "complex64", 15: "complex128"},
    **{16: "bfloat16", 17: "float8e4m3fn", 18: "float8e4m3fnuz", 19: "float8e5m2"},
    **{20: "float8e5m2fnuz", 23: "float4e2m1", 24: "float8e8m0"},
    **{27: "float6e2m3", 28: "float6e3m2"},
}


def kind_of(number: int, where: str) -> str:
    """Raises GraphError, led by ``where``, for a type that is not computed here."""
    if number not in KINDS:
        known = ", ".join(KINDS.values())
        told = OTHERS.get(number, f"type {number}")
        raise GraphError(f"{where}: {told} is not computed here; convert it to one of {known}")
    return KINDS[number]
