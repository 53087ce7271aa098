"""Whether a digit survives the way from the pad to the network: `python -m benchmarks.drawing`.

MNIST test digits are enlarged, laid anywhere on a pad of 280 × 280 and sent through the drawing path twice: as
strokes traced from the enlarged digit (JSON, link, frame: what the pad sends) and as a picture. All rounds of
DirectClassificationModel without dropout read them, and the same digits directly. Every round must stay within
1 point of what it reads directly, and within 3 points if the strokes are a third thicker or thinner.
Exit status 1 if the strokes miss a bar; pictures keep their strokes and are reported without one.
"""

import argparse
import json
import platform
import sys
from collections.abc import Callable

import numpy as np
import PIL
import scipy
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from torchvision.datasets import MNIST

from core.drawing.ink import Grid, change_width
from core.drawing.links import decode_drawing, encode_drawing
from core.drawing.photo import frame_from_image
from core.drawing.strokes import PAD, frame_from_strokes, parse_strokes
from core.drawing.tracing import trace_digit
from core.mnist.files import DATA, unpack_mnist
from core.networks.ensemble import Ensemble, load_network
from core.runs.settings import RunSettings
from core.runs.store import RunStore

SIDES = (60, 260)  # pixels of an enlarged digit's longer side
BARS = {"as drawn": 1.0, "a third thicker": 3.0, "a third thinner": 3.0}  # points
PENS = {"as drawn": 0.0, "a third thicker": 1 / 3, "a third thinner": -1 / 3}


def load_readers() -> Ensemble:
    """All rounds of DirectClassificationModel with the report's settings; raises ValueError if none is stored."""
    wanted = RunSettings(model="DirectClassificationModel").cell()
    runs = [run for run in RunStore() if run.has_weights and run.settings and run.settings.cell() == wanted]
    rounds = [run for run in runs if run.state == "finished"]
    if not rounds:
        raise ValueError("The run store holds no DirectClassificationModel with the report's settings.")
    return Ensemble(rounds, [load_network(run) for run in rounds])


def draw_digits(count: int, generator: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """`count` test digits (N, 28, 28) and their classes (N,), without repeating one."""
    unpack_mnist(DATA)
    mnist = MNIST(DATA, train=False)
    chosen = generator.permutation(len(mnist.data))[:count]
    return mnist.data.numpy()[chosen], mnist.targets.numpy()[chosen]


def place_digit(digit: NDArray[np.uint8], generator: np.random.Generator) -> Grid:
    """The digit anywhere on an empty pad (280, 280), its longer side 60 to 260 pixels."""
    rows, columns = ndimage.find_objects(digit > 0, max_label=1)[0]
    zoom = generator.integers(SIDES[0], SIDES[1] + 1) / max(digit[rows, columns].shape)
    height, width = (round(side * zoom) for side in digit[rows, columns].shape)
    enlarged = Image.fromarray(digit[rows, columns]).resize((width, height), Image.Resampling.BICUBIC)
    pad = np.zeros((int(PAD), int(PAD)), np.float32)
    top, left = generator.integers(0, int(PAD) - height + 1), generator.integers(0, int(PAD) - width + 1)
    pad[top : top + height, left : left + width] = enlarged
    return pad


def read_strokes(pad: Grid) -> Grid:
    """The frame of the traced digit, over the same JSON and link that a browser's strokes take."""
    received = parse_strokes(json.loads(json.dumps(trace_digit(pad).as_json())))
    return frame_from_strokes(decode_drawing(encode_drawing(received)))


def read_picture(pad: Grid) -> Grid:
    """The frame of the pad as a picture."""
    return frame_from_image(Image.fromarray(pad.astype(np.uint8)))


WAYS: dict[str, Callable[[Grid], Grid]] = {"strokes": read_strokes, "picture": read_picture}


def measure_accuracy(network: Ensemble, frames: NDArray[np.float32], classes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Digit accuracy (R,) of each round, in percent, on an even number of frames (N, 14, 14)."""
    digits = network.outputs(torch.from_numpy(frames).view(-1, 2, 14, 14)).digits
    assert digits is not None
    right = digits.argmax(-1).flatten(1).numpy() == classes  # (R, N)
    return 100 * right.mean(1)


def print_versions(count: int, seed: int, rounds: int) -> None:
    packages = {"torch": torch, "numpy": np, "scipy": scipy, "Pillow": PIL}
    versions = ", ".join(f"{name} {module.__version__}" for name, module in packages.items())
    print(f"{count:,} test digits, seed {seed}, {rounds} rounds; Python {platform.python_version()}, {versions}")


def print_change(name: str, accuracy: NDArray[np.float64], change: NDArray[np.float64], bar: float | None) -> bool:
    """One line of the table; whether the bar, if any, is met by every round."""
    met = bar is None or change.min() >= -bar
    verdict = "" if bar is None else f"  bar {bar:g}: {'met' if met else 'MISSED'}"
    rounds = f"(rounds {change.min():+.2f} to {change.max():+.2f})"
    print(f"{name:28}{accuracy.mean():6.2f} %  {change.mean():+.2f} points  {rounds}{verdict}", flush=True)
    return met


def run_benchmark(count: int, seed: int) -> bool:
    """Print the table; whether every bar is met."""
    generator = np.random.default_rng(seed)
    network = load_readers()
    digits, classes = draw_digits(count, generator)
    halves = digits.reshape(-1, 14, 2, 14, 2).mean((2, 4), dtype=np.float32)
    direct = measure_accuracy(network, halves, classes)
    print_versions(count, seed, len(direct))
    print(f"{'read directly':28}{direct.mean():6.2f} %")
    pads = [place_digit(digit, generator) for digit in digits]
    met = True
    for pen, share in PENS.items():
        drawn = [change_width(pad, share) if share else pad for pad in pads]
        for way, read in WAYS.items():
            accuracy = measure_accuracy(network, np.stack([read(pad) for pad in drawn]), classes)
            bar = BARS[pen] if way == "strokes" else None
            met &= print_change(f"{way}, {pen}", accuracy, accuracy - direct, bar)
    return met


def run_from_shell(benchmark: Callable[[int, int], bool], description: str, count: int, count_help: str) -> int:
    """Run a benchmark of `--count` drawings from `--seed`; the exit status: 0 if it met its bars."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=count, help=count_help)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    return 0 if benchmark(chosen.count, chosen.seed) else 1


if __name__ == "__main__":
    sys.exit(run_from_shell(run_benchmark, __doc__, 2_000, "how many test digits, an even number"))
