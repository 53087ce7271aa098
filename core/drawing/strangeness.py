"""How unlike a drawing is to the digits that networks train on: its distance to the nearest of them.

The networks rarely show it: their confidence in most scribbles is that in some real digits. benchmarks/never_seen.py
compares both.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from core.drawing.ink import Grid
from core.mnist.files import average_windows, read_training_images

TRAINING_DIGITS = 20_000  # the first of MNIST's training half; as float32 they take 16 MB
NEAREST = 5
FLAGGED = 0.01  # the share of real digits that are called strange all the same
LIMIT = 770.5  # grey levels; benchmarks/never_seen.py found it: 99 % of MNIST's 10,000 test digits lie below


def is_strange(frame: Grid) -> bool:
    """Whether a frame (14, 14) of grey levels 0 to 255 looks like none of the training digits; raises DataError if
    MNIST is missing or damaged."""
    return measure_distance(frame, *_read_digits()) > LIMIT


def measure_distance(frame: Grid, digits: NDArray[np.float32], squares: NDArray[np.float32]) -> float:
    """The mean Euclidean distance of a frame (14, 14) to the `NEAREST` of the `digits` (N, 196), in grey levels.

    `squares` (N,) are the digits' sums of squares.
    """
    point = frame.ravel()
    # |digit − point|² = |digit|² − 2 digit · point + |point|²; the last is the same for all digits. So one matrix
    # product finds the nearest, and their distances are then computed without its rounding errors.
    nearest = np.argpartition(squares - 2 * (digits @ point), NEAREST - 1)[:NEAREST]
    return float(np.linalg.norm(digits[nearest] - point, axis=1).mean())


def prepare_digits(images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of pictures (N, 28, 28), the frames (N, 196) that `measure_distance` compares with, and their sums of squares."""
    digits = average_windows(images).reshape(len(images), -1).astype(np.float32)
    return digits, np.square(digits).sum(1)


@cache
def _read_digits() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return prepare_digits(read_training_images(TRAINING_DIGITS))
