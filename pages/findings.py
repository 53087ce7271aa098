"""What the runs show beyond the table: a question, a figure, two sentences with numbers from the store."""

from typing import Any

import streamlit as st

from core import findings, mistakes
from core.statistics import describe_gaps
from pages.components.link import check_link
from pages.components.router import enter_by_router
from pages.components.shared import STORE, is_phone, read_comparison, read_runs, report_signature
from pages.components.text import as_text


@st.cache_resource(max_entries=12, show_spinner="Reading the runs…")
def find(question: str, signature: int) -> tuple[Any, list[str]]:
    """The data frame of a finding, which nobody changes, and a sentence for each run that could not be read."""
    runs = read_runs()
    match question:
        case "artefact":
            return findings.dropout_artefact(runs), []
        case "parameters":
            return findings.parameters_and_accuracy(runs), []
        case "epochs":
            return findings.epochs_to_stop(runs), []
        case "distance":
            answers, problems = mistakes.read_answers(STORE, runs)
            return mistakes.accuracy_by_distance(answers), problems
        case "squared":
            return findings.digit_accuracy_squared(STORE, runs)
        case _:
            return findings.early_stop_hypothesis(STORE, runs)


enter_by_router()
heading = st.container()
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

from core import charts, mistake_charts  # noqa: E402 - Plotly takes a while to import: only where it draws
from pages.components.figure import draw, show_figure  # noqa: E402

if question in ("distance", "parameters"):
    check_link("found_dropout", [f"{dropout:g}" for dropout in sorted(set(table["dropout"]))])
    dropout = st.segmented_control(
        "Dropout", sorted(set(table["dropout"])), default=0.0, format_func="{:g}".format, key="found_dropout",
        bind="query-params", required=True,
    ) or table["dropout"].min()  # fmt: skip
match question:
    case "artefact":
        drawn, sentences = draw(charts.artefact_dots, table, is_phone()), findings.describe_artefact(table)
    case "distance":
        shown = table[(table["dropout"] == dropout) & ~table["dropout_at_evaluation"].astype(bool)]
        drawn = draw(mistake_charts.distance_lines, shown)
        sentences = mistakes.describe_distance(shown, dropout)
    case "parameters":
        drawn = draw(charts.parameters_dots, table[table["dropout"] == dropout])
        sentences = findings.describe_parameters(table, dropout)
    case "epochs":
        drawn, sentences = draw(charts.epochs_boxes, table, is_phone()), findings.describe_epochs(table)
    case "squared":
        drawn, sentences = draw(charts.squared_scatter, table), findings.describe_squared(table)
    case _:
        drawn, sentences = draw(charts.hypothesis_curves, table, is_phone()), findings.describe_hypothesis(table)
show_figure(drawn, question)
st.markdown(" ".join(sentences))
if question not in ("artefact", "distance"):  # whose sentences say it of their own cells
    table1 = read_comparison()
    st.caption(describe_gaps(table1[table1["report_mean"].notna()]))

if question == "distance":
    st.page_link("pages/mistakes.py", label="Which digits, and which pictures? See Mistakes", icon=":material/rule:")
