"""What trained networks give back, as plain values: whoever holds them needs no PyTorch."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from core.networks.structure import Block
from core.runs.settings import RunSettings

Method = Literal["Integrated gradients", "Occlusion"]
METHODS: tuple[Method, ...] = get_args(Method)


@dataclass(frozen=True)
class Verdict:
    """The answer of one cell (an architecture at one dropout), and that of each of its R rounds.

    `probability` that first <= second is the rounds' mean, `first_le_second` their majority (their mean
    probability, if as many say yes as no). `digits` (2, 10) are the mean class probabilities, or None.
    """

    settings: RunSettings  # of the cell's first round
    first_le_second: bool
    probability: float
    decisions: list[bool]
    probabilities: list[float]
    digits: np.ndarray | None

    @property
    def rounds(self) -> int:
        """How many rounds answered."""
        return len(self.decisions)


class Attribution(NamedTuple):
    """What each pixel added to the comparison's logit, `pixels` (2, 14, 14); the `logit` of the pair itself, and that
    of two `blank` frames. Integrated gradients start from those: their `pixels` sum to `logit` − `blank`."""

    pixels: NDArray[np.float64]
    logit: float
    blank: float


class Perturbation(NamedTuple):
    """What was changed about a pair, and the verdict on it."""

    change: str
    verdict: Verdict


class LayerOutput(NamedTuple):
    """A block at work on one pair: what leaves it, (C, H, W) or (K,), and, of a convolution, its kernels (kernels,
    channels, 3, 3); all float32."""

    block: Block
    output: NDArray[np.float32]
    kernels: NDArray[np.float32] | None


class Walk(NamedTuple):
    """What a network made of a pair: its layers' outputs, those side by side in one stage; the logit of the comparison
    and the classes it read, None if the architecture has none; the probability that first <= second, and its decision.
    """

    stages: list[list[LayerOutput]]
    logit: float | None
    digits: tuple[int, ...] | None
    probability: float
    first_le_second: bool


class Neighbours(NamedTuple):
    """The training digits that are most like a digit, the nearest first: their `frames` (K, 14, 14) in 0 to 255, their
    `classes` (K,), and their Euclidean `distances` (K,)."""

    frames: NDArray[np.float32]
    classes: NDArray[np.int64]
    distances: NDArray[np.float32]


class Resemblance(NamedTuple):
    """Which of the `among` training digits are most like one digit to a network: `by_embedding` of so many `numbers`
    (None and 0 if the network has no embedding of a single digit), and `by_pixels`."""

    by_embedding: Neighbours | None
    numbers: int
    by_pixels: Neighbours
    among: int


def describe_classes(classes: Sequence[int]) -> str:
    """How many of some digits are of which class, as the end of a sentence: 'mostly 9 (6 of 8), then 4 (2)'."""
    (most, count), *others = sorted(Counter(classes).items(), key=lambda item: (-item[1], item[0]))
    if not others:
        return f"all {count} are {most}"
    first = f"{most} ({count} of {len(classes)})"
    rest = [f"{digit} ({number})" for digit, number in others]
    if 2 * count > len(classes):
        return f"mostly {first}, then {', '.join(rest)}"
    return f"a mix of {', '.join([first, *rest])}"


def describe_swap(drawn: Verdict, swapped: Verdict) -> str:
    """Whether the runs answer consistently when the digits change places, in a sentence.

    Of a <= b and b <= a at least one is true, and both only if the digits are equal.
    """
    pairs = list(zip(drawn.decisions, swapped.decisions, strict=True))
    both, neither = pairs.count((True, True)), pairs.count((False, False))
    opposite = len(pairs) - both - neither
    if opposite == len(pairs):
        return f"All {len(pairs)} rounds answer consistently when the digits are swapped."
    parts = [f"{opposite} of {len(pairs)} rounds say the opposite when the digits are swapped"]
    if both:
        parts.append(f"{both} say yes both ways, which holds for equal digits alone")
    if neither:
        parts.append(f"{neither} say no both ways, which cannot be")
    return "; ".join(parts) + "."
