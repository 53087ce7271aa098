"""The results table beside the report's own, the curves behind it, what each idea adds, which architectures differ."""

from functools import partial

import pandas as pd
import streamlit as st

from core.analysis.agreement import compare_orders, describe_difference, describe_reproduction
from core.analysis.comparison import (
    KIND_TITLES,
    compare_architectures,
    compare_ideas,
    describe_architectures,
    describe_coin,
    describe_control,
    describe_ideas,
    read_rounds,
    tabulate_architectures,
)
from core.analysis.numbers import in_percent
from core.analysis.sentences import TARGET, describe_p
from core.analysis.tables import CELL_FIELDS, TableWithProblems, count_apart, load_histories, with_report_settings
from core.runs.palette import PALETTE
from core.runs.plan import SHIPPED_DROPOUTS
from core.runs.records import METRICS
from core.runs.settings import MODEL_NAMES
from pages.app.router import enter_by_router
from pages.app.shared import (
    STORE,
    architecture_column,
    counts_own,
    is_phone,
    read_comparison,
    read_runs,
    read_table_histories,
    report_signature,
    tell_what_does_not_count,
)
from pages.app.text import as_text
from pages.components.link import check_link
from pages.components.own_rounds import choose_counted
from pages.components.sentences import show_note, show_sentences

VIEWS = {
    "Figure": "Do our networks agree with the report's?",
    "Table": "Do our networks agree with the report's?",
    "Curves": "How do the architectures learn?",
    "What each idea adds": "What does each idea add?",
    "All against all": "Which architectures differ?",
}
_NUMBER = st.column_config.NumberColumn
_TEXT = st.column_config.TextColumn
COLUMNS = {
    "dropout": _NUMBER("Dropout", format="%.2f"),
    "rounds": _NUMBER("Rounds", help="Each on its own 1,000 test pairs"),
    "mean": _NUMBER("Ours, %", format="%.1f"),
    "std": _NUMBER("± std", format="%.1f"),
    "low": _NUMBER("95 % from", format="%.1f"),
    "high": _NUMBER("to", format="%.1f"),
    "report_mean": _NUMBER("Report's, %", format="%.1f"),
    "report_std": _NUMBER("± std", format="%.1f"),
    "off": _TEXT("Difference (95 %)", help="Ours − the report's, in points, with Welch's interval"),
    "verdict": _TEXT(
        "Verdict",
        help="Clearly different: Welch's test, p below 0.05 after Holm's correction over the 14 cells of Table 1. "
        "Within ± one point: the interval of the difference lies inside.",
    ),
    "parameters": _NUMBER("Parameters", format="localized"),
    "epochs": _NUMBER("Epochs", format="%.0f", help="Mean number of epochs until training stopped"),
    "seconds": _NUMBER("Seconds", format="%.1f", help="Mean processor time of a round's training"),
}
FIRST_COLUMNS = ("label", "dropout", "mean", "report_mean")
NARROW = {  # on a phone, these four fit beside one another
    "dropout": _NUMBER("Drop", format="%.2f", width=48, help="Dropout"),
    "mean": _NUMBER("Ours", format="%.1f", width=50, help="Test accuracy in percent"),
    "report_mean": _NUMBER("Report's", format="%.1f", width=71, help="Test accuracy in percent"),
}
ALL_COLUMNS = (
    "label", "dropout", "rounds", "mean", "std", "low", "high", "report_mean", "report_std", "off", "verdict",
    "parameters", "epochs", "seconds",
)  # fmt: skip
OWN_ROUNDS = {"rounds": st.column_config.TextColumn("Rounds", help="The reproduction's + this server's own")}


def say_verdict(row: pd.Series) -> str:
    """A cell's verdict with its p."""
    return f"{row['verdict']} (p {describe_p(row['p_holm'])})" if row["verdict"] else "–"


def show_rounds(cell: pd.Series, runs: pd.DataFrame) -> None:
    """A cell's rounds: their curves, where each stopped, and its test accuracy."""
    from core.figures.learning import cell_rounds
    from pages.components.figure import draw, show_figure

    same = with_report_settings(runs)
    same = same[(same[CELL_FIELDS] == cell[CELL_FIELDS]).all(axis=1)]
    st.header(f"{PALETTE[cell['model']].label}, dropout {cell['dropout']:g}: round by round", anchor=False)
    if same.empty:
        st.caption("No round of this cell has been trained yet.")
        return
    drawn = draw(cell_rounds, load_histories(STORE, same["run_id"]), same)
    show_figure(drawn, "rounds_of_cell")


