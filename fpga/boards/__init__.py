"""The boards: a TOML file each in this folder."""

from cimforge.fpga.boards.board_table import BOARDS, PORTS, check_baud, find_board, parse_board

__all__ = ["BOARDS", "PORTS", "check_baud", "find_board", "parse_board"]
