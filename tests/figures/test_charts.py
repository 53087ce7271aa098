"""Figures of stored results: what they draw, what they say, and how much they weigh."""

# long: the figures share their tables

import json
import re

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from coloraide import Color

from core.analysis import calibration, distance, findings, mistakes, traces
from core.analysis.agreement import compare_with_report
from core.analysis.artefact import dropout_artefact
from core.analysis.comparison import KINDS, compare_architectures, compare_ideas, describe_ideas, read_rounds
from core.analysis.report import REPORT_TABLE
from core.analysis.tables import load_histories, load_runs
from core.figures import comparison as comparison_charts
from core.figures import findings as finding_charts
from core.figures import learning as learning_charts
from core.figures import mistakes as mistake_charts
from core.figures import pair as pair_charts
from core.figures import style
from core.figures.style import FigureWithAlt
from core.runs.palette import PALETTE
from core.runs.plan import SHIPPED_DROPOUTS, is_shipped_with_weights, plan_reproduction
from core.runs.settings import REPORT_MODELS, RunSettings
from core.runs.store import RunStore
from support.fake_runs import write_run

DIRECT = "DirectClassificationModel"
LOOKS = [PALETTE[model] for model in REPORT_MODELS]

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Three rounds of each cell of Table 1, of 8, 10 and 12 epochs, the last at its limit; 2 points above it."""
    store = RunStore(tmp_path_factory.mktemp("charts"))
    for column, dropout in enumerate(SHIPPED_DROPOUTS):
        for model in REPORT_MODELS:
            for seed in range(3):
                accuracy = round(REPORT_TABLE[model][column].mean + 0.019 + seed / 1000, 3)
                reason = "max_epochs" if seed == 2 else "patience"
                settings = RunSettings(model=model, dropout=dropout, seed=seed)
                write_run(store, settings, accuracy, epochs=8 + 2 * seed, stop_reason=reason)
    return store


@pytest.fixture(scope="module")
def runs(store):
    return load_runs(store)


@pytest.fixture(scope="module")
def histories(store, runs):
    return load_histories(store, runs["run_id"])


def draw_all(store, runs) -> dict[str, FigureWithAlt]:
    histories = load_histories(store, runs["run_id"])
    answers = mistakes.read_answers(store, runs[runs["dropout"] == 0]).table
    rounds = read_rounds(store, runs).table
    sizes = findings.parameters_and_accuracy(runs)
    counted = distance.count_by_distance(answers)
    pairs = mistakes.count_pairs(answers[answers["model"] == DIRECT])
    hypothesis = traces.early_stop_hypothesis(store, runs).table
    return {
        "comparison_dots": comparison_charts.comparison_dots(compare_with_report(runs)),
        "mean_curves": learning_charts.mean_curves(histories, runs),
        "mean_curves, single": learning_charts.mean_curves(
            histories, runs, "training_loss", hold=False, rounds=True, narrow=True
        ),
        "paired_matrix": comparison_charts.paired_matrix(compare_architectures(rounds)),
        "ladder": comparison_charts.ladder(compare_ideas(rounds), narrow=True),
        "artefact_dots": finding_charts.artefact_dots(dropout_artefact(store, runs).table, narrow=True),
        "distance_lines": mistake_charts.distance_lines(distance.accuracy_by_distance(counted)),
        "pair_heatmap": mistake_charts.pair_heatmap(mistakes.accuracy_by_pair(pairs)),
        "parameters_dots": finding_charts.parameters_dots(sizes[sizes["dropout"] == 0]),
        "epochs_boxes": finding_charts.epochs_boxes(findings.epochs_to_stop(runs)),
        "squared_scatter": finding_charts.squared_scatter(findings.digit_accuracy_squared(store, runs.iloc[:0]).table),
        "pair_trace": pair_charts.pair_trace(traces.trace_pair(store, runs, (14, 15), RunSettings()).table, DIRECT),
        "hypothesis_curves": finding_charts.hypothesis_curves(hypothesis),
    }


def draw_mistakes(store, runs) -> dict[str, FigureWithAlt]:
    answers = mistakes.read_answers(store, runs[runs["dropout"] == 0]).table
    together = mistakes.judge_together(answers)
    two = mistakes.judge_together(answers[answers["model"].isin(REPORT_MODELS[:2])])
    rounds, own = mistakes.count_odds(two, *REPORT_MODELS[:2]), answers[answers["model"] == DIRECT]
    return {
        "alone_bars": mistake_charts.alone_bars(mistakes.count_alone(together), len(mistakes.missed_by_all(together))),
        "odds_bars": mistake_charts.odds_bars(rounds, *REPORT_MODELS[:2]),
        "calibration_curve": mistake_charts.calibration_curve(
            calibration.calibrate(own), calibration.measure_calibration(own)
        ),
    }


def select_traces(drawn: FigureWithAlt, **properties) -> list:
    """The figure's traces that have these properties."""
    return [t for t in drawn.figure.data if all(getattr(t, name) == value for name, value in properties.items())]


