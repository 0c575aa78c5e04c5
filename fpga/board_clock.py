"""The clock and reset of a board's top."""

from cimforge.flow.board import Board
from cimforge.fpga.pll import PLLS, plan_pll
from cimforge.hdl.netlist.structure import Bus, Net, Structure, expression

__all__ = ["RESET_BITS", "place_clock"]

RESET_BITS = 6


def place_clock(out: Structure, board: Board, oscillator: Bus) -> tuple[Net, Net]:
    """Place the board's PLL, where it has one to make its clock; returns clock and reset.

    There is no reset pin: a counter that starts at 0, as flip-flops of FPGAs do, holds reset for
    the first 2^RESET_BITS + 1 cycles of the clock, through a flip-flop of its own. With a PLL it
    counts cycles in which the PLL is locked, seen through two flip-flops, and begins again where it
    loses its lock.
    """
    plan = plan_pll(board)
    clk: Net = oscillator
    count = f"if (!started[{RESET_BITS}]) started <= started + 1'b1;"
    if plan:
        clk, locked = out.wire("clk_pll"), out.wire("locked")
        cell = PLLS[plan.primitive].cell(plan)
        pins: dict[str, Net] = {cell.source: oscillator, cell.clock: clk, cell.lock: locked}
        for name, value in cell.tied.items():
            pins[name] = expression(value, cell.ports[name].width)
        if cell.feedback:
            fed, output = cell.feedback
            pins |= dict.fromkeys((fed, output), out.wire("loop"))
        out.place(cell, "pll", **pins)
        out.nets.append("reg [1:0] stable = 0;")
        out.line(f"always @(posedge {clk}) stable <= {{stable[0], {locked}}};")
        count = f"if (!stable[1]) started <= 0; else {count}"
    out.nets.append(f"reg [{RESET_BITS}:0] started = 0;")
    out.line(f"always @(posedge {clk}) {count}")
    out.nets.append("reg rst = 1;")
    out.line(f"always @(posedge {clk}) rst <= ~started[{RESET_BITS}];")
    return clk, Net("rst")
