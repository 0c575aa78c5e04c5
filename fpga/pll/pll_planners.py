"""Which planner and cell each primitive has; the clock of a board from what a user wants."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from cimforge.flow.board import Board
from cimforge.fpga.boards import check_baud
from cimforge.fpga.pll import ecp5_pll, gatemate_pll, gowin_pll, ice40_pll
from cimforge.fpga.pll.pll_cell import PllCell
from cimforge.fpga.pll.pll_plan import PllPlan, Range, nearest_plan
from cimforge.hdl.params.config_file import InputError

__all__ = ["PLLS", "board_at", "plan_pll"]

OFF = 0.01  # a clock that misses what was asked for by more is refused


class Pll(NamedTuple):
    """A primitive: ``plans`` of (reference, wanted) near what is wanted, the range of its
    oscillator, the ``cell`` of a plan."""

    plans: Callable[[int, int], Iterable[PllPlan]]
    vco: Range
    cell: Callable[[PllPlan], PllCell]


PLLS = {
    "EHXPLLL": Pll(ecp5_pll.ehxplll_plans, ecp5_pll.VCO, ecp5_pll.ehxplll_cell),
    **{
        name: Pll(partial(ice40_pll.pll40_plans, name), ice40_pll.VCO, ice40_pll.pll40_cell)
        for name in ice40_pll.SOURCES
    },
    "rPLL": Pll(gowin_pll.rpll_plans, gowin_pll.VCO, gowin_pll.rpll_cell),
    "CC_PLL": Pll(gatemate_pll.cc_pll_plans, gatemate_pll.VCO, gatemate_pll.cc_pll_cell),
}


def plan_pll(board: Board, wanted_hz: int | None = None, where: str = "clock_hz") -> PllPlan | None:
    """How the board's PLL makes its clock, or the ``wanted_hz``, of its oscillator; None where the
    oscillator is the clock.

    Raises InputError, naming the nearest frequency within reach, where it misses by more than OFF,
    and where there is no PLL.
    """
    wanted = board.clock_hz if wanted_hz is None else wanted_hz
    if wanted == board.oscillator_hz:
        return None
    own = f"{board.oscillator_hz / 1e6:g} MHz"
    if board.pll not in PLLS:
        rule = f"{wanted / 1e6:g} MHz needs a PLL, which the board has not"
        raise InputError(f"{where}: {rule} (nearest legal value: {own})")
    pll = PLLS[board.pll]
    plan = nearest_plan(pll.plans(board.oscillator_hz, wanted), pll.vco)
    if plan is None:
        raise InputError(f"{where}: {board.pll} takes no reference of {own}; leave out the PLL")
    if plan.error > OFF:
        near = f"{float(plan.hz) / 1e6:.6g} MHz"
        rule = f"{board.pll} makes no {wanted / 1e6:g} MHz of {own}"
        raise InputError(f"{where}: {rule} (nearest legal value: {near})")
    return plan


def board_at(board: Board, clock_mhz: float | None, baud: int | None, link: str = "uart") -> Board:
    """The board at another clock, that which its PLL makes nearest, or at another baud rate.

    Raises InputError where the PLL reaches no such clock, or the clock makes no such bits of a
    UART; of another link, where a baud rate is asked for.
    """
    if clock_mhz is not None:
        plan = plan_pll(board, round(clock_mhz * 1e6), "--clock")
        board = board._replace(clock_hz=round(plan.hz) if plan else board.oscillator_hz)
    if link != "uart":
        if baud is not None:
            raise InputError(f"--baud: is of --link uart alone, and {link} has the host's clock")
        return board
    if baud is not None:
        board = board._replace(baud=baud)
    check_baud(board, "--clock" if clock_mhz is not None else "--baud")
    return board
