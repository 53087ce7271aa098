"""What people take away: the results table as text, runs and histories as Parquet, figures and a report as HTML."""

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from core import charts, findings
from core.results import load_histories, load_runs, results_table, with_report_settings
from core.runs import RunStore, write_atomically
from core.settings import MODEL_NAMES, SHIPPED_DROPOUTS
from core.statistics import (
    climb_ladder,
    compare_with_report,
    describe_reproduction,
    pairwise_architectures,
)

STYLE = """<title>Compare two digits: the comparison</title><meta name="viewport" content="width=device-width"><style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 3rem auto; padding: 0 1rem; color: #1d2733; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } figure { margin: 1rem 0; }
th, td { padding: 0.4rem 0.8rem; text-align: right; border-bottom: 1px solid #dde2e8; }
td:first-child, th:first-child { text-align: left; }
</style><h1>Do seven ways to compare two digits differ?</h1>"""
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


class Section(NamedTuple):
    """A question, the figure that answers it, and the sentences that go with it; `name` is part of the file's name."""

    name: str
    question: str
    drawn: charts.Drawn
    sentences: list[str]


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
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} lacks the marks {BEGIN} and {END} between which the table belongs.")
    path.write_text(f"{before}{BEGIN}\n{as_markdown(table)}\n{END}{after}", encoding="utf-8")


def draw_sections(store: RunStore, runs: pd.DataFrame) -> list[Section]:
    """The whole comparison, and then what the runs show beyond Table 1."""
    return [*_draw_comparison(store, runs), *_draw_findings(store, runs)]


def _draw_comparison(store: RunStore, runs: pd.DataFrame) -> list[Section]:
    table, steps = compare_with_report(runs), climb_ladder(runs)
    kept = with_report_settings(runs)
    shown = kept["dropout"].isin(SHIPPED_DROPOUTS) & ~kept["dropout_at_evaluation"].astype(bool)
    curves = charts.mean_curves(load_histories(store, kept["run_id"][shown]), runs)
    matrix = charts.paired_matrix(pairwise_architectures(runs))
    return [
        Section(
            "comparison",
            "Do our networks agree with the report's?",
            charts.comparison_dots(table),
            describe_reproduction(table),
        ),
        Section("curves", "How do they learn?", curves, []),
        Section("ladder", "What does each idea add?", charts.ladder(steps), steps["sentence"].tolist()),
        Section("pairwise", "Which architectures differ?", matrix, []),
    ]


def _draw_findings(store: RunStore, runs: pd.DataFrame) -> list[Section]:
    artefact = findings.dropout_artefact(runs)
    without = with_report_settings(runs).query("dropout == 0 and not dropout_at_evaluation")
    counted, unread = findings.count_pairs(store, without)
    distances = findings.accuracy_by_distance(counted)
    sizes = findings.parameters_and_accuracy(runs).query("dropout == 0")
    epochs = findings.epochs_to_stop(runs)
    squared, unread_digits = findings.digit_accuracy_squared(store, runs)
    early, unread_early = findings.early_stop_hypothesis(store, runs)
    rows = (
        (
            "artefact",
            "Why did dropout not help in the report?",
            charts.artefact_dots(artefact),
            findings.describe_artefact(artefact),
        ),
        (
            "distance",
            "Which pairs are hard?",
            charts.distance_lines(distances),
            findings.describe_distance(distances) + unread,
        ),
        ("parameters", "Do more parameters help?", charts.parameters_dots(sizes), findings.describe_parameters(sizes)),
        ("epochs", "How long does training last?", charts.epochs_boxes(epochs), findings.describe_epochs(epochs)),
        (
            "squared",
            "Why does reading digits compare so well?",
            charts.squared_scatter(squared),
            findings.describe_squared(squared) + unread_digits,
        ),
        (
            "hypothesis",
            "Did the first two stop earlier?",
            charts.hypothesis_curves(early),
            findings.describe_hypothesis(early) + unread_early,
        ),
    )
    return [Section(*row) for row in rows]


def build_report(store: RunStore, runs: pd.DataFrame) -> str:
    """The whole comparison as one HTML page that needs nothing beside it: table, figures and sentences."""
    return _compose_report(results_table(runs), draw_sections(store, runs))


def _compose_report(table: pd.DataFrame, sections: list[Section]) -> str:
    parts = [pair_columns(table).to_html(index=False, border=0)]
    for number, (_, question, drawn, sentences) in enumerate(sections):
        # The first figure brings Plotly's script for all.
        figure = drawn.figure.to_html(full_html=False, include_plotlyjs=number == 0, config={"responsive": True})
        words = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
        described = f'<figure role="img" aria-label="{escape(drawn.alt, quote=True)}">{figure}</figure>'
        parts.append(f"<h2>{escape(question)}</h2>{described}{words}")
    return f'<!doctype html><html lang="en"><meta charset="utf-8">{STYLE}{"".join(parts)}</html>'


def as_parquet(frame: pd.DataFrame) -> bytes:
    """A data frame as a Parquet file."""
    content: bytes = frame.to_parquet()
    return content


def export_all(store: RunStore, directory: Path) -> list[Path]:
    """Write table.csv, table.md, table.tex, runs.parquet, histories.parquet, report.html and each figure as an HTML
    file of its own (figure-comparison.html, …); raises ValueError where the directory cannot be written."""
    with _one_sentence(directory):
        directory.mkdir(parents=True, exist_ok=True)
    runs = load_runs(store)
    table, sections = results_table(runs), draw_sections(store, runs)
    finished = runs[runs["state"] == "finished"]
    contents = {
        "table.csv": as_csv(table).encode(),
        "table.md": as_markdown(table).encode() + b"\n",
        "table.tex": as_latex(table).encode() + b"\n",
        "runs.parquet": as_parquet(finished),
        "histories.parquet": as_parquet(load_histories(store, finished["run_id"])),
        "report.html": _compose_report(table, sections).encode(),
    }
    for section in sections:
        contents[f"figure-{section.name}.html"] = section.drawn.figure.to_html(include_plotlyjs=True).encode()
    with _one_sentence(directory):
        for name, content in contents.items():
            write_atomically(directory / name, content)
    return [directory / name for name in contents]


@contextmanager
def _one_sentence(directory: Path) -> Iterator[None]:
    """Say of a directory that refuses to be written why it does."""
    try:
        yield
    except OSError as error:
        raise ValueError(f"The directory {directory} cannot be written: {error.strerror}.") from None
