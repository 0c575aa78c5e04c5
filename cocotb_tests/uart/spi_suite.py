"""The board behind SPI: the same frames and driver, and faults on the line."""

from random import Random

import cocotb
import numpy as np
from cocotb.task import bridge

from cimforge.cocotb_tests.uart.uart_suite import (
    CONFIG,
    FAULTS,
    MAP,
    drawn,
    still_works,
    unchanged,
)
from cimforge.flow.simulate.job import load_job
from cimforge.flow.simulate.spi_line import SpiLine
from cimforge.host.driver import FrameLink, LinkError, MacroDriver
from cimforge.host.link import read_request
from cimforge.host.spi import SpiPort

LEAST_SHARE = 0.7  # of the line's bytes that are payload: escapes take some


def port_of(line: SpiLine) -> SpiPort:
    """A port that waits for as long as the device may take."""
    return SpiPort(line.transfer, line.hz, timeout=line.timeout, poll=16)


def spi_test(session):
    """A cocotb test that runs ``session(line)`` in the host's thread."""

    async def run(dut):
        line = SpiLine(dut, load_job()["ratio"])

        def host() -> None:
            line.idle(100)  # power-on reset
            session(line)

        await bridge(host)()

    run.__name__ = run.__qualname__ = session.__name__
    run.__doc__, run.__module__ = session.__doc__, session.__module__
    return cocotb.test(timeout_time=500, timeout_unit="ms")(run)


@spi_test
def test_products_and_rows_over_spi(line):
    """Weights in, products and rows out, as golden says, and most of the line's time is payload."""
    weights, vectors, model = drawn(np.random.default_rng(3), 300)
    link = FrameLink(port_of(line))
    driver = MacroDriver(link, CONFIG)
    driver.load_weights(weights, signed=False)
    for row in range(CONFIG.rows):
        assert np.array_equal(driver.read_row(row), weights[row])
    sent, received, began = link.sent, link.received, line.cycles
    results = driver.multiply(vectors, x_signed=False)
    assert np.array_equal(results, model.mvm(vectors, x_signed=False, bank=0))
    payload = max(link.sent - sent, link.received - received)
    share = payload * 8 * load_job()["ratio"] / (line.cycles - began)
    assert share > LEAST_SHARE, f"{share:.3f} of the line's time for payload"


@spi_test
def test_a_storm_of_faults_on_spi_never_makes_a_wrong_result(line):
    """Faults anywhere, both ways: the right results, or an error after which all works."""
    rng, chance = Random(5), 0.001
    weights, vectors, model = drawn(np.random.default_rng(5), 60)
    golden = model.mvm(vectors, x_signed=False, bank=0)
    driver = MacroDriver(FrameLink(port_of(line)), CONFIG)
    errors = 0
    for _ in range(6):
        for faults in (line.outward, line.inward):
            faults.clear()
            faults.extend(
                rng.choice(FAULTS) if rng.random() < chance else unchanged for _ in range(30000)
            )
        try:
            driver.load_weights(weights, signed=False)
            assert np.array_equal(driver.multiply(vectors, x_signed=False), golden)
        except LinkError:
            errors += 1
    line.outward.clear()
    line.inward.clear()
    driver.load_weights(weights, signed=False)
    assert np.array_equal(driver.multiply(vectors, x_signed=False), golden)
    assert errors < 6, "nothing was made good"


@spi_test
def test_a_selection_that_ends_early_costs_a_byte(line):
    """The host lets the device go in the middle of bytes and begins anew: bits outside a frame cost
    nothing, not even a session; in a frame, and in its reply, what was asked is made good."""
    link = FrameLink(port_of(line))
    still_works(link)
    for count in (1, 2, 5):
        line.transfer(bytes(count))
        still_works(link)
    session = link._session
    for bits in range(1, 8):
        line.cut(bits)
        still_works(link)
        assert link._session == session, f"{bits} bits cost a session"
    asked = read_request(MAP.register("hash").offset)
    for bits in range(1, 8):
        line.transfer(asked.frame(link._sequence, link._session)[:bits])
        line.cut(bits)
        still_works(link)
        line.transfer(asked.frame(link._sequence, link._session))
        line.cut(bits)  # of the reply, which the link may take for that to its own
        still_works(link)
    assert link._session != session
