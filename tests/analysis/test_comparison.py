"""What each idea adds and which architectures differ, on all, unequal and equal digits, against hand-worked cases."""

from math import comb

import numpy as np
import pandas as pd
import pytest

from core.analysis.comparison import (
    KINDS,
    LADDER,
    Cell,
    compare_architectures,
    compare_cells,
    compare_ideas,
    describe_architectures,
    describe_coin,
    describe_control,
    describe_ideas,
    describe_pair,
    read_rounds,
    select_cells,
    tabulate_architectures,
)
from core.analysis.statistics import compare_paired, holm
from core.analysis.tables import load_runs
from core.runs.settings import MODEL_NAMES, RunSettings
from core.runs.store import RunStore
from support.fake_runs import CLASSES, write_run
from support.servers import ROOT

TWO, SHARED, DIRECT = "TwoBranchesModel", "WeightSharingBranchesModel", "DirectClassificationModel"
AUXILIARY, VECTORS = "WeightSharingAuxiliaryModel", "WeightSharingBranchesToVecModel"
TARGET = CLASSES[:, 0] <= CLASSES[:, 1]
EQUAL = CLASSES[:, 0] == CLASSES[:, 1]  # 100 of the 1,000

pytestmark = pytest.mark.filterwarnings("error")


def frame_rounds(*cells: tuple[Cell, list[float], list[float]]) -> pd.DataFrame:
    """A frame as read_rounds gives it: for each cell the accuracies on unequal and on equal digits at seeds 0, 1, …, of
    900 and 100 pairs."""
    rows = [
        (*cell, seed, 0.9 * unequal + 0.1 * equal, unequal, equal, 50 + seed, 1_000, 100, round(100 * equal))
        for cell, *kinds in cells
        for seed, (unequal, equal) in enumerate(zip(*kinds, strict=True))
    ]
    return pd.DataFrame(rows, columns=[*Cell._fields, "seed", *KINDS, "epochs", "count", "equal_count", "equal_right"])


def test_accuracy_by_kind_of_pair_is_counted_from_the_answers(tmp_path):
    store = RunStore(tmp_path)
    decision = TARGET.copy()
    decision[np.flatnonzero(EQUAL)[:40]] ^= True  # 40 of 100 equal pairs are wrong
    decision[np.flatnonzero(~EQUAL)[:45]] ^= True  # 45 of 900 unequal ones
    write_run(store, RunSettings(model=SHARED, seed=3), 0.915, arrays={"decision": decision})
    write_run(store, RunSettings(model=AUXILIARY, auxiliary_weight=0), 0.9)
    write_run(store, RunSettings(model=SHARED, hidden_units=64), 0.9)
    table, problems = read_rounds(store, load_runs(store))
    assert problems == []
    assert len(table) == 2
    row = table.set_index("model").loc[SHARED]
    assert row[["seed", "count", "equal_count", "equal_right"]].tolist() == [3, 1_000, 100, 60]
    assert row[["all", "unequal", "equal"]].tolist() == pytest.approx([0.915, 855 / 900, 0.6])
    assert table.set_index("model").loc[AUXILIARY, "auxiliary_weight"] == 0


def test_a_run_without_predictions_is_named(tmp_path):
    store = RunStore(tmp_path)
    run_id = write_run(store, RunSettings(model=TWO), 0.9)
    (store.path(run_id) / "predictions.safetensors").unlink()
    table, [problem] = read_rounds(store, load_runs(store))
    assert table.empty
    assert run_id in problem


def test_only_common_rounds_are_paired_and_everything_is_one_family():
    rounds = frame_rounds(
        (Cell(TWO), [0.80, 0.82, 0.90], [0.7, 0.7, 0.7]), (Cell(SHARED), [0.81, 0.85], [0.5, 0.6]),
        (Cell(DIRECT), [0.9, 0.91], [0.9, 0.92]),
    )  # fmt: skip
    table = compare_cells(rounds, [(Cell(TWO), Cell(SHARED)), (Cell(SHARED), Cell(TWO)), (Cell(TWO), Cell(DIRECT))])
    assert table["kind"].tolist() == 3 * list(KINDS)
    assert table["rounds"].tolist() == 9 * [2]
    assert table["difference"].tolist()[:3] == pytest.approx([0.9 * 0.02 - 0.015, 0.02, -0.15])
    assert table["difference"].tolist()[3:6] == pytest.approx([-0.003, -0.02, 0.15])
    assert table["p"].tolist()[1] == pytest.approx(compare_paired([0.01, 0.03]).p)
    assert table["p_holm"].to_numpy() == pytest.approx(holm(table["p"]))


