"""The game's pairs: from the rounds' test pairs, in a fixed mix, the same for the same number."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from core.analysis.game import GAMES, MIX, Pair, Votes, choose_pairs, describe_mix, measure_accuracies, read_votes
from core.analysis.tables import load_runs, with_report_settings
from core.runs.settings import REPORT_MODELS, RunSettings
from core.runs.store import RunStore
from support.servers import ROOT

MODELS = ("TwoChannelsModel", "TwoBranchesModel", "DirectClassificationModel")


def make_votes(rounds: int = 10, kinds: tuple[str, ...] = ("equal", "hard", "plain", "plain")) -> Votes:
    """Each round has one pair of each of the kinds, whose images are 4 × seed + place; all say that first <= second."""
    digits = {"equal": (3, 3), "hard": (7, 2), "plain": (1, 5)}
    rows = [
        (seed, 4 * seed + place, 9_000, *digits[kind], kind, True, True, True)
        for seed in range(rounds)
        for place, kind in enumerate(kinds)
    ]
    columns = ["seed", "first_image", "second_image", "first", "second", "kind", *MODELS]
    return Votes(MODELS, pd.DataFrame(rows, columns=columns), [])


@pytest.fixture(scope="module")
def shipped() -> Votes:
    store = RunStore(ROOT / "cached_runs")
    return read_votes(store, load_runs(store))


def test_votes_are_what_the_stored_predictions_say(shipped):
    assert (shipped.models, shipped.problems, len(shipped.table)) == (REPORT_MODELS, [], 10_000)
    arrays = RunStore(ROOT / "cached_runs").open(RunSettings(model="TwoBranchesModel", seed=4).run_id).predictions()
    own = shipped.table[shipped.table["seed"] == 4].set_index(["first_image", "second_image"])
    order = [tuple(pair) for pair in arrays["indices"].tolist()]
    assert own.loc[order, "TwoBranchesModel"].tolist() == arrays["decision"].astype(bool).tolist()
    assert own.loc[order, ["first", "second"]].to_numpy().tolist() == arrays["classes"].tolist()


def test_kinds_are_by_digits_and_by_how_many_are_right(shipped):
    table = shipped.table
    right = sum((table[model] == (table["first"] <= table["second"])).astype(int) for model in shipped.models)
    equal = table["first"] == table["second"]
    assert (table["kind"] == np.where(equal, "equal", np.where(right <= 3, "hard", "plain"))).all()


def test_the_accuracies_are_those_of_the_runs(shipped):
    runs = load_runs(RunStore(ROOT / "cached_runs"))
    means = with_report_settings(runs[(runs["dropout"] == 0)]).groupby("model")["test_accuracy"].mean()
    assert measure_accuracies(shipped) == {model: pytest.approx(means[model]) for model in REPORT_MODELS}


@pytest.mark.parametrize("game", [GAMES[0], 7, GAMES[-1]])
def test_a_game_has_one_pair_of_each_round_in_the_fixed_mix(shipped, game):
    pairs = choose_pairs(shipped, game)
    assert [pair.seed for pair in pairs] == list(range(10))
    assert Counter(pair.kind for pair in pairs) == MIX
    table = shipped.table.set_index(["seed", "first_image", "second_image"])
    for pair in pairs:
        row = table.loc[(pair.seed, *pair.images)]
        assert pair.digits == (row["first"], row["second"])
        assert pair.says == tuple(row[list(shipped.models)])
        assert pair.right == tuple(says == (row["first"] <= row["second"]) for says in pair.says)


def test_the_same_number_gives_the_same_pairs_and_another_gives_others(shipped):
    assert choose_pairs(shipped, 5) == choose_pairs(shipped, 5)
    assert choose_pairs(shipped, 5) != choose_pairs(shipped, 6)


def test_the_choice_is_exact():
    pairs = choose_pairs(make_votes(), 1)
    assert [pair.kind for pair in pairs] == [*5 * ["plain"], "hard", "equal", "hard", "equal", "hard"]
    assert pairs[0] == Pair(0, (2, 9_000), (1, 5), "plain", (True, True, True))


def test_fewer_rounds_give_several_pairs_each_and_a_missing_kind_is_replaced():
    pairs = choose_pairs(make_votes(rounds=2, kinds=("plain", "plain", "plain")), 3)
    assert [pair.seed for pair in pairs] == [0, 1] * 5
    assert {pair.kind for pair in pairs} == {"plain"}
    assert choose_pairs(make_votes(rounds=0), 3) == []


def test_votes_leave_out_what_an_architecture_lacks_and_name_what_cannot_be_read(tmp_path, shipped):
    store = RunStore(tmp_path)
    assert read_votes(store, load_runs(store)).table.empty
    runs = load_runs(RunStore(ROOT / "cached_runs"))
    some = runs[~((runs["model"] == "TwoBranchesModel") & (runs["seed"] == 3))]
    votes = read_votes(RunStore(ROOT / "cached_runs"), some)
    assert votes.models == REPORT_MODELS
    assert sorted(set(votes.table["seed"])) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    missing = runs[runs["seed"] == 3].assign(run_id="TwoChannelsModel-0123456789ab")
    assert read_votes(RunStore(ROOT / "cached_runs"), missing).table.empty


def test_the_mix_is_said_with_what_is_usual():
    votes = make_votes()
    assert describe_mix(choose_pairs(votes, 1), votes) == (
        "Ten pairs are no accuracy, and these were chosen: two with equal digits (25.0 % of all test pairs are) and "
        "three with unequal ones that most of the networks miss (25.0 % of all). Over all 40 test pairs, the networks "
        "are right in 75.0 %."
    )
