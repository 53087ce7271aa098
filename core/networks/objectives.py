"""What a network's output means: its loss, its decision, and the probability that first <= second."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from core.networks.architectures import Output


class Loss(NamedTuple):
    """The `total` to minimise and its parts, mean values over the batch; None for a part that has no head."""

    total: Tensor
    comparison: Tensor | None
    digits: Tensor | None


def compute_loss(output: Output, target: Tensor, classes: Tensor, auxiliary_weight: float) -> Loss:
    """Binary cross entropy of the comparison (B,) plus the weighted cross entropy of both digits (B, 2).

    WeightSharingAuxiliaryModel sums CE(first) + CE(second); DirectClassificationModel has one CE over 2B digits
    and no weight (report, the seven architectures).
    """
    if output.comparison is None:
        assert output.digits is not None
        digits = cross_entropy(output.digits.flatten(0, 1), classes.flatten())
        return Loss(digits, None, digits)
    comparison = binary_cross_entropy_with_logits(output.comparison, target)
    if output.digits is None:
        return Loss(comparison, comparison, None)
    digits = cross_entropy(output.digits[:, 0], classes[:, 0]) + cross_entropy(output.digits[:, 1], classes[:, 1])
    return Loss(comparison + auxiliary_weight * digits, comparison, digits)


def decide(output: Output) -> Tensor:
    """(B,) bool: is the first digit less than or equal to the second?

    A logit decides by its sign; DirectClassificationModel compares the two likeliest classes, as in the report.
    """
    if output.comparison is not None:
        return output.comparison >= 0
    assert output.digits is not None
    first, second = output.digits.argmax(dim=2).unbind(dim=1)
    return first <= second


def probability(output: Output) -> Tensor:
    """(B,) in 0 to 1: the probability that first <= second.

    The sigmoid of the logit; for DirectClassificationModel the sum over i <= j of p(first = i) · p(second = j).
    """
    if output.comparison is not None:
        return output.comparison.sigmoid()
    assert output.digits is not None
    first, second = output.digits.softmax(dim=2).unbind(dim=1)  # (B, 10) each
    at_least = second.flip(1).cumsum(1).flip(1)  # (B, 10): p(second >= i)
    return (first * at_least).sum(dim=1).clamp(0, 1)  # rounding may exceed 1 by the last digit


def read_digits(output: Output) -> Tensor | None:
    """(B, 2, 10) class probabilities of both digits, or None if the architecture has no such heads."""
    return None if output.digits is None else output.digits.softmax(dim=2)


def count_right(output: Output, target: Tensor, classes: Tensor) -> tuple[int, int | None]:
    """How many comparisons of B, and how many digits of 2B (None without digit heads), are right."""
    comparisons = int((decide(output) == target.bool()).sum())
    if output.digits is None:
        return comparisons, None
    return comparisons, int((output.digits.argmax(dim=2) == classes).sum())


def stack_outputs(outputs: list[Output]) -> Output:
    """One Output from those of consecutive batches."""
    comparison, digits = zip(*outputs, strict=True)
    return Output(
        None if comparison[0] is None else torch.cat(comparison),
        None if digits[0] is None else torch.cat(digits),
    )
