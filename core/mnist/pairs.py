"""MNIST as resident tensors, and the pairs of digits that a round trains and tests on."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from core.mnist.files import (
    DATA,
    TRAINING_COUNT,
    read_test_classes,
    read_test_images,
    read_training_classes,
    read_training_images,
)

TEST_PAIRS = 1_000  # report, the task
VALIDATION_SHARE = 0.2  # report: 800 / 200


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


@cache
def load_digits(train: bool, root: Path = DATA) -> Digits:
    """MNIST's training half (60,000) or test half (10,000), each image averaged over 2 × 2 windows. Raises
    DataError."""
    images = read_training_images(TRAINING_COUNT, root) if train else read_test_images(root)
    classes = read_training_classes(root) if train else read_test_classes(root)
    whole = torch.from_numpy(images)
    pixels = (whole[:, row::2, column::2].short() for row in (0, 1) for column in (0, 1))  # the four of a window
    sums = sum(pixels, torch.tensor(0, dtype=torch.int16))
    return Digits(sums / 4, torch.from_numpy(classes).long())


def draw_pairs(digits: Digits, count: int, generator: torch.Generator) -> Pairs:
    """`count` pairs without repeating an image; raises ValueError if there are too few images."""
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
