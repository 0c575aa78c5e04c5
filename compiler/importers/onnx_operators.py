"""Who reads which operator of an .onnx file, by domain and name."""

from collections.abc import Callable, Mapping

from cimforge.compiler.importers.onnx_builder import Builder
from cimforge.compiler.importers.onnx_constants import CONSTANTS
from cimforge.compiler.importers.onnx_convolution import CONVOLUTIONS
from cimforge.compiler.importers.onnx_elementwise import ELEMENTWISE
from cimforge.compiler.importers.onnx_file import RawNode
from cimforge.compiler.importers.onnx_heads import ATTENTION
from cimforge.compiler.importers.onnx_matrix import MATRIX
from cimforge.compiler.importers.onnx_moving import MOVING
from cimforge.compiler.importers.onnx_pools import POOLS
from cimforge.compiler.importers.onnx_recurrent import RECURRENT
from cimforge.compiler.importers.onnx_reshaping import RESHAPING
from cimforge.compiler.importers.onnx_scaled import QLINEAR
from cimforge.compiler.importers.onnx_scales import SCALES

__all__ = ["READERS"]

Reader = Callable[[Builder, RawNode], None]
READERS: Mapping[tuple[str, str], Reader] = {
    **ATTENTION,
    **CONSTANTS,
    **CONVOLUTIONS,
    **ELEMENTWISE,
    **MATRIX,
    **MOVING,
    **POOLS,
    **RECURRENT,
    **RESHAPING,
    **SCALES,
    **QLINEAR,  # takes groups before the plain readers do
}
