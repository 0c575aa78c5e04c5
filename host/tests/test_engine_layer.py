"""Layers and what an engine makes of them: every refusal with its words, numbers by hand."""

import numpy as np
import pytest

from cimforge.host.engine_image import LayerImage
from cimforge.host.engine_layer import ConvolutionLayer, LinearLayer, Requantisation
from cimforge.host.engine_plan import plan_layer
from cimforge.host.tests.engine_bench import ENGINES, engine

ONES = np.ones((2, 3), int)
KERNEL = np.ones((2, 2, 2, 1), int)
PLAIN = Requantisation(multiplier=1)


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ({"multiplier": -1}, r"multiplier must be an integer in 0..2147483647, not -1"),
        ({"multiplier": [1, 1 << 31]}, r"multiplier\[1\] must be an integer in 0..2147483647"),
        ({"multiplier": 0.5}, r"multiplier must be an integer in 0..2147483647, not 0.5"),
        ({"shift": 32}, r"shift must be an integer in -31..31, not 32"),
        ({"zero": 1 << 15}, r"zero must be an integer in -32768..32767, not 32768"),
        ({"lowest": 5, "highest": 4}, r"highest must be at least lowest = 5, not 4"),
        ({"highest": 128}, r"lowest..highest must lie in -128..127 where wide is False"),
        ({"lowest": 0, "highest": 256}, r"must lie in 0..255 where wide is False, not 0..256"),
        ({"rounding": "up"}, r"rounding must be one of double, single, half_even, not 'up'"),
    ],
)
def test_requantisations_are_checked(told, text):
    with pytest.raises(ValueError, match=text):
        Requantisation(**{"multiplier": 1, **told})


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (
            {"weights": np.ones(3, int)},
            r"weights must have shape \(N, K\), none of them 0, not \(3,",
        ),
        ({"weights": np.ones((0, 3), int)}, r"weights must have shape"),
        ({"weights": ONES * 0.5}, r"weights must be an integer in -32768..65535"),
        (
            {"weights": ONES << 16},
            r"weights\[0, 0\] must be an integer in -32768..65535, not 65536",
        ),
        ({"input_bits": 17}, r"input_bits must be an integer in 0..16, not 17"),
        ({"input_zero": 1 << 17}, r"input_zero must be an integer in -65536..65536, not 131072"),
        ({"weight_zeros": 1 << 15}, r"weight_zeros must be an integer in -32768..32767"),
        ({"bias": [0, 1 << 31]}, r"bias\[1\] must be an integer in -2147483648..2147483647"),
        ({"bias": [1, 2, 3]}, r"bias must be an integer or have shape \(2,\), one for each output"),
        ({"requantise": Requantisation(multiplier=[1, 2, 3])}, r"multiplier must be an integer or"),
        ({"weight_zeros": 1}, r"weight_zeros must be 0 where results are sums, without requantise"),
    ],
)
def test_linear_layers_are_checked(told, text):
    with pytest.raises(ValueError, match=text):
        LinearLayer(**{"weights": ONES, **told})


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ({"weights": ONES}, r"weights must have shape \(N, kernel_y, kernel_x, channels\)"),
        ({"height": 0}, r"height must be an integer in 1..65535, not 0"),
        ({"stride": 0}, r"stride must be an integer in 1..32767, not 0"),
        ({"stride": (1, 2, 3)}, r"stride must be an integer or a pair, not \(1, 2, 3\)"),
        ({"dilation": (1, 0)}, r"dilation must be an integer in 1..32767, not 0"),
        ({"padding": (0, (1, -1))}, r"padding must be an integer in 0..32767, not -1"),
        (
            {"height": 1},
            r"height x width must hold the kernel, 2 x 2 pixels, padding included, not 1",
        ),
        ({"width": 2, "dilation": (1, 2)}, r"must hold the kernel, 2 x 3 pixels"),
    ],
)
def test_convolutions_are_checked(told, text):
    with pytest.raises(ValueError, match=text):
        ConvolutionLayer(**{"weights": KERNEL, "height": 4, "width": 4, **told})


BINARY, PLAIN_ENGINE = ENGINES["binary"], ENGINES["two banks"]


