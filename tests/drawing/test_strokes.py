"""Strokes to the frames that networks read."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.drawing.ink import centre_of_mass
from core.drawing.strokes import (
    MAX_POINTS,
    MAX_STROKES,
    PAD,
    PEN,
    Drawing,
    Stroke,
    frame_from_strokes,
    parse_strokes,
    steps_from_strokes,
)

SEVEN = Drawing((Stroke(((80.0, 60.0), (200.0, 60.0), (120.0, 230.0)), 18.0),))
DOT = Drawing((Stroke(((33.0, 250.0),), 18.0),))

# Strokes in a square of 1, so that a test can lay them anywhere at any size
shapes = st.lists(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=12), min_size=1, max_size=4
).filter(lambda shape: np.ptp([point for stroke in shape for point in stroke], axis=0).max() > 0.3)


def lay_shape(shape: list[list[tuple[float, float]]], left: float, top: float, side: float, width: float) -> Drawing:
    return Drawing(tuple(Stroke(tuple((left + side * x, top + side * y) for x, y in s), width) for s in shape))


def test_json_round_trip() -> None:
    assert parse_strokes(SEVEN.as_json()) == SEVEN
    assert parse_strokes([]) == Drawing()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "list of strokes"),
        ({"0": []}, "list of strokes"),
        ("[]", "list of strokes"),
        ([[1, 2]], '"width" and "points"'),
        ([{"width": 5}], '"width" and "points"'),
        ([{"width": 5, "points": [1, 2], "colour": 1}], '"width" and "points"'),
        ([{"width": True, "points": [1, 2]}], "width must be a number from 2 to 60"),
        ([{"width": 1.9, "points": [1, 2]}], "width must be a number from 2 to 60"),
        ([{"width": "5", "points": [1, 2]}], "width must be a number from 2 to 60"),
        ([{"width": 5, "points": []}], "at least one point"),
        ([{"width": 5, "points": [1, 2, 3]}], "x, y, x, y"),
        ([{"width": 5, "points": "12"}], "x, y, x, y"),
        ([{"width": 5, "points": [1, float("nan")]}], "numbers from 0 to 280"),
        ([{"width": 5, "points": [1, float("inf")]}], "numbers from 0 to 280"),
        ([{"width": 5, "points": [1, None]}], "numbers from 0 to 280"),
        ([{"width": 5, "points": [1, -0.1]}], "numbers from 0 to 280"),
        ([{"width": 5, "points": [10**400, 1]}], "numbers from 0 to 280"),
        ([{"width": 5, "points": [1, 2]}] * (MAX_STROKES + 1), "201 strokes, but at most 200"),
        ([{"width": 5, "points": [1, 2] * (MAX_POINTS + 1)}], "5,001 points, but at most 5,000"),
        ([{"width": 5, "points": [1, 2] * 2_501}] * 2, "5,002 points, but at most 5,000"),
    ],
)
def test_bad_strokes_are_refused_in_one_sentence(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        parse_strokes(value)
    assert str(caught.value).count(". ") == 0
    assert str(caught.value).endswith(".")


def test_the_largest_drawing_is_allowed() -> None:
    points = [1, 2] * (MAX_POINTS // MAX_STROKES)
    assert len(parse_strokes([{"width": 60, "points": points}] * MAX_STROKES).strokes) == MAX_STROKES


def test_an_empty_pad_is_refused() -> None:
    with pytest.raises(ValueError, match="pad is empty"):
        frame_from_strokes(Drawing())


def test_steps_follow_mnist() -> None:
    steps = steps_from_strokes(SEVEN)
    for grid, side in ((steps.box, 20), (steps.field, 28), (steps.frame, 14)):
        assert grid.shape == (side, side)
        assert grid.dtype == np.float32
        assert grid.min() >= 0
        assert grid.max() <= 255
    assert steps.field.max() == 255
    assert centre_of_mass(steps.field) == pytest.approx([14.5, 14.5], abs=0.05)
    assert np.array_equal(steps.frame, steps.field.reshape(14, 2, 14, 2).mean((1, 3)))


def test_a_drawing_fills_the_box() -> None:
    rows, columns = (np.flatnonzero((steps_from_strokes(SEVEN).box >= 127).any(axis)) for axis in (1, 0))
    assert (rows[0], rows[-1]) == (0, 19)  # the seven is higher than wide
    assert columns[0] + columns[-1] == 19  # and stands in the middle


def test_a_line_is_as_thick_as_in_mnist() -> None:
    line = Drawing((Stroke(((140.0, 40.0), (140.0, 240.0)), 18.0),))
    across = steps_from_strokes(line).field[14]
    assert across.sum() / 255 == pytest.approx(PEN, abs=0.05)
    assert 2 <= PEN <= 3


@given(
    shapes, st.floats(60, 260), st.floats(60, 260), st.floats(0, 1), st.floats(0, 1), st.floats(2, 60), st.floats(2, 60)
)
@settings(max_examples=60, deadline=None)
def test_place_size_and_pen_make_no_difference(
    shape: Any, side: float, other: float, left: float, top: float, width: float, other_width: float
) -> None:
    one = frame_from_strokes(lay_shape(shape, 0, 0, side, width))
    two = frame_from_strokes(lay_shape(shape, left * (PAD - other), top * (PAD - other), other, other_width))
    assert np.abs(one - two).max() < 1


def test_a_dot_is_a_dot() -> None:
    field = steps_from_strokes(DOT).field
    assert centre_of_mass(field) == pytest.approx([14.5, 14.5], abs=0.01)
    assert field.sum() / 255 == pytest.approx(np.pi * (PEN / 2) ** 2, rel=0.1)
    shaken = Drawing((Stroke(((33.0, 250.0), (34.0, 250.0), (34.0, 251.0)), 18.0),))
    assert np.count_nonzero(steps_from_strokes(shaken).field) < 40  # a shaking finger draws no seven


def test_a_filled_pad_is_full() -> None:
    lines = [((0.0, float(y)), (280.0, float(y + 2))) for y in range(0, 280, 4)]
    drawn = frame_from_strokes(Drawing((Stroke(tuple(point for line in lines for point in line), 28.0),)))
    assert np.count_nonzero(drawn == 255) >= 64


def smallest_time(call: Callable[[], object], times: int = 7) -> float:
    """Seconds; the smallest of several, since others use the machine too."""
    durations = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        durations.append(time.perf_counter() - start)
    return min(durations)


@pytest.mark.slow  # the only one here that says seconds
def test_frames_are_fast() -> None:
    angles = np.linspace(0, 2 * np.pi, 150)
    ring = [c for a in angles for c in (140 + 60 * np.cos(a), 140 + 90 * np.sin(a))]
    ordinary = parse_strokes([{"width": 18, "points": ring}, {"width": 18, "points": ring[:100]}])
    assert smallest_time(lambda: frame_from_strokes(ordinary)) < 0.01  # 2 ms on an idle machine
    generator = np.random.default_rng(0)
    most = [{"width": 18, "points": generator.uniform(0, PAD, 50).tolist()} for _ in range(MAX_STROKES)]
    assert smallest_time(lambda: frame_from_strokes(parse_strokes(most))) < 0.1
