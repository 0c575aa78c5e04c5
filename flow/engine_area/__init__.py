"""What an engine's own blocks come to, beside its macros."""
