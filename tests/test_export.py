"""The results table to take away."""

import re

import pandas as pd
import pytest
from conftest import ROOT

from core.export import BEGIN, END, as_csv, as_latex, as_markdown, export_all, pair_columns, update_readme
from core.results import load_runs, results_table
from core.runs import RunStore


@pytest.fixture
def table():
    runs = pd.DataFrame(columns=load_runs(RunStore(ROOT / "nowhere")).columns)
    return results_table(runs)


def test_a_cell_without_rounds_is_a_dash_beside_the_reports(table):
    row = pair_columns(table).set_index("Architecture").loc["DirectClassificationModel"]
    assert row.tolist() == ["–", "0", "0.965 ± 0.007", "–", "0", "0.953 ± 0.010"]


def test_one_round_has_a_mean_and_no_deviation(table):
    table.loc[0, ["rounds", "mean"]] = [1, 0.8125]
    assert pair_columns(table).loc[0, "Ours, no dropout"] == "0.812"


def test_markdown_and_latex_have_a_line_an_architecture(table):
    assert len(as_markdown(table).splitlines()) == 9
    assert r"DirectClassificationModel & -- & 0 & 0.965 $\pm$ 0.007 & -- & 0 & 0.953 $\pm$ 0.010 \\" in as_latex(table)


def test_csv_keeps_every_cell(table):
    assert len(as_csv(table).splitlines()) == 15


def test_the_readmes_table_is_that_of_the_shipped_runs(tmp_path):
    copy = tmp_path / "README.md"
    copy.write_text((ROOT / "README.md").read_text())
    update_readme(copy, results_table(load_runs(RunStore(ROOT / "cached_runs"))))
    assert copy.read_text() == (ROOT / "README.md").read_text(), "run: python -m core table --readme README.md"


def test_the_readmes_words_are_those_of_the_shipped_runs():
    table = results_table(load_runs(RunStore(ROOT / "cached_runs")))
    left_on = table[table["dropout_at_evaluation"] & (table["dropout"] == 0.25)]
    figures = " and ".join(f"{row.mean:.3f} ± {row.std:.3f}" for row in left_on.itertuples(index=False))
    assert f"dropout 0.25 gives {figures} (n = 10)" in (ROOT / "README.md").read_text()


def test_export_writes_everything_and_the_report_needs_nothing_beside_it(tmp_path):
    store = RunStore(ROOT / "cached_runs")
    paths = export_all(store, tmp_path / "new")
    assert [path.name for path in paths] == [
        "table.csv", "table.md", "table.tex", "runs.parquet", "histories.parquet", "report.html",
        *(f"figure-{number}.html" for number in range(1, 13)),
    ]  # fmt: skip
    runs, histories = (pd.read_parquet(tmp_path / "new" / f"{name}.parquet") for name in ("runs", "histories"))
    assert len(runs) == 340
    assert histories.groupby("run_id").size().equals(runs.set_index("run_id")["epochs"].astype(int).sort_index())
    assert not histories.duplicated(["model", "dropout", "dropout_at_evaluation", "seed", "epoch"]).any()
    assert "p_holm" in (tmp_path / "new" / "table.csv").read_text().splitlines()[0]
    assert '<html lang="en">' in (tmp_path / "new" / "figure-12.html").read_text()
    report = (tmp_path / "new" / "report.html").read_text()
    assert report.count("<figure") == 12
    assert not re.search(r'<(script|link)[^>]+(src|href)="http', report)


def test_export_of_an_empty_store_says_what_is_missing(tmp_path):
    export_all(RunStore(tmp_path / "none"), tmp_path / "out")
    assert "nothing can be compared" in (tmp_path / "out" / "report.html").read_text()


def test_a_readme_without_marks_is_one_sentence(tmp_path, table):
    (tmp_path / "README.md").write_text(f"{BEGIN} and no end")
    with pytest.raises(ValueError, match=f"lacks the marks {BEGIN} and {END}"):
        update_readme(tmp_path / "README.md", table)
