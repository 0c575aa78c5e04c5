"""Which test modules check an engine, whatever it is."""

__all__ = ["ENGINE_SUITE"]

ENGINE_SUITE = ("engine.engine_suite", "engine.recovery_suite")
