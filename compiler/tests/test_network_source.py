"""A network as C and as an engine's queue: the C of the layers, and golden's engine, compute it."""

import ctypes
import re
import shutil
import subprocess
from importlib.resources import files

import numpy as np
import pytest

from cimforge.compiler import digits
from cimforge.compiler.matmul import exact_matmul
from cimforge.compiler.quantise import requantise
from cimforge.compiler.soc.engine_program import plan_network
from cimforge.compiler.soc.network_source import c_array, network_source
from cimforge.compiler.soc.soc_backend import classifier_source
from cimforge.golden.engine import EngineModel
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.hdl.params.engine_config import EngineConfig

SEED = 4
BATCH = 6
RAM = 1 << 28
needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc on PATH")


def quantised(bits=(8, 8)) -> digits.QuantisedNetwork:
    """The digits' network."""
    return digits.quantise_network(digits.train(0), digits.load().train_images, *bits)


class Layer(ctypes.Structure):
    """dense_layer of firmware's dense.h."""

    _fields_ = (
        ("inputs", ctypes.c_uint16),
        ("outputs", ctypes.c_uint16),
        ("weights", ctypes.c_void_p),
        ("bias", ctypes.c_void_p),
        ("multiplier", ctypes.c_int32),
        ("shift", ctypes.c_int32),
        ("lowest", ctypes.c_int32),
        ("highest", ctypes.c_int32),
    )


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The firmware's layers, and the network's data, as a library of this machine."""
    folder = tmp_path_factory.mktemp("library")
    package = files("cimforge.fpga.firmware")
    own, _ = classifier_source(quantised(), None, BATCH)
    texts = {
        name: package.joinpath(name).read_text() for name in ("dense.c", "dense.h", "network.h")
    }
    for name, text in {**texts, **own}.items():
        (folder / name).write_text(text)
    command = ("gcc", "-std=c99", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", "l.so")
    subprocess.run((*command, "dense.c", "network_data.c"), cwd=folder, check=True)
    loaded = ctypes.CDLL(str(folder / "l.so"))
    loaded.dense_requantise.restype = ctypes.c_int8
    return loaded


@needs_gcc
def test_the_core_requantises_as_the_compiler_does(library):
    draw = np.random.default_rng(SEED)
    print(f"seed {SEED}")
    for shift in range(-8, 32):
        for multiplier in (1, 1 << 30, (1 << 31) - 1, int(draw.integers(1 << 30, 1 << 31))):
            layer = Layer(1, 1, None, None, multiplier, shift, -127, 127)
            most = (1 << 31) - 1 >> max(-shift, 0)
            ties = [t for t in (1 << max(shift - 1, 0), 3 << max(shift - 1, 0)) if 2 * t <= most]
            sums = [0, 1, -1, most, -most, *ties, *(-t for t in ties), *(2 * t for t in ties)]
            sums += draw.integers(-most, most, 20).tolist()
            expected = np.clip(requantise(np.array(sums), multiplier, shift), -127, 127)
            told = [library.dense_requantise(ctypes.byref(layer), ctypes.c_int32(s)) for s in sums]
            assert told == expected.tolist()


@needs_gcc
def test_the_network_in_c_has_its_sums(library):
    network = quantised()
    layers = (Layer * 2).in_dll(library, "network_layers")
    x = np.random.default_rng(SEED).integers(0, 128, 64).astype(np.int8)
    sums = (ctypes.c_int32 * 32)()
    library.dense_sums(ctypes.byref(layers[0]), ctypes.c_void_p(x.ctypes.data), sums)
    expected = network.hidden.accumulate(x[None], exact_matmul)[0]
    assert list(sums) == expected.tolist()
    shape = (layers[1].inputs, layers[1].outputs, layers[1].multiplier, layers[1].shift)
    output = network.output
    assert shape == (32, 10, output.multiplier, output.shift)
    assert (layers[0].lowest, layers[0].highest, layers[1].lowest) == (0, 127, -127)
    levels = (ctypes.c_int8 * 17).in_dll(library, "network_levels")
    assert list(levels) == [round(127 * pixel / 16 + 1e-9) for pixel in range(17)]


ENGINES = {
    "tiny": EngineConfig(macro=load_config("tiny")),
    "base": EngineConfig(macro=load_config("base"), bus_bits=64, lanes=2),
    "banks": EngineConfig(macro=load_config("base", ("banks=2",)), macros=2),
    "sliced": EngineConfig(macro=MacroConfig(rows=20, cols=7, slice_bits=4), acc_bits=48),
}


@pytest.mark.parametrize("name", ENGINES)
def test_the_queue_computes_the_network_on_goldens_engine(name):
    config = ENGINES[name]
    network = quantised(digits.network_bits(config.macro))
    images = digits.load().test_images[:BATCH]
    program = plan_network(config, (network.hidden, network.output), BATCH, RAM)
    memory = np.zeros(program.end - RAM, np.uint8)
    for address, data in program.segments:
        memory[address - RAM :][: len(data)] = np.frombuffer(data, np.uint8)
    limit = (1 << network.input_bits - 1) - 1
    x = (2 * limit * images + 16) // 32
    place = program.plans[0].inputs.address - RAM
    for row, vector in enumerate(x):
        memory[place + row * program.input_pitch :][:64] = vector
    result = EngineModel(config, memory, RAM).run_queue(
        program.queue.address, len(program.commands)
    )
    assert (result.error, result.overflow) == (None, False)
    last, words = program.plans[-1], config.acc_bits // 48 + 1
    sums = [
        memory[last.outputs.address - RAM + row * last.output_pitch :][: 40 * words].view("<i4")
        for row in range(BATCH)
    ]
    told = np.array([each[::words] + program.bias for each in sums]).argmax(axis=1)
    assert told.tolist() == digits.predict(network, images, exact_matmul).tolist()


def test_sizes_and_places_are_told_in_c():
    program = plan_network(ENGINES["tiny"], (quantised((4, 4)).hidden,), 3, RAM)
    texts = program.source()
    sizes = dict(re.findall(r"#define NETWORK_(\w+) (0x\w+)u", texts["engine_sizes.h"]))
    assert int(sizes["INPUTS"], 16) == program.plans[0].inputs.address
    assert int(sizes["QUEUE"], 16) == program.queue.address
    assert int(sizes["COMMANDS"], 16) == len(program.commands)
    assert int(sizes["SEGMENTS"], 16) == len(program.segments)
    words = re.findall(r"segment_\d+\[\] = \{\n(.*?)\n\};", texts["engine_data.c"], re.S)
    read = [np.array([int(w) for w in re.findall(r"(\d+)u", text)], "<u4") for text in words]
    for (_, data), told in zip(program.segments, read, strict=True):
        assert told.tobytes()[: len(data)] == data


def test_arrays_are_c():
    text = c_array("int8_t", "a", [-1, 2], "static ")
    assert text == "static const int8_t a[] = {\n  -1, 2\n};\n"
    assert max(map(len, c_array("int32_t", "b", range(1000)).splitlines())) <= 100


@pytest.mark.parametrize("batch", [0, 256])
def test_a_batch_has_a_count_of_a_byte(batch):
    network = quantised()
    with pytest.raises(ValueError, match=rf"batch must be in 1..255, not {batch} \(nearest"):
        network_source((network.hidden,), (0,), batch)


def test_inputs_of_two_bytes_are_refused():
    config = EngineConfig(macro=MacroConfig(rows=8, cols=4, input_bits=12))
    with pytest.raises(InputError, match=r"inputs of a byte, and the macro's input_bits is 12"):
        plan_network(config, (quantised().hidden,), 2, RAM)
