"""Tables of sums and the RAM blocks they are built of, with each vendor's behavioural model."""

import re
from random import Random

import pytest

from cimforge.hdl.cells.table import build_table
from cimforge.hdl.cells.vendor_ram import build_ram_block
from cimforge.hdl.macro.table_addresses import address_places, build_addresses
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.netlist.module import walk
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.ram_blocks import BLOCK_RAM, LUT_RAM
from cimforge.hdl.tests.block_run import run_block
from cimforge.hdl.tests.configs import DIVERSE
from cimforge.hdl.tests.tools import needs_icarus

BLOCKS = {
    **{f"lut_{name}": block for name, block in LUT_RAM.items()},
    **{f"block_{name}": block for name, block in BLOCK_RAM.items()},
}
LUTS = {"rows": 7, "cols": 3, "weight_bits": 4, "storage": "lutram"}
RAMS = {"rows": 11, "cols": 5, "weight_bits": 4, "storage": "bram"}
TABLES = {
    "lutram": MacroConfig(**LUTS),
    "lutram_banks": MacroConfig(**LUTS, banks=3, group=3),
    "lutram_slices": MacroConfig(**{**LUTS, "cols": 2}, banks=2, slice_bits=2),
    "lutram_single": MacroConfig(**LUTS, banks=2, group=1),
    "ecp5": MacroConfig(**RAMS),
    "ecp5_banks": MacroConfig(**RAMS, banks=3, group=6),
    "ecp5_slices": MacroConfig(**RAMS, slice_bits=2, group=5, banks=16),
    "ice40": MacroConfig(**RAMS, ram="ice40"),
    "ice40_banks": MacroConfig(**RAMS, ram="ice40", banks=3, group=6),
    "gowin": MacroConfig(**RAMS, ram="gowin", group=7, banks=4),
}
every_table = pytest.mark.parametrize("config", TABLES.values(), ids=TABLES)


@needs_icarus
@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_block_reads_what_was_written_its_registers_later(block, tmp_path):
    """Any word at any time; a read holds while enable is low, and a write needs none. The word that
    is written in a cycle is not read in it."""
    random, words = Random(block.cell), [*range(8), block.words - 1]
    cycles = [
        {
            "enable": random.random() < 0.7,
            "write": random.random() < 0.6,
            "write_address": random.choice(words),
            "d": random.getrandbits(block.bits),
        }
        for _ in range(400)
    ]
    for cycle in cycles:
        others = [word for word in words if word != cycle["write_address"] or not cycle["write"]]
        cycle["read_address"] = random.choice(others)
    ram = build_ram_block("m", block)
    cycles = [{name: cycle[name] for name in ram.ports if name in cycle} for cycle in cycles]
    held: dict[int, int] = {}
    pipeline: list[int | None] = [None] * block.registers
    seen = 0
    for cycle, shown in zip(cycles, run_block(tmp_path, ram, cycles), strict=True):
        at_once = held.get(cycle["read_address"])
        must = pipeline[-1] if pipeline else at_once
        assert must is None or shown["q"] == must
        seen += must is not None
        if pipeline and cycle["enable"]:
            pipeline = [at_once, *pipeline[:-1]]
        if cycle["write"]:
            held[cycle["write_address"]] = cycle["d"]
    assert seen > 200


@needs_icarus
@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_model_starts_with_arbitrary_words(block, tmp_path):
    """A word that was never written, the first one above all, is not 0."""
    ram = build_ram_block("m", block)
    words = [0, 1, block.words - 2]
    cycles = [{"read_address": word} for word in words for _ in range(block.registers + 1)]
    for cycle in cycles if block.registers else []:
        cycle["enable"] = 1
    shown = run_block(tmp_path, ram, cycles)[block.registers :: block.registers + 1]
    assert len({each["q"] for each in shown}) > 1
    assert shown[0]["q"] != 0


def _bank_lines(config: MacroConfig, bank: int) -> int:
    """How tables of a config are told a bank: LUT RAMs a line each, block RAMs its number."""
    return 1 << bank if config.storage == "lutram" else bank


def _address(config: MacroConfig, size: int, bank: int, rows: int) -> int:
    """The address that selects a choice of rows in a bank."""
    if config.storage == "lutram":
        return rows << size * bank
    return rows | bank << size


@needs_icarus
@every_table
def test_a_table_delivers_the_entry_of_the_bank_in_use(config, tmp_path):
    """Entries of all banks and choices, written in any order after those of no row, each as many
    enabled cycles behind its address as the table's latency; a stall holds what is under way."""
    size, width = config.group, config.operand_widths[0]
    table, random = build_table(config, size, width), Random(config.module)
    total = config.cols * config.slices * width
    assert table.ports["entry"].width == table.ports["d"].width == total
    choices = [(bank, rows) for bank in range(config.banks) for rows in range(1 << size)]
    written = [place for place in choices if place[1] == 0]  # what a reset writes
    more = [place for place in choices if place[1]]
    written += random.sample(more, min(len(more), 150)) + random.sample(more, min(len(more), 20))
    held, cycles = {}, []
    for bank, rows in written:
        d = random.getrandbits(total) if rows else 0
        held[bank, rows] = d
        chosen = {"write": 1, "write_rows": rows, "write_bank": _bank_lines(config, bank), "d": d}
        cycles.append(chosen)
    reads = [random.choice(list(held)) for _ in range(200)]
    for bank, rows in reads:
        address = _address(config, size, bank, rows)
        cycles.append({"address": address, "enable": random.random() < 0.8, "d": 3})
    cycles = [{name: cycle[name] for name in table.ports if name in cycle} for cycle in cycles]
    shown = run_block(tmp_path, table, cycles)[len(written) :]
    pipeline: list = [None] * table.latency
    for place, cycle, each in zip(reads, cycles[len(written) :], shown, strict=True):
        must = pipeline[-1]
        assert must is None or each["entry"] == held[must], must
        if cycle["enable"]:
            pipeline = [place, *pipeline[:-1]]