def mean_lines(drawn: FigureWithAlt) -> dict:
    """(model's label, panel) -> the trace of the mean."""
    return {(t.name, t.xaxis): t for t in drawn.figure.data if t.hovertemplate == "%{customdata}"}


def test_every_figure_shares_the_look_and_has_words(store, runs):
    for name, drawn in {**draw_all(store, runs), **draw_mistakes(store, runs)}.items():
        layout = drawn.figure.layout
        assert layout.title.text is None, name
        assert (layout.paper_bgcolor, layout.plot_bgcolor) == ("rgba(0,0,0,0)", "rgba(0,0,0,0)"), name
        assert layout.font.family == "Inter, system-ui, sans-serif", name
        assert layout.font.color is None, name  # the page's theme gives the colour
        assert drawn.alt.endswith("."), name
        json.loads(drawn.figure.to_json())


def test_an_empty_store_draws_and_says_so(tmp_path):
    empty = RunStore(tmp_path)
    for name, drawn in draw_all(empty, load_runs(empty)).items():
        assert isinstance(drawn.figure, go.Figure)
        assert any(words in drawn.alt.lower() for words in ("no rounds yet", "0 of 0", "cannot be judged yet")), name


def test_one_round_alone_draws(store, runs):
    one = runs[(runs["model"] == DIRECT) & (runs["seed"] == 0)]
    drawn = draw_all(store, one)
    assert f"to 98.4 % of {PALETTE[DIRECT].label} without dropout" in drawn["comparison_dots"].alt
    assert drawn["comparison_dots"].alt.endswith("Clearly different in 0 of 0 cells that can be compared.")


def test_ours_stands_beside_the_reports(runs):
    drawn = comparison_charts.comparison_dots(compare_with_report(runs))
    label = PALETTE["TwoBranchesModel"].label
    ours, report = [t for t in drawn.figure.data if (t.hovertemplate or "").startswith(label) and t.xaxis == "x"]
    if "the report" in ours.hovertemplate:
        ours, report = report, ours
    assert (ours.x[0], ours.marker.color) == (pytest.approx(0.832), PALETTE["TwoBranchesModel"].colour)
    assert ours.marker.symbol == PALETTE["TwoBranchesModel"].marker
    assert ours.error_x.array[0] == pytest.approx(4.302653 * 0.001 / 3**0.5, abs=1e-5)  # t(0.975, 2) · s / √3
    assert (report.x[0], report.error_x.array[0]) == (0.812, 0.013)
    assert ours.text[0] == "<b>+2.0 points</b>"
    assert "Two branches without dropout 83.2 % (the report 81.2 %)" in drawn.alt


def test_a_difference_that_is_not_clear_carries_no_number(runs):
    table = compare_with_report(runs).assign(clear=False)
    assert {t.text[0] for t in comparison_charts.comparison_dots(table).figure.data if t.text} == {""}


def test_held_rounds_stay_in_the_mean(histories, runs):
    drawn = learning_charts.mean_curves(histories, runs)
    line = mean_lines(drawn)[PALETTE[DIRECT].label, "x"]
    assert line.x.tolist() == list(range(1, 13))
    assert line.y[-1] == pytest.approx((0.984 + 0.985 + 0.986) / 3)
    assert line.customdata[-1] == "98.5 % | 97.3 %"  # both panels' values on each
    assert mean_lines(drawn)[PALETTE[DIRECT].label, "x2"].customdata[-1] == "98.5 % | 97.3 %"
    assert "Direct classification 98.5 % at epoch 12" in drawn.alt


def test_without_holding_the_mean_is_of_the_rounds_still_running(histories, runs):
    line = mean_lines(learning_charts.mean_curves(histories, runs, hold=False))[PALETTE[DIRECT].label, "x"]
    assert line.y[-1] == pytest.approx(0.986)
    later = [0.5 + (a - 0.5) * 8 / (n - 1) for a, n in ((0.985, 10), (0.986, 12))]  # epoch 9 of 10 and of 12
    assert line.y[8] == pytest.approx(sum(later) / 2)


