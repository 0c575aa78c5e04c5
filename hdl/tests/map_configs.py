"""Engines of several shapes, for tests of what software sees of them."""

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["ENGINES"]

ENGINES = {
    "plain": EngineConfig(macro=MacroConfig(rows=16, cols=8, banks=2, name="dcim")),
    "wide": EngineConfig(  # every size is its largest, or another than the default
        macro=MacroConfig(rows=1024, cols=511, weight_bits=16, input_bits=16, bits_per_cycle=16),
        **{"macros": 64, "bus_bits": 512, "acc_bits": 48, "act_bytes": 2**20, "lanes": 32},
        **{"acc_vectors": 65535, "channels": 65535, "weight_zeros": True, "streams": True},
    ),
    "modes": EngineConfig(
        macro=MacroConfig(rows=5, cols=3, weight_bits=12, slice_bits=1, banks=64, name="Fused"),
        streams=True,
    ),
    "pairs": EngineConfig(
        macro=MacroConfig(rows=7, cols=2, weight_bits=3, storage="latch", group=2, name="pairs"),
        weight_zeros=True,
        macros=3,
        bus_bits=64,
    ),
    "binary": EngineConfig(
        macro=MacroConfig(rows=9, cols=3, weight_bits=1, input_bits=1, multiply="xnor", name="bits")
    ),
}
