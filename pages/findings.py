"""What the runs show beyond the table: a question, a figure, two sentences with numbers from the store."""

from typing import Any

import streamlit as st

from core.analysis import artefact, distance, findings, traces
from core.analysis.mistakes import read_answers
from core.analysis.sentences import describe_gaps
from pages.app.router import enter_by_router
from pages.app.shared import STORE, is_phone, read_comparison, read_counted, report_signature
from pages.app.text import as_text
from pages.components.link import check_link
from pages.components.own_rounds import choose_counted
from pages.components.sentences import show_note, show_sentences

METHODS = {
    "artefact": "Best epoch: the stored one nearest to the first of the highest validation accuracy; every fifth "
    "epoch is stored, and there Direct classification decides by its probability.",
    "distance": "Intervals count rounds, not answers: a round's answers come from one network.",
    "hypothesis": "Mean test accuracy at every fifth epoch minus the printed one; a round that has stopped keeps its "
    "last value. Dots at the grey line: filled where clearly off the print. Direct classification decides by its "
    "probability.",
}


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
        case _:
            return traces.early_stop_hypothesis(STORE, runs)


@st.cache_data(max_entries=8, show_spinner=False)
def describe_distance(dropout: float, signature: int) -> list[str]:
    """What the distance of two digits does at this dropout; its tests take some 60 ms."""
    return distance.describe_distance(find("distance", signature)[0], dropout)


enter_by_router()
heading = st.container()
choose_counted()
check_link("finding", findings.QUESTIONS.values())
question = st.pills(
    "Finding", list(findings.QUESTIONS), default="artefact",
    format_func=lambda name: findings.QUESTIONS.get(name, name), key="finding",
    bind="query-params", required=True, label_visibility="collapsed",
)  # fmt: skip
question = question or "artefact"
heading.title(findings.QUESTIONS[question])
table, problems = find(question, report_signature())
for problem in problems:
    st.caption(f":material/warning: {as_text(problem)}")
if table.empty or ("rounds" in table and not table["rounds"].sum()):
    st.caption("No run in the store answers this question yet: train with the report's settings under *Train*.")
    st.page_link("pages/train.py", label="Train a network", icon=":material/play_arrow:")
    st.stop()

from core.figures import findings as finding_charts  # noqa: E402 - Plotly takes a while to import: only when it draws
from core.figures import mistakes as mistake_charts  # noqa: E402
from pages.components.figure import draw, show_figure  # noqa: E402

if question in ("distance", "parameters"):
    check_link("found_dropout", [f"{dropout:g}" for dropout in sorted(set(table["dropout"]))])
    dropout = st.segmented_control(
        "Dropout", sorted(set(table["dropout"])), default=0.0, format_func="{:g}".format, key="found_dropout",
        bind="query-params", required=True,
    ) or table["dropout"].min()  # fmt: skip
match question:
    case "artefact":
        drawn = draw(finding_charts.artefact_dots, table, is_phone())
        sentences = artefact.describe_artefact(table)
    case "distance":
        shown = table[(table["dropout"] == dropout) & ~table["dropout_at_evaluation"].astype(bool)]
        drawn = draw(mistake_charts.distance_lines, distance.accuracy_by_distance(shown))
        sentences = describe_distance(dropout, report_signature())
    case "parameters":
        drawn = draw(finding_charts.parameters_dots, table[table["dropout"] == dropout])
        sentences = findings.describe_parameters(table, dropout)
    case "epochs":
        drawn, sentences = draw(finding_charts.epochs_boxes, table, is_phone()), findings.describe_epochs(table)
    case "squared":
        drawn, sentences = draw(finding_charts.squared_scatter, table), findings.describe_squared(table)
    case _:
        drawn, sentences = draw(finding_charts.hypothesis_curves, table), traces.describe_hypothesis(table)
show_figure(drawn, question)
show_sentences(sentences)
if question in METHODS:
    show_note(METHODS[question])
if question not in ("artefact", "distance"):  # whose sentences say it of their own cells
    table1 = read_comparison()
    st.caption(describe_gaps(table1[table1["report_mean"].notna()]))

if question == "distance":
    st.page_link("pages/mistakes.py", label="Which digits, and which pictures? See Mistakes", icon=":material/rule:")