@pytest.mark.parametrize(
    ("config", "layer", "text"),
    [
        (
            PLAIN_ENGINE,
            LinearLayer(weights=ONES * 16),
            r"must fit weight_bits = 4, unsigned, not 16",
        ),
        (
            PLAIN_ENGINE,
            LinearLayer(weights=[[-9, 1]]),
            r"must fit weight_bits = 4, signed, not -9..1",
        ),
        (PLAIN_ENGINE, LinearLayer(weights=[[-1, 8]]), r"weight_bits = 4, signed, not -1..8"),
        (
            PLAIN_ENGINE,
            LinearLayer(weights=ONES, input_bits=5),
            r"input_bits must be in 0..4, not 5",
        ),
        (
            PLAIN_ENGINE,
            LinearLayer(weights=ONES, requantise=PLAIN, weight_zeros=1),
            r"weight_zeros must be 0: the engine has none \(weight_zeros=False\)",
        ),
        (
            engine({"cols": 1}, weight_zeros=True),
            LinearLayer(weights=ONES, requantise=PLAIN, weight_zeros=1),
            r"weight_zeros need a column beside the weights, and there is one",
        ),
        (
            PLAIN_ENGINE,
            LinearLayer(weights=ONES, requantise=PLAIN, bias=2**31 - 1, input_zero=-1),
            r"bias\[0\] leaves 32 bits with input_zero = -1 folded into it: 2147483650",
        ),
        (
            PLAIN_ENGINE,
            ConvolutionLayer(weights=KERNEL, height=3, width=3, padding=1, input_zero=9),
            r"padding must be an input, -8..7, not 9",
        ),
        (BINARY, LinearLayer(weights=[[1, 0]]), r"weights\[0, 1\] must be -1 or 1, not 0"),
        (
            BINARY,
            LinearLayer(weights=ONES, input_zero=1),
            r"input_zero must be 0: inputs and weights are -1 and 1",
        ),
        (
            BINARY,
            LinearLayer(weights=ONES, requantise=PLAIN, weight_zeros=1),
            r"weight_zeros must be 0: inputs and weights are -1 and 1",
        ),
        (
            BINARY,
            ConvolutionLayer(weights=KERNEL, height=3, width=3, padding=1),
            r"pad must be -1 or 1, not 0",
        ),
    ],
)
def test_what_an_engine_does_not_compute(config, layer, text):
    with pytest.raises(ValueError, match=text):
        LayerImage(config, layer)


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ({"batch": 0}, r"batch must be at least 1, not 0"),
        ({"base": 32}, r"base must be a multiple of 64 in 32 bits, not 32"),
        ({"inputs": -64}, r"inputs must be a multiple of 64 in 32 bits, not -64"),
        ({"output_pitch": 1}, r"output_pitch must be at least 2, not 1"),
        ({"base": (1 << 32) - 64}, r"the layer must fit 32 bits of addresses"),
        (
            {"choice": ("tiles", 13, 1), "batch": 20},
            r"does not fit the kept sums or the activation",
        ),
    ],
)
def test_plans_are_checked(told, text):
    from cimforge.host.engine_shape import Choice

    told = {**told, **({"choice": Choice(*told["choice"])} if "choice" in told else {})}
    with pytest.raises(ValueError, match=text):
        plan_layer(PLAIN_ENGINE, LinearLayer(weights=ONES, requantise=PLAIN), **told)


def test_inputs_are_checked():
    image = LayerImage(PLAIN_ENGINE, LinearLayer(weights=ONES, input_bits=3))
    with pytest.raises(ValueError, match=r"x must have shape \(batch, 3\), not \(3,\)"):
        image.inputs(np.ones(3, int))
    with pytest.raises(ValueError, match=r"x\[0, 2\] must be an integer in -4..3"):
        image.inputs([[0, 0, 4]])
    with pytest.raises(ValueError, match=r"x\[0, 1\] must be -1 or 1, not 0"):
        LayerImage(BINARY, LinearLayer(weights=ONES)).inputs([[1, 0, 1]])


def test_bytes_by_hand():
    """Two outputs of three 4-bit weights on 8 rows and 4 columns: rows of 16 bits in a word."""
    layer = LinearLayer(
        weights=[[1, 2, -3], [4, -5, 6]],
        bias=[10, -20],
        input_zero=2,
        requantise=Requantisation(multiplier=[3, 4], shift=[-1, 5]),
    )
    image = LayerImage(PLAIN_ENGINE, layer)
    assert image.signed
    assert image.tile_bytes(0, 0).hex() == "41000000" + "b2000000" + "6d000000"
    channels = [10 - 2 * 0, 3, -1, 0, -20 - 2 * 5, 4, 5, 0]
    assert image.channels()[:32] == np.array(channels, "<i4").tobytes()
    assert image.inputs([[1, -1, 7], [0, 2, -8]]) == (2, bytes.fromhex("01ff0700" + "0002f800"))
    assert image.results(bytes.fromhex("01800000" + "ff7f0000"), 2, 4).tolist() == [
        [1, -128],
        [-1, 127],
    ]


def test_a_column_of_ones_goes_with_zero_points():
    config = ENGINES["weight zeros"]  # 5 columns of 4 bits
    layer = LinearLayer(weights=[[3, 5]] * 5, requantise=PLAIN, weight_zeros=[1, 2, 3, 4, -5])
    image = LayerImage(config, layer)
    assert image.tiling.column_tiles == 2  # four beside the ones
    assert image.tile_bytes(0, 1).hex() == "03000100" + "05000100"
    assert image.channels()[-64:-48] == np.array([0 * 2, 1, 0, 0xFFFB], "<u4").tobytes()


@pytest.mark.parametrize(
    ("weights", "fuse"), [([[3]], 2), ([[1], [-2]], 2), ([[4]], 1), ([[-9]], 0), ([[255]], 0)]
)
def test_the_mode_is_that_of_the_fewest_slices(weights, fuse):
    config = engine({"weight_bits": 8, "slice_bits": 2, "cols": 2})
    assert LayerImage(config, LinearLayer(weights=weights)).fuse == fuse


def test_images_that_no_descriptor_holds_are_unfolded():
    small = ConvolutionLayer(weights=np.ones((1, 3, 3, 4), int), height=9, width=9)
    assert not LayerImage(engine({}, act_bytes=128), small).unfolded
    assert LayerImage(engine({}, act_bytes=64), small).unfolded  # three lines of 36 bytes
    wide = ConvolutionLayer(weights=np.ones((1, 1, 1, 1), int), height=1, width=40000)
    assert LayerImage(engine({}, act_bytes=1 << 17), wide).unfolded  # origin_x has 16 bits
