"""CRCs by one product are zlib's and binascii's, of messages of any length."""

import binascii
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimforge.compiler.applications.crc_matrix import (
    CRC16_XMODEM,
    CRC32,
    crc_constants,
    crc_matrix,
    message_crcs,
)
from cimforge.compiler.applications.tests import on_verilog
from cimforge.compiler.applications.tests.on_verilog import bit_config, open_macro
from cimforge.compiler.matmul import exact_matmul, tiled_matmul

SIMULATOR = on_verilog.SIMULATOR
CODES = {"crc32": (CRC32, zlib.crc32), "xmodem": (CRC16_XMODEM, lambda m: binascii.crc_hqx(m, 0))}


@pytest.mark.parametrize("name", CODES)
@given(messages=st.lists(st.binary(max_size=40), max_size=5))
def test_golden_is_the_library(name, messages):
    code, library = CODES[name]
    matmul = tiled_matmul(bit_config(rows=13, cols=9))
    assert message_crcs(messages, code, matmul) == [library(message) for message in messages]


@pytest.mark.parametrize(
    "parameters",
    [{"rows": 20, "cols": 12, "banks": 2}, {"rows": 9, "cols": 32, "storage": "lutram"}],
)
def test_verilog_is_the_library(parameters, tmp_path):
    config = bit_config(**parameters)
    backend = open_macro(config, tmp_path)
    random = np.random.default_rng(7)
    messages = [b"", b"\0", b"\0" * 7, *(random.bytes(n) for n in (1, 4, 6))]
    matmul = tiled_matmul(config, backend.run_job)
    for code, library in CODES.values():
        assert message_crcs(messages, code, matmul) == [library(message) for message in messages]
    assert backend.bit_exact


def test_check_values_are_those_published():
    assert message_crcs([b"123456789"], CRC32, exact_matmul) == [0xCBF43926]
    assert message_crcs([b"123456789"], CRC16_XMODEM, exact_matmul) == [0x31C3]


def test_empty_messages_need_no_product():
    assert message_crcs([b"", b""], CRC32, lambda x, w: pytest.fail("a product")) == [0, 0]
    assert message_crcs([], CRC32, exact_matmul) == []


def test_the_matrix_of_a_shorter_message_is_the_end_of_a_longer_one_s():
    assert np.array_equal(crc_matrix(CRC32, 5)[8:], crc_matrix(CRC32, 4))
    assert crc_matrix(CRC32, 0).shape == (0, 32)


def test_a_constant_is_the_crc_of_zeros():
    assert crc_constants(CRC32, 6) == [zlib.crc32(bytes(length)) for length in range(7)]
