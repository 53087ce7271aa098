"""Whether drawings of what is no digit are noticed: `python -m benchmarks.never_seen`.

Draws double digits on one pad, scribbles, letters and shapes by code, and sends them through the program's own way from
strokes to frames. Counts how many of them, and of MNIST's 10,000 test digits, are called strange by
`core.drawing.strangeness`, and prints the limit that 1 % of the test digits exceed. Beside it the same for the
confidence of all rounds of DirectClassificationModel without dropout: their mean probability of the class they read,
called low below what 1 % of the test digits have. The counts go to standard output, as core/analysis/unseen.csv keeps
them for a finding; the limits, and how long a drawing takes, to standard error. Exit status 1 if more than 1 % of the
test digits are called strange, or a drawing takes more than 5 ms.
"""

import sys
import time
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.draw import DIGITS
from benchmarks.drawing import load_readers, run_from_shell
from core.drawing.ink import Grid, halve_field
from core.drawing.strangeness import FLAGGED, LIMIT, TRAINING_DIGITS, is_strange, measure_distance, prepare_digits
from core.drawing.strokes import PAD, Drawing, Stroke, frame_from_strokes
from core.mnist.files import read_test_images, read_training_images
from core.networks.ensemble import Ensemble

Points = list[tuple[float, float]]
MILLISECONDS = 5.0
DIGITS_KIND = "MNIST's test digits"
KINDS = ("double digits", "scribbles", "letters", "shapes")
say = partial(print, file=sys.stderr)


def bend(x: float, y: float, across: float, down: float, start: float, stop: float) -> Points:
    """An arc around (x, y), from one angle to another in degrees, clockwise from the right."""
    angles = np.radians(np.linspace(start, stop, 28))
    return list(zip((x + across * np.cos(angles)).tolist(), (y + down * np.sin(angles)).tolist(), strict=True))


