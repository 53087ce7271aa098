"""What people take away: the results table as text, runs and histories as Parquet, figures, and a report as HTML."""

from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from core.analysis.agreement import compare_with_report, describe_difference
from core.analysis.numbers import fraction, mean_and_deviation
from core.analysis.sentences import TARGET, describe_p, name_cell
from core.analysis.tables import CELL_FIELDS, load_histories, load_runs, only_planned
from core.figures.files import Section, build_page, draw_pictures, figure_files, show_section
from core.runs.files import write_atomically
from core.runs.palette import PALETTE
from core.runs.settings import REPORT_MODELS
from core.runs.store import RunStore
from core.sections import draw_sections

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


def pair_columns(table: pd.DataFrame) -> pd.DataFrame:
    """The 14 cells of Table 1 as text, one row per architecture: ours and the report's, without and with dropout.

    `table` is core.analysis.tables.results_table's. A cell without rounds is a dash; n says how many rounds ours has.
    """
    columns: dict[str, list[str]] = {"Architecture": list(REPORT_MODELS)}
    for dropout, name in ((0.0, "no dropout"), (0.25, "dropout")):
        rows = table[(table["dropout"] == dropout) & ~table["dropout_at_evaluation"]].set_index("model")
        columns[f"Ours, {name}"] = [_own(rows.loc[model]) for model in REPORT_MODELS]
        columns["n" if dropout == 0 else "n "] = [str(rows.loc[model, "rounds"]) for model in REPORT_MODELS]
        columns[f"Report, {name}"] = [_printed(rows.loc[model]) for model in REPORT_MODELS]
    return pd.DataFrame(columns)


def _own(row: Any) -> str:
    return mean_and_deviation(row["mean"], row["std"])


def _printed(row: Any) -> str:
    return mean_and_deviation(row["report_mean"], row["report_std"])


def as_markdown(table: pd.DataFrame) -> str:
    """The 14 cells as a Markdown table; after each architecture's name, that in the code."""
    cells = pair_columns(table)
    cells["Architecture"] = [f"{PALETTE[model].label}, `{model}`" for model in REPORT_MODELS]
    lines = [list(cells.columns), ["---"] + ["---:"] * (len(cells.columns) - 1), *cells.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(text.strip() for text in line)} |" for line in lines)


def as_latex(table: pd.DataFrame) -> str:
    """The 14 cells as a LaTeX tabular."""
    cells = pair_columns(table)
    cells["Architecture"] = [PALETTE[model].label for model in REPORT_MODELS]
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
    """Every cell, one row each, with full precision."""
    return table.to_csv(index=False)


FORMATS = {"markdown": as_markdown, "latex": as_latex, "csv": as_csv}


def update_readme(path: Path, table: pd.DataFrame) -> None:
    """Write the table between the two marks of a README; raises ValueError if they are missing."""
    text = path.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} lacks the marks {BEGIN} and {END} between which the table belongs.")
    path.write_text(f"{before}{BEGIN}\n{as_markdown(table)}\n{END}{after}")


def comparison_rows(table: pd.DataFrame) -> pd.DataFrame:
    """The cells of compare_with_report that have rounds as text, one row each."""
    known: Any = table[table["rounds"] > 0]
    rows = [row for _, row in known.iterrows()]
    return pd.DataFrame(
        {
            "Cell": [name_cell(*cell) for cell in known[CELL_FIELDS].itertuples(index=False)],
            "n": known["rounds"].astype(str).tolist(),
            "Ours": [_own(row) for row in rows],
            "95 %": [
                "–" if pd.isna(row["low"]) else f"{fraction(row['low'])} to {fraction(row['high'])}" for row in rows
            ],
            "Report's": [_printed(row) for row in rows],
            "Difference (95 %), points": [describe_difference(row) for row in rows],
            "Holm's p": ["–" if pd.isna(p) else describe_p(p) for p in known["p_holm"]],
            "Verdict": [row["verdict"] or "–" for row in rows],
        }
    )


def build_report(runs: pd.DataFrame, sections: list[Section]) -> str:
    """The whole comparison as one HTML page that needs nothing beside it: table, figures, sentences and methods.

    `sections` are those of `draw_sections`.
    """
    title = "Do the ways to compare two digits differ?"
    table = comparison_rows(compare_with_report(runs)).to_html(index=False, border=0)
    # The first figure brings Plotly's script for all.
    parts = [
        f"<h2>{escape(section.question)}</h2>{show_section(section, n == 0)}" for n, section in enumerate(sections)
    ]
    return build_page(title, f"<h1>{title}</h1><p>{escape(TARGET)}</p>{table}{''.join(parts)}")


def as_parquet(frame: pd.DataFrame) -> bytes:
    """A data frame as a Parquet file."""
    content: bytes = frame.to_parquet()
    return content


class Exported(NamedTuple):
    """The files written, and a sentence if figures could not be drawn as SVG."""

    paths: list[Path]
    problem: str


def export_all(store: RunStore, directory: Path) -> Exported:
    """Write table.csv, table.md, table.tex, runs.parquet, histories.parquet, report.html and, in the folder figures,
    each figure as an HTML page and as an SVG picture, with the one script of the pages; raises OSError.

    Table, report and figures are of the reproduction's runs, the Parquet files of all that are finished."""
    runs = load_runs(store)
    planned = only_planned(runs)
    table = compare_with_report(planned)
    (directory / "figures").mkdir(parents=True, exist_ok=True)
    sections = draw_sections(store, planned, runs)
    finished = runs[runs["state"] == "finished"]
    pictures = draw_pictures(sections)
    contents = {
        "table.csv": as_csv(table).encode(),
        "table.md": as_markdown(table).encode() + b"\n",
        "table.tex": as_latex(table).encode() + b"\n",
        "runs.parquet": as_parquet(finished),
        "histories.parquet": as_parquet(load_histories(store, finished["run_id"])),
        "report.html": build_report(planned, sections).encode(),
        **{f"figures/{name}": content for name, content in {**figure_files(sections), **pictures.files}.items()},
    }
    for name, content in contents.items():
        write_atomically(directory / name, content)
    return Exported([directory / name for name in contents], pictures.problem)