def test_rounds_under_way_are_not_held(histories, runs):
    running = runs.assign(state=runs["state"].where(runs["seed"] > 0, "active"))
    line = mean_lines(learning_charts.mean_curves(histories, running))[PALETTE[DIRECT].label, "x"]
    assert line.y[-1] == pytest.approx((0.985 + 0.986) / 2)


def test_early_stops_are_marked_and_the_limit_is_not(histories, runs):
    drawn = learning_charts.mean_curves(histories, runs)
    marks = select_traces(drawn, mode="markers", legendgroup=DIRECT, xaxis="x")
    assert [sorted(mark.x.tolist()) for mark in marks] == [[8, 10]]
    line = mean_lines(drawn)[PALETTE[DIRECT].label, "x"]
    heights = dict(zip(marks[0].x.tolist(), marks[0].y.tolist(), strict=True))
    assert heights == {8: pytest.approx(line.y[7]), 10: pytest.approx(line.y[9])}


def test_the_band_is_one_deviation_either_way(histories, runs):
    drawn = learning_charts.mean_curves(histories, runs, looked_at=DIRECT)
    band, _ = select_traces(drawn, fill="toself")  # one in each panel, and none of another architecture
    assert band.x.tolist() == [*range(1, 13), *range(12, 0, -1)]
    assert band.y[11] - band.y[12] == pytest.approx(2 * 0.001, abs=1e-6)


def test_single_rounds_replace_the_band(histories, runs):
    drawn = learning_charts.mean_curves(histories, runs, rounds=True)
    assert select_traces(drawn, fill="toself") == []
    one = learning_charts.mean_curves(histories, runs, rounds=True, looked_at=DIRECT)
    assert {trace.legendgroup for trace in select_traces(one, opacity=style.FAINT)} == {DIRECT}
    rounds = select_traces(drawn, opacity=style.FAINT, legendgroup=DIRECT, xaxis="x")[0]
    assert np.isnan(rounds.y).sum() == 3
    assert len(rounds.x) == 8 + 10 + 12 + 3


def test_panels_lie_side_by_side_or_below_each_other(histories, runs):
    wide = learning_charts.mean_curves(histories, runs).figure.layout
    narrow = learning_charts.mean_curves(histories, runs, narrow=True).figure.layout
    assert wide.xaxis.domain[1] < wide.xaxis2.domain[0]
    assert narrow.xaxis.domain == narrow.xaxis2.domain
    assert narrow.yaxis2.domain[1] < narrow.yaxis.domain[0]
    assert narrow.dragmode is False  # a finger scrolls the page


def test_each_architecture_has_its_colour_dash_and_marker_in_the_legend(histories, runs):
    drawn = learning_charts.mean_curves(histories, runs, narrow=True)
    entries = [t for t in drawn.figure.data if t.showlegend is None]
    assert [t.name for t in entries] == [*(look.label for look in LOOKS), "Marker: a round stops early"]
    assert [t.line.color for t in entries[:7]] == [look.colour for look in LOOKS]
    assert [t.marker.symbol for t in entries[:7]] == [look.marker for look in LOOKS]
    assert entries[1].line.dash == "6px,3px"


def test_names_at_the_ends_of_lines_lie_apart_and_in_the_order_of_the_values(histories, runs):
    drawn = learning_charts.mean_curves(histories, runs)
    assert [t.name for t in drawn.figure.data if t.showlegend is None] == ["Marker: a round stops early"]
    labels = sorted((t for t in drawn.figure.layout.annotations if t.xref == "x"), key=lambda label: label.y)
    lines = mean_lines(drawn)
    assert len(labels) == 7
    ends = [lines[re.sub("<.*?>|●", "", label.text).strip(), "x"].y[-1] for label in labels]
    assert ends == sorted(ends)
    low, high = drawn.figure.layout.yaxis.range
    assert np.diff([label.y for label in labels]).min() >= learning_charts.LABEL_LINE * (high - low) - 1e-9


def test_the_axis_shows_the_first_epoch(histories, runs):
    drawn = learning_charts.mean_curves(histories, runs)
    assert drawn.figure.layout.yaxis.range[0] <= min(line.y.min() for line in mean_lines(drawn).values())


