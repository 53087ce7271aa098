"""The chapters: their form, and that every number in them is the store's."""

import re
from math import log10
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest

from core.analysis.artefact import DIGIT_MODELS, dropout_artefact
from core.analysis.comparison import Cell, compare_ideas, read_rounds
from core.analysis.evidence import EVIDENCE
from core.analysis.exhibit import Evidence
from core.analysis.findings import digit_accuracy_squared
from core.analysis.lesson import BALLOTS, CHAPTERS
from core.analysis.numbers import fraction, percent, with_sign
from core.analysis.studies import compare_weights, pairs_needed, read_study
from core.analysis.tables import TableWithProblems, load_runs, only_planned, results_table
from core.analysis.traces import early_stop_hypothesis
from core.runs.palette import PALETTE
from core.runs.settings import REPORT_MODELS
from core.runs.store import RunStore
from support.fake_runs import frame_runs
from support.servers import ROOT


@pytest.fixture(scope="module")
def store():
    return RunStore(ROOT / "cached_runs")


@pytest.fixture(scope="module")
def runs(store):
    return load_runs(store)


@pytest.fixture(scope="module")
def evidence(store, runs):
    return {name: find(store, runs) for name, find in EVIDENCE.items()}


def test_there_are_eight_chapters_in_thirty_minutes_each_asking_in_few_words():
    assert [chapter.name for chapter in CHAPTERS] == list(EVIDENCE)
    assert sum(chapter.minutes for chapter in CHAPTERS) == 30
    for chapter in CHAPTERS:
        assert chapter.question.endswith("?")
        assert len(chapter.prompt.split()) <= 25
        assert len(BALLOTS[chapter.place].values) == (len(chapter.options) or chapter.high - chapter.low + 1)
        assert any("All of one mind" in note or "Show one drawing" in note for note in chapter.notes)


@pytest.mark.parametrize("name", [chapter.name for chapter in CHAPTERS])
def test_a_chapter_without_runs_says_what_is_missing(name, tmp_path):
    empty = RunStore(tmp_path)
    shown = EVIDENCE[name](empty, load_runs(empty))
    assert shown.marks == shown.says == ()
    assert re.fullmatch(r"No finished rounds of .+ are stored yet, so there is nothing to reveal\.", shown.problem)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_what_is_revealed_fits_the_steps_and_the_options(chapter, evidence):
    shown: Evidence = evidence[chapter.name]
    if shown.problem:
        return
    assert len(shown.says) == chapter.steps
    parts = [*shown.marks]
    if shown.chart:
        parts += [*shown.chart.arrows, *(point for curve in shown.chart.curves for point in curve.points)]
    assert {part.step for part in parts} == set(range(1 if chapter.name != "game" else 2, chapter.steps + 1))
    assert shown.truth is None or shown.truth in chapter.ballot.values
    assert "{" not in chapter.prompt.format(digit=shown.facts.get("digit", ""))


def texts(shown: Evidence) -> dict[str, str]:
    return {f"{mark.group} {mark.label}".strip(): mark.text for mark in shown.marks}


def test_the_first_chapter_has_the_accuracies_of_the_table(evidence, runs):
    table = results_table(only_planned(runs))
    plain = table[(table["dropout"] == 0) & ~table["dropout_at_evaluation"].astype(bool)].set_index("model")["mean"]
    assert list(texts(evidence["game"]).values()) == [percent(plain[model]) for model in REPORT_MODELS]
    assert REPORT_MODELS[evidence["game"].truth] == plain.idxmax()
    assert percent(plain.max()) in evidence["game"].says[1]


@pytest.mark.parametrize(
    ("name", "change", "truth"),
    [
        ("sharing", "Sharing weights between branches that give a score", 1),
        ("vectors", "Giving vectors instead of scores, with shared weights,", 2),
    ],
)
def test_two_chapters_have_what_compare_says_an_idea_adds(evidence, store, runs, name, change, truth):
    ideas = compare_ideas(read_rounds(store, only_planned(runs)).table)
    own = ideas[ideas["change"] == change].set_index("kind")["difference"]
    expected = {"All pairs": "all", "Unequal digits": "unequal", "Equal digits": "equal"}
    assert texts(evidence[name]) == {label: with_sign(own[kind]) for label, kind in expected.items()}
    assert evidence[name].truth == truth
    assert with_sign(own["all"]) in evidence[name].says[0]
    assert "**half the parameters**" in evidence["sharing"].says[0]


