"""Compiler: integer matrix products and small networks, mapped onto one macro."""
