"""Tests of the emitted engine."""
