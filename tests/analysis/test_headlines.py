"""The large number of each finding, on small tables worked out by hand."""

import pandas as pd
import pytest

from core.analysis import headlines
from core.analysis.findings import QUESTIONS
from core.analysis.headlines import FINDERS, find_headline
from core.analysis.studies import Needed

NEVER = float("inf")

COMPARED = {"rounds": 10, "difference": 0.032, "low": 0.015, "high": 0.049, "p_holm": 0.002, "clear": True}
TWIN = {"change": "Sharing weights for scores, at 106,000 parameters either way,", "kind": "unequal"}
SPEED = {"first": "TwoBranchesModel", "second": "WeightSharingBranchesModel", "when": "epoch 20"}
WEIGHT = {"weight": 1.0, "dropout": 0.0, "difference_low": 0.015, "difference_high": 0.049}
CELL = {"dropout": 0.0, "dropout_at_evaluation": False}
GAIN = {"gain": 0.032, "gain_low": 0.015, "gain_high": 0.049, "gain_p_holm": 0.002}
LUCKY = pd.DataFrame({"dropout": [0.0, 0.0, 0.25], "lucky": [0.06, 0.08, 0.5]})
EQUAL = [
    {"model": "WeightSharingBranchesModel", **CELL, "seed": seed, "distance": 0, "right": right, "count": 100}
    for seed, right in ((0, 40), (1, 60))
]
SIZES = [
    {"model": model, "dropout": 0.0, "parameters": parameters, "mean": mean}
    for model, parameters, mean in (
        ("TwoChannelsModel", 9, 0.8),
        ("TwoBranchesModel", 20, 0.9),
        ("BranchesToVecModel", 5, 0.7),
    )
]
BEST = {"training_pairs": 200}
CURVE = [
    {"model": "TwoChannelsModel", "epoch": epoch, "mean": mean, "report_mean": 0.8}
    for epoch, mean in ((5, 0.7), (10, 0.81))
]


def rows(*each: dict) -> pd.DataFrame:
    return pd.DataFrame(list(each))


def test_each_finding_has_one():
    assert FINDERS.keys() == QUESTIONS.keys()


@pytest.mark.parametrize(
    ("question", "table", "number", "about"),
    [
        ("twins", rows({**TWIN, **COMPARED}), "+3.2 points", "either way, on unequal digits (95 % 1.5"),
        ("twins", rows({**TWIN, **COMPARED, "clear": False}), "Not clear", "digits: +3.2 points (95 % 1.5 to 4.9)"),
        ("speed", rows({**SPEED, **COMPARED}), "+3.2 points", "Shared branches over Two branches at epoch 20 (95 %"),
        ("weights", rows({**COMPARED, **WEIGHT}), "+3.2 points", "instead of 0, without dropout (95 % 1.5 to 4.9)"),
        (
            "twins", rows({**TWIN, **COMPARED}, {**TWIN, **COMPARED, "kind": "equal", "difference": -0.18}),
            "+3.2 points", "(95 % 1.5 to 4.9); on equal ones −18.0",
        ),
        (
            "twins",
            rows({**TWIN, **COMPARED}, {**TWIN, **COMPARED, "kind": "equal", "difference": -0.18, "clear": False}),
            "+3.2 points", "on equal ones −18.0, not clear",
        ),
        (
            "best", rows({**BEST, **COMPARED, "rounds": 1}, {**BEST, **COMPARED, "training_pairs": 500}), "1 of 1",
            "numbers of training pairs at which the best epoch's weights clearly differ from the last's, without",
        ),
        (
            "artefact", rows({"model": "WeightSharingAuxiliaryModel", "case": "Dropout 0.25", "common": 9, **GAIN}),
            "+3.2 points", "for Auxiliary losses, if it is off at evaluation (95 % 1.5 to 4.9)",
        ),
        ("epochs", rows(*[{"stop_reason": why} for why in ("max_epochs", "patience", "patience")]), "1 of 3", "rounds"),
        ("squared", LUCKY, "7.0 %", "though a digit is misread, without dropout (95 % 0.0 % to 19.7 %)"),
        ("distance", pd.DataFrame(EQUAL), "50.0 %", "where Shared branches can only toss a coin (95 %"),
        ("parameters", pd.DataFrame(SIZES), "20 parameters", "Two branches has the highest mean, 90.0 %; the"),
        ("hypothesis", pd.DataFrame(CURVE), "Epoch 10", "Two channels passes its printed figure here already"),
    ],
)  # fmt: skip
def test_the_number_and_what_it_is(question, table, number, about):
    found = find_headline(question, table)
    assert found.number == number
    assert about in found.about


@pytest.mark.parametrize("question", ["twins", "speed", "best"])
def test_a_single_round_has_no_number(question):
    assert find_headline(question, rows({**TWIN, **SPEED, **BEST, **COMPARED, "rounds": 1})) is None


@pytest.mark.parametrize(
    ("pairs", "low", "number", "about"),
    [
        (5_040, 4_000, "About 5,000 pairs", "are what Two channels needs for"),
        (NEVER, NEVER, "Not with 25,000 pairs", "does Two channels reach"),
        (NEVER, 20_000, "Not clear", "whether Two channels reaches"),
    ],
)
def test_how_many_pairs_reading_is_worth(monkeypatch, pairs, low, number, about):
    needed = Needed("DirectClassificationModel", 2, 0.95, pairs, low, NEVER)
    monkeypatch.setattr(headlines, "pairs_needed", lambda table, dropout: [needed])
    found = find_headline("data", pd.DataFrame(), 0.25)
    assert found.number == number
    assert found.about.startswith(f"{about} what Direct classification reaches with 1,000, with dropout 0.25 (n = 2)")