def test_dropout_left_on_and_other_weights_are_other_cells():
    left_on, control = Cell(DIRECT, 0.25, True), Cell(AUXILIARY, auxiliary_weight=0.0)
    rounds = frame_rounds(
        (Cell(DIRECT, 0.25), [0.96, 0.97], [0.96, 0.97]), (left_on, [0.95, 0.95], [0.95, 0.95]),
        (Cell(AUXILIARY), [0.86, 0.86], [0.86, 0.86]), (control, [0.84, 0.85], [0.84, 0.85]),
    )  # fmt: skip
    table = compare_cells(rounds, [(Cell(DIRECT, 0.25), left_on), (control, Cell(AUXILIARY))])
    assert table["difference"].tolist() == pytest.approx(3 * [-0.015] + 3 * [0.015])


def test_the_ladders_steps_differ_by_one_thing_each():
    assert [(step.first, step.second) for step in LADDER if step.change.startswith("Sharing")] == [
        (TWO, SHARED),
        ("BranchesToVecModel", VECTORS),
    ]
    layers, losses = LADDER[4], LADDER[5]
    assert layers[1:] == (VECTORS, AUXILIARY, 1.0, 0.0)  # the step to the auxiliary network in two, by the control
    assert losses[1:] == (AUXILIARY, AUXILIARY, 0.0, 1.0)


def test_ideas_and_what_dropout_adds_are_one_family():
    rounds = frame_rounds(
        *[(Cell(model), [0.8, 0.81, 0.83], [0.6, 0.65, 0.7]) for model in MODEL_NAMES],
        *[(Cell(model, 0.25), [0.81, 0.83, 0.84], [0.6, 0.7, 0.65]) for model in MODEL_NAMES],
    )
    without, with_dropout = compare_ideas(rounds), compare_ideas(rounds, 0.25)
    assert (len(without), len(with_dropout)) == (21, 21 + 3 * len(MODEL_NAMES))
    assert set(without["group"]) == {"idea"}
    effects = with_dropout[with_dropout["group"] == "dropout"]
    assert effects["model"].tolist() == [model for model in MODEL_NAMES for _ in KINDS]
    assert effects["difference"].tolist()[1] == pytest.approx(0.04 / 3)  # with − without, on unequal digits
    known = with_dropout["p"].notna()
    assert known.sum() == 15 + 3 * len(MODEL_NAMES)  # the control has no rounds here
    assert with_dropout["p_holm"].to_numpy() == pytest.approx(holm(with_dropout["p"]), nan_ok=True)


