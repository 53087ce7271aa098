"""The seven architectures (report, Figures 1 and 3 to 10): shared blocks, and what each makes of them."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from core.runs.settings import ModelName, RunSettings

FEATURES = 256  # 64 channels of 2 × 2 after the second pooling
CLASSES = 10
HEADS_INPUT = 100  # WeightSharingAuxiliaryModel: the layer before its three heads


class Output(NamedTuple):
    """What a network says of B pairs: the `comparison` logit (B,), the logits of both `digits` (B, 2, 10).

    A part that the architecture does not produce is None.
    """

    comparison: Tensor | None
    digits: Tensor | None


class CompiledExtractor(nn.Sequential):
    """The layers of the extractor, computed by core.networks.kernels in one go: for training, which wants no
    gradient of the images, and where no hook looks between the layers."""

    def forward(self, x: Tensor) -> Tensor:
        from core.networks.kernels import extract_features  # brings a compiler, which answering a drawing does not need

        return extract_features(x, *self.parameters())


class SeededDropout(nn.Module):
    """Dropout whose masks come from a generator of its own, so that a run never touches global state."""

    def __init__(self, probability: float, generator: torch.Generator) -> None:
        super().__init__()
        self.probability = probability
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.probability == 0:
            return x
        kept = 1 - self.probability
        mask = torch.rand(x.shape, generator=self.generator) < kept  # takes 0.4 of the time of bernoulli_
        return x * (mask / kept)


class Blocks:
    """The parts that the architectures share, at one run's hidden units and dropout."""

    def __init__(self, settings: RunSettings, generator: torch.Generator, compiled: bool) -> None:
        self.hidden = settings.hidden_units
        self.probability = settings.dropout
        self.generator = generator
        self.sequence = CompiledExtractor if compiled else nn.Sequential

    def dropout(self) -> SeededDropout:
        """Stands before each of the two large linear layers (report, Figure 1)."""
        return SeededDropout(self.probability, self.generator)

    def extractor(self, channels: int) -> nn.Sequential:
        """(N, channels, 14, 14) -> (N, 256): the shared feature extraction module (report, Figure 1)."""
        return self.sequence(
            nn.Conv2d(channels, 32, 3),  # (N, 32, 12, 12)
            nn.MaxPool2d(2),  # (N, 32, 6, 6)
            nn.ReLU(),
            nn.Conv2d(32, 64, 3),  # (N, 64, 4, 4)
            nn.MaxPool2d(2),  # (N, 64, 2, 2)
            nn.ReLU(),
            nn.Flatten(),  # (N, 256)
        )

    def embedder(self, channels: int = 1) -> nn.Sequential:
        """(N, channels, 14, 14) -> (N, hidden): the extractor and the first large linear layer."""
        return nn.Sequential(
            self.extractor(channels),
            self.dropout(),
            nn.Linear(FEATURES, self.hidden),
            nn.ReLU(),
            self.dropout(),
        )

    def to_vector(self, channels: int = 1) -> nn.Sequential:
        """(N, channels, 14, 14) -> (N, 10): the embedder and the second linear layer."""
        return nn.Sequential(self.embedder(channels), nn.Linear(self.hidden, CLASSES))

    def to_score(self, channels: int = 1) -> nn.Sequential:
        """(N, channels, 14, 14) -> (N, 1): three linear layers in all (hidden, 10, 1)."""
        return nn.Sequential(self.to_vector(channels), nn.ReLU(), nn.Linear(CLASSES, 1))


class TwoChannels(nn.Module):
    """Both digits as the two channels of one image (report, Figure 3)."""

    def __init__(self, blocks: Blocks) -> None:
        super().__init__()
        self.score = blocks.to_score(channels=2)

    def forward(self, pairs: Tensor) -> Output:  # (B, 2, 14, 14)
        return Output(self.score(pairs)[:, 0], None)


