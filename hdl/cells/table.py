"""Table of a group of rows: the sums of its rows' codes in all columns, for every choice of
rows."""

from cimforge.hdl.cells.array_style import ARRAY_STYLES, ArrayStyle
from cimforge.hdl.cells.vendor_ram import build_ram_block
from cimforge.hdl.netlist.structure import Bus, Net, Structure, concat, constant, expression
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.storage import STORAGE

__all__ = ["build_table"]


def build_table(config: MacroConfig, size: int, width: int) -> Structure:
    """The table of one group of ``size`` rows for one plane: ``entry`` (all columns' sums, each
    ``width`` bits, side by side across the blocks) of those rows whose bit is set in ``address``.

    Of a LUT RAM there is one for each bank, whose addresses (size bits each, bank 0's lowest) are 0
    in all banks but one, where entries are 0: what they deliver is ORed. In block RAM the bank's
    number stands above the rows' bits of the one address. ``entry`` comes as many enabled cycles
    behind ``address`` as the block has registers, and those behind it (RamBlock.behind). ``d`` is
    written to the entry ``write_rows`` of bank ``write_bank`` (one line each of LUT RAMs, else a
    number) at the edge at which ``write`` is high. Not reset.
    """
    block = config.ram_block
    lines = not block.banks
    total = config.cols * config.slices * width
    sentence = f"Sums of {size} rows in all columns, for every choice of rows."
    latency = block.registers + block.behind
    out = Structure(config.module, f"table{size}", sentence, role="storage", latency=latency)
    sets = config.banks if lines else 1
    nets = {"clk": out.port("input", "clk"), "enable": out.port("input", "enable")}
    above = 0 if lines else config.bank_bits
    address = out.port("input", "address", sets * (size + above))
    nets["write"] = out.port("input", "write")
    rows = out.port("input", "write_rows", size)
    bank = out.port("input", "write_bank", sets) if lines and sets > 1 else None
    if above:
        bank = out.port("input", "write_bank", above)
    d, entry = out.port("input", "d", total), out.port("output", "entry", total)
    ram = build_ram_block(config.module, block)
    delivered = []
    for index in range(sets):
        place = address.bits(index * (size + above), size + above)
        pins: dict[str, Net] = {**nets, "read_address": _padded(place, block.address_bits)}
        written: Net = rows if bank is None or lines else concat([rows, bank])
        pins["write_address"] = _padded(written, block.address_bits)
        if bank is not None and lines:
            pins["write"] = expression(f"{nets['write']} & {bank.bits(index)}", 1)
        q = out.wire(f"q{index}", total)
        _place_blocks(out, ram, index, pins, d, q, block.bits)
        delivered.append(q)
    word: Net = expression(" | ".join(map(str, delivered)), total)
    for rank in range(block.behind):
        register = out.register(f"entry_q{rank + 1}" if rank else "entry_q", total)
        out.line(f"always @(posedge clk) if (enable) {register} <= {word};")
        word = register
    out.assign(entry, word)
    return out


def _place_blocks(
    out: Structure, ram: Structure, index: int, pins: dict[str, Net], d: Bus, q: Bus, bits: int
) -> None:
    """As many blocks side by side as hold a word."""
    for number, low in enumerate(range(0, q.width, bits)):
        count = min(bits, q.width - low)
        word, read = d.bits(low, count), q.bits(low, count)
        if count < bits:
            spare = out.wire(f"spare{index}", bits - count)
            word = concat([word, constant(0, bits - count)])
            read = concat([read, spare])
        out.place(ram, f"bank{index}_ram{number}", **pins, d=word, q=read)


def _padded(net: Net, width: int) -> Net:
    """A net with zeros above."""
    return net if net.width == width else concat([net, constant(0, width - net.width)])


for name, traits in STORAGE.items():
    if traits.parts:
        ARRAY_STYLES.register(name, ArrayStyle())
