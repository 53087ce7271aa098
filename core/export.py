"""What people take away: the results table as text, runs and histories as Parquet, figures and a report as HTML."""

from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from core import charts, findings, mistake_charts, mistakes
from core.files import write_atomically
from core.findings import QUESTIONS
from core.results import load_histories, load_runs, with_report_settings
from core.runs import RunStore
from core.settings import MODEL_NAMES, SHIPPED_DROPOUTS
from core.statistics import (
    CELL_FIELDS,
    climb_ladder,
    compare_with_report,
    describe_effects,
    describe_p,
    describe_reproduction,
    dropout_effects,
    name_cell,
    pairwise_architectures,
    points,
)

STYLE = """<meta name="viewport" content="width=device-width"><style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 3rem auto; padding: 0 1rem; color: #1d2733; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } figure { margin: 1rem 0; }
th, td { padding: 0.4rem 0.8rem; text-align: right; border-bottom: 1px solid #dde2e8; }
td:first-child, th:first-child { text-align: left; }
</style>"""
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


def pair_columns(table: pd.DataFrame) -> pd.DataFrame:
    """The 14 cells of Table 1 as text, a row an architecture: ours and the report's, without and with dropout.

    `table` is core.results.results_table's. A cell without rounds is a dash; n says how many rounds ours has.
    """
    columns: dict[str, list[str]] = {"Architecture": list(MODEL_NAMES)}
    for dropout, name in ((0.0, "no dropout"), (0.25, "dropout")):
        rows = table[(table["dropout"] == dropout) & ~table["dropout_at_evaluation"]].set_index("model")
        columns[f"Ours, {name}"] = [_mean_and_deviation(rows.loc[model], "mean", "std") for model in MODEL_NAMES]
        columns["n" if dropout == 0 else "n "] = [str(rows.loc[model, "rounds"]) for model in MODEL_NAMES]
        columns[f"Report, {name}"] = [
            _mean_and_deviation(rows.loc[model], "report_mean", "report_std") for model in MODEL_NAMES
        ]
    return pd.DataFrame(columns)


def _mean_and_deviation(row: Any, mean: str, deviation: str) -> str:
    if pd.isna(row[mean]):
        return "–"
    return f"{row[mean]:.3f}" if pd.isna(row[deviation]) else f"{row[mean]:.3f} ± {row[deviation]:.3f}"


def as_markdown(table: pd.DataFrame) -> str:
    """The 14 cells as a Markdown table."""
    cells = pair_columns(table)
    lines = [list(cells.columns), ["---"] + ["---:"] * (len(cells.columns) - 1), *cells.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(text.strip() for text in line)} |" for line in lines)


def as_latex(table: pd.DataFrame) -> str:
    """The 14 cells as a LaTeX tabular."""
    cells = pair_columns(table)
    lines = [list(cells.columns), *cells.to_numpy().tolist()]
    rows = [" & ".join(text.strip().replace(" ± ", r" $\pm$ ").replace("–", "--") for text in line) for line in lines]
    return "\n".join(
        [
            rf"\begin{{tabular}}{{l{'r' * (len(cells.columns) - 1)}}}",
            r"\hline",
            rf"{rows[0]} \\",
            r"\hline",
            *(rf"{row} \\" for row in rows[1:]),
            r"\hline",
            r"\end{tabular}",
        ]
    )


def as_csv(table: pd.DataFrame) -> str:
    """Every cell, a row each, with full precision."""
    return table.to_csv(index=False)


FORMATS = {"markdown": as_markdown, "latex": as_latex, "csv": as_csv}


def update_readme(path: Path, table: pd.DataFrame) -> None:
    """Write the table between the two marks of a README; raises ValueError where they are missing."""
    text = path.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} lacks the marks {BEGIN} and {END} between which the table belongs.")
    path.write_text(f"{before}{BEGIN}\n{as_markdown(table)}\n{END}{after}")


Section = tuple[str, charts.Drawn, list[str]]


def draw_sections(store: RunStore, runs: pd.DataFrame) -> list[Section]:
    """The comparison's figures: a question, the figure, and the sentences that go with it."""
    table = compare_with_report(runs)
    kept = with_report_settings(runs)
    shown = kept["dropout"].isin(SHIPPED_DROPOUTS) & ~kept["dropout_at_evaluation"].astype(bool)
    histories = load_histories(store, kept["run_id"][shown])
    return [
        ("Do our networks agree with the report's?", charts.comparison_dots(table), describe_reproduction(table)),
        ("How do the seven learn?", charts.mean_curves(histories, runs), []),
        *[section for dropout in SHIPPED_DROPOUTS for section in _draw_differences(runs, dropout)],
        *_draw_findings(store, runs),
    ]


def _draw_differences(runs: pd.DataFrame, dropout: float) -> list[Section]:
    """What each idea adds and which architectures differ, at one dropout; with dropout, what that changes."""
    steps, name = climb_ladder(runs, dropout), charts.name_dropout(dropout).lower()
    effects = describe_effects(dropout_effects(runs, dropout)) if dropout else []
    pairs = charts.paired_matrix(pairwise_architectures(runs, dropout))
    return [
        (f"What does each idea add? ({name})", charts.ladder(steps), steps["sentence"].tolist()),
        (f"Which architectures differ? ({name})", pairs, effects),
    ]