def idea(**kinds):
    """A change's three rows: (difference, low, high, p_holm) for each kind."""
    rows = [("idea", "It", TWO, 0, kind, 10, *values[:3], values[3], values[3]) for kind, values in kinds.items()]
    columns = ["group", "change", "model", "pair", "kind", "rounds", "difference", "low", "high", "p", "p_holm"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(clear=table["p_holm"] < 0.05)


def test_an_ideas_sentence_says_where_it_is_clear_and_where_not():
    table = idea(
        all=(0.007, -0.003, 0.018, 1.0), unequal=(0.030, 0.016, 0.044, 0.049), equal=(-0.177, -0.238, -0.116, 0.002)
    )
    assert describe_ideas(table) == [
        "It adds 3.0 points on unequal digits (95 % 1.6 to 4.4, Holm's p 0.049) and costs 17.7 points on equal digits "
        "(95 % 11.6 to 23.8, Holm's p 0.002); it makes no clear difference over all pairs (0.7 points, 95 % −0.3 to "
        "1.8), n = 10."
    ]
    nothing = idea(
        all=(0.007, 0.0002, 0.018, 0.05), unequal=(0.030, 0.016, 0.044, 0.051), equal=(-0.01, -0.1, 0.09, 1.0)
    )
    assert describe_ideas(nothing) == [
        "It makes no clear difference over all pairs (0.7 points, 95 % 0.02 to 1.8), on unequal digits (3.0 points, "
        "95 % 1.6 to 4.4) or on equal digits (−1.0 points, 95 % −10.0 to 9.0), n = 10."
    ]
    everything = idea(
        all=(-0.007, -0.01, -0.003, 0.01), unequal=(0.030, 0.016, 0.044, 0.01), equal=(0.1, 0.09, 0.12, 0.0001)
    )
    assert describe_ideas(everything)[0].startswith("It costs 0.7 points over all pairs (95 % 0.3 to 1.0, Holm's p 0.0")
    assert "no clear" not in describe_ideas(everything)[0]


def test_a_step_without_common_rounds_cannot_be_judged():
    sentences = describe_ideas(compare_ideas(frame_rounds((Cell(TWO), [0.8, 0.8], [0.8, 0.8]))))
    assert len(sentences) == 7
    assert all(
        sentence.endswith("cannot be judged yet: it takes two common rounds, there are none.") for sentence in sentences
    )


def test_the_coin_is_tossed_on_equal_digits():
    # 50 of 100 in each of two rounds: t(0.975, 1) = 12.7062, squared 161.448, n + t² = 361.448
    rounds = frame_rounds((Cell(SHARED), [0.9, 0.9], [0.5, 0.5]), (Cell(TWO), [0.87, 0.87], [0.69, 0.69]))
    half = 100 * 12.7062 / 361.448 * (200 / 4 + 161.448 / 4) ** 0.5
    sentence = describe_coin(rounds)
    assert sentence.startswith("Equal digits are 10.0 % of the pairs. There Shared branches can only toss a coin,")
    assert f": 50.0 % (95 % {50 - half:.1f} % to {50 + half:.1f} %) right; Two branches, with an f for each" in sentence
    assert sentence.endswith("Over all pairs both effects mix.")
    assert describe_coin(frame_rounds((Cell(SHARED), [0.9, 0.9], [0.5, 0.5]))).endswith("right.")
    assert describe_coin(frame_rounds((Cell(SHARED), [0.9], [0.5]))) == ""
    assert describe_coin(rounds, 0.25) == ""


def test_the_controls_shorter_training_is_said():
    control = Cell(AUXILIARY, auxiliary_weight=0.0)
    rounds = frame_rounds((control, [0.8, 0.8, 0.8], [0.8, 0.8, 0.8]), (Cell(AUXILIARY), [0.9], [0.9]))
    assert describe_control(rounds) == (
        "With its losses the auxiliary network trained for 50 epochs on average, with them switched off for 51: what "
        "they add includes what comes of that."
    )
    assert describe_control(rounds[rounds["auxiliary_weight"] == 1]) == ""
    assert describe_control(rounds, 0.25) == ""


def test_all_pairs_are_corrected_together():
    spread = np.array([-0.01, 0.0, 0.012])
    rounds = frame_rounds(
        *[
            (Cell(model), (0.8 + place / 50 + place * spread).tolist(), (0.5 + place * spread).tolist())
            for place, model in enumerate(MODEL_NAMES)
        ]
    )
    table = compare_architectures(rounds)
    assert len(table) == 3 * comb(len(MODEL_NAMES), 2)
    assert table.loc[0, ["first", "second"]].tolist() == ["TwoChannelsModel", "TwoBranchesModel"]
    assert table.loc[1, "difference"] == pytest.approx(0.02 + spread.mean())
    assert table["p_holm"].to_numpy() == pytest.approx(holm(table["p"]))


def test_clear_pairs_are_counted_and_starred():
    rounds = frame_rounds(
        (Cell(TWO), [0.80, 0.81, 0.82], [0.6, 0.5, 0.7]), (Cell(SHARED), [0.90, 0.91, 0.92], [0.6, 0.52, 0.69])
    )
    table = compare_architectures(rounds)
    assert describe_architectures(table) == [
        "1 of 1 pairs of architectures differ clearly over all pairs, 1 of 1 pairs of architectures differ clearly on "
        "unequal digits, 0 of 1 pairs of architectures differ clearly on equal digits (paired t tests, Holm's "
        "correction over all 3 comparisons of this screen)."
    ]
    [row] = tabulate_architectures(table).to_dict("records")
    assert (row["ahead"], row["behind"]) == ("Shared branches", "Two branches")
    assert row["unequal"] == "10.0 (10.0 to 10.0) *"
    assert row["equal"] == "0.3 (−3.5 to 4.1)"  # 0, 2, −1: mean ⅓, deviation 1.5275, t(0.975, 2) = 4.3027 / √3
    assert describe_pair(table, SHARED, TWO) == describe_pair(table, TWO, SHARED)
    assert describe_pair(table, TWO, SHARED).startswith("Shared branches instead of Two branches adds 9.0 points")
    assert describe_pair(table, TWO, DIRECT).endswith("it takes two common rounds, there are none.")


def test_an_empty_store_gives_empty_tables(tmp_path):
    store = RunStore(tmp_path)
    rounds = read_rounds(store, load_runs(store)).table
    assert compare_architectures(rounds)["rounds"].tolist() == 3 * comb(len(MODEL_NAMES), 2) * [0]
    assert compare_ideas(rounds, 0.25)["p_holm"].isna().all()
    assert describe_architectures(compare_architectures(rounds)) == [
        "No two architectures share two rounds yet, so none can be compared."
    ]
    assert tabulate_architectures(compare_architectures(rounds)).empty
    assert select_cells(load_runs(store), [Cell(TWO)]).empty


def test_what_the_shipped_runs_show_on_unequal_digits():
    """The control splits the step to the auxiliary losses, and equal digits hide what sharing weights adds."""
    store = RunStore(ROOT / "cached_runs")
    table = compare_ideas(read_rounds(store, load_runs(store)).table).set_index(["change", "kind"])
    points = (100 * table["difference"]).round(1)
    sharing, layers, losses = (LADDER[place].change for place in (0, 4, 5))
    assert points[sharing].tolist() == [0.7, 3.0, -17.7]
    assert table["clear"][sharing].tolist() == [False, True, True]
    assert (points[layers]["all"], points[losses]["all"]) == (-0.6, 1.7)
    assert (table["clear"][layers]["all"], table["clear"][losses]["all"]) == (False, True)
