"""Measurements by themselves: each of a point, or of what several points have in common."""
