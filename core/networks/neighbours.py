"""Which training digits are most like a digit: to a network, by its embedding, and by pixels.

A network has seen the training digits of its own round alone, which are drawn anew from its seed. A branch with weights
of its own has seen those on its side of the pairs.
"""

from threading import Lock
from typing import NamedTuple

import numpy as np
import torch
from cachetools import LRUCache, cached
from numpy.typing import NDArray
from torch import Tensor, nn

from core.drawing.ink import Grid
from core.mnist.pairs import Round, draw_round, standardise
from core.networks.architectures import Branches, ScoreDifference
from core.networks.ensemble import load_network
from core.networks.verdicts import Neighbours, Resemblance
from core.runs.store import Run

NEAREST = 8
BATCH = 1_000  # digits embedded at once: the first layer makes 18 kB of each
MEMORY = 64 * 2**20  # bytes that the digits of all networks may take; those of one by the report's settings take 2 MB


class SeenDigits(NamedTuple):
    """What one side of a network was trained on: `frames` (N, 196) in 0 to 255, `classes` (N,), and `embeddings` (N, K)
    by its `embedder`, which takes standardised images (N, 1, 14, 14). A network without branches has neither."""

    frames: NDArray[np.float32]
    classes: NDArray[np.int64]
    embedder: nn.Module | None
    embeddings: NDArray[np.float32] | None


class SeenRound(NamedTuple):
    """What both sides of a network were trained on, and what standardises its images; shared weights have one side."""

    sides: list[SeenDigits]
    mean: float
    deviation: float


def find_neighbours(run: Run, frames: Grid) -> list[Resemblance]:
    """For each digit of a pair (2, 14, 14) in 0 to 255, the training digits that are most like it to a run's network.

    Raises StoreError or ValueError naming the run if it has no weights, and DataError if MNIST is damaged.
    """
    seen = see_round(run)
    return [_compare(frame, seen.sides[side % len(seen.sides)], seen) for side, frame in enumerate(frames)]


def _compare(frame: Grid, seen: SeenDigits, whole: SeenRound) -> Resemblance:
    by_pixels = _pick(seen, *find_nearest(seen.frames, frame.ravel()))
    if seen.embedder is None or seen.embeddings is None:
        return Resemblance(None, 0, by_pixels, len(seen.classes))
    image = standardise(torch.from_numpy(frame)[None], whole.mean, whole.deviation)
    nearest = find_nearest(seen.embeddings, embed(seen.embedder, image)[0])
    return Resemblance(_pick(seen, *nearest), seen.embeddings.shape[1], by_pixels, len(seen.classes))


def find_nearest(
    points: NDArray[np.float32], point: NDArray[np.float32], count: int = NEAREST
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The positions of the `count` of the `points` (N, K) nearest to a `point` (K,), and their Euclidean distances; of
    equally near ones the first in `points` comes first."""
    distances = np.linalg.norm(points - point, axis=1)
    nearest = np.argsort(distances, kind="stable")[:count]
    return nearest, distances[nearest]


def _pick(seen: SeenDigits, rows: NDArray[np.int64], distances: NDArray[np.float32]) -> Neighbours:
    return Neighbours(seen.frames[rows].reshape(-1, 14, 14), seen.classes[rows], distances)


def find_embedders(network: nn.Module) -> list[nn.Module | None]:
    """The layers that make the embedding of a digit, (N, 1, 14, 14) -> (N, K): one for both digits if they share their
    weights, else one for each; None for a network that sees both at once.

    The embedding is what leaves the branch. A branch that ends in a single score has the hidden layer before it.
    """
    if not isinstance(network, Branches):
        return [None, None]
    first, second = network.branches
    branches = [first] if first is second else [first, second]
    if isinstance(network, ScoreDifference):
        return [branch[:-1] for branch in branches if isinstance(branch, nn.Sequential)]
    return [*branches]


def embed(embedder: nn.Module, images: Tensor) -> NDArray[np.float32]:
    """The embeddings (N, K) of standardised images (N, 14, 14)."""
    with torch.inference_mode():
        parts = [embedder(part[:, None]) for part in images.split(BATCH)]
    embeddings: NDArray[np.float32] = torch.cat(parts).numpy()
    return embeddings


def _measure(seen: SeenRound) -> int:
    """The bytes of its arrays."""
    arrays = [array for side in seen.sides for array in (side.frames, side.classes, side.embeddings)]
    return sum(array.nbytes for array in arrays if array is not None)


# If a round is larger than the whole cache, it is not kept: it is seen anew for each question.
@cached(LRUCache(MEMORY, getsizeof=_measure), key=lambda run: (run.path, run.run_id), lock=Lock())
def see_round(run: Run) -> SeenRound:
    """Draw a run's round anew and embed the digits that trained it."""
    network = load_network(run)
    drawn = draw_round(run.settings.seed, run.settings.training_pairs)
    embedders = find_embedders(network)
    sides = [[0, 1]] if len(embedders) == 1 else [[0], [1]]
    seen = [_see_side(embedder, drawn, side) for embedder, side in zip(embedders, sides, strict=True)]
    return SeenRound(seen, drawn.mean, drawn.deviation)


def _see_side(embedder: nn.Module | None, drawn: Round, sides: list[int]) -> SeenDigits:
    images = drawn.training.images[:, sides].flatten(0, 1)
    classes = drawn.training.classes[:, sides].flatten().numpy()
    standard = standardise(images, drawn.mean, drawn.deviation)
    embeddings = None if embedder is None else embed(embedder, standard)
    return SeenDigits(images.flatten(1).numpy(), classes, embedder, embeddings)
