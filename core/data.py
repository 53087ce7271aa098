"""MNIST as resident tensors, and the pairs of digits that a round trains and tests on."""

import gzip
import hashlib
import logging
import os
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

DATA = Path(__file__).parent.parent / "data"
TEST_PAIRS = 1_000  # report, the task
VALIDATION_SHARE = 0.2  # report: 800 / 200


class DataError(ValueError):
    """MNIST is missing or damaged; the message is one sentence that names the file."""


@dataclass(frozen=True)
class Digits:
    """One half of MNIST: `images` (N, 14, 14) float32 in 0 to 255, `classes` (N,) int64."""

    images: Tensor
    classes: Tensor


@dataclass(frozen=True)
class Pairs:
    """`images` (N, 2, 14, 14) float32 in 0 to 255, `classes` (N, 2), `target` (N,) float32: first <= second.

    `indices` (N, 2) are the positions of the images in their half of MNIST.
    """

    images: Tensor
    classes: Tensor
    target: Tensor
    indices: Tensor

    def __getitem__(self, rows: slice | Tensor) -> "Pairs":
        return Pairs(self.images[rows], self.classes[rows], self.target[rows], self.indices[rows])

    def __len__(self) -> int:
        return len(self.target)


@dataclass(frozen=True)
class Round:
    """What one seed decides: three sets of pairs and the two numbers that standardise every image."""

    training: Pairs
    validation: Pairs
    test: Pairs
    mean: float
    deviation: float


def unpack_mnist(root: Path = DATA) -> None:
    """Unpack the four bundled files where the unpacked one is missing or damaged, checked by SHA-256.

    Raises DataError naming the file where the bundled one is itself damaged. Where there is no bundle at all,
    torchvision downloads MNIST instead.
    """
    bundle, raw = root / "MNIST", root / "MNIST" / "raw"
    sums = bundle / "SHA256SUMS"
    if not sums.is_file():
        _open_mnist(root, train=True, download=True)
        return
    raw.mkdir(parents=True, exist_ok=True)
    for line in sums.read_text().splitlines():
        expected, name = line.split()
        if not _matches(raw / name, expected):
            if (raw / name).exists():
                logging.getLogger(__name__).warning("The MNIST file %s was damaged and is unpacked again.", raw / name)
            _unpack_file(bundle / f"{name}.gz", raw / name, expected)


def _open_mnist(root: Path, train: bool, download: bool = False) -> Any:
    from torchvision.datasets import MNIST  # 160 MB of memory, which a server that only asks networks can do without

    return MNIST(root, train=train, download=download)


def _matches(path: Path, expected: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == expected


def _unpack_file(packed: Path, target: Path, expected: str) -> None:
    try:
        content = gzip.decompress(packed.read_bytes())
    except (OSError, EOFError, gzip.zlib.error) as error:  # type: ignore[attr-defined]
        raise DataError(f"The MNIST file {packed} cannot be read ({error}); restore it from the repository.") from None
    if hashlib.sha256(content).hexdigest() != expected:
        raise DataError(f"The MNIST file {packed} is damaged (wrong SHA-256); restore it from the repository.")
    # Several workers may unpack at once: each writes its own file, and the last rename wins with equal bytes.
    handle, temporary = tempfile.mkstemp(dir=target.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    os.replace(temporary, target)


@cache
def load_digits(train: bool, root: Path = DATA) -> Digits:
    """MNIST's training half (60,000) or test half (10,000), each image averaged over 2 × 2 windows."""
    unpack_mnist(root)
    mnist = _open_mnist(root, train)
    images = avg_pool2d(mnist.data[:, None].float(), 2)[:, 0]  # (N, 28, 28) -> (N, 14, 14)
    return Digits(images, mnist.targets)


def draw_pairs(digits: Digits, count: int, generator: torch.Generator) -> Pairs:
    """`count` pairs without repeating an image; raises ValueError where there are too few images."""
    available = len(digits.classes) // 2
    if not 1 <= count <= available:
        raise ValueError(f"{count} pairs were asked for, but {len(digits.classes)} images make 1 to {available}.")
    indices = torch.randperm(len(digits.classes), generator=generator)[: 2 * count].view(count, 2)
    classes = digits.classes[indices]
    return Pairs(digits.images[indices], classes, (classes[:, 0] <= classes[:, 1]).float(), indices)


def draw_round(seed: int, training_pairs: int = 1_000, root: Path = DATA) -> Round:
    """The pairs of the round with this seed, the same for every architecture (report, the task).

    The test pairs depend on the seed alone, whatever the number of training pairs. The first four fifths of the
    training pairs train, the rest validates; the mean and the deviation are those of all training pairs.
    """
    training = draw_pairs(load_digits(True, root), training_pairs, torch.Generator().manual_seed(2 * seed))
    test = draw_pairs(load_digits(False, root), TEST_PAIRS, torch.Generator().manual_seed(2 * seed + 1))
    deviation, mean = torch.std_mean(training.images.double())
    kept = training_pairs - round(training_pairs * VALIDATION_SHARE)
    return Round(training[slice(0, kept)], training[slice(kept, None)], test, mean.item(), deviation.item())


def standardise(images: Tensor, mean: float, deviation: float) -> Tensor:
    """Images of grey levels 0 to 255 as the networks expect them: mean 0 and deviation 1 over the training pairs."""
    return (images.float() - mean) / deviation
