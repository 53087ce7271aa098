"""The report's procedure as it is usually written: what benchmarks/training.py compares the engine with."""

import distributed  # noqa: F401  # brings Dask's configuration of workers
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from core.mnist.pairs import draw_round, standardise
from core.runs.settings import REPORT_MODELS, RunSettings


def plain_embedder(channels: int, hidden: int, p: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, 32, 3), nn.MaxPool2d(2), nn.ReLU(),
        nn.Conv2d(32, 64, 3), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(),
        nn.Dropout(p), nn.Linear(256, hidden), nn.ReLU(), nn.Dropout(p),
    )  # fmt: skip


class PlainNetwork(nn.Module):
    """Any of the seven: one branch per digit, what joins them, and the heads; gives (comparison, first, second)."""

    def __init__(self, settings: RunSettings) -> None:
        super().__init__()
        self.model, hidden = settings.model, settings.hidden_units
        own = self.model in ("TwoBranchesModel", "BranchesToVecModel")
        self.first = self.branch(settings)
        self.second = self.branch(settings) if own else self.first
        if "ToVec" in self.model:
            self.compare = nn.Sequential(nn.ReLU(), nn.Linear(20, 10), nn.ReLU(), nn.Linear(10, 1))
        if "Auxiliary" in self.model:
            self.join = nn.Sequential(nn.Linear(2 * hidden, 100), nn.ReLU())
            self.heads = nn.ModuleList([nn.Linear(100, 1), nn.Linear(100, 10), nn.Linear(100, 10)])

    def branch(self, settings: RunSettings) -> nn.Sequential:
        hidden = settings.hidden_units
        branch = plain_embedder(2 if self.model == "TwoChannelsModel" else 1, hidden, settings.dropout)
        if "Auxiliary" not in self.model:
            branch.append(nn.Linear(hidden, 10))
        if self.model in REPORT_MODELS[:3]:
            branch.extend([nn.ReLU(), nn.Linear(10, 1)])
        return branch

    def forward(self, pairs: Tensor) -> tuple[Tensor | None, ...]:  # (B, 2, 14, 14)
        if self.model == "TwoChannelsModel":
            return self.first(pairs)[:, 0], None, None
        first, second = self.first(pairs[:, :1]), self.second(pairs[:, 1:])
        if self.model == "DirectClassificationModel":
            return None, first, second
        if "Auxiliary" in self.model:
            joined = self.join(torch.cat([first, second], dim=1))
            comparison, *digits = [head(joined) for head in self.heads]
            return comparison[:, 0], *digits
        if "ToVec" in self.model:
            return self.compare(torch.cat([first, second], dim=1))[:, 0], None, None
        return (second - first)[:, 0], None, None


def plain_loss(output: tuple[Tensor | None, ...], target: Tensor, classes: Tensor) -> Tensor:
    comparison, first, second = output
    if comparison is None:
        return cross_entropy(torch.cat([first, second]), torch.cat([classes[:, 0], classes[:, 1]]))
    loss = binary_cross_entropy_with_logits(comparison, target)
    if first is not None:
        loss = loss + cross_entropy(first, classes[:, 0]) + cross_entropy(second, classes[:, 1])
    return loss


def plain_accuracy(network: nn.Module, loader: DataLoader) -> float:
    network.eval()
    right = total = 0
    with torch.no_grad():
        for images, target, _ in loader:
            comparison, first, second = network(images)
            decision = first.argmax(1) <= second.argmax(1) if comparison is None else comparison >= 0
            right += (decision == target.bool()).sum().item()
            total += len(target)
    return right / total


def train_plainly(settings: RunSettings) -> tuple[int, float]:
    """One run of the plain loop: its epochs and its test accuracy."""
    torch.manual_seed(settings.seed)
    drawn = draw_round(settings.seed, settings.training_pairs)
    training, validation, test = (
        DataLoader(
            TensorDataset(standardise(pairs.images, drawn.mean, drawn.deviation), pairs.target, pairs.classes),
            batch_size=settings.batch_size,
            shuffle=pairs is drawn.training,
        )
        for pairs in (drawn.training, drawn.validation, drawn.test)
    )
    network = PlainNetwork(settings)
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    best, since_best, epoch = -1.0, 0, 0
    while epoch < settings.max_epochs and since_best < settings.patience:
        epoch += 1
        network.train()
        for images, target, classes in training:
            loss = plain_loss(network(images), target, classes)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        accuracy = plain_accuracy(network, validation)
        since_best = 0 if accuracy > best else since_best + 1
        best = max(best, accuracy)
    return epoch, plain_accuracy(network, test)
