"""What is found in the answers to the test pairs, against hand-worked cases."""

import numpy as np
import pytest

from core.analysis.mistakes import (
    accuracy_by_pair,
    count_alone,
    count_odds,
    count_pairs,
    describe_odds,
    describe_pairs,
    describe_together,
    judge_together,
    missed_by_all,
    rank_mistakes,
    read_answers,
    right_alone,
    say_alone,
    say_answer,
    say_missed,
)
from core.analysis.tables import load_runs
from core.runs.settings import RunSettings
from core.runs.store import RunStore
from support.fake_runs import CLASSES, write_run

CHANNELS, BRANCHES, DIRECT = "TwoChannelsModel", "TwoBranchesModel", "DirectClassificationModel"
TARGET = CLASSES[:, 0] <= CLASSES[:, 1]  # 550 of the 1,000 pairs

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path)


def write_rounds(store, accuracies, **settings):
    for seed, accuracy in enumerate(accuracies):
        write_run(store, RunSettings(seed=seed, **settings), accuracy)


def write_wrong(store, model, wrong, seed=0, confidence=0.75, **arrays):
    """A run that is wrong on the pairs at these places, and everywhere this sure of what it says."""
    decision = TARGET.copy()
    decision[wrong] = ~decision[wrong]
    probability = np.where(decision, confidence, 1 - np.float32(confidence)).astype(np.float32)
    arrays = {"decision": decision, "probability": probability, **arrays}
    return write_run(store, RunSettings(model=model, seed=seed), 1 - len(wrong) / 1_000, arrays=arrays)


def answers_of(store):
    found = read_answers(store, load_runs(store))
    assert found.problems == []
    return found.table


def test_an_empty_store_gives_empty_tables_and_says_so(store):
    found = read_answers(store, load_runs(store))
    assert found.table.empty
    assert found.problems == []
    assert accuracy_by_pair(count_pairs(found.table))["count"].sum() == 0


def test_predictions_that_cannot_be_read_are_named(store):
    write_rounds(store, [0.8, 0.9], model="TwoChannelsModel")
    (store.path(RunSettings(model="TwoChannelsModel", seed=1).run_id) / "predictions.safetensors").unlink()
    found = read_answers(store, load_runs(store))
    assert len(found.table) == 1_000
    assert len(found.problems) == 1
    assert "has no predictions.safetensors" in found.problems[0]


def test_pairs_are_counted_round_by_round(store):
    wrong = (CLASSES[:, 0] <= CLASSES[:, 1]) ^ (CLASSES == (3, 4)).all(axis=1)  # every (3, 4) is compared wrongly
    write_run(store, RunSettings(model=DIRECT, seed=0), 0.99, arrays={"decision": wrong})
    write_run(store, RunSettings(model=DIRECT, seed=1), 1.0)
    counted = count_pairs(answers_of(store))
    assert len(counted) == 200
    assert counted["count"].tolist() == 200 * [10]
    pairs = accuracy_by_pair(counted).set_index(["first", "second"])
    assert len(pairs) == 100
    assert pairs["rounds"].tolist() == 100 * [2]
    assert pairs.loc[(3, 4), ["right", "count", "accuracy"]].tolist() == [10, 20, 0.5]
    # All right in one round and none in the other: residuals ±5, as two answers would scatter, t(0.975, 1)² = 161.448.
    # Scatter 2 · 50 / 20² = 0.25, of one independent answer 0.25: the interval is that of ½ of 1.
    half = 12.7062 / 162.448 * (1 / 4 + 161.448 / 4) ** 0.5
    assert pairs.loc[(3, 4), ["low", "high"]].tolist() == pytest.approx([0.5 - half, 0.5 + half], abs=1e-5)
    assert pairs.loc[(4, 3), ["accuracy", "low", "high"]].tolist() == pytest.approx([1, 20 / 181.448, 1], abs=1e-5)


