"""Every setting ever tried, in groups of those that do not clearly differ."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from core.analysis.comparison import Cell
from core.analysis.leaderboard import describe_origin, leaderboard, rank_in_groups
from core.analysis.tables import load_runs
from core.runs.settings import RunSettings
from core.runs.store import RunStore
from support.fake_runs import frame_runs, with_rounds, write_run

TWO, SHARED = "TwoBranchesModel", "WeightSharingBranchesModel"

pytestmark = pytest.mark.filterwarnings("error")


def series(values, first_seed=0):
    return pd.Series(values, index=range(first_seed, first_seed + len(values)))


def test_only_certain_settings_are_ranked():
    runs = pd.concat([
        frame_runs((Cell(TWO), with_rounds(0.83, 0.01, 5)), (Cell(SHARED), with_rounds(0.85, 0.01, 6))),
        frame_runs((Cell(TWO), [0.99]), hidden_units=64),
    ])  # fmt: skip
    board = leaderboard(runs)
    assert board["model"].tolist() == [SHARED, TWO, TWO]
    assert board["hidden_units"].tolist() == [128, 128, 64]
    assert board["rank"].tolist() == [1, 2, pd.NA]
    assert board["certain"].tolist() == [True, True, False]
    assert board["rounds"].tolist() == [6, 5, 1]
    assert board["epochs"].tolist() == [52.5, 52, 50]
    assert np.isnan(board.loc[2, "std"])
    assert "seed" not in board


def test_a_rank_is_shared_with_the_best_of_its_group():
    # Paired over five rounds: differences of 0.01, 0.02, 0.03, 0.04, 0.05 have mean 0.03, error 0.0070711, t = 4.2426,
    # p = 0.0132 with 4 degrees: clear as the only test, and not clear as one of four (0.0529).
    best = series([0.9, 0.9, 0.9, 0.9, 0.9])
    second = best - [0.01, 0.02, 0.03, 0.04, 0.05]
    assert rank_in_groups([best, second]) == [1, 2]
    assert rank_in_groups([best, second, second, second]) == [1, 2, 2, 2]
    assert rank_in_groups([best, second, second, second, second]) == 5 * [1]


def test_a_group_is_measured_from_its_leader_and_not_from_neighbour_to_neighbour():
    noise = np.array([0.015, -0.015, 0.0, 0.01, -0.01])
    settings = [series(0.9 - place / 100 + np.roll(noise, place)) for place in range(7)]
    assert all(rank_in_groups(list(pair)) == [1, 1] for pair in pairwise(settings))
    ranks = rank_in_groups(settings)
    assert ranks[0] == ranks[1] == 1
    assert ranks[-1] > 1


def test_settings_without_common_rounds_are_compared_all_the_same():
    one, other = series(with_rounds(0.9, 0.01)), series(with_rounds(0.8, 0.01), 50)
    assert rank_in_groups([one, other]) == [1, 2]
    assert rank_in_groups([one, series(with_rounds(0.9, 0.01), 50)]) == [1, 1]


def test_runs_that_have_not_finished_and_an_empty_store(tmp_path):
    runs = frame_runs((Cell(TWO), [0.8, 0.9]))
    runs.loc[1, "state"] = "stopped"
    assert leaderboard(runs)["mean"].tolist() == [0.8]
    assert leaderboard(runs)["rank"].isna().all()
    assert leaderboard(load_runs(RunStore(tmp_path))).empty


def test_the_board_says_which_rounds_are_the_reproductions(tmp_path):
    store = RunStore(tmp_path / "runs")
    for settings in [
        *RunSettings().rounds(12),
        *RunSettings(dropout=0.3).rounds(2),
        *RunSettings(dropout=0.5).rounds(2),
    ]:
        write_run(store, settings, 0.9 - settings.dropout / 10)
    runs = load_runs(store)
    assert describe_origin(leaderboard(runs), runs) == ["10 of 12", "none", "all"]