@st.fragment
def show_table(shown: pd.DataFrame, whole: bool, verdicts: list[str], runs: pd.DataFrame) -> None:
    """The table, what it says in words, and the rounds of the chosen row: a click runs this alone."""
    shares = ("mean", "std", "low", "high", "report_mean", "report_std")
    columns = {"label": architecture_column(), **COLUMNS}
    if counts_own():
        columns |= OWN_ROUNDS
    if is_phone() and not whole:
        columns |= NARROW
    picked = st.dataframe(
        shown.assign(
            label=[PALETTE[name].label for name in shown["model"]],
            **({"rounds": count_apart(shown, runs)} if counts_own() else {}),
            off=[describe_difference(row) for row in shown.itertuples()],
            verdict=[say_verdict(row) for _, row in shown.iterrows()],
            **{name: in_percent(shown[name]) for name in shares},
        ),
        column_order=ALL_COLUMNS if whole else FIRST_COLUMNS,
        column_config=columns,
        hide_index=True,
        height="content",
        on_select="rerun",
        selection_mode="single-row",
        key=f"cells-{'-'.join(map(str, shown.index))}",  # other rows, another table: a selection never moves
        alt="Test accuracy of the architectures, ours beside the report's",
    )  # fmt: skip
    show_sentences(verdicts)
    show_note(
        "The report's figures are from its Table 1: ten rounds, dropout probability not given; ours beside its "
        f"column with dropout is 0.25. {TARGET} The order is that of our rounds, resampled; the printed means are "
        "taken as they are. Choose a row to see its rounds."
    )
    for row in picked.selection.rows:
        show_rounds(shown.iloc[row], runs)


def show_downloads(table: pd.DataFrame, runs: pd.DataFrame) -> None:
    """The table as text, runs and histories as data, the whole comparison as one page; made when somebody clicks."""
    files = {
        "table.csv": "Table as CSV",
        "table.md": "Table as Markdown",
        "table.tex": "Table as LaTeX",
        "runs.parquet": "Runs as Parquet",
        "histories.parquet": "Histories as Parquet",
        "report.html": "Report as HTML",
    }
    row = st.container(horizontal=True)
    for file, label in files.items():
        content = partial(make_file, file, table, runs)
        row.download_button(label, content, file, icon=":material/download:", on_click="ignore")


def make_file(name: str, table: pd.DataFrame, runs: pd.DataFrame) -> str | bytes:
    """The content of one of the files to download."""
    from core import export, sections  # bring Plotly along, so not before somebody clicks

    finished = runs[runs["state"] == "finished"]
    match name:
        case "table.csv":
            return export.as_csv(table)
        case "table.md":
            return export.as_markdown(table)
        case "table.tex":
            return export.as_latex(table)
        case "runs.parquet":
            return export.as_parquet(finished)
        case "histories.parquet":
            return export.as_parquet(load_histories(STORE, finished["run_id"]))
        case _:
            return export.build_report(runs, sections.draw_sections(STORE, runs, read_runs()))


@st.cache_resource(max_entries=8, show_spinner="Reading the answers…")
def read_by_round(dropout: float, signature: int, _runs: pd.DataFrame) -> TableWithProblems:
    """Every round's accuracy by kind of pairs, at this dropout and at none; nobody changes it."""
    return read_rounds(STORE, _runs[_runs["dropout"].isin([0.0, dropout])])


@st.cache_data(max_entries=2, show_spinner=False)
def judge_reproduction(signature: int, _runs: pd.DataFrame) -> list[str]:
    """The sentences under the table; resampling the order takes some 50 ms."""
    return describe_reproduction(read_comparison(), compare_orders(_runs))


@st.cache_resource(max_entries=12, show_spinner=False)
def compare_at(compare: str, dropout: float, signature: int, _runs: pd.DataFrame) -> pd.DataFrame:
    """What is compared at this dropout, "ideas" or "architectures"; nobody changes it."""
    rounds = read_by_round(dropout, signature, _runs).table
    return compare_ideas(rounds, dropout) if compare == "ideas" else compare_architectures(rounds, dropout)


def list_differences(table: pd.DataFrame) -> None:
    """The matrix as a table, which a screen reader reads and a phone shows: there, one kind of pairs at a time."""
    kinds = list(KIND_TITLES)
    if is_phone():
        chosen = st.segmented_control(
            "Pairs of digits", kinds, default="all", format_func=lambda kind: KIND_TITLES.get(kind, kind), key="kind",
            required=True, label_visibility="collapsed",
        )  # fmt: skip
        kinds = [chosen if chosen in kinds else "all"]
    heads = {
        "ahead": "Architecture",
        "behind": "Minus",
        **{kind: f"{KIND_TITLES[kind]} (95\N{NO-BREAK SPACE}%)" for kind in kinds},
    }
    st.table(
        table[list(heads)].rename(columns=heads), border="horizontal", hide_index=True,
        alt="Differences in points of test accuracy with 95 % intervals; a star marks the clear ones",
    )  # fmt: skip


enter_by_router("compare")
heading = st.container()
check_link("view", VIEWS)
runs = choose_counted()
table = read_comparison()
if not table["rounds"].sum():
    heading.title(VIEWS["Table"])
    st.caption(
        "No architecture has been trained with the report's settings yet: train one under *Train*, and it appears here."
    )
    st.page_link("pages/train.py", label="Train a network", icon=":material/play_arrow:")
    st.stop()

