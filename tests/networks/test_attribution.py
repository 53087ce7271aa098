"""Ensembles, and why they answer as they do: on untrained networks, whose arithmetic is the same."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from benchmarks.draw import DIGITS
from core.drawing.samples import draw_numbers, open_link, read_sample
from core.drawing.strokes import PAD, Drawing, Stroke, steps_from_strokes
from core.inference.score import judge, summarise, write_csv
from core.mnist.files import read_test_images
from core.networks.architectures import ARCHITECTURES, Output, build_network
from core.networks.attribution import attribute, change_minds, nudge
from core.networks.ensemble import Ensemble, load_ensembles
from core.networks.verdicts import METHODS, Verdict, describe_swap
from core.runs.settings import MODEL_NAMES, RunSettings
from core.runs.store import RunStore

MEAN, DEVIATION = 33.0, 71.0
ONE = steps_from_strokes(Drawing((Stroke(((140.0, 40.0), (140.0, 240.0)), 18.0),)))
SEVEN = steps_from_strokes(Drawing((Stroke(((80.0, 60.0), (200.0, 60.0), (120.0, 230.0)), 18.0),)))
PAIR = np.stack([ONE.frame, SEVEN.frame])


def build(model: str) -> tuple[Ensemble, list[nn.Module]]:
    """An ensemble of three untrained networks, the last one with dropout, and the networks."""
    runs = [RunSettings(model=model, seed=0), RunSettings(model=model, seed=1)]
    runs.append(RunSettings(model=model, dropout=0.25, seed=2))
    networks = [build_network(each).eval() for each in runs]
    summary = {"mean": MEAN, "deviation": DEVIATION}
    return Ensemble([SimpleNamespace(settings=each, summary=summary) for each in runs], networks), networks


@pytest.mark.parametrize("model", MODEL_NAMES)
@pytest.mark.parametrize("count", [1, 5])
def test_an_ensemble_answers_as_its_networks_do(model, count):
    ensemble, networks = build(model)
    pairs = 255 * torch.rand(count, 2, 14, 14, generator=torch.Generator().manual_seed(0))
    together = ensemble.outputs(pairs)
    for index, network in enumerate(networks):
        with torch.no_grad():
            alone = network((pairs - MEAN) / DEVIATION)
        for expected, got in zip(alone, together, strict=True):
            assert (expected is None) == (got is None)
            if expected is not None:
                torch.testing.assert_close(got[index], expected, rtol=0, atol=1e-5)


class Unusual(nn.Module):
    """Layers that no architecture of the report has: another stride, two inputs, one layer under two names, a scale."""

    def __init__(self, blocks, own):
        super().__init__()
        self.branch = nn.Sequential(nn.Conv2d(1, 3, 5, stride=3), nn.GroupNorm(1, 3), nn.Flatten())
        same = nn.Linear(48, 48)
        self.twice = nn.ModuleList([same, same])
        self.compare = nn.Bilinear(48, 48, 1)
        self.scale = nn.Parameter(torch.rand(1)) if own else 1

    def forward(self, pairs):
        first, second = (layer(self.branch(pairs[:, [i]])) for i, layer in enumerate(self.twice))
        return Output(self.scale * self.compare(first, second)[:, 0], None)


@pytest.mark.parametrize("own", [False, True])
def test_an_ensemble_of_unusual_layers_keeps_the_weights_of_each(monkeypatch, own):
    monkeypatch.setitem(ARCHITECTURES, "TwoChannelsModel", lambda blocks: Unusual(blocks, own))
    test_an_ensemble_answers_as_its_networks_do("TwoChannelsModel", 4)


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_verdicts_of_one_pair_are_those_of_many(model):
    ensemble, _ = build(model)
    assert ensemble.cells == [[0, 1], [2]]
    one = ensemble.answer(PAIR)
    [many, _] = ensemble.answer_each(np.stack([PAIR, PAIR[::-1]]), ensemble.cells)
    assert [verdict.rounds for verdict in one] == [2, 1]
    assert many[0].probabilities == pytest.approx(one[0].probabilities, abs=1e-6)
    assert many[0].decisions == one[0].decisions


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_integrated_gradients_sum_to_what_the_pair_adds_to_the_logit(model):
    ensemble, _ = build(model)
    found = attribute(ensemble, [0, 1], PAIR, "Integrated gradients")
    assert found.pixels.shape == (2, 14, 14)
    assert found.pixels.sum() == pytest.approx(found.logit - found.blank, abs=0.02)
    assert np.abs(found.pixels[PAIR == 0]).max() < 1e-6  # where there is no ink, nothing is added


def test_occlusion_is_the_mean_fall_of_the_logit_over_the_windows_of_a_pixel():
    ensemble, _ = build("WeightSharingAuxiliaryModel")
    found = attribute(ensemble, [2], PAIR, "Occlusion")

    def logit(pair):
        return ensemble.outputs(torch.from_numpy(pair)[None]).comparison[2, 0].item()

    falls = []
    for top in range(4, 7):
        for left in range(5, 8):
            blanked = PAIR.copy()
            blanked[1, top : top + 3, left : left + 3] = 0
            falls.append(logit(PAIR) - logit(blanked))
    assert found.logit == pytest.approx(logit(PAIR), abs=1e-5)
    assert found.pixels[1, 6, 7] == pytest.approx(np.mean(falls), abs=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_explaining_leaves_the_answers_as_they_are(method):
    ensemble, _ = build("DirectClassificationModel")
    before = ensemble.answer(PAIR)[0].probabilities
    assert np.isfinite(attribute(ensemble, [0], PAIR, method).pixels).all()
    assert ensemble.answer(PAIR)[0].probabilities == before


def test_what_would_change_its_mind():
    ensemble, _ = build("WeightSharingBranchesModel")
    answers = change_minds(ensemble, [0, 1], (ONE, SEVEN))
    changes = [answer.change for answer in answers]
    assert len(set(changes)) == len(changes) == 14
    assert answers[0].verdict.probabilities == pytest.approx(ensemble.answer(PAIR)[0].probabilities, abs=1e-6)
    swapped = ensemble.answer(np.ascontiguousarray(PAIR[::-1]))[0]
    assert answers[1].verdict.probabilities == pytest.approx(swapped.probabilities, abs=1e-6)
    left = np.stack([PAIR[0], nudge(PAIR[1], 0, -1)])
    shown = answers[changes.index("Second one pixel left")].verdict
    assert shown.probabilities == pytest.approx(ensemble.answer(left)[0].probabilities, abs=1e-6)


def test_a_nudge_moves_by_a_pixel_and_loses_what_leaves():
    frame = np.arange(9, dtype=np.float32).reshape(3, 3)
    assert nudge(frame, 0, 1).tolist() == [[0, 0, 1], [0, 3, 4], [0, 6, 7]]
    assert nudge(frame, -1, 0).tolist() == [[3, 4, 5], [6, 7, 8], [0, 0, 0]]


def give(*decisions: bool) -> Verdict:
    return Verdict(RunSettings(), decisions[0], 0.5, list(decisions), [0.5] * len(decisions), None)


def test_the_swap_in_a_sentence():
    assert describe_swap(give(True, False), give(False, True)) == (
        "All 2 rounds answer consistently when the digits are swapped."
    )
    assert describe_swap(give(True, True, False), give(True, False, False)) == (
        "1 of 3 rounds say the opposite when the digits are swapped; 1 say yes both ways, which holds for equal "
        "digits alone; 1 say no both ways, which cannot be."
    )


@pytest.fixture(scope="module")
def trained(trained_store) -> list[Ensemble]:
    return load_ensembles(RunStore(trained_store))[0]


@given(
    st.tuples(st.integers(0, 9), st.integers(0, 9)),
    st.tuples(*[st.floats(0, 1)] * 4),
    st.tuples(*[st.floats(60, 260)] * 2),
    st.tuples(*[st.floats(2, 60)] * 2),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_where_and_how_large_a_digit_is_drawn_changes_no_decision(trained, digits, places, sides, widths):
    def lay(digit, left, top, side, width):
        left, top = left * (PAD - side), top * (PAD - side)
        strokes = DIGITS[digit]
        return Drawing(tuple(Stroke(tuple((left + side * x, top + side * y) for x, y in s), width) for s in strokes))

    here = np.stack([steps_from_strokes(lay(digit, 0, 0, PAD, 18)).frame for digit in digits])
    there = np.stack(
        [
            steps_from_strokes(lay(digits[i], places[2 * i], places[2 * i + 1], sides[i], widths[i])).frame
            for i in range(2)
        ]
    )
    for ensemble in trained:
        for one, two in zip(ensemble.answer(here), ensemble.answer(there), strict=True):
            assert one.decisions == two.decisions


# --- samples ----------------------------------------------------------------------------------------------------------


def test_a_samples_frame_is_what_the_networks_were_tested_on():
    from core.mnist.pairs import load_digits

    digits = load_digits(False)
    for number in (0, 1234, 9_999):
        sample = read_sample(number)
        assert np.array_equal(sample.steps.frame, digits.images[number].numpy())
        assert np.array_equal(sample.steps.field, read_test_images()[number])
        assert sample.digit == digits.classes[number]
        assert sample.drawing.strokes
        assert sample.steps.box.shape == (20, 20)
        assert sample.steps.box.sum() == sample.steps.field.sum()


def test_samples_are_drawn_by_their_digits():
    generator = np.random.default_rng(0)
    for wanted in ((3, 8), (5, 5), (None, 0)):
        first, second = draw_numbers(wanted, generator)
        assert first != second
        classes = read_sample(first).digit, read_sample(second).digit
        assert all(digit in (None, found) for digit, found in zip(wanted, classes, strict=True))


def test_a_link_opens_samples_and_drawings():
    assert [side.number for side in open_link("7-2", None)] == [7, 2]
    sample, empty = open_link(None, "7.eNpjAAAAAQAB")
    assert (sample.number, empty) == (7, Drawing())


# --- the score --------------------------------------------------------------------------------------------------------


def test_a_score_counts_cells_and_their_rounds():
    verdicts = [give(True, True, False)]
    judgements = [*judge(verdicts, (3, 7), 1), *judge(verdicts, (7, 3), 2), *judge(verdicts, (4, 4), 3)]
    [row] = summarise(judgements).to_dict("records")
    assert (row["architecture"], row["dropout"], row["pairs"], row["right"]) == ("DirectClassificationModel", 0, 3, 2)
    assert row["round_share"] == pytest.approx((2 + 1 + 2) / 9)
    lines = write_csv(judgements).splitlines()
    assert lines[0].startswith("pair,first,second,architecture")
    assert len(lines) == 4
    assert "2,7,3,DirectClassificationModel" in lines[2]