# Strokes in a square of 1. Letters that are digits too, such as I, O, S, Z, are left out.
LETTERS: dict[str, list[Points]] = {
    "A": [[(0, 1), (0.5, 0), (1, 1)], [(0.2, 0.6), (0.8, 0.6)]],
    "E": [[(0.8, 0), (0.1, 0), (0.1, 1), (0.8, 1)], [(0.1, 0.5), (0.7, 0.5)]],
    "F": [[(0.8, 0), (0.1, 0), (0.1, 1)], [(0.1, 0.5), (0.7, 0.5)]],
    "H": [[(0, 0), (0, 1)], [(0.8, 0), (0.8, 1)], [(0, 0.5), (0.8, 0.5)]],
    "K": [[(0, 0), (0, 1)], [(0.8, 0), (0, 0.5), (0.8, 1)]],
    "M": [[(0, 1), (0.1, 0), (0.5, 0.6), (0.9, 0), (1, 1)]],
    "N": [[(0, 1), (0, 0), (0.8, 1), (0.8, 0)]],
    "P": [[(0, 1), (0, 0), *bend(0.2, 0.25, 0.45, 0.25, -90, 90), (0, 0.5)]],
    "R": [[(0, 1), (0, 0), *bend(0.2, 0.25, 0.4, 0.25, -90, 90), (0, 0.5), (0.7, 1)]],
    "T": [[(0, 0), (1, 0)], [(0.5, 0), (0.5, 1)]],
    "V": [[(0, 0), (0.5, 1), (1, 0)]],
    "W": [[(0, 0), (0.25, 1), (0.5, 0.4), (0.75, 1), (1, 0)]],
    "X": [[(0, 0), (0.9, 1)], [(0.9, 0), (0, 1)]],
    "Y": [[(0, 0), (0.5, 0.5), (1, 0)], [(0.5, 0.5), (0.5, 1)]],
}
SHAPES: dict[str, list[Points]] = {
    "square": [[(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]],
    "triangle": [[(0.5, 0), (1, 0.9), (0, 0.9), (0.5, 0)]],
    "star": [[(0.5, 0), (0.2, 1), (1, 0.4), (0, 0.4), (0.8, 1), (0.5, 0)]],
    "plus": [[(0.5, 0), (0.5, 1)], [(0, 0.5), (1, 0.5)]],
    "house": [[(0, 1), (0, 0.4), (0.5, 0), (1, 0.4), (1, 1), (0, 1)]],
    "zigzag": [[(0, 0), (0.2, 0.5), (0.4, 0), (0.6, 0.5), (0.8, 0), (1, 0.5)]],
    "face": [bend(0.5, 0.5, 0.5, 0.5, 0, 360), [(0.33, 0.35)], [(0.67, 0.35)], bend(0.5, 0.5, 0.3, 0.3, 20, 160)],
    "arrow": [[(0, 0.5), (1, 0.5)], [(0.7, 0.2), (1, 0.5), (0.7, 0.8)]],
    "grid": [[(x, 0.0), (x, 1.0)] for x in (0.33, 0.67)] + [[(0.0, y), (1.0, y)] for y in (0.33, 0.67)],
    "two lines": [[(0, 0), (0, 1)], [(0.6, 0), (0.6, 1)]],
}


def lay(shape: list[Points], left: float, width: float, generator: np.random.Generator) -> list[Stroke]:
    """A shape on a pad, slanted and shaken a little as by a hand."""
    slant, height = generator.normal(0, 0.12), generator.uniform(130, 190)
    strokes = []
    for points in shape:
        path = (np.array(points, float) - 0.5) @ np.array([[1.0, 0.0], [slant, 1.0]]) * [width, height]
        path += np.array([left + width / 2, PAD / 2]) + generator.normal(0, 2, path.shape)
        strokes.append(Stroke(tuple(map(tuple, path.clip(0, PAD).tolist())), 18.0))
    return strokes


def scribble(generator: np.random.Generator) -> list[Stroke]:
    """A pen that wanders between 8 to 39 points, half the time anywhere, half the time in short steps."""
    count = int(generator.integers(8, 40))
    anywhere = generator.uniform(30, 250, (count, 2))
    steps = generator.normal(0, 45, (count, 2)).cumsum(0)
    points = anywhere if generator.random() < 0.5 else steps - steps.mean(0) + PAD / 2
    places = np.linspace(0, count - 1, 6 * count)
    fine = np.stack([np.interp(places, np.arange(count), row) for row in points.clip(10, 270).T])
    smooth = [np.convolve(row, np.ones(5) / 5, "valid") for row in fine]
    return [Stroke(tuple(zip(smooth[0].tolist(), smooth[1].tolist(), strict=True)), 18.0)]


def draw(kind: str, generator: np.random.Generator) -> Grid:
    """The frame of one drawing of a kind."""
    if kind == "scribbles":
        strokes = scribble(generator)
    elif kind == "double digits":
        left, right = generator.integers(10, size=2).tolist()
        strokes = lay(DIGITS[left], 20, 100, generator) + lay(DIGITS[right], 155, 100, generator)
    else:
        pool = list({"letters": LETTERS, "shapes": SHAPES}[kind].values())
        strokes = lay(pool[generator.integers(len(pool))], 50, generator.uniform(120, 190), generator)
    return frame_from_strokes(Drawing(tuple(strokes)))


def measure_distances(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    reference = prepare_digits(read_training_images(TRAINING_DIGITS))
    return np.array([measure_distance(frame, *reference) for frame in frames])


def measure_confidence(readers: Ensemble, frames: NDArray[np.float32]) -> NDArray[np.float64]:
    """The rounds' mean probability of the class that they read, (N,), on an even number of frames (N, 14, 14)."""
    found = []
    for pairs in np.split(frames.reshape(-1, 2, 14, 14), range(100, len(frames) // 2, 100)):
        for [verdict] in zip(*readers.answer_each(pairs, readers.cells), strict=True):
            assert verdict.digits is not None
            found += verdict.digits.max(1).tolist()
    return np.array(found)


def time_drawings(frames: NDArray[np.float32]) -> float:
    """The median time of one drawing, in ms."""
    is_strange(frames[0])  # reads the training digits
    times = []
    for frame in frames:
        start = time.perf_counter()
        is_strange(frame)
        times.append(1_000 * (time.perf_counter() - start))
    return float(np.median(times))


def count_unseen(count: int, seed: int) -> pd.DataFrame:
    """One row per kind: how many were drawn, are called strange, are read with low confidence; the confidence's median.

    The first row is MNIST's test digits. Prints the limits.
    """
    generator = np.random.default_rng(seed)
    frames = {DIGITS_KIND: np.stack([halve_field(field.astype(np.float32)) for field in read_test_images()])}
    frames |= {kind: np.stack([draw(kind, generator) for _ in range(count)]) for kind in KINDS}
    readers = load_readers()
    distances = {kind: measure_distances(each) for kind, each in frames.items()}
    confidence = {kind: measure_confidence(readers, each) for kind, each in frames.items()}
    limit, low = np.quantile(distances[DIGITS_KIND], 1 - FLAGGED), np.quantile(confidence[DIGITS_KIND], FLAGGED)
    say(f"Seed {seed}. 1 % of the test digits are farther than {limit:.1f}; the program's limit is {LIMIT:g}.")
    say(f"1 % are read with less than {100 * low:.1f} % by {len(readers.settings)} rounds.")
    rows = [
        (kind, len(each), (distances[kind] > LIMIT).sum(), (confidence[kind] < low).sum(), np.median(confidence[kind]))
        for kind, each in frames.items()
    ]
    return pd.DataFrame(rows, columns=["kind", "drawings", "strange", "unsure", "confidence"])


def run_benchmark(count: int, seed: int) -> bool:
    """Print the counts; whether both bars are met."""
    counts = count_unseen(count, seed)
    print(counts.to_csv(index=False, float_format="%.4f"), end="")
    generator = np.random.default_rng(seed)
    scribbles = np.stack([draw("scribbles", generator) for _ in range(200)])
    taken = time_drawings(scribbles)
    say(f"{taken:.2f} ms a drawing (median of {len(scribbles)} scribbles), bar {MILLISECONDS:g} ms.")
    return bool(counts.strange[0] <= FLAGGED * counts.drawings[0] and taken <= MILLISECONDS)


if __name__ == "__main__":
    sys.exit(run_from_shell(run_benchmark, __doc__, 1_000, "how many drawings of each kind, an even number"))
