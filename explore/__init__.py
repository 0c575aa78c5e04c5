"""Sweeps: macros of many parameters on many targets, each measured once, the best of them told."""
