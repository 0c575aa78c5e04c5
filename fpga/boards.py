"""Boards as data: device, pins, clock and the programs that reach a bitstream."""

from cimforge.flow.board import Board

__all__ = ["BOARDS"]


BOARDS = {
    "ulx3s-85f": Board(
        device="LFE5U-85F-6BG381C",
        target="ecp5",
        family="ecp5",
        place=("--85k", "--package", "CABGA381", "--speed", "6"),
        pins={"clk": "G2", "rx": "M1", "tx": "L4", "busy": "B2"},
        clock_hz=25_000_000,
        baud=1_000_000,
        about="Radiona ULX3S, ECP5 85k; UART over its FTDI chip (us1), LED D0",
    ),
    "hx8k": Board(
        device="iCE40HX8K-CT256",
        target="ice40",
        family="ice40",
        place=("--hx8k", "--package", "ct256"),
        pins={"clk": "J3", "rx": "B10", "tx": "B12", "busy": "C3"},
        clock_hz=12_000_000,
        baud=1_000_000,
        about="Lattice iCE40-HX8K breakout; UART over its FTDI chip, LED D9",
    ),
}
