"""How unlike a drawing is to MNIST's training digits."""

import numpy as np
import pytest

from benchmarks.draw import DIGITS
from core.drawing.ink import Grid, halve_field
from core.drawing.strangeness import is_strange, measure_distance, prepare_digits
from core.drawing.strokes import Drawing, Stroke, frame_from_strokes
from core.mnist.files import read_test_images


def draw_digits(*placed: tuple[int, float]) -> Grid:
    """The frame of digits on one pad, each with its left edge's place; they are 100 units wide and 200 high."""
    lines = [(left, line) for digit, left in placed for line in DIGITS[digit]]
    strokes = (tuple((left + 100 * x, 40 + 200 * y) for x, y in line) for left, line in lines)
    return frame_from_strokes(Drawing(tuple(Stroke(points, 18.0) for points in strokes)))


def test_the_distance_is_the_mean_to_the_five_nearest() -> None:
    levels = np.array([0, 250, 10, 240, 20, 30, 40], np.uint8)  # seven pictures of one grey level each
    digits, squares = prepare_digits(np.broadcast_to(levels[:, None, None], (7, 28, 28)))
    assert digits.shape == (7, 196)
    frame = np.full((14, 14), 15, np.float32)
    # a grey level's difference in each of 14 × 14 pixels is a distance of 14; the nearest differ by 5, 5, 15, 15, 25
    assert measure_distance(frame, digits, squares) == pytest.approx(14 * 13)
    assert measure_distance(digits[0].reshape(14, 14), digits, squares) == pytest.approx(14 * 20)


def test_real_digits_are_rarely_strange() -> None:
    fields = read_test_images()[::20].astype(np.float32)
    assert sum(is_strange(halve_field(field)) for field in fields) <= 0.02 * len(fields)


@pytest.mark.parametrize("digit", range(10))
def test_a_digit_drawn_by_hand_is_none(digit: int) -> None:
    assert not is_strange(draw_digits((digit, 90)))


@pytest.mark.parametrize(("left", "right"), [(1, 0), (2, 3), (4, 7)])
def test_two_digits_on_one_pad_are_strange(left: int, right: int) -> None:
    assert is_strange(draw_digits((left, 20), (right, 155)))