@every_table
def test_a_table_has_as_many_blocks_as_hold_its_sums(config):
    """Side by side across the blocks' width, for each bank of LUT RAM anew."""
    width = config.operand_widths[0]
    table = build_table(config, config.group, width)
    placed = [child for child in table.children if child.module.kind == "ram_block"]
    across = -(-config.cols * config.slices * width // config.ram_block.bits)
    assert len(placed) == across * (config.banks if config.storage == "lutram" else 1)


def test_blocks_of_macros_by_hand():
    """72 x 18 at 8 bits in block RAM: eight groups of 512 entries of 18 sums, 12 bits each, three
    to 36 bits: 48 blocks. 64 x 16 in LUT RAM: sixteen groups of sixteen sums of 10 bits, 40 LUT
    RAMs of 4 bits each."""

    def blocks(cell: str, **parameters) -> int:
        macro = build_macro(MacroConfig(**parameters))
        return sum(child.module.name == cell for _, child in walk(macro))

    assert blocks("DP16KD", rows=72, cols=18, storage="bram") == 48
    assert blocks("TRELLIS_DPR16X4", storage="lutram") == 16 * 40
    assert blocks("TRELLIS_DPR16X4", storage="lutram", bits_per_cycle=4, banks=2) == 8 * 16 * 40
    assert blocks("SB_RAM40_4K", rows=8, cols=4, storage="bram", ram="ice40") == 3  # 4 x 11 bits
    assert blocks("SDPX9B", rows=9, cols=3, storage="bram", ram="gowin") == 1
    both = {"rows": 36, "cols": 6, "storage": "hybrid", "ram_cols": 3}
    assert blocks("DP16KD", **both) == 4
    assert blocks("TRELLIS_DPR16X4", **both) == 9 * 8  # 3 x 10 bits
    for cols, cell in ((0, "DP16KD"), (6, "TRELLIS_DPR16X4")):
        assert blocks(cell, **{**both, "ram_cols": cols}) == 0


def test_an_output_register_is_in_use():
    text = build_ram_block("m", BLOCK_RAM["ecp5"]).verilog()
    assert re.findall(r'\.REGMODE_[AB]\("(\w+)"\)', text) == ["OUTREG", "OUTREG"]
    assert ".READ_MODE(1'b1)" in build_ram_block("m", BLOCK_RAM["gowin"]).verilog()


@needs_icarus
@pytest.mark.parametrize("name", [n for n, c in DIVERSE.items() if c.tables and len(c.parts) == 1])
def test_addresses_are_the_planes_of_the_bank_in_use(name, tmp_path):
    """As many cycles with enable high later as registers are in front of the block: of each plane
    and group the rows' bits where a bank is selected, 0 where it does not exist; of LUT RAMs in the
    lines of that bank alone."""
    config, random = DIVERSE[name], Random(name)
    block, k, banks = build_addresses(config), config.bits_per_cycle, config.banks
    cycles = []
    for _ in range(120):
        missing = [None] if banks < 1 << config.bank_bits else []
        bank = random.choice([*missing, *range(banks)])
        given = {"enable": random.random() < 0.8, "planes": random.getrandbits(config.rows * k)}
        given |= {"bank_select": 0 if bank is None else 1 << bank, "read_bank": bank or 0}
        cycles.append({"bank": bank, **{n: v for n, v in given.items() if n in block.ports}})
    told = [{n: v for n, v in cycle.items() if n != "bank"} for cycle in cycles]
    ranks = [None] * config.ram_block.front
    for cycle, shown in zip(cycles, run_block(tmp_path, block, told), strict=True):
        held = ranks[-1]
        for plane, places in enumerate(address_places(config) if held else []):
            for group, (low, bits) in enumerate(places):
                first, size = group * config.group, config.group_sizes[group]
                rows = sum(
                    (held["planes"] >> (first + row) * k + plane & 1) << row for row in range(size)
                )
                address = shown["address"] >> low & (1 << bits) - 1
                if held["bank"] is None:
                    assert address & (1 << size) - 1 == 0
                else:
                    assert address == _address(config, size, held["bank"], rows)
        ranks = [cycle, *ranks[:-1]] if cycle["enable"] else ranks


@pytest.mark.parametrize("name", [n for n, c in DIVERSE.items() if c.tables and len(c.parts) == 1])
def test_addresses_lie_side_by_side(name):
    config = DIVERSE[name]
    flat = [place for plane in address_places(config) for place in plane]
    assert [low for low, _ in flat] == [
        sum(bits for _, bits in flat[:number]) for number in range(len(flat))
    ]
    assert len(flat) == config.bits_per_cycle * len(config.group_sizes)
    assert build_addresses(config).ports["address"].width == sum(bits for _, bits in flat)