class Branches(nn.Module):
    """One branch per digit; `branches` names the same module twice if the weights are shared."""

    def __init__(self, branches: list[nn.Module]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def embed(self, pairs: Tensor) -> Tensor:
        """(B, 2, 14, 14) -> (B, 2, K). Shared weights see both digits in one batch, which is faster."""
        first, second = self.branches
        if first is second:
            both: Tensor = first(pairs.reshape(-1, 1, *pairs.shape[2:]))  # (2B, K)
            return both.view(len(pairs), 2, -1)
        return torch.stack([first(pairs[:, :1]), second(pairs[:, 1:])], dim=1)


class ScoreDifference(Branches):
    """The logit is the second branch's score minus the first's (report, Figures 4 and 5)."""

    def forward(self, pairs: Tensor) -> Output:  # (B, 2, 14, 14)
        scores = self.embed(pairs)[..., 0]  # (B, 2)
        return Output(scores[:, 1] - scores[:, 0], None)


class VectorComparison(Branches):
    """Two vectors of 10, side by side, into a small network (report, Figures 6 and 7)."""

    def __init__(self, branches: list[nn.Module]) -> None:
        super().__init__(branches)
        self.compare = nn.Sequential(nn.ReLU(), nn.Linear(2 * CLASSES, 10), nn.ReLU(), nn.Linear(10, 1))

    def forward(self, pairs: Tensor) -> Output:  # (B, 2, 14, 14)
        vectors = self.embed(pairs).flatten(1)  # (B, 20)
        return Output(self.compare(vectors)[:, 0], None)


class Auxiliary(Branches):
    """Three heads over both embeddings: the comparison and the two digits (report, Figure 8)."""

    def __init__(self, branches: list[nn.Module], hidden: int) -> None:
        super().__init__(branches)
        self.join = nn.Sequential(nn.Linear(2 * hidden, HEADS_INPUT), nn.ReLU())
        self.comparison = nn.Linear(HEADS_INPUT, 1)
        self.first = nn.Linear(HEADS_INPUT, CLASSES)
        self.second = nn.Linear(HEADS_INPUT, CLASSES)

    def forward(self, pairs: Tensor) -> Output:  # (B, 2, 14, 14)
        joined = self.join(self.embed(pairs).flatten(1))  # (B, 2 · hidden) -> (B, 100)
        digits = torch.stack([self.first(joined), self.second(joined)], dim=1)  # (B, 2, 10)
        return Output(self.comparison(joined)[:, 0], digits)


class DirectClassification(Branches):
    """Each digit is classified; the comparison is not learnt (report, Figure 9)."""

    def forward(self, pairs: Tensor) -> Output:  # (B, 2, 14, 14)
        return Output(None, self.embed(pairs))


def _shared(branch: nn.Module) -> list[nn.Module]:
    return [branch, branch]


def _own(branch: Callable[[], nn.Module]) -> list[nn.Module]:
    return [branch(), branch()]


ARCHITECTURES: dict[ModelName, Callable[[Blocks], nn.Module]] = {
    "TwoChannelsModel": TwoChannels,
    "TwoBranchesModel": lambda b: ScoreDifference(_own(b.to_score)),
    "WeightSharingBranchesModel": lambda b: ScoreDifference(_shared(b.to_score())),
    "BranchesToVecModel": lambda b: VectorComparison(_own(b.to_vector)),
    "WeightSharingBranchesToVecModel": lambda b: VectorComparison(_shared(b.to_vector())),
    "WeightSharingAuxiliaryModel": lambda b: Auxiliary(_shared(b.embedder()), b.hidden),
    "DirectClassificationModel": lambda b: DirectClassification(_shared(b.to_vector())),
}


def build_network(settings: RunSettings, compiled: bool = False) -> nn.Module:
    """The network of a run with its first weights, both decided by the settings alone.

    Takes pairs (B, 2, 14, 14), standardised, and gives an Output; with `compiled` it trains several times as fast, and
    up to rounding gives the same. The global random state is left as it was.
    """
    dropout_masks = torch.Generator().manual_seed(settings.seed)
    with torch.random.fork_rng(devices=[]):  # PyTorch's layers draw their first weights from the global state
        torch.manual_seed(settings.seed)
        return ARCHITECTURES[settings.model](Blocks(settings, dropout_masks, compiled))


def dropout_masks(network: nn.Module) -> torch.Generator:
    """The generator that all dropout layers of a network take their masks from."""
    return next(module.generator for module in network.modules() if isinstance(module, SeededDropout))


def count_parameters(network: nn.Module) -> int:
    """The number of distinct trainable numbers: shared weights count once."""
    return sum(p.numel() for p in network.parameters())