def test_pairs_never_drawn_have_no_accuracy_and_one_round_no_interval(store):
    equal = CLASSES.copy()
    equal[:, 1] = equal[:, 0]
    write_run(store, RunSettings(), 1.0, arrays={"classes": equal, "decision": np.ones(1_000, dtype=bool)})
    pairs = accuracy_by_pair(count_pairs(answers_of(store)))
    assert pairs["accuracy"].notna().sum() == 10
    assert pairs["low"].isna().all()


def test_an_answer_knows_its_pair_its_run_and_how_sure_it_was(store):
    read = np.zeros((1_000, 2), np.uint8)
    run_id = write_wrong(store, DIRECT, [0], seed=3, confidence=0.9, digits=read)
    first, second = list(answers_of(store).head(2).itertuples())
    assert (first.model, first.dropout, first.run_id, first.seed) == (DIRECT, 0, run_id, 3)
    assert (first.first_image, first.second_image, second.first_image) == (0, 1, 2)
    assert (first.first, first.second, first.first_read) == (0, 0, 0)
    assert (first.decision, first.right) == (False, False)  # 0 ≤ 0, but it said no
    assert first.probability == pytest.approx(0.1)
    assert first.confidence == pytest.approx(0.9)
    assert say_answer(first) == ["says first > second,", "90.0 % sure", "reads 0 and 0", "round 3"]


def test_runs_with_other_settings_are_left_out(store):
    write_run(store, RunSettings(hidden_units=64), 0.9)
    assert answers_of(store).empty


@pytest.mark.parametrize(
    "arrays",
    [
        {"probability": np.full(1_000, np.nan, np.float32)},
        {"probability": np.zeros(999, np.float32)},
        {"classes": np.full((1_000, 2), 10, np.uint8)},
        {"indices": np.full((1_000, 2), -1, np.int16)},
        {"digits": np.zeros((1_000, 1), np.uint8)},
    ],
)
def test_predictions_that_do_not_fit_together_are_named(store, arrays):
    run_id = write_run(store, RunSettings(), 0.9, arrays=arrays)
    found = read_answers(store, load_runs(store))
    assert found.table.empty
    [wrong] = {"probability", "classes", "indices", "digits"} & arrays.keys()
    assert found.problems == [f"The file predictions.safetensors of the run {run_id} is damaged ({wrong} is wrong)."]


def test_mistakes_are_ranked_by_confidence_and_chosen_by_digits(store):
    probability = np.where(TARGET, 0.75, 0.25).astype(np.float32)
    decision = TARGET.copy()
    for place, value in ((34, 0.2), (43, 0.9), (134, 0.05)):  # 3 ≤ 4, 4 > 3 and 3 ≤ 4 again
        probability[place], decision[place] = value, value >= 0.5
    write_run(store, RunSettings(), 0.997, arrays={"probability": probability, "decision": decision})
    answers = answers_of(store)
    assert rank_mistakes(answers)["confidence"].tolist() == pytest.approx([0.95, 0.9, 0.8])
    assert rank_mistakes(answers, 3)["first_image"].tolist() == [268, 68]
    assert rank_mistakes(answers, None, 3)["first_image"].tolist() == [86]
    assert rank_mistakes(answers, 5, 5).empty
    pairs = count_pairs(answers)
    assert describe_pairs(pairs) == (
        "All pairs: 997 of 1,000 right, 99.7 % (1 round). The 3 wrong ones, the most confident first:"
    )
    assert describe_pairs(pairs, 3, 4).startswith("First digit 3 and second digit 4: 8 of 10 right, 80.0 % (1 round).")
    assert describe_pairs(pairs[pairs["first"] != 5], 5) == "First digit 5: no such pair was tested."
    write_run(store, RunSettings(seed=1), 1.0)
    two = count_pairs(answers_of(store))
    # 200 of 200 in two rounds: 200 / (200 + 161.448)
    assert describe_pairs(two, 5).endswith(
        "200 of 200 right, 100.0 % (95 % 55.3 % to 100.0 % over 2 rounds). None is wrong."
    )


