"""The results table beside the report's own, what differs by more than chance, and the curves behind it."""

from collections.abc import Callable
from functools import partial
from types import ModuleType

import pandas as pd
import streamlit as st

from core.curves import METRICS
from core.palette import PALETTE
from core.results import load_histories, with_report_settings
from core.settings import SHIPPED_DROPOUTS
from core.statistics import (
    CELL_FIELDS,
    LEVEL,
    climb_ladder,
    describe_effects,
    describe_p,
    describe_reproduction,
    dropout_effects,
    pairwise_architectures,
)
from pages.components.link import check_link
from pages.components.router import enter_by_router
from pages.components.shared import (
    STORE,
    architecture_column,
    is_phone,
    read_comparison,
    read_runs,
    read_table_histories,
    tell_what_does_not_count,
)

VIEWS = {
    "Table": "Do our networks agree with the report's?",
    "Curves": "How do the seven learn?",
    "Does it matter?": "Does it matter which of them we take?",
}
_NUMBER = st.column_config.NumberColumn
COLUMNS = {
    "dropout": _NUMBER("Dropout", format="%.2f"),
    "rounds": _NUMBER("Rounds", help="Each on its own 1,000 test pairs"),
    "mean": _NUMBER("Ours, %", format="%.1f"),
    "std": _NUMBER("± std", format="%.1f"),
    "low": _NUMBER("95 % from", format="%.1f"),
    "high": _NUMBER("to", format="%.1f"),
    "report_mean": _NUMBER("Report's, %", format="%.1f"),
    "report_std": _NUMBER("± std", format="%.1f"),
    "difference": _NUMBER("Difference", format="%+.1f", help="Ours − the report's, in points"),
    "chance": st.column_config.TextColumn(
        "More than chance?", help="Welch's test, p after Holm's correction over the 14 cells of Table 1"
    ),
    "parameters": _NUMBER("Parameters", format="localized"),
    "epochs": _NUMBER("Epochs", format="%.0f", help="Mean number of epochs until training stopped"),
    "seconds": _NUMBER("Seconds", format="%.1f", help="Mean processor time of a round's training"),
}


def judge(p: float) -> str:
    """Whether a difference is more than chance, with its p."""
    return "–" if pd.isna(p) else f"{'yes' if p < LEVEL else 'no'} (p {describe_p(p)})"


def show_rounds(cell: pd.Series, runs: pd.DataFrame) -> None:
    """A cell's rounds: their curves, where each stopped, and its test accuracy."""
    from core.charts import cell_rounds
    from pages.components.figure import draw, show_figure

    same = with_report_settings(runs)
    same = same[(same[CELL_FIELDS] == cell[CELL_FIELDS]).all(axis=1)]
    st.subheader(f"{PALETTE[cell['model']].label}, dropout {cell['dropout']:g}: round by round", anchor=False)
    if same.empty:
        st.caption("No round of this cell has been trained yet.")
        return
    drawn = draw(cell_rounds, load_histories(STORE, same["run_id"]), same)
    show_figure(drawn, "rounds_of_cell")


@st.fragment
def show_table(shown: pd.DataFrame, table: pd.DataFrame, runs: pd.DataFrame) -> None:
    """The table, what it says in words, and the rounds of the chosen row: a click runs this alone."""
    in_percent = ("mean", "std", "low", "high", "report_mean", "report_std", "difference")
    picked = st.dataframe(
        shown.assign(
            label=[PALETTE[name].label for name in shown["model"]],
            chance=[judge(p) for p in shown["p_holm"]],
            **{name: 100 * shown[name] for name in in_percent},
        ),
        column_order=(
            "label", "dropout", "rounds", "mean", "std", "low", "high", "report_mean", "report_std", "difference",
            "chance",
            "parameters", "epochs", "seconds",
        ),
        column_config={"label": architecture_column(), **COLUMNS},
        hide_index=True,
        height="content",
        on_select="rerun",
        selection_mode="single-row",
        key=f"cells-{'-'.join(map(str, shown.index))}",  # other rows, another table: a selection never moves
        alt="Test accuracy of the seven architectures, ours beside the report's",
    )  # fmt: skip
    st.markdown(" ".join(describe_reproduction(table)))
    st.caption(
        "The report's figures are from its Table 1: ten rounds, dropout probability not given; ours beside its column "
        "with dropout is 0.25. Choose a row to see its rounds; the menu above the table chooses columns."
    )
    for row in picked.selection.rows:
        show_rounds(shown.iloc[row], runs)


