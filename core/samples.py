"""Digits of MNIST's test half as they lie on a pad, and what links to a pair of digits mean."""

from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torchvision.datasets import MNIST

from core.data import DATA, unpack_mnist
from core.drawing import Drawing, Steps, decode_pair, parse_pair, steps_from_field, trace_digit


class Sample(NamedTuple):
    """A MNIST test image: its `number` (0 to 9999), its class, the strokes that stand for it on a pad, and its stages.

    The last of `steps` is exactly what the networks were tested on; the strokes are traced, to be edited.
    """

    number: int
    digit: int
    drawing: Drawing
    steps: Steps


@cache
def load_images() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """MNIST's test half: images (10000, 28, 28) and their classes (10000,); raises DataError where it is damaged."""
    unpack_mnist(DATA)
    mnist = MNIST(DATA, train=False)
    return mnist.data.numpy(), mnist.targets.numpy()


@lru_cache(maxsize=256)
def read_sample(number: int) -> Sample:
    """The test image of this number."""
    images, classes = load_images()
    field = images[number].astype(np.float32)
    return Sample(number, int(classes[number]), trace_digit(field), steps_from_field(field))


def draw_numbers(wanted: tuple[int | None, int | None], generator: np.random.Generator) -> tuple[int, int]:
    """Two different test images at random; where `wanted` is a digit, of that class."""
    _, classes = load_images()
    first, second = (np.flatnonzero((classes == digit) | (digit is None)) for digit in wanted)
    one = int(generator.choice(first))
    return one, int(generator.choice(second[second != one]))


Side = Sample | Drawing


def open_link(pair: str | None, drawing: str | None) -> tuple[Side, Side]:
    """The two digits of a link's `pair` or else its `drawing`; raises ValueError with one sentence."""
    sides = parse_pair(pair) if pair is not None else decode_pair(drawing or "")
    first, second = (read_sample(side) if isinstance(side, int) else side for side in sides)
    return first, second
