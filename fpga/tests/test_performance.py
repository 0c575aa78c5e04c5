"""Operations a second, filling a bank, what the link feeds: counted by hand."""

import pytest

from cimforge.fpga.boards import BOARDS
from cimforge.fpga.performance import Performance
from cimforge.hdl.params.config import MacroConfig

BOARD = BOARDS["hx8k"]._replace(clock_hz=50_000_000)


def does(**parameters) -> Performance:
    """A macro on a board of 50 MHz."""
    return Performance(MacroConfig(**parameters), BOARD)


@pytest.mark.parametrize(
    ("parameters", "gops"),
    [
        ({"rows": 64, "cols": 16}, 12.8),  # 2 · 64 · 16 products in 8 cycles
        ({"rows": 64, "cols": 16, "bits_per_cycle": 4}, 51.2),  # in 2
        ({"rows": 64, "cols": 16, "bits_per_cycle": 8}, 102.4),  # in 1
        ({"rows": 64, "cols": 16, "bits_per_cycle": 8, "storage": "lutram"}, 51.2),  # but of tables
        ({"rows": 64, "cols": 16, "weight_bits": 4}, 6.4),  # each half of one
        ({"rows": 64, "cols": 16, "weight_bits": 4, "input_bits": 4}, 6.4),  # a quarter, in 4
    ],
)
def test_operations_a_second(parameters, gops):
    performance = does(**parameters)
    assert performance.gops_int8 == pytest.approx(gops)
    assert performance.tops_binary == pytest.approx(gops * 64 / 1000)
    told = performance.as_json()
    assert (told["gops_int8"], told["tops_binary"]) == (gops, round(gops * 0.064, 6))


def test_booth_takes_one_more_cycle_for_unsigned_vectors():
    plain = does(multiply="booth", bits_per_cycle=2, storage="latch")
    assert plain.gops_int8 == pytest.approx(2 * 64 * 16 / 5 * 50e6 / 1e9)


def test_filling_a_bank_with_and_without_the_fast_path():
    told = does(rows=8, group=2, storage="latch").as_json()["fill"]
    config = MacroConfig(rows=8, group=2, storage="latch")
    assert told["cycles"] == sum(2 ** (row % 2) for row in range(8)) == 12
    assert told["cycles_by_row"] == sum(config.write_cycles(row) for row in range(8)) > 12
    assert told["seconds"] == pytest.approx(12 / 50e6)
    assert told["seconds_by_row"] == pytest.approx(told["cycles_by_row"] / 50e6)


def test_what_the_link_feeds():
    """64 bytes down and 16 results of 3 bytes up a vector; 7 vectors in 448 of 507 bytes, and 12
    bytes around them: 448 of 460 bytes at 100 kB a second."""
    performance = does(rows=64, cols=16)
    assert performance.payload_rate == pytest.approx(100_000 * 448 / 460)
    assert performance.link_share == pytest.approx(100_000 * 7 / 460 / (50e6 / 8))
    assert performance.as_json()["link_bytes_per_s"] == 97_391
    wide = does(rows=8, cols=100)  # 100 results of 3 bytes: one vector, and 7 bytes around them
    assert wide.payload_rate == pytest.approx(100_000 * 300 / 307)
    spi = Performance(MacroConfig(rows=64, cols=16), BOARD, "spi")  # a bit in 6 cycles, no other
    assert spi.payload_rate == pytest.approx(50e6 / 48 * 448 / 460)
    assert (spi.as_json()["link"], performance.as_json()["link"]) == ("spi", "uart")
    slow = Performance(MacroConfig(rows=1, cols=1), BOARD._replace(clock_hz=1000))
    assert slow.link_share == 1