def test_figure_2_stays_light():
    """140 rounds of 100 epochs each, every value different."""
    plan = [run for run in plan_reproduction() if is_shipped_with_weights(run)]
    known = pd.DataFrame([{"run_id": run.run_id, **dict(run)} for run in plan])
    epochs = pd.DataFrame({"epoch": range(1, 101)})
    histories = known.merge(epochs, "cross")
    histories["validation_accuracy"] = np.random.default_rng(0).uniform(0.5, 1, len(histories))
    known = known.assign(state="finished", stop_reason="patience")
    assert len(plan) == 140
    for rounds in (False, True):
        figure = learning_charts.mean_curves(histories, known, rounds=rounds).figure
        assert len(figure.to_json()) < 400_000


def test_a_cells_rounds(histories, runs):
    own = runs[(runs["model"] == DIRECT) & (runs["dropout"] == 0)]
    drawn = learning_charts.cell_rounds(histories[histories["run_id"].isin(own["run_id"])], own)
    tests = select_traces(drawn, name="Its test accuracy")[0]
    assert dict(zip(tests.x, tests.y, strict=True)) == {8: 0.984, 10: 0.985, 12: 0.986}
    [rounds] = select_traces(drawn, mode="lines", opacity=style.FAINT)
    assert [seed for seed, epoch in zip(rounds.customdata, rounds.x, strict=True) if epoch is None] == [2, 0, 1]
    assert len(rounds.x) == 8 + 10 + 12 + 3
    assert drawn.alt.endswith(": seed 0 8 epochs and 98.4 %, seed 1 10 epochs and 98.5 %, seed 2 12 epochs and 98.6 %.")
    losses = learning_charts.cell_rounds(histories[histories["run_id"].isin(own["run_id"])], own, "validation_loss")
    assert select_traces(losses, name="Its test accuracy") == []


def test_the_matrix_is_bold_where_it_is_clear(store, runs):
    pairs = compare_architectures(read_rounds(store, runs[runs["dropout"] == 0]).table).assign(clear=False)
    own = pairs.index[(pairs["first"] == "TwoChannelsModel") & (pairs["second"] == "TwoBranchesModel")]
    pairs.loc[own[0], ["difference", "clear"]] = [0.014, True]
    drawn = comparison_charts.paired_matrix(pairs)
    panels = [np.array(trace.text) for trace in drawn.figure.data]
    assert len(panels) == len(KINDS)
    assert (panels[0][1, 0], panels[0][0, 1]) == ("<b>1.4</b>", "")
    assert panels[0][6, 5] == "10.0"
    assert "<b>" not in "".join(panels[1].ravel())
    assert drawn.figure.data[0].z[6][5] == pytest.approx(10)
    assert drawn.alt.startswith(
        "Paired differences in points. All pairs: 1 of 21 pairs of architectures differ clearly, most of all Two "
        "branches, 1.4 points ahead of Two channels. Unequal digits: 0 of 21 pairs"
    )
    pairs.loc[own[0], "difference"] = -0.012
    assert "most of all Two channels, 1.2 points ahead of Two branches" in comparison_charts.paired_matrix(pairs).alt


def test_the_ladder_has_a_panel_per_kind_and_is_filled_where_it_is_clear(store, runs):
    steps = compare_ideas(read_rounds(store, runs[runs["dropout"] == 0]).table).assign(clear=False)
    steps.loc[1, "clear"] = True  # the first idea on unequal digits
    drawn = comparison_charts.ladder(steps)
    dots = [trace for trace in drawn.figure.data if trace.mode == "markers+text"]
    known = steps[steps["rounds"] > 0]
    assert [dot.x[0] for dot in dots] == pytest.approx((100 * known["difference"]).round(2).tolist())
    assert [dot.xaxis for dot in dots[:3]] == ["x", "x2", "x3"]
    assert [dot.marker.symbol for dot in dots[:3]] == ["diamond-open", "diamond", "diamond-open"]
    assert drawn.alt == " ".join(describe_ideas(steps))


def test_the_lowest_pairs_are_named(store, runs):
    cell = runs[(runs["model"] == DIRECT) & (runs["dropout"] == 0)]
    pairs = mistakes.accuracy_by_pair(mistakes.count_pairs(mistakes.read_answers(store, cell).table))
    pairs.loc[(pairs["first"] == 4) & (pairs["second"] == 9), "accuracy"] = 0.25
    drawn = mistake_charts.pair_heatmap(pairs)
    assert drawn.figure.data[0].z[4][9] == 0.25
    assert "The lowest five: 4 and 9 25.0 %" in drawn.alt
    cells = {cell: trace for trace in drawn.figure.data[1:] for cell in zip(trace.y, trace.x, strict=True)}
    assert len(cells) == 100  # a click anywhere reports its cell
    strong = cells[4, 9]
    assert (strong.x, strong.y, strong.text) == ((9,), (4,), ("25",))
    numbers = drawn.figure.data[0].colorbar
    assert (numbers.tickvals, numbers.ticktext) == ((0.25, 0.625, 1), ("25.0 %", "62.5 %", "100.0 %"))


