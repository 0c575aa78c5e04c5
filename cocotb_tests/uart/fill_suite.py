"""The board behind its serial line, with a macro of row groups: banks go in on the fast path."""

import numpy as np

from cimforge.cocotb_tests.uart.uart_suite import CONFIG, LostWrite, board_test, drawn
from cimforge.flow.simulate.job import load_job
from cimforge.fpga.uart import FRAME_BITS
from cimforge.host.driver import MacroDriver, UartLink
from cimforge.host.payload import row_bytes

ROOM = 1.1


@board_test
def test_a_bank_is_filled(line):
    """A load takes no longer than its bytes take on the line and its rows, filled, in the macro:
    about half of what the rows alone would take, one by one."""
    weights, vectors, model = drawn(np.random.default_rng(1), 20)
    driver = MacroDriver(UartLink(line), CONFIG)
    began = line.cycles
    driver.load_weights(weights, signed=False)
    took = line.cycles - began
    least, single = CONFIG.load_cycles(fill=True), CONFIG.load_cycles()
    carried = CONFIG.rows * row_bytes(CONFIG) * FRAME_BITS * load_job()["divisor"]
    most = least + ROOM * carried  # frames, the wait for the last row
    assert most < single, "the test could not tell"
    assert least < took < most, f"{took} cycles; {least} filled, {single} row by row"
    golden = model.mvm(vectors, x_signed=False, bank=0)
    assert np.array_equal(driver.multiply(vectors, x_signed=False), golden)


@board_test
def test_a_fill_that_is_cut_off_begins_again(line):
    """Each frame of a load of several is lost in turn. The link begins anew with a
    reset, which leaves the group under way undefined: all rows are written again, from the
    first."""
    weights, vectors, model = drawn(np.random.default_rng(2), 10)
    golden = model.mvm(vectors, x_signed=False, bank=0)
    other = (1 << CONFIG.weight_bits) - 1 - weights
    frames, place = 3, 0
    while place < frames:
        port = LostWrite(line, 1 << 20)
        link = UartLink(port)
        driver = MacroDriver(link, CONFIG)
        frames = 1 + -(-CONFIG.rows * row_bytes(CONFIG) // link.most_payload)
        assert frames > 2, "of rows, and the wait for the last"
        driver.load_weights(other, signed=False)
        port._left = place
        driver.load_weights(weights, signed=False)
        assert port.lost
        assert np.array_equal(driver.multiply(vectors, x_signed=False), golden)
        place += 1