@pytest.fixture
def three(store):
    """Three architectures in round 0, two of them in round 1: all miss pair 7, one alone gets 8 and one alone 9."""
    write_wrong(store, CHANNELS, [7, 8, 9, 10], confidence=0.7)
    write_wrong(store, BRANCHES, [7, 9, 11], confidence=0.8)
    write_wrong(store, DIRECT, [7, 8], confidence=0.99999)
    write_wrong(store, CHANNELS, [7, 12], seed=1)
    write_wrong(store, BRANCHES, [7], seed=1)
    return answers_of(store)


def test_pairs_that_all_miss_and_pairs_that_one_alone_gets_right(three):
    together = judge_together(three)
    assert len(together) == 3_000  # the second round lacks one of them
    [missed] = missed_by_all(together).itertuples()
    assert (missed.first_image, missed.model) == (14, DIRECT)  # the surest
    assert missed.mean == pytest.approx((0.7 + 0.8 + 1) / 3, abs=1e-4)
    assert say_missed(missed) == ["all say first > second,", "83.3 % sure on average", "round 0"]
    alone = right_alone(together)
    assert alone[["first_image", "model"]].values.tolist() == [[18, DIRECT], [16, BRANCHES]]
    assert say_alone(next(alone.itertuples())) == [
        "Direct classification", "right, over 99.9 % sure", "against it, 75.0 % sure", "round 0",
    ]  # fmt: skip
    counts = count_alone(together)
    assert counts["model"].tolist() == [CHANNELS, BRANCHES, DIRECT]
    assert counts["alone"].tolist() == [0, 1, 1]
    assert describe_together(together) == (
        "Of 1,000 pairs in 1 round, all 3 architectures miss 1 (0.1 %), and 2 (0.2 %) are right with one of them alone."
    )


def test_two_at_odds_round_by_round(three):
    together = judge_together(three[three["model"] != DIRECT])
    rounds = count_odds(together, CHANNELS, BRANCHES)
    outcomes = ["seed", "both", "only_first", "only_second", "neither"]
    assert rounds[outcomes].values.tolist() == [[0, 995, 1, 2, 2], [1, 998, 0, 1, 1]]
    assert rounds["p"].tolist() == pytest.approx([1.0, 1.0])
    assert count_odds(together, BRANCHES, CHANNELS)["only_first"].tolist() == [2, 1]
    assert describe_odds(rounds, CHANNELS, BRANCHES) == (
        "Over 2 rounds, Two channels alone is right on 1 pair, Two branches alone on 3. Of the two networks of a "
        "round, that of Two channels is clearly ahead in 0 and that of Two branches in 0 of 2 rounds (McNemar's "
        "exact test, Holm's correction over these rounds)."
    )


@pytest.mark.parametrize(
    ("only_first", "ahead"),
    # Of eight pairs that one alone gets right, all for one: p = 2 / 256, × 3 rounds 0.023. Seven: 18 / 256 = 0.070.
    [((8, 4, 4), (1, 0)), ((0, 4, 4), (0, 1)), ((7, 4, 4), (0, 0)), ((8, 0, 4), (1, 1))],
)
def test_a_round_counts_where_its_own_corrected_test_is_clear(store, only_first, ahead):
    for seed, count in enumerate(only_first):
        write_wrong(store, BRANCHES, list(range(count)), seed)
        write_wrong(store, CHANNELS, list(range(count, 8)), seed)
    rounds = count_odds(judge_together(answers_of(store)), CHANNELS, BRANCHES)
    assert rounds["only_first"].tolist() == list(only_first)
    assert (
        f"that of Two channels is clearly ahead in {ahead[0]} and that of Two branches in {ahead[1]} of 3 rounds"
        in describe_odds(rounds, CHANNELS, BRANCHES)
    )


def test_architectures_without_a_common_round_have_no_common_pair(store):
    write_wrong(store, CHANNELS, [1], seed=0)
    write_wrong(store, BRANCHES, [1], seed=1)
    assert judge_together(answers_of(store)).empty
