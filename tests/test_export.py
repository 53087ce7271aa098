"""The results table to take away."""

import re
from xml.etree import ElementTree

import pandas as pd
import plotly.graph_objects as go
import pytest

from core.analysis.agreement import CLEAR, UNCLEAR, WITHIN, compare_orders, compare_with_report, count_after_rounding
from core.analysis.comparison import LADDER, compare_ideas, read_rounds
from core.analysis.numbers import fraction, mean_and_deviation, points, signed
from core.analysis.sentences import describe_p
from core.analysis.tables import load_runs, results_table
from core.export import BEGIN, END, as_csv, as_latex, as_markdown, export_all, pair_columns, update_readme
from core.figures import files as figure_files
from core.figures.files import Section
from core.figures.style import FigureWithAlt
from core.runs.plan import planned_run_ids
from core.runs.store import RunStore
from support.servers import CHROMIUM, ROOT


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
    head, _, *lines = as_markdown(table).splitlines()
    assert (len(lines), lines[6].split(" | ")[0]) == (7, "| Direct classification, `DirectClassificationModel`")
    assert head.startswith("| Architecture | Ours, no dropout | n |")
    assert r"Direct classification & -- & 0 & 0.965 $\pm$ 0.007 & -- & 0 & 0.953 $\pm$ 0.010 \\" in as_latex(table)


def test_csv_keeps_every_cell(table):
    assert len(as_csv(table).splitlines()) == 15


def test_the_readmes_table_is_that_of_the_shipped_runs(tmp_path):
    copy = tmp_path / "README.md"
    copy.write_text((ROOT / "README.md").read_text())
    update_readme(copy, results_table(load_runs(RunStore(ROOT / "cached_runs"))))
    assert copy.read_text() == (ROOT / "README.md").read_text(), "run: python -m core table --readme README.md"


def test_the_readmes_words_are_those_of_the_shipped_runs():
    store = RunStore(ROOT / "cached_runs")
    runs = load_runs(store)
    table = compare_with_report(runs)
    left_on = table[table["dropout_at_evaluation"] & (table["dropout"] == 0.25)]
    figures = " and ".join(mean_and_deviation(row.mean, row.std) for row in left_on.itertuples(index=False))
    counts, orders = table["verdict"].value_counts(), compare_orders(runs)
    capped = table.set_index(["model", "dropout"]).loc[("WeightSharingAuxiliaryModel", 0.25)].iloc[0]
    rounds = read_rounds(store, runs).table
    auxiliary = rounds[(rounds["model"] == "WeightSharingAuxiliaryModel") & ~rounds["dropout_at_evaluation"]]
    means = auxiliary.groupby(["dropout", "auxiliary_weight"])["epochs"].mean().to_dict()
    epochs = {cell: signed(mean, 0) for cell, mean in means.items()}
    ideas = pd.concat([compare_ideas(rounds), compare_ideas(rounds, 0.25)], keys=["without", "with"])
    adds = ideas.reset_index(level=0, names="column").set_index(["column", "change", "kind"])
    sharing, losses = LADDER[0].change, LADDER[5].change
    drop = adds[(adds["group"] == "dropout") & adds["clear"]].loc[("with", slice(None), "all")]
    readme = " ".join((ROOT / "README.md").read_text().split())
    for words in (
        f"dropout 0.25 gives {figures} (n = 10)",
        f"{counts[CLEAR]} are clearly different, {counts[WITHIN]} agree within ± one point, {counts[UNCLEAR]} are not "
        "clear",
        f"bring their count down to {count_after_rounding(table)[0]}.",
        f"{signed(orders[0.0].exact, 0, 100)} and {signed(orders[0.25].exact, 0, 100)} % give exactly that order",
        f"adds {points(adds['difference'][('without', sharing, 'unequal')])} points on unequal digits, and costs "
        f"{points(-adds['difference'][('without', sharing, 'equal')])} on equal ones",
        f"the losses add {points(adds['difference'][('without', losses, 'all')])} points without dropout (p "
        f"{describe_p(adds['p_holm'][('without', losses, 'all')])}, on the edge) and "
        f"{points(adds['difference'][('with', losses, 'all')])} with it",
        f"for {epochs[0.0, 1.0]} epochs on average instead of {epochs[0.0, 0.0]}, and {epochs[0.25, 1.0]} instead of "
        f"{epochs[0.25, 0.0]};",
        f"helps *Auxiliary losses* by {points(drop['difference'].item())} points",
        f"{fraction(capped['mean'])} is still cut short: {capped['capped']} of its {capped['rounds']} rounds",
    ):
        assert words in readme
    clear = adds["clear"].loc["without"]
    assert clear[sharing].tolist() == [False, True, True]
    assert (clear[LADDER[4].change]["all"], clear[losses]["all"]) == (False, True)


