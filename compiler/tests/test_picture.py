"""The picture: a PNG, the same bytes each time, errors shown and counted."""

import re

import matplotlib
import numpy as np
import pytest

from cimforge.compiler.picture import confusion_matrix, draw_predictions

RANDOM = np.random.default_rng(11)
IMAGES = RANDOM.integers(0, 17, (200, 64))
LABELS = RANDOM.integers(0, 10, 200)
PREDICTIONS = np.where(np.arange(200) % 40 == 39, (LABELS + 1) % 10, LABELS)


def draw(path, predictions=PREDICTIONS, count=200):
    accuracies = {"float": 0.98, "int8": 0.975, "RTL": 0.975}
    draw_predictions(
        path, IMAGES[:count], LABELS[:count], predictions[:count], accuracies, "cim_r64c16"
    )
    return path.read_bytes()


def test_equal_input_gives_equal_bytes_whatever_the_style(tmp_path):
    first = draw(tmp_path / "first.png")
    with matplotlib.rc_context({"font.size": 30, "savefig.dpi": 50, "axes.facecolor": "red"}):
        second = draw(tmp_path / "second.png")
        assert matplotlib.rcParams["font.size"] == 30
    assert first == second


def test_the_file_is_a_png_of_the_stated_size_without_software_or_time(tmp_path):
    data = draw(tmp_path / "digits.png")
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")) == (1560, 792)
    assert not re.search(rb"Software|tIME|Creation", data)


def test_other_predictions_give_another_picture(tmp_path):
    assert draw(tmp_path / "right.png", LABELS) != draw(tmp_path / "wrong.png")


def test_red_marks_appear_only_with_errors(tmp_path):
    from matplotlib.image import imread

    def reds(predictions):
        draw(tmp_path / "image.png", predictions)
        red, green, blue, _ = np.moveaxis(imread(tmp_path / "image.png"), 2, 0)
        return int(((red > 0.7) & (green < 0.2) & (blue < 0.3)).sum())

    assert reds(LABELS) == 0
    assert reds(PREDICTIONS) > 500


def test_fewer_images_than_the_grid_are_drawn(tmp_path):
    assert draw(tmp_path / "one.png", count=1)


def test_counts_of_a_hand_checked_confusion_matrix():
    counts = confusion_matrix(np.array([1, 1, 1, 9]), np.array([1, 1, 7, 9]))
    assert (counts[1, 1], counts[1, 7], counts[9, 9], counts.sum()) == (2, 1, 1, 4)


def test_unequal_counts_and_no_image_are_refused(tmp_path):
    message = "must be equally many, not 2 images, 2 labels and 1 predictions"
    with pytest.raises(ValueError, match=message):
        draw_predictions(tmp_path / "x.png", IMAGES[:2], LABELS[:2], PREDICTIONS[:1], {})
    with pytest.raises(ValueError, match="images must hold at least one image to draw, not 0"):
        draw(tmp_path / "x.png", count=0)
