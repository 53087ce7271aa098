"""What goes into an export: each figure with its question, its sentences, and how it was computed."""

import pandas as pd

from core.analysis import unseen
from core.analysis.agreement import compare_orders, compare_with_report, describe_reproduction
from core.analysis.artefact import describe_artefact, dropout_artefact
from core.analysis.comparison import (
    compare_architectures,
    compare_ideas,
    describe_architectures,
    describe_coin,
    describe_control,
    describe_ideas,
    read_rounds,
)
from core.analysis.distance import accuracy_by_distance, count_by_distance, describe_distance
from core.analysis.findings import (
    QUESTIONS,
    describe_epochs,
    describe_parameters,
    describe_squared,
    digit_accuracy_squared,
    epochs_to_stop,
    parameters_and_accuracy,
)
from core.analysis.learning import compare_epochs, compare_speed, describe_speed, read_learning
from core.analysis.learning import describe_epochs as describe_last_or_best
from core.analysis.mistakes import read_answers
from core.analysis.sentences import name_dropout
from core.analysis.studies import (
    accuracy_by_pairs,
    compare_twins,
    compare_weights,
    describe_data,
    describe_weights,
    read_study,
)
from core.analysis.tables import load_histories, with_report_settings
from core.analysis.traces import describe_hypothesis, early_stop_hypothesis
from core.figures import comparison as comparison_charts
from core.figures import findings as finding_charts
from core.figures import learning as learning_charts
from core.figures import mistakes as mistake_charts
from core.figures import studies as study_charts
from core.figures.files import Section
from core.runs.plan import SHIPPED_DROPOUTS
from core.runs.store import RunStore
from core.runs.studies import STUDIES

PAIRED = (
    "in a round all architectures meet the same 1,000 test pairs, so differences are taken by round (Student's t test "
    "and 95 % interval of the differences)"
)
METHODS = {
    "agreement": (
        "mean test accuracy over the rounds of a cell with Student's 95 % interval; its difference from the printed "
        "mean by Welch's test, from the printed sample deviation and ten rounds, with Holm's correction over the 14 "
        "cells; Kendall's τ over 10,000 resamplings of our rounds, the printed means taken as they are."
    ),
    "curves": (
        "mean over rounds of the accuracy on the 200 validation pairs after every epoch; a round that has stopped "
        "keeps its last value, as in the report; a mark where a round stopped early."
    ),
    "ideas": f"{PAIRED}, over all pairs, on unequal and on equal digits; Holm's correction over the {{}} comparisons.",
    "architectures": f"{PAIRED}, for each kind of pairs of digits; Holm's correction over the 63 comparisons.",
    "artefact": (
        "mean test accuracy over rounds with Student's 95 % interval; gains over no dropout by round (paired t "
        "test), distances from the printed figures by Welch's test; Holm's correction over all of these. The best "
        "epoch is the stored one nearest to the first of the highest validation accuracy; every fifth epoch is "
        "stored, and there Direct classification decides by its probability."
    ),
    "distance": (
        "share of right answers over all rounds of an architecture, with intervals that count rounds (Wilson's, with "
        "the design effect of the rounds); contrasts by round (paired t test), Holm's correction over all of them."
    ),
    "parameters": (
        "distinct trainable numbers against mean test accuracy over rounds with Student's 95 % interval; Kendall's τ "
        "over the architectures, one test."
    ),
    "epochs": "epochs until a round ended, at most 100; means over rounds with Student's 95 % interval; no test.",
    "squared": (
        "single rounds of Direct classification: the share of right comparisons, the squared share of digits read "
        "rightly, and what independent misreadings with the round's own confusion matrix would give; no test."
    ),
    "hypothesis": (
        "without dropout: mean test accuracy at every fifth epoch minus the printed mean; a round that has stopped "
        "keeps its last value; at the epoch where the first two come nearest to the print Welch's test with Holm's "
        "correction over all. Direct classification decides by its probability there."
    ),
    "data": (
        "mean test accuracy over rounds with Student's 95 % interval, without dropout; the plain network's accuracies "
        "joined by straight lines over the logarithm of the pairs, by round: the interval of the pairs is where "
        "Student's for the differences from the other network holds zero. Holm's correction over the sizes."
    ),
    "twins": f"{PAIRED}; hidden units chosen for equal parameters; Holm's correction over the 12 comparisons.",
    "weights": f"{PAIRED}, against an auxiliary weight of 0; Holm's correction over all comparisons.",
    "speed": (
        f"{PAIRED}, at epoch 20, when the slower of a round's two has trained 20 epochs by the stored processor time "
        "(between stored epochs along a straight line), and at the end; Holm's correction over all comparisons."
    ),
    "best": (
        "test accuracy of the weights of the best validation epoch minus the last one's, by round, mean over the seven "
        "architectures, without dropout; paired t test, Holm's correction over the numbers of training pairs."
    ),
    "unseen": unseen.METHOD,
}