def test_being_told_the_digits_adds_what_compare_says(evidence, store, runs):
    rounds = read_rounds(store, only_planned(runs)).table
    found = []
    for dropout in (0.0, 0.25):
        ideas = compare_ideas(rounds, dropout)
        own = ideas[(ideas["change"] == "Switching on the auxiliary losses") & (ideas["kind"] == "all")]
        found.append(own["difference"].item())
    first, _ = evidence["told"].says
    assert [with_sign(difference) in first for difference in found] == [True, True]
    assert evidence["told"].truth == round(100 * found[0])


def test_the_sweep_of_weights_is_the_studys_and_comes_with_the_second_reveal(evidence, store, runs):
    compared = compare_weights(read_study(store, runs, "auxiliary-weight").table)
    for curve, (dropout, own) in zip(evidence["told"].chart.curves, compared.groupby("dropout"), strict=True):
        without, *points = curve.points
        bare = runs[(runs["model"] == "WeightSharingBranchesToVecModel") & (runs["dropout"] == dropout)]
        assert without.text.endswith(percent(only_planned(bare)["test_accuracy"].mean()))
        assert [point.value for point in points] == pytest.approx(own["mean"].tolist())
        assert [point.step for point in points] == [1, 2, 2, 1, 2, 2]
    assert (
        "The weight with the highest mean is 1, without dropout and with it (its neighbours were not tested against "
        "it); 10 costs **2.4 points** without" in (evidence["told"].says[1])
    )


def test_without_the_study_the_sweep_is_said_to_be_missing(store, runs):
    shown = EVIDENCE["told"](store, only_planned(runs))
    assert shown.says[1].startswith("Other weights than 0 and 1 are not stored yet.")
    assert [len(curve.points) for curve in shown.chart.curves] == [3, 3]


def test_arrows_are_what_the_finding_says_the_plain_network_needs(evidence, store, runs):
    needed = pairs_needed(read_study(store, runs, "data").table)
    chart = evidence["data"].chart
    assert [curve.name for curve in chart.curves] == [PALETTE[model].label for model in REPORT_MODELS]
    assert [(arrow.value, arrow.end) for arrow in chart.arrows] == [
        pytest.approx((each.accuracy, log10(min(each.pairs, 25_000)))) for each in needed
    ]
    plain = chart.curves[0].points
    for arrow, each in zip(chart.arrows, needed, strict=True):  # ends on the plain network's line
        height = np.interp(arrow.end, [point.x for point in plain], [point.value for point in plain])
        assert height == pytest.approx(arrow.value, abs=0.001) or each.pairs == float("inf")
    assert [arrow.step for arrow in chart.arrows] == [2, 2, 2, 2, 2, 1]
    assert evidence["data"].caption == "Test accuracy without dropout, means. 5 rounds of each."
    lost = runs[(runs["seed"] != 4) | (runs["training_pairs"] != 25_000)]
    caption = EVIDENCE["data"](store, lost).caption
    assert "Fewer than 5 rounds so far: 4 rounds with 200, 500, 1,000, 2,000, 5,000, 10,000 and 25,000" in caption


def test_reading_has_the_shares_of_the_finding_and_they_add_up(evidence, store, runs):
    table = digit_accuracy_squared(store, only_planned(runs)).table
    mean = table[table["dropout"] == 0].mean()
    both, lucky, right = evidence["reading"].marks
    assert both.value + lucky.value == pytest.approx(right.value)
    assert [both.text, right.text] == [percent(mean["both_right"]), percent(mean["test_accuracy"])]
    assert CHAPTERS[4].options[evidence["reading"].truth] == "97 %"


def test_dropout_has_the_printed_numbers_and_ours(evidence, store, runs):
    table = dropout_artefact(store, only_planned(runs)).table.set_index(["model", "case"])["mean"]
    shown = texts(evidence["dropout"])
    assert shown["Auxiliary losses printed"] == "0.863"
    assert shown["Direct classification printed"] == "0.953"
    left = table["WeightSharingAuxiliaryModel", "Dropout 0.25, left on"]
    assert shown["Auxiliary losses ours, left on"] == fraction(left)
    assert CHAPTERS[5].options[evidence["dropout"].truth] == "A slip in the test"


