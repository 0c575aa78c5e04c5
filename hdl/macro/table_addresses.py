"""Addresses of tables: planes, of the bank in use, in registers."""

from cimforge.hdl.netlist.structure import Net, Structure, concat, expression
from cimforge.hdl.params.config import MacroConfig

__all__ = ["address_places", "build_addresses"]


def address_places(config: MacroConfig) -> list[list[tuple[int, int]]]:
    """Where ``address`` of build_addresses holds those of each plane's tables: (low, bits) of each
    group."""
    lines, places, low = not config.ram_block.banks, [], 0
    for _ in range(config.bits_per_cycle):
        plane = []
        for size in config.group_sizes:
            bits = size * config.banks if lines else size + config.bank_bits
            plane.append((low, bits))
            low += bits
        places.append(plane)
    return places


def build_addresses(config: MacroConfig) -> Structure:
    """``address`` takes the bits of ``planes`` (row r's plane j at r k + j) that select in each
    group's table (address_places) at the edges at which ``enable`` is high: latency RamBlock.front
    enabled cycles, the planes' ways to their tables divided.

    Tables in LUT RAM have an address for each bank, all zeros but in the bank whose
    ``bank_select`` is high; in block RAM the bank's number ``read_bank`` stands above the rows'
    bits, and all is 0 where no bank is selected. Not reset: control drops what was under way.
    """
    k, banks, lines = config.bits_per_cycle, config.banks, not config.ram_block.banks
    sentence = "Addresses of tables: the planes' bits of each group, and the bank."
    front = config.ram_block.front
    out = Structure(config.module, "addresses", sentence, role="input", latency=front)
    out.port("input", "clk")
    out.port("input", "enable")
    planes = out.port("input", "planes", config.rows * k)
    selects = banks > 1 and (lines or banks < 1 << config.bank_bits)
    select = out.port("input", "bank_select", banks) if selects else None
    number = out.port("input", "read_bank", config.bank_bits) if banks > 1 and not lines else None
    last_low, last_bits = address_places(config)[-1][-1]
    address = out.port("output", "address", last_low + last_bits)
    exists = None
    if select is not None and not lines:
        exists = out.wire("bank_exists")
        out.assign(exists, f"|{select}")
    parts: list[Net] = []
    for plane in range(k):
        low = 0
        for size in config.group_sizes:
            rows = concat(planes.bits((low + row) * k + plane) for row in range(size))
            low += size
            if lines and select is not None:
                parts += [_gated(rows, select.bits(bank)) for bank in range(banks)]
                continue
            parts.append(rows if exists is None else _gated(rows, exists))
            parts += [number] if number is not None else []
    following = out.wire("following", address.width)
    out.assign(following, concat(parts))
    for rank in range(front):
        register = out.register(f"address_q{rank + 1}" if rank else "address_q", address.width)
        out.line(f"always @(posedge clk) if (enable) {register} <= {following};")
        following = register
    out.assign(address, following)
    return out


def _gated(rows: Net, line: Net) -> Net:
    """The rows' bits where the line is high, else 0."""
    return expression(f"({rows} & {{{rows.width}{{{line}}}}})", rows.width)
