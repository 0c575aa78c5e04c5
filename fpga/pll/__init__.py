"""Phase-locked loops: planners by primitive, cells with a model for simulation."""

from cimforge.fpga.pll.pll_planners import PLLS, board_at, plan_pll

__all__ = ["PLLS", "board_at", "plan_pll"]
