"""The results table to take away: CSV, Markdown and LaTeX, and its place in the README."""

from pathlib import Path

import pandas as pd

from core.settings import MODEL_NAMES

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


def _mean_and_deviation(row: pd.Series, mean: str, deviation: str) -> str:
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
