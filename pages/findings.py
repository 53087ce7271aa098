"""What the runs show beyond the table: a question, a figure, two sentences with numbers from the store."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from core.analysis import artefact, comparison, distance, findings, learning, studies, traces, unseen
from core.analysis.headlines import Headline, find_headline
from core.analysis.mistakes import read_answers
from core.analysis.sentences import describe_gaps
from core.figures import comparison as comparison_charts
from core.figures import findings as finding_charts
from core.figures import mistakes as mistake_charts
from core.figures import studies as study_charts
from core.figures.style import FigureWithAlt
from pages.app.router import enter_by_router
from pages.app.shared import (
    STORE,
    is_phone,
    planned_signature,
    read_comparison,
    read_counted,
    read_runs,
    report_signature,
)
from pages.app.text import as_text
from pages.components.figure import draw, show_figure
from pages.components.link import check_link
from pages.components.own_rounds import choose_counted
from pages.components.sentences import show_note, show_number, show_sentences

METHODS = {
    "artefact": "Best epoch: the stored one nearest to the first of the highest validation accuracy; every fifth "
    "epoch is stored, and there Direct classification decides by its probability. *Compare* tests others beside the "
    "same ones, so a p near 0.05 differs there.",
    "distance": "Intervals count rounds, not answers: a round's answers come from one network.",
    "hypothesis": "Without dropout. Mean test accuracy at every fifth epoch minus the printed one; a round that has "
    "stopped keeps its last value. Dots at the grey line: filled where clearly off the print. Direct classification "
    "decides by its probability.",
    "data": "The report's settings but for the number of training pairs, four fifths of which train; an epoch has as "
    "many more steps as there are more pairs, so what comes of that is counted with the data. What the plain "
    "network needs: its accuracies joined by straight lines over the logarithm of the pairs, by round; the interval is "
    "where Student's for the differences from the other network holds zero.",
    "twins": "Equal parameters by more or fewer hidden units: 326 in shared branches against 128 in own ones, and 128 "
    "against 29. Filled where clear.",
    "weights": "Differences by round from a weight of 0. Filled: without dropout. Holm's correction is over the "
    "comparisons of this finding; *Compare* tests others beside the same ones, so a p near 0.05 differs there.",
    "speed": "Without dropout; test accuracy at every fifth epoch, held once a round has ended. In equal time: when "
    "the slower of a round's two has trained 20 epochs, by the processor time that was stored with each epoch; between "
    "stored epochs along a straight line. Direct classification decides by its probability. Holm's correction is over "
    "the comparisons of this finding; *Compare* tests others beside the same ones, so a p near 0.05 differs there.",
    "best": "Runs that the study of data trained, which keep both figures; those with the report's 1,000 pairs do not. "
    "A round's difference is its mean over the seven architectures; rounds that lack one are left out.",
    "unseen": unseen.METHOD,
}
DESCRIBED: dict[str, Callable[..., list[str]]] = {
    "artefact": artefact.describe_artefact,
    "distance": distance.describe_distance,
    "parameters": findings.describe_parameters,
    "epochs": findings.describe_epochs,
    "squared": findings.describe_squared,
    "hypothesis": traces.describe_hypothesis,
    "data": studies.describe_data,
    "twins": comparison.describe_ideas,
    "weights": studies.describe_weights,
    "speed": learning.describe_speed,
    "best": learning.describe_epochs,
    "unseen": unseen.describe_unseen,
}
STUDIED = ("data", "twins", "weights", "best")  # made of the studies' runs, not of the reproduction's alone


@st.cache_resource(max_entries=12, show_spinner="Reading the runs…")
def find(question: str, signature: int) -> tuple[Any, list[str]]:
    """The data frame of a finding, which nobody changes, and a sentence for each run that could not be read."""
    runs = read_counted()
    match question:
        case "artefact":
            return artefact.dropout_artefact(STORE, runs)
        case "parameters":
            return findings.parameters_and_accuracy(runs), []
        case "epochs":
            return findings.epochs_to_stop(runs), []
        case "distance":
            answers, problems = read_answers(STORE, runs)
            return distance.count_by_distance(answers), problems
        case "squared":
            return findings.digit_accuracy_squared(STORE, runs)
        case "data" | "best":
            return studies.read_study(STORE, read_runs(), "data")
        case "twins":
            return studies.read_study(STORE, read_runs(), "twins")
        case "weights":
            return studies.read_study(STORE, read_runs(), "auxiliary-weight")
        case "speed":
            return learning.read_learning(STORE, runs)
        case "unseen":
            return unseen.count_unseen(), []
        case _:
            return traces.early_stop_hypothesis(STORE, runs)


class Answer(NamedTuple):
    """What a finding's figure is drawn from, what it says, and its one large number if it has one."""

    evidence: Any
    sentences: list[str]
    headline: Headline | None


def is_empty(table: pd.DataFrame) -> bool:
    """Whether no run answers: a study shares runs with the reproduction, which alone compare nothing."""
    return table.empty or ("rounds" in table and not table["rounds"].sum())