def show_downloads(table: pd.DataFrame, runs: pd.DataFrame) -> None:
    """The table as text, runs and histories as data, the whole comparison as one page; made when somebody clicks."""
    finished = runs[runs["state"] == "finished"]
    makers: dict[tuple[str, str], Callable[[ModuleType], str | bytes]] = {
        ("Table as CSV", "table.csv"): lambda export: export.as_csv(table),
        ("Table as Markdown", "table.md"): lambda export: export.as_markdown(table),
        ("Table as LaTeX", "table.tex"): lambda export: export.as_latex(table),
        ("Runs as Parquet", "runs.parquet"): lambda export: export.as_parquet(finished),
        ("Histories as Parquet", "histories.parquet"): lambda export: export.as_parquet(
            load_histories(STORE, finished["run_id"])
        ),
        ("Report as HTML", "report.html"): lambda export: export.build_report(runs, export.draw_sections(STORE, runs)),
    }
    row = st.container(horizontal=True)
    for (label, file), make in makers.items():
        icon = ":material/download:"
        row.download_button(label, partial(_make, make), file, icon=icon, on_click="ignore")


def _make(make: Callable[[ModuleType], str | bytes]) -> str | bytes:
    from core import export  # brings Plotly along, so not before somebody clicks

    return make(export)


enter_by_router()
heading = st.container()
check_link("view", VIEWS)
runs = read_runs()
table = read_comparison()
if not table["rounds"].sum():
    heading.title(VIEWS["Table"])
    st.caption(
        "No architecture has been trained with the report's settings yet: train one under *Train*, and it appears here."
    )
    st.page_link("pages/train.py", label="Train a network", icon=":material/play_arrow:")
    st.stop()

bar = st.container(horizontal=True, gap="medium")
view = bar.segmented_control("View", list(VIEWS), default="Table", key="view", bind="query-params") or "Table"
heading.title(VIEWS[view])
dropouts = sorted(set(table["dropout"]))
options = [f"{dropout:g}" for dropout in dropouts]
check_link("table_dropouts" if view == "Table" else "shown_dropout", options)
if view == "Table":
    chosen = bar.pills(
        "Dropout", dropouts, selection_mode="multi", default=list(SHIPPED_DROPOUTS), format_func="{:g}".format,
        key="table_dropouts", bind="query-params",
    )  # fmt: skip
elif view != "Curves":
    dropout = bar.segmented_control(
        "Dropout", dropouts, default=0.0, format_func="{:g}".format, key="shown_dropout", bind="query-params",
        required=True,
    ) or dropouts[0]  # fmt: skip

if view == "Table":
    show_table(table[table["dropout"].isin(chosen) & ~table["dropout_at_evaluation"]], table, runs)
    show_downloads(table, runs)
    tell_what_does_not_count(runs)

elif view == "Curves":
    from core.charts import mean_curves  # Plotly takes a while to import: only where it draws
    from pages.components.figure import draw, show_figure

    choices = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    check_link("compared_curve", METRICS.values())
    metric = choices.selectbox(
        "Curve",
        list(METRICS),
        format_func=lambda name: METRICS.get(name, name),
        key="compared_curve",
        bind="query-params",
        width=240,
    )
    hold = choices.toggle("Hold the last value, as in the report", True, key="hold", bind="query-params")
    single = choices.toggle("Single rounds", key="single", bind="query-params")
    drawn = draw(mean_curves, read_table_histories(), with_report_settings(runs), metric, hold, single, is_phone())
    show_figure(drawn, "curves")
    st.caption(
        ("Mean of the rounds" if hold else "Mean of the rounds still training")
        + (", each round thin" if single else ", band of ± one standard deviation")
        + ", a mark where a round stopped early (report, Figure 2)."
    )

else:
    from core.charts import ladder, paired_matrix
    from pages.components.figure import draw, show_figure

    steps = climb_ladder(runs, dropout)
    drawn = draw(ladder, steps)
    st.subheader("What does each idea add?", anchor=False)
    show_figure(drawn, "ladder")
    st.markdown("\n".join(f"- {sentence}" for sentence in steps["sentence"]))
    st.subheader("Which architectures differ?", anchor=False)
    drawn = draw(paired_matrix, pairwise_architectures(runs, dropout))
    show_figure(drawn, "matrix")
    st.caption(
        "Points of test accuracy by which a row is ahead of a column, with the 95 % interval, paired by round: in a "
        "round, all architectures meet the same pairs of digits. "
        "Bold: p below 0.05 after Holm's correction for the 21 comparisons."
    )
    if dropout:
        st.subheader(f"Does dropout {dropout:g} help?", anchor=False)
        sentences = describe_effects(dropout_effects(runs, dropout))
        st.markdown("\n".join(f"- {sentence}" for sentence in sentences))