FIGURES = [
    "ours-beside-the-report", "learning-curves", "what-each-idea-adds-no-dropout",
    "which-architectures-differ-no-dropout", "what-each-idea-adds-dropout-0.25",
    "which-architectures-differ-dropout-0.25", "what-dropout-0.25-adds", "dropout-off-and-left-on",
    "accuracy-by-distance-of-the-digits", "parameters-and-accuracy", "epochs-until-training-ended",
    "reading-digits-and-comparing-them", "an-earlier-stop-as-an-explanation", "accuracy-by-training-pairs",
    "sharing-at-equal-parameters", "accuracy-by-auxiliary-weight", "who-learns-fast", "last-epoch-or-best",
    "what-networks-have-never-seen",
]  # fmt: skip


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The shipped runs, exported; the browser is whichever the tests have."""
    directory = tmp_path_factory.mktemp("export") / "new"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHROMIUM", CHROMIUM)
        return directory, export_all(RunStore(ROOT / "cached_runs"), directory)


@pytest.mark.process
def test_export_writes_everything_under_telling_names(exported):
    directory, (paths, problem) = exported
    assert problem == ""
    assert [str(path.relative_to(directory)) for path in paths] == [
        "table.csv", "table.md", "table.tex", "runs.parquet", "histories.parquet", "report.html",
        "figures/plotly.min.js", *(f"figures/{name}.{kind}" for kind in ("html", "svg") for name in FIGURES),
    ]  # fmt: skip
    runs, histories = (pd.read_parquet(directory / f"{name}.parquet") for name in ("runs", "histories"))
    assert set(runs["run_id"]) == set(RunStore(ROOT / "cached_runs").names())
    epochs = runs[runs["run_id"].isin(planned_run_ids())].set_index("run_id")["epochs"]  # studies keep no history
    assert histories.groupby("run_id").size().equals(epochs.astype(int).sort_index())
    assert not histories.duplicated(["run_id", "epoch"]).any()
    assert "p_holm" in (directory / "table.csv").read_text().splitlines()[0]


def test_the_report_needs_nothing_beside_it(exported):
    report = (exported[0] / "report.html").read_text()
    assert report.count("<figure") == len(FIGURES)
    assert report.count("How it was computed: ") == len(FIGURES)
    assert "pairs drawn from MNIST&#x27;s test half" in report
    assert "+2.0 (1.0 to 2.9)" in report
    assert not re.search(r'<(script|link)[^>]+(src|href)="http', report)


def test_figures_share_one_script_and_say_what_they_show(exported):
    pages = {name: (exported[0] / "figures" / f"{name}.html").read_text() for name in FIGURES}
    for name, page in pages.items():
        assert '<html lang="en">' in page
        assert '<script charset="utf-8" src="plotly.min.js">' in page or 'src="plotly.min.js"' in page
        assert len(page) < 300_000, name
        assert "How it was computed: " in page
    assert "On the whole the 7 architectures without dropout stand in the report" in pages["ours-beside-the-report"]


def test_pictures_carry_their_sentences_and_methods(exported):
    for name in FIGURES:
        picture = ElementTree.parse(exported[0] / "figures" / f"{name}.svg").getroot()
        title, description = (picture.findtext(f"{{http://www.w3.org/2000/svg}}{tag}") for tag in ("title", "desc"))
        assert title.strip("()").endswith(("?", "dropout", "0.25"))
        assert "How it was computed: " in description
        assert len(picture.findall(".//{*}text")) > 5


def test_without_a_chromium_the_figures_come_as_pages_alone(monkeypatch):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(figure_files.shutil, "which", lambda name: None)
    pictures = figure_files.draw_pictures([])
    assert pictures.files == {}
    assert pictures.problem == "There is no Chromium, so the figures come as HTML alone; CHROMIUM can name one."


@pytest.mark.parametrize("browser", ["/nowhere/chromium", "/bin/true"])
def test_a_chromium_that_draws_nothing_is_named(monkeypatch, browser):
    monkeypatch.setenv("CHROMIUM", browser)
    section = Section("a-figure", "What?", FigureWithAlt(go.Figure(), "Nothing."), [], "by hand.")
    pictures = figure_files.draw_pictures([section])
    assert pictures.files == {}
    assert pictures.problem.startswith(f"{browser} drew no SVG")


def test_export_of_an_empty_store_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(figure_files, "find_browser", lambda: None)  # it takes its time, and has its own test
    export_all(RunStore(tmp_path / "none"), tmp_path / "out")
    assert "nothing can be compared" in (tmp_path / "out" / "report.html").read_text()


def test_a_readme_without_marks_is_one_sentence(tmp_path, table):
    (tmp_path / "README.md").write_text(f"{BEGIN} and no end")
    with pytest.raises(ValueError, match=f"lacks the marks {BEGIN} and {END}"):
        update_readme(tmp_path / "README.md", table)