bar = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
view = bar.segmented_control("View", list(VIEWS), default="Figure", key="view", bind="query-params") or "Figure"
heading.title(VIEWS[view])
dropouts = sorted(set(table["dropout"]))
options = [f"{dropout:g}" for dropout in dropouts]
check_link("table_dropouts" if view == "Table" else "shown_dropout", options)
if view == "Table":
    chosen = bar.pills(
        "Dropout", dropouts, selection_mode="multi", default=list(SHIPPED_DROPOUTS), format_func="{:g}".format,
        key="table_dropouts", bind="query-params",
    )  # fmt: skip
    whole = bar.toggle("All columns", key="whole", bind="query-params")
elif view not in ("Figure", "Curves"):
    dropout = bar.segmented_control(
        "Dropout", dropouts, default=0.0, format_func="{:g}".format, key="shown_dropout", bind="query-params",
        required=True,
    ) or dropouts[0]  # fmt: skip

if view == "Figure":
    from core.figures.comparison import comparison_dots  # Plotly takes a while to import: only when it draws
    from pages.components.figure import draw, show_figure

    show_figure(draw(comparison_dots, table, is_phone()), "dots")
    show_sentences(judge_reproduction(report_signature(), runs))
    show_note("The report's figures are from its Table 1: ten rounds, dropout probability not given.")
    tell_what_does_not_count(runs)

elif view == "Table":
    shown = table[table["dropout"].isin(chosen) & ~table["dropout_at_evaluation"]]
    show_table(shown, whole, judge_reproduction(report_signature(), runs), runs)
    show_downloads(table, runs)
    tell_what_does_not_count(runs)

elif view == "Curves":
    from core.figures.learning import mean_curves
    from pages.components.figure import draw, show_figure

    choices = st.container(horizontal=True, vertical_alignment="center", gap="medium")
    check_link("compared_curve", METRICS.values())
    check_link("looked_at", [PALETTE[model].label for model in MODEL_NAMES])
    metric = choices.selectbox(
        "Curve",
        list(METRICS),
        format_func=lambda name: METRICS.get(name, name),
        key="compared_curve",
        bind="query-params",
        label_visibility="collapsed",
        width=240,
    )
    looked_at = choices.selectbox(
        "Architecture to look at",
        MODEL_NAMES,
        index=None,
        format_func=lambda name: PALETTE[name].label,
        placeholder="Look at one architecture",
        key="looked_at",
        bind="query-params",
        label_visibility="collapsed",
        width=260,
    )
    hold = choices.toggle("Hold the last value, as in the report", True, key="hold", bind="query-params")
    single = choices.toggle("Single rounds", key="single", bind="query-params")
    kept = with_report_settings(runs)
    drawn = draw(mean_curves, read_table_histories(), kept, metric, hold, single, is_phone(), looked_at)
    show_figure(drawn, "curves")
    show_note(
        ("Mean of the rounds" if hold else "Mean of the rounds still training")
        + (", each round thin" if single else ", a band of ± one standard deviation for the one looked at")
        + ", a mark where a round stopped early (report, Figure 2)."
    )

else:
    from core.figures.comparison import ladder, paired_matrix
    from pages.components.figure import draw, show_figure

    rounds, problems = read_by_round(dropout, report_signature(), runs)
    for problem in problems:
        st.caption(f":material/warning: {as_text(problem)}")
    if view == "What each idea adds":
        steps = compare_at("ideas", dropout, report_signature(), runs)
        ideas, effects = (steps[steps["group"] == group].reset_index(drop=True) for group in ("idea", "dropout"))
        show_figure(draw(ladder, ideas, is_phone()), "ladder")
        show_sentences([*describe_ideas(ideas), describe_control(rounds, dropout), describe_coin(rounds, dropout)])
        if len(effects):
            st.header(f"What does dropout {dropout:g} add?", anchor=False)
            show_figure(draw(ladder, effects, is_phone()), "effects")
            show_sentences(describe_ideas(effects))
        show_note(
            "Points of test accuracy, paired by round: in a round, all architectures meet the same pairs of digits. "
            f"Clear: p below 0.05 after Holm's correction over the {int(steps['p_holm'].notna().sum())} comparisons "
            "of this screen; each interval is of its comparison alone. The auxiliary network with its losses switched "
            "off was trained as a control, at dropout 0 and 0.25."
        )
    else:
        pairs = compare_at("architectures", dropout, report_signature(), runs)
        if not is_phone():
            show_figure(draw(paired_matrix, pairs), "matrix")
        show_sentences(describe_architectures(pairs))
        show_note(
            "Points of test accuracy by which one architecture is ahead of another, paired by round. Bold, or with a "
            "star: clear. With so many comparisons the correction is stricter than for the ideas under "
            "*What each idea adds*."
        )
        list_differences(tabulate_architectures(pairs))
