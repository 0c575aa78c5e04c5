"""Engines that the tests of its units share: few, diverse, small."""

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.tests.configs import macro

__all__ = ["RUN_ENGINES"]

SMALL = {"acc_vectors": 16, "act_bytes": 256}
# One and two bytes an element, vectors of one word to nine, words of the bus and larger ones, one
# cycle a pass and many, modes, -1 and 1, one row, two macros, results as wide as sums.
RUN_ENGINES = {
    "base": EngineConfig(macro=MacroConfig(), **SMALL),
    "tiny": EngineConfig(macro=macro(8, 4, 4, 4, banks=4), act_bytes=64, acc_vectors=5),
    "odd": EngineConfig(
        macro=macro(37, 5, 13, 12, 3, 3), bus_bits=64, act_bytes=1024, acc_vectors=7
    ),
    "parallel": EngineConfig(macro=macro(24, 3, 8, 8, 8, 2), bus_bits=64, **SMALL),
    "sixteen": EngineConfig(macro=macro(9, 2, 8, 16, 1, 2), **SMALL),
    "single": EngineConfig(macro=macro(1, 1, 1, 1), acc_vectors=2, act_bytes=64),
    "binary": EngineConfig(
        macro=macro(70, 9, 1, 1, banks=2).model_copy(update={"multiply": "xnor"}),
        **{"act_bytes": 256, "acc_vectors": 33, "acc_bits": 48},
    ),
    "slices": EngineConfig(
        macro=macro(5, 2, 6, 4, 2, 3).model_copy(update={"slice_bits": 1}),
        **{"macros": 2, "bus_bits": 128, "acc_bits": 48, **SMALL},
    ),
    "two": EngineConfig(macro=macro(11, 2, 4, 8, 4), macros=2, bus_bits=32, **SMALL),
}