def frame_data(plain: dict[int, list[float]], reader: dict[int, list[float]]) -> pd.DataFrame:
    """Rounds without dropout of the plain network and of the reader: training pairs -> accuracies."""
    models = {"TwoChannelsModel": plain, "DirectClassificationModel": reader}
    frames = [
        frame_runs((Cell(model), accuracies), training_pairs=pairs)
        for model, found in models.items()
        for pairs, accuracies in found.items()
    ]
    return pd.concat(frames, ignore_index=True)


def test_the_plain_network_never_gets_there_only_if_the_most_pairs_say_so_clearly():
    reader = {1_000: [0.960, 0.962, 0.964], 25_000: [0.985, 0.987, 0.989]}
    plain = {1_000: [0.81, 0.82, 0.83], 25_000: [0.88, 0.89, 0.90]}
    shown = EVIDENCE["data"](RunStore(ROOT), frame_data(plain, reader))
    assert CHAPTERS[6].options[shown.truth] == "Never here"
    assert "reaches **96.2 %** with 1,000 pairs; Two channels, with 25,000, is at 89.0 %." in shown.says[0]
    assert "leads: with 1,000 it is **+14.2**, with 25,000 it is **+9.7**." in shown.says[1]
    behind = EVIDENCE["data"](RunStore(ROOT), frame_data({**plain, 25_000: [0.99, 0.99, 0.99]}, reader)).says[1]
    assert "with 25,000 it is **−0.3**." in behind
    assert EVIDENCE["data"](RunStore(ROOT), frame_data({**plain, 25_000: [0.88, 0.97, 0.99]}, reader)).truth is None
    # 0.962 ± 4.303 × 0.002 / √3 = 0.957 to 0.967
    clear = EVIDENCE["data"](RunStore(ROOT), frame_data({**plain, 5_000: [0.979, 0.98, 0.981]}, reader))
    assert CHAPTERS[6].options[clear.truth] == "5,000"
    assert clear.says[0].endswith("Two channels, with 5,000, 98.0 %, more than that.")
    near = EVIDENCE["data"](RunStore(ROOT), frame_data({**plain, 5_000: [0.97, 0.97, 0.98]}, reader))
    assert near.truth is None
    assert near.says[0].endswith("Two channels, with 5,000, 97.3 %, about as much, not clearly more or less.")
    few = EVIDENCE["data"](RunStore(ROOT), frame_data({1_000: [0.8, 0.8]}, reader))
    assert few.problem.startswith("No finished rounds of Two channels with more than 1,000 training pairs")


def test_the_first_chapter_says_what_pairs_a_game_has(evidence):
    assert evidence["game"].says[0].endswith("two have equal digits, and most of the networks miss three.")


def test_equal_digits_hide_what_sharing_does_only_if_nothing_is_clear_over_all(store, runs):
    rounds = read_rounds(store, only_planned(runs)).table
    shared = (rounds["model"] == "WeightSharingBranchesModel") & (rounds["dropout"] == 0)
    with patch("core.analysis.evidence_ideas.read_rounds") as read:
        read.return_value = TableWithProblems(rounds, [])
        assert "the two hide each other" in EVIDENCE["sharing"](store, runs).says[1]
        clearer = rounds.assign(all=rounds["all"].where(~shared, rounds["all"] + 0.02))
        read.return_value = TableWithProblems(clearer, [])
        assert EVIDENCE["sharing"](store, runs).says[1].startswith("On unequal digits: **+3.0 points**")


def test_an_earlier_stop_comes_near_both_printed_figures_as_the_notes_say(store, runs):
    table = early_stop_hypothesis(store, only_planned(runs), 0.25).table
    two = table[table["model"].isin(DIGIT_MODELS) & (table["epoch"] == 45)]
    assert (two["difference"].abs() < 0.01).all()
    [dropout] = [chapter for chapter in CHAPTERS if chapter.name == "dropout"]
    assert "an earlier stop than the report's rule comes near" in " ".join(dropout.notes)


def test_the_plan_for_teachers_has_the_same_chapters_and_minutes():
    text = (ROOT / "docs" / "lesson.md").read_text(encoding="utf-8")
    for chapter in CHAPTERS:
        assert f"| {chapter.place + 1} | {chapter.minutes} | {chapter.question} |" in text