@st.cache_resource(max_entries=32, show_spinner=False)
def answer(question: str, dropout: float, signature: int) -> Answer:
    """The answer to a question at one dropout, if its figure has one; nobody changes it. Its tests take up to 60 ms."""
    evidence = weigh(question, find(question, signature)[0], dropout)
    if is_empty(evidence):
        return Answer(evidence, [], None)
    return Answer(evidence, describe(question, evidence, dropout), find_headline(question, evidence, dropout))


def weigh(question: str, table: pd.DataFrame, dropout: float) -> Any:
    """The comparisons that a question asks for, or the table itself."""
    match question:
        case "twins":
            return studies.compare_twins(table)
        case "weights":
            return studies.compare_weights(table)
        case "speed":
            return learning.compare_speed(table)
        case "best":
            return learning.compare_epochs(table, dropout)
        case _:
            return table


def describe(question: str, evidence: Any, dropout: float) -> list[str]:
    """The sentences below the figure."""
    arguments = (evidence, dropout) if question in ("distance", "parameters", "data") else (evidence,)
    return DESCRIBED[question](*arguments)


def draw_answer(question: str, evidence: pd.DataFrame, sentences: list[str], dropout: float) -> FigureWithAlt:
    """The figure of a question at one dropout."""
    match question:
        case "artefact":
            return draw(finding_charts.artefact_dots, evidence, is_phone())
        case "distance":
            shown = evidence[(evidence["dropout"] == dropout) & ~evidence["dropout_at_evaluation"].astype(bool)]
            return draw(mistake_charts.distance_lines, distance.accuracy_by_distance(shown))
        case "parameters":
            return draw(finding_charts.parameters_dots, evidence[evidence["dropout"] == dropout])
        case "epochs":
            return draw(finding_charts.epochs_boxes, evidence, is_phone())
        case "data":
            shown = evidence[evidence["dropout"] == dropout]
            titles = {"all": "All pairs", "unequal": "Unequal digits"}
            panels = {title: studies.accuracy_by_pairs(shown, kind) for kind, title in titles.items()}
            return draw(study_charts.data_lines, panels, sentences, is_phone())
        case "twins":
            return draw(comparison_charts.ladder, evidence, is_phone())
        case "weights":
            return draw(study_charts.weight_dots, evidence)
        case "speed":
            return draw(study_charts.speed_dots, evidence, is_phone())
        case "best":
            return draw(study_charts.epoch_dots, evidence, is_phone())
        case "unseen":
            return draw(finding_charts.unseen_dots, evidence)
        case "squared":
            return draw(finding_charts.squared_scatter, evidence)
        case _:
            return draw(finding_charts.hypothesis_curves, evidence)


def stop_without_runs(question: str) -> None:
    """Say what would answer the question, and end the page."""
    if question in STUDIED:
        name = {"weights": "auxiliary-weight", "best": "data"}.get(question, question)
        st.caption(
            f"No run in the store answers this question yet: *python -m core reproduce --study {name}* trains them."
        )
        st.stop()
    st.caption("No run in the store answers this question yet: train with the report's settings under *Train*.")
    st.page_link("pages/train.py", label="Train a network", icon=":material/play_arrow:")
    st.stop()


enter_by_router("findings")
heading = st.container()
choose_counted()
check_link("finding", findings.QUESTIONS.values())
look: dict[str, Any] = {
    "format_func": lambda name: findings.QUESTIONS.get(name, name),
    "key": "finding",
    "bind": "query-params",
    "label_visibility": "collapsed",
}
if is_phone():  # twelve pills would fill the screen
    question = st.selectbox("Finding", list(findings.QUESTIONS), **look)
else:
    question = st.pills("Finding", list(findings.QUESTIONS), default="artefact", required=True, **look)
question = question or "artefact"
heading.title(findings.QUESTIONS[question])
signature = planned_signature() if question in STUDIED else report_signature()
table, problems = find(question, signature)
for problem in problems:
    st.caption(f":material/warning: {as_text(problem)}")
if is_empty(table):
    stop_without_runs(question)

dropout, told = 0.0, st.container()
if question in ("distance", "parameters", "data", "best"):
    check_link("found_dropout", [f"{dropout:g}" for dropout in sorted(set(table["dropout"]))])
    beside = st.container(horizontal=True, horizontal_alignment="distribute", gap="medium")
    told = beside.container(width="content")
    dropout = beside.segmented_control(
        "Dropout", sorted(set(table["dropout"])), default=0.0, format_func="{:g}".format, key="found_dropout",
        bind="query-params", required=True, width="content",
    ) or table["dropout"].min()  # fmt: skip
evidence, sentences, headline = answer(question, dropout, signature)
if is_empty(evidence):
    stop_without_runs(question)
if headline:
    with told:
        show_number(*headline)
show_figure(draw_answer(question, evidence, sentences, dropout), question)
show_sentences(sentences)
if question in METHODS:
    show_note(METHODS[question])
if question not in ("artefact", "distance", "unseen", *STUDIED):  # whose sentences say it of their own cells
    table1 = read_comparison()
    st.caption(describe_gaps(table1[table1["report_mean"].notna()]))

if question == "distance":
    st.page_link("pages/mistakes.py", label="Which digits, and which pictures? See Mistakes", icon=":material/rule:")
