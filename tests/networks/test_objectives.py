"""Losses, decisions and probabilities, worked by hand."""

import math

import pytest
import torch

from core.networks.architectures import Output
from core.networks.objectives import compute_loss, count_right, decide, probability, read_digits


def sure_of(first: int, second: int, strength: float = 100.0) -> torch.Tensor:
    """Logits (1, 2, 10) that leave no doubt about both digits."""
    logits = torch.zeros(1, 2, 10)
    logits[0, 0, first] = logits[0, 1, second] = strength
    return logits


def test_comparison_loss_is_binary_cross_entropy():
    loss = compute_loss(Output(torch.tensor([0.0, math.log(3)]), None), torch.tensor([1.0, 0.0]), torch.zeros(2, 2), 1)
    assert loss.total.item() == pytest.approx((math.log(2) + math.log(4)) / 2)  # sigmoid(log 3) = 3/4
    assert loss.digits is None


def test_direct_classification_has_one_cross_entropy_over_all_digits():
    loss = compute_loss(Output(None, torch.zeros(4, 2, 10)), torch.ones(4), torch.zeros(4, 2, dtype=torch.long), 7)
    assert loss.total.item() == pytest.approx(math.log(10))  # no weight: there is nothing beside it
    assert loss.comparison is None


def test_auxiliary_loss_is_the_weighted_sum_of_three():
    output = Output(torch.zeros(4), torch.zeros(4, 2, 10))
    loss = compute_loss(output, torch.ones(4), torch.zeros(4, 2, dtype=torch.long), 0.5)
    assert loss.comparison.item() == pytest.approx(math.log(2))
    assert loss.digits.item() == pytest.approx(2 * math.log(10))
    assert loss.total.item() == pytest.approx(math.log(2) + math.log(10))


def test_logit_decides_by_its_sign_and_gives_its_sigmoid():
    output = Output(torch.tensor([-1.0, 0.0, 2.0]), None)
    assert decide(output).tolist() == [False, True, True]
    torch.testing.assert_close(probability(output), torch.tensor([-1.0, 0.0, 2.0]).sigmoid())


@pytest.mark.parametrize(("first", "second", "expected"), [(3, 7, True), (7, 3, False), (5, 5, True)])
def test_direct_classification_compares_the_likeliest_classes(first, second, expected):
    output = Output(None, sure_of(first, second))
    assert decide(output).item() is expected
    assert probability(output).item() == pytest.approx(float(expected))


def test_probability_sums_over_all_ordered_pairs_of_classes():
    logits = torch.randn(6, 2, 10, generator=torch.Generator().manual_seed(0))
    first, second = logits.softmax(2).unbind(1)
    expected = [sum(p[i] * q[j] for i in range(10) for j in range(i, 10)) for p, q in zip(first, second, strict=True)]
    torch.testing.assert_close(probability(Output(None, logits)), torch.stack(expected))


def test_uniform_digits_are_ordered_55_times_in_100():
    assert probability(Output(None, torch.zeros(1, 2, 10))).item() == pytest.approx(0.55)


def test_counts_right_comparisons_and_digits():
    output = Output(None, torch.cat([sure_of(3, 7), sure_of(2, 1)]))
    target, classes = torch.tensor([1.0, 1.0]), torch.tensor([[3, 7], [2, 8]])
    assert count_right(output, target, classes) == (1, 3)
    assert count_right(Output(torch.tensor([1.0, -1.0]), None), target, classes) == (1, None)


def test_digit_probabilities_sum_to_one():
    torch.testing.assert_close(read_digits(Output(None, torch.randn(3, 2, 10))).sum(2), torch.ones(3, 2))
    assert read_digits(Output(torch.zeros(1), None)) is None