def _draw_findings(store: RunStore, runs: pd.DataFrame) -> list[Section]:
    """The six questions of the findings; those about one dropout without it."""
    kept = with_report_settings(runs)
    answers, unread = mistakes.read_answers(store, kept[kept["dropout"] == 0])
    distances = mistakes.accuracy_by_distance(answers)
    artefact, sizes = findings.dropout_artefact(runs), findings.parameters_and_accuracy(runs)
    epochs, (squared, more) = findings.epochs_to_stop(runs), findings.digit_accuracy_squared(store, runs)
    hypothesis, rest = findings.early_stop_hypothesis(store, runs)
    lines = mistake_charts.distance_lines(distances)
    dots, curves = charts.parameters_dots(sizes[sizes["dropout"] == 0]), charts.hypothesis_curves(hypothesis)
    return [
        (QUESTIONS["artefact"], charts.artefact_dots(artefact), findings.describe_artefact(artefact)),
        (QUESTIONS["distance"], lines, mistakes.describe_distance(distances) + unread),
        (QUESTIONS["parameters"], dots, findings.describe_parameters(sizes)),
        (QUESTIONS["epochs"], charts.epochs_boxes(epochs), findings.describe_epochs(epochs)),
        (QUESTIONS["squared"], charts.squared_scatter(squared), findings.describe_squared(squared) + more),
        (QUESTIONS["hypothesis"], curves, findings.describe_hypothesis(hypothesis) + rest),
    ]


def comparison_rows(table: pd.DataFrame) -> pd.DataFrame:
    """The cells of compare_with_report that have rounds as text, a row each, in percent and points."""
    known: Any = table[table["rounds"] > 0]
    return pd.DataFrame(
        {
            "Cell": [name_cell(*cell) for cell in known[CELL_FIELDS].itertuples(index=False)],
            "n": known["rounds"].astype(str).tolist(),
            "Ours": [_mean_and_deviation(row, "mean", "std") for _, row in known.iterrows()],
            "95 %": [
                "–" if pd.isna(low) else f"{low:.3f} to {high:.3f}"
                for low, high in zip(known["low"], known["high"], strict=True)
            ],
            "Report's": [_mean_and_deviation(row, "report_mean", "report_std") for _, row in known.iterrows()],
            "Difference, points": ["–" if pd.isna(value) else points(value) for value in known["difference"]],
            "Holm's p": ["–" if pd.isna(p) else describe_p(p) for p in known["p_holm"]],
        }
    )


def build_report(runs: pd.DataFrame, sections: list[Section]) -> str:
    """The whole comparison as one HTML page that needs nothing beside it: table, figures and sentences.

    `sections` are those of `draw_sections`.
    """
    title = "Do seven ways to compare two digits differ?"
    table = comparison_rows(compare_with_report(runs)).to_html(index=False, border=0)
    # The first figure brings Plotly's script for all.
    parts = [f"<h2>{escape(section[0])}</h2>{_show(section, n == 0)}" for n, section in enumerate(sections)]
    return _build_page(title, f"<h1>{title}</h1>{table}{''.join(parts)}")


def _show(section: Section, with_script: bool) -> str:
    _, drawn, sentences = section
    figure = drawn.figure.to_html(full_html=False, include_plotlyjs=with_script, config={"responsive": True})
    words = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    return f'<figure role="img" aria-label="{escape(drawn.alt, quote=True)}">{figure}</figure>{words}'


def _build_page(title: str, body: str) -> str:
    head = f'<meta charset="utf-8"><title>{escape(title)}</title>{STYLE}'
    return f'<!doctype html><html lang="en">{head}{body}</html>'


def as_parquet(frame: pd.DataFrame) -> bytes:
    """A data frame as a Parquet file."""
    content: bytes = frame.to_parquet()
    return content


def export_all(store: RunStore, directory: Path) -> list[Path]:
    """Write table.csv, table.md, table.tex, runs.parquet, histories.parquet, report.html and each figure as an HTML
    file of its own (figure-1.html, …); raises OSError."""
    runs = load_runs(store)
    table = compare_with_report(runs)
    directory.mkdir(parents=True, exist_ok=True)
    sections = draw_sections(store, runs)
    finished = runs[runs["state"] == "finished"]
    contents = {
        "table.csv": as_csv(table).encode(),
        "table.md": as_markdown(table).encode() + b"\n",
        "table.tex": as_latex(table).encode() + b"\n",
        "runs.parquet": as_parquet(finished),
        "histories.parquet": as_parquet(load_histories(store, finished["run_id"])),
        "report.html": build_report(runs, sections).encode(),
    }
    for number, section in enumerate(sections, start=1):
        question = section[0]
        contents[f"figure-{number}.html"] = _build_page(
            question, f"<h1>{escape(question)}</h1>{_show(section, True)}"
        ).encode()
    for name, content in contents.items():
        write_atomically(directory / name, content)
    return [directory / name for name in contents]
