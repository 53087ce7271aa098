"""Accuracy by the distance of two digits, against hand-worked cases."""

import numpy as np
import pandas as pd
import pytest

from core.analysis.distance import accuracy_by_distance, compare_distances, count_by_distance, describe_distance
from core.analysis.mistakes import read_answers
from core.analysis.tables import load_runs
from core.runs.settings import RunSettings
from core.runs.store import RunStore
from support.fake_runs import CLASSES, write_run

COIN, DIRECT = "WeightSharingBranchesModel", "DirectClassificationModel"

pytestmark = pytest.mark.filterwarnings("error")


def count_rights(model, *rounds):
    """A frame of count_by_distance: for each round the rights of 100 pairs at distances 0, 1 and 9."""
    rows = [
        (model, 0.0, False, seed, distance, 100, right)
        for seed, rights in enumerate(rounds)
        for distance, right in zip((0, 1, 9), rights, strict=True)
    ]
    fields = ["model", "dropout", "dropout_at_evaluation", "seed", "distance", "count", "right"]
    return pd.DataFrame(rows, columns=fields)


def test_distances_are_counted_round_by_round(tmp_path):
    store = RunStore(tmp_path)
    target = CLASSES[:, 0] <= CLASSES[:, 1]
    wrong = target ^ (CLASSES == (3, 4)).all(axis=1)  # every (3, 4) is compared wrongly
    write_run(store, RunSettings(model=DIRECT, seed=0), 0.99, arrays={"decision": wrong})
    write_run(store, RunSettings(model=DIRECT, seed=1), 1.0)
    table = accuracy_by_distance(count_by_distance(read_answers(store, load_runs(store)).table)).set_index("distance")
    assert table["count"].tolist() == [200, 360, 320, 280, 240, 200, 160, 120, 80, 40]
    assert table["rounds"].tolist() == 10 * [2]
    assert table.loc[1, ["right", "accuracy"]].tolist() == pytest.approx([350, 350 / 360])
    # Residuals ±5: scatter 2 · 50 / 360² = 0.00077160; independent 350 · 10 / 360³ = 0.000075017: as 35 answers.
    n, share, t2 = 35.0, 350 / 360, 161.4476
    half = t2**0.5 / (n + t2) * (n * share * (1 - share) + t2 / 4) ** 0.5
    middle = (n * share + t2 / 2) / (n + t2)
    assert table.loc[1, ["low", "high"]].tolist() == pytest.approx([middle - half, middle + half], abs=1e-5)
    assert table.loc[2, ["low", "high"]].tolist() == pytest.approx([320 / (320 + t2), 1], abs=1e-5)


def test_an_empty_store_says_so(tmp_path):
    store = RunStore(tmp_path)
    counted = count_by_distance(read_answers(store, load_runs(store)).table)
    assert accuracy_by_distance(counted).empty
    assert describe_distance(counted) == ["No finished round with these settings has predictions yet."]


def test_contrasts_are_paired_by_round_and_one_family():
    table = compare_distances(count_rights(DIRECT, (90, 95, 100), (92, 95, 99), (91, 97, 100)))
    assert table["these"].tolist() == ["Equal digits", "Pairs one apart"]
    assert table["difference"].tolist() == pytest.approx([-14 / 300, -12 / 300])
    assert table["p_holm"].max() == pytest.approx(max(2 * table["p"].min(), table["p"].max()))


@pytest.mark.parametrize(
    ("equal", "sentence"),
    [
        # Differences to pairs one apart of −20, −21, −19 points: error 1 / √3, t = 34.6; interval ± 4.3027 / √3 = 2.5
        (
            (60, 59, 61),
            "clearly harder than pairs one apart, in points, for Direct classification by 20.0 (95 % 17.5 to ",
        ),
        (
            (100, 99, 101),
            "clearly easier than pairs one apart, in points, for Direct classification by 20.0 (95 % 17.5 to",
        ),
        # −20, 0 and 20: no difference at all
        ((60, 80, 100), "neither clearly harder nor easier than pairs one apart for Direct classification."),
        # −3, −1, −2: t = 3.46, p = 0.074
        ((77, 79, 78), "neither clearly harder nor easier than pairs one apart for Direct classification."),
    ],
)
def test_equal_digits_are_called_hard_only_where_it_is_clear(equal, sentence):
    counted = count_rights(DIRECT, *[(right, 80, 90 + place) for place, right in enumerate(equal)])
    assert describe_distance(counted)[0].startswith(f"Equal digits are {sentence}")
    assert "over the 2 comparisons" in " ".join(describe_distance(counted))


def test_the_coin_is_named_with_its_interval():
    counted = count_rights(COIN, (50, 70, 99), (50, 71, 98))
    half = 100 * 12.7062 / 361.448 * (200 / 4 + 161.448 / 4) ** 0.5
    coin = next(sentence for sentence in describe_distance(counted) if sentence.startswith("On equal digits"))
    assert coin.startswith(
        f"On equal digits Shared branches is right in 50.0 % (95 % {50 - half:.1f} % to {50 + half:.1f} %): it can"
    )
    assert describe_distance(count_rights(DIRECT, (50, 70, 99), (50, 71, 98)))[-1].startswith("Fewer than 10 rounds")


def test_one_round_claims_nothing():
    sentences = describe_distance(count_rights(COIN, (50, 70, 99)))
    assert [sentence[:15] for sentence in sentences] == ["On equal digits", "Fewer than 10 r"]
    assert np.isnan(accuracy_by_distance(count_rights(COIN, (50, 70, 99)))["low"]).all()