def draw_sections(store: RunStore, runs: pd.DataFrame, whole: pd.DataFrame) -> list[Section]:
    """All figures of the comparison and the findings, of the `runs` that count; those of the studies, of the `whole`
    store."""
    table = compare_with_report(runs)
    kept = with_report_settings(runs)
    shown = kept["dropout"].isin(SHIPPED_DROPOUTS) & ~kept["dropout_at_evaluation"].astype(bool)
    histories = load_histories(store, kept["run_id"][shown])
    rounds, unread = read_rounds(store, runs[runs["dropout"].isin(SHIPPED_DROPOUTS)])
    return [
        Section(
            "ours-beside-the-report",
            "Do our networks agree with the report's?",
            comparison_charts.comparison_dots(table),
            describe_reproduction(table, compare_orders(runs)) + unread,
            METHODS["agreement"],
        ),
        Section(
            "learning-curves",
            "How do the architectures learn?",
            learning_charts.mean_curves(histories, runs),
            [],
            METHODS["curves"],
        ),
        *[section for dropout in SHIPPED_DROPOUTS for section in _draw_differences(rounds, dropout)],
        *_draw_findings(store, runs),
        *_draw_studies(store, runs, whole),
    ]


def _draw_differences(rounds: pd.DataFrame, dropout: float) -> list[Section]:
    """What each idea adds and which architectures differ, at one dropout; with dropout, what that adds."""
    where = name_dropout(dropout).lower()
    slug = where.replace(" ", "-")
    table, pairs = compare_ideas(rounds, dropout), compare_architectures(rounds, dropout)
    method = METHODS["ideas"].format(int(table["p_holm"].notna().sum()))
    ideas, effects = (table[table["group"] == group] for group in ("idea", "dropout"))
    sections = [
        Section(
            f"what-each-idea-adds-{slug}",
            f"What does each idea add? ({where})",
            comparison_charts.ladder(ideas),
            [*describe_ideas(ideas), describe_control(rounds, dropout), describe_coin(rounds, dropout)],
            method,
        ),
        Section(
            f"which-architectures-differ-{slug}",
            f"Which architectures differ? ({where})",
            comparison_charts.paired_matrix(pairs),
            describe_architectures(pairs),
            METHODS["architectures"],
        ),
    ]
    if dropout:
        question = f"What does dropout {dropout:g} add?"
        drawn = comparison_charts.ladder(effects)
        sections.append(Section(f"what-{slug}-adds", question, drawn, describe_ideas(effects), method))
    return sections


def _draw_findings(store: RunStore, runs: pd.DataFrame) -> list[Section]:
    """The six questions of the findings; those about one dropout without it."""
    kept = with_report_settings(runs)
    answers, unread = read_answers(store, kept[kept["dropout"] == 0])
    distances = count_by_distance(answers)
    artefact, lost = dropout_artefact(store, runs)
    sizes, epochs = parameters_and_accuracy(runs), epochs_to_stop(runs)
    squared, more = digit_accuracy_squared(store, runs)
    hypothesis, rest = early_stop_hypothesis(store, runs)
    lines = mistake_charts.distance_lines(accuracy_by_distance(distances))
    dots = finding_charts.parameters_dots(sizes[sizes["dropout"] == 0])
    figures = {
        "artefact": (finding_charts.artefact_dots(artefact), describe_artefact(artefact) + lost),
        "distance": (lines, describe_distance(distances) + unread),
        "parameters": (dots, describe_parameters(sizes)),
        "epochs": (finding_charts.epochs_boxes(epochs), describe_epochs(epochs)),
        "squared": (finding_charts.squared_scatter(squared), describe_squared(squared) + more),
        "hypothesis": (finding_charts.hypothesis_curves(hypothesis), describe_hypothesis(hypothesis) + rest),
    }
    names = {
        "artefact": "dropout-off-and-left-on",
        "distance": "accuracy-by-distance-of-the-digits",
        "parameters": "parameters-and-accuracy",
        "epochs": "epochs-until-training-ended",
        "squared": "reading-digits-and-comparing-them",
        "hypothesis": "an-earlier-stop-as-an-explanation",
    }
    return [Section(names[key], QUESTIONS[key], *figures[key], METHODS[key]) for key in figures]


def _draw_studies(store: RunStore, runs: pd.DataFrame, whole: pd.DataFrame) -> list[Section]:
    """The studies, of the `whole` store; who learns fast, of the `runs` that count; what no network has seen."""
    tables = {name: read_study(store, whole, name) for name in STUDIES}
    data = tables["data"].table
    twins, weights = compare_twins(tables["twins"].table), compare_weights(tables["auxiliary-weight"].table)
    learning = read_learning(store, runs)
    speed, best, counted = compare_speed(learning.table), compare_epochs(data), unseen.count_unseen()
    plain = data[data["dropout"] == 0]
    panels = {title: accuracy_by_pairs(plain, kind) for title, kind in (("All", "all"), ("Unequal", "unequal"))}
    needed = describe_data(data)
    figures = {
        "data": (study_charts.data_lines(panels, needed), needed + tables["data"].problems),
        "twins": (comparison_charts.ladder(twins), describe_ideas(twins) + tables["twins"].problems),
        "weights": (
            study_charts.weight_dots(weights),
            describe_weights(weights) + tables["auxiliary-weight"].problems,
        ),
        "speed": (study_charts.speed_dots(speed), describe_speed(speed) + learning.problems),
        "best": (study_charts.epoch_dots(best), describe_last_or_best(best)),
        "unseen": (finding_charts.unseen_dots(counted), unseen.describe_unseen(counted)),
    }
    names = {
        "data": "accuracy-by-training-pairs",
        "twins": "sharing-at-equal-parameters",
        "weights": "accuracy-by-auxiliary-weight",
        "speed": "who-learns-fast",
        "best": "last-epoch-or-best",
        "unseen": "what-networks-have-never-seen",
    }
    return [Section(names[key], QUESTIONS[key], *figures[key], METHODS[key]) for key in figures]