def test_each_number_is_readable_on_its_cell():
    for percent in range(101):
        share = percent / 100
        cell = Color(style.PAPER).mix(style.ERROR, share, space="srgb")
        ink = mistake_charts.LIGHT_INK if share > mistake_charts.STRONG else mistake_charts.DARK_INK
        assert cell.contrast(ink, method="wcag21") >= 4.5, percent


@pytest.mark.parametrize(
    ("digits", "frame"),
    [((4, 9), (8.5, 9.5, 3.5, 4.5)), ((4, None), (-0.5, 9.5, 3.5, 4.5)), ((None, 9), (8.5, 9.5, -0.5, 9.5))],
)
def test_chosen_digits_are_framed(store, runs, digits, frame):
    cell = runs[(runs["model"] == DIRECT) & (runs["dropout"] == 0)]
    pairs = mistakes.accuracy_by_pair(mistakes.count_pairs(mistakes.read_answers(store, cell).table))
    shapes = mistake_charts.pair_heatmap(pairs, *digits).figure.layout.shapes
    assert {(shape.x0, shape.x1, shape.y0, shape.y1) for shape in shapes} == {frame}
    assert mistake_charts.pair_heatmap(pairs).figure.layout.shapes == ()


def test_those_at_odds_go_to_opposite_sides():
    rounds = pd.DataFrame(
        {"seed": [5], "both": [900], "only_first": [30], "only_second": [60], "neither": [10], "p_holm": [0.02]}
    )
    drawn = mistake_charts.odds_bars(rounds, *REPORT_MODELS[:2])
    assert [bar.x[0] for bar in drawn.figure.data] == [-30, 60]
    assert drawn.alt.endswith("Two channels and only Two branches gets right: Round 5, p 0.020: 30 and 60.")


def test_the_hypothesis_marks_all_where_the_first_two_come_nearest(store, runs):
    table = traces.early_stop_hypothesis(store, runs).table
    drawn = finding_charts.hypothesis_curves(table)
    marks = select_traces(drawn, mode="markers", hoverinfo="skip")
    stopped = traces.common_stop(table)
    assert [mark.x[0] for mark in marks if mark.x[0]] == stopped["epoch"].tolist()
    assert len(stopped) == len(REPORT_MODELS)
    lines = {trace.name: trace for trace in drawn.figure.data if trace.mode == "lines" and trace.x[0]}
    assert set(lines) == {look.label for look in LOOKS}
    assert lines["Two channels"].y[-1] == pytest.approx(2.0)  # 0.818 against the printed 0.798
    assert [shape.y0 for shape in drawn.figure.layout.shapes if shape.y0 == shape.y1] == [0]


def test_no_figure_formats_a_share_of_its_own(store, runs):
    """Hover texts come ready from core.analysis.sentences: the browser would round a half another way."""
    for name, drawn in {**draw_all(store, runs), **draw_mistakes(store, runs)}.items():
        for trace in drawn.figure.data:
            template = getattr(trace, "hovertemplate", None) or ""
            texts = template if isinstance(template, str) else "".join(template)
            assert not re.search(r"%\{[xyz][^}]*:\.[123]", texts), name


def test_the_reports_band_is_drawn_in_both_panels(store, runs):
    shapes = finding_charts.artefact_dots(dropout_artefact(store, runs).table).figure.layout.shapes
    lines = [(shape.xref, shape.x0) for shape in shapes if shape.type == "line"]
    assert lines == [("x", 0.863), ("x2", 0.953)]


def test_a_pairs_trace_has_a_line_a_run_and_the_chosen_one_is_heavier(store, runs):
    table = traces.trace_pair(store, runs, (14, 15), RunSettings()).table
    drawn = pair_charts.pair_trace(table, DIRECT)
    assert len(drawn.figure.data) == 3 * len(REPORT_MODELS)
    assert sum(trace.showlegend for trace in drawn.figure.data) == len(REPORT_MODELS)
    heavy = [trace for trace in drawn.figure.data if trace.line.width == 4]
    assert {trace.name for trace in heavy} == {PALETTE[DIRECT].label}
    assert heavy[0].x.tolist() == [5, 8]
    assert heavy[0].y.tolist() == pytest.approx([0.751953, 0.75])
    assert "Direct classification from 75.2 % to 75.0 %" in drawn.alt
