"""Dropout off and left on at evaluation, and which explanation fits the report, on both sides of each edge."""

import pytest
from scipy import stats

from core.analysis.artefact import CASES, DIGIT_MODELS, describe_artefact, dropout_artefact
from core.analysis.statistics import compare_unpaired, holm
from core.analysis.tables import load_runs
from core.runs.settings import RunSettings
from core.runs.store import RunStore
from support.fake_runs import write_run

AUXILIARY, DIRECT = DIGIT_MODELS

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path)


def write_rounds(store, accuracies, trace=None, **settings):
    for seed, accuracy in enumerate(accuracies):
        write_run(store, RunSettings(seed=seed, **settings), accuracy, trace=trace)


def write_cells(store, model, without, off, left_on, best):
    """Three rounds a cell a thousandth apart; `best` is the accuracy at epoch 10, the stored one nearest to the
    best."""
    for accuracy, settings in ((without, {}), (left_on, {"dropout": 0.25, "dropout_at_evaluation": True})):
        write_rounds(store, [accuracy - 0.001, accuracy, accuracy + 0.001], model=model, **settings)
    for seed, shift in enumerate((-0.001, 0.001, 0.0)):
        trace = {5: 0.5, 10: round(best + shift, 3)}
        write_run(store, RunSettings(model=model, dropout=0.25, seed=seed), round(off + shift, 3), trace=trace)


def test_an_empty_store_says_what_is_missing(store):
    table = dropout_artefact(store, load_runs(store)).table
    assert table["rounds"].tolist() == 12 * [0]
    [sentence] = describe_artefact(table)
    assert sentence.startswith("Fewer than 10 rounds so far: Auxiliary losses")


def test_gains_are_paired_and_corrected_with_the_distances_from_the_print(store):
    write_rounds(store, [0.860, 0.864, 0.862], model=AUXILIARY)
    write_rounds(store, [0.890, 0.896, 0.892], model=AUXILIARY, dropout=0.25, trace={10: 0.88})
    write_rounds(store, [0.865, 0.867], model=AUXILIARY, dropout=0.25, dropout_at_evaluation=True)
    table = dropout_artefact(store, load_runs(store)).table
    own = table[table["model"] == AUXILIARY].set_index("case")
    assert own.index.tolist() == [case.name for case in CASES]
    assert own["rounds"].tolist() == [3, 3, 0, 2, 0, 3]
    assert own.loc["Dropout 0.25", "mean"] == pytest.approx(0.892667, abs=1e-6)
    assert own.loc["Dropout 0.25, best epoch", "mean"] == pytest.approx(0.88)
    gains = stats.ttest_1samp([0.030, 0.032, 0.030], 0).confidence_interval()
    assert own.loc["Dropout 0.25", ["gain_low", "gain_high"]].tolist() == pytest.approx(list(gains))
    assert own["report_mean"].tolist() == 6 * [0.863]
    assert own.loc["Dropout 0.25", "off"] == pytest.approx(0.892667 - 0.863, abs=1e-6)
    explained = own.loc[["Dropout 0.25", "Dropout 0.25, left on", "Dropout 0.25, best epoch"]]
    # Three gains and three explanations of one network are one family of six.
    welch = compare_unpaired(explained[["mean", "std", "rounds"]], 3 * [[0.863, 0.012, 10]]).p
    adjusted = holm([*own["gain_p"].dropna(), *welch])
    assert own["gain_p_holm"].dropna().tolist() == pytest.approx(adjusted[:3])
    assert sorted(own["off_p_holm"].dropna()) == pytest.approx(sorted(adjusted[3:]))
    assert describe_artefact(table)[0].startswith(
        "Auxiliary losses: dropout 0.25, off at evaluation as it should be, adds 3.1 points (95 % 2.8 to 3.4, Holm's p "
    )
    assert describe_artefact(table)[0].endswith(", from 86.2 % to 89.3 % (n = 3).")
    assert describe_artefact(table)[-1].endswith("Auxiliary losses with dropout 0.25 left on (2) and 6 more cells.")


def test_a_gain_within_chance_is_not_claimed(store):
    write_rounds(store, [0.96, 0.97], model=DIRECT)
    write_rounds(store, [0.97, 0.97], model=DIRECT, dropout=0.25)
    sentence = describe_artefact(dropout_artefact(store, load_runs(store)).table)[0]
    # differences 0.01 and 0: mean 0.005, error 0.005, t(0.975, 1) = 12.7062
    assert "makes no clear difference: 0.5 points (95 % −5.9 to 6.9, Holm's p 1)" in sentence


def test_the_stored_epoch_nearest_to_the_best_is_tested(store):
    # Validation accuracy rises until epoch 12: of epochs 5 and 10, epoch 10 is nearer.
    write_rounds(store, [0.9, 0.9], model=DIRECT, dropout=0.25, trace={5: 0.7, 10: 0.8})
    table = dropout_artefact(store, load_runs(store)).table.set_index(["model", "case"])
    assert table.loc[(DIRECT, "Dropout 0.25, best epoch"), "mean"] == pytest.approx(0.8)
    assert table.loc[(DIRECT, "Dropout 0.25"), "mean"] == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("off", "left_on", "best", "verdict"),
    [
        # The printed figures are 0.863 ± 0.012 and 0.953 ± 0.010: 5 points off are clear, 0.1 points are not.
        (
            0.05,
            0.001,
            0.05,
            "Of these three, only dropout 0.25 left on at evaluation is compatible with both printed figures;",
        ),
        (
            0.05,
            -0.05,
            0.001,
            "Of these three, only dropout 0.25, off, and the weights of the best validation epoch is compatible with "
            "both printed figures;",
        ),
        (
            0.05,
            0.001,
            -0.001,
            "Both printed figures are compatible with dropout 0.25, off, and the weights of the best validation epoch "
            "and with dropout 0.25 left on at evaluation;",
        ),
        (0.05, -0.05, 0.05, "None of these is compatible with both printed figures;"),
    ],
)
def test_an_explanation_must_fit_both_figures(store, off, left_on, best, verdict):
    for model, printed in ((AUXILIARY, 0.863), (DIRECT, 0.953)):
        one = 0.04 if model == DIRECT else off  # stays below 1
        write_cells(store, model, printed, printed + min(off, one), printed + left_on, printed + min(best, one))
    sentences = describe_artefact(dropout_artefact(store, load_runs(store)).table)
    assert sentences[5].startswith(verdict)
    assert "leaves dropout on for these two networks. An earlier stop is not among these" in sentences[5]


def test_one_that_fits_a_single_figure_does_not_explain_both(store):
    write_cells(store, AUXILIARY, 0.863, 0.913, 0.864, 0.863 + 0.033)
    write_cells(store, DIRECT, 0.953, 0.990, 0.954, 0.954)
    table = dropout_artefact(store, load_runs(store)).table
    sentences = describe_artefact(table)
    assert sentences[3].startswith(
        "With dropout 0.25, off, and the weights of the best validation epoch: Auxiliary losses 89.6 %, clearly "
        "different from the printed 86.3 % (Holm's p < 0.001) and Direct classification 95.4 %, not clearly different "
        "from the printed 95.3 % (Holm's p "
    )
    assert sentences[5].startswith(
        "Of these three, only dropout 0.25 left on at evaluation is compatible with both printed figures;"
    )
    assert sentences[5].endswith("(t tests, Holm's correction over the 12 comparisons of this finding.)")
