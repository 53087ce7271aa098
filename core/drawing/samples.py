"""Digits of MNIST's test half as they lie on a pad, and what links to a pair of digits mean."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from core.drawing.ink import Steps, steps_from_field
from core.drawing.links import decode_pair, parse_pair
from core.drawing.strokes import Drawing
from core.drawing.tracing import trace_digit
from core.mnist.files import read_test_classes, read_test_images


class Sample(NamedTuple):
    """A MNIST test image: its `number` (0 to 9999), its class, the strokes that stand for it on a pad, and its stages.

    The last of `steps` is exactly what the networks were tested on; the strokes are traced, to be edited.
    """

    number: int
    digit: int
    drawing: Drawing
    steps: Steps


@lru_cache(maxsize=256)
def read_sample(number: int) -> Sample:
    """The test image of this number; raises DataError if MNIST is damaged."""
    field = read_test_images()[number].astype(np.float32)
    return Sample(number, int(read_test_classes()[number]), trace_digit(field), steps_from_field(field))


def draw_numbers(wanted: tuple[int | None, int | None], generator: np.random.Generator) -> tuple[int, int]:
    """The numbers of two different test images at random. `wanted`: the class of each, or None for any."""
    classes = read_test_classes()
    first, second = (np.flatnonzero((classes == digit) | (digit is None)) for digit in wanted)
    one = int(generator.choice(first))
    return one, int(generator.choice(second[second != one]))


Side = Sample | Drawing


def open_link(pair: str | None, drawing: str | None) -> tuple[Side, Side]:
    """The two digits of a link's `pair` or else its `drawing`; raises ValueError with one sentence."""
    sides = parse_pair(pair) if pair is not None else decode_pair(drawing or "")
    first, second = (read_sample(side) if isinstance(side, int) else side for side in sides)
    return first, second
