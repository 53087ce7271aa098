"""Which test pairs the networks get wrong: by digits, by all of them, how sure they were, and two of them at odds."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.analysis import calibration, mistakes
from core.analysis.comparison import compare_architectures, describe_pair, read_rounds
from core.analysis.distance import accuracy_by_distance, count_by_distance
from core.analysis.tables import with_report_settings
from core.runs.palette import PALETTE
from core.runs.settings import MODEL_NAMES, ModelName
from core.runs.store import StoreError
from pages.app.router import enter_by_router
from pages.app.shared import STORE, report_signature
from pages.app.text import as_text
from pages.components.architectures import choose_architecture
from pages.components.gallery import show_gallery
from pages.components.link import check_link
from pages.components.own_rounds import choose_counted
from pages.components.sentences import show_sentences
from pages.components.settings_form import DEFAULT_ROUNDS, link_settings

VIEWS = {
    "By digits": "Which pairs of digits go wrong?",
    "All architectures": "Which pairs does every architecture miss?",
    "Calibration": "Can its probabilities be believed?",
    "Two at odds": "Where do two architectures disagree?",
}
SIDES = ("Only the first is right", "Only the second is right")
DIRECT: ModelName = "DirectClassificationModel"


def first_page() -> None:
    """Back to the gallery's first page, as its pairs change."""
    st.session_state.cards = 1


def offer_training(model: ModelName, dropout: float, first_seed: int = 0, rounds: int = DEFAULT_ROUNDS) -> None:
    """A link to Train with these rounds chosen."""
    link = link_settings({"model": model, "dropout": dropout, "seed": first_seed}, rounds)
    label = f"Train {PALETTE[model].label}"
    st.page_link("pages/train.py", label=label, icon=":material/play_arrow:", query_params=link)


def offer_again(broken: pd.DataFrame, dropout: float) -> None:
    """A button that lets go of these runs' results, and then the link to where they are trained again."""
    if st.button("Train them again", type="primary", icon=":material/replay:"):
        try:
            for run_id in broken["run_id"]:
                STORE.reopen(run_id)
        except StoreError as error:
            st.error(as_text(error), icon=":material/error:")
            return
        seeds = broken["seed"].astype(int)
        offer_training(broken["model"].iloc[0], dropout, int(seeds.min()), int(seeds.max() - seeds.min()) + 1)


@st.cache_resource(max_entries=4, show_spinner="Reading the answers…")
def read(dropout: float, signature: int, _runs: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Every network's answers at this dropout, and a sentence for each run that could not be read; nobody changes
    them."""
    return mistakes.read_answers(STORE, _runs)


@st.cache_resource(max_entries=8, show_spinner=False)
def judge(dropout: float, models: tuple[str, ...], signature: int, _answers: pd.DataFrame) -> pd.DataFrame:
    """The answers of these architectures to the pairs that they all met."""
    return mistakes.judge_together(_answers[_answers["model"].isin(models)])


@st.cache_resource(max_entries=4, show_spinner=False)
def compare_all(dropout: float, signature: int, _runs: pd.DataFrame) -> pd.DataFrame:
    """All pairs of architectures at this dropout, judged by the rounds they share."""
    return compare_architectures(read_rounds(STORE, _runs).table, dropout)


class Counts(NamedTuple):
    """How often one architecture is right on each pair of digits, by round and over all; nobody changes it."""

    by_round: pd.DataFrame
    over_all: pd.DataFrame


@st.cache_resource(max_entries=14, show_spinner=False)
def count(dropout: float, model: str, signature: int, _answers: pd.DataFrame) -> Counts:
    """The counts of one architecture."""
    by_round = mistakes.count_pairs(_answers)
    return Counts(by_round, mistakes.accuracy_by_pair(by_round))


@st.cache_data(max_entries=200, show_spinner=False)
def describe(dropout: float, model: str, signature: int, digits: list[int | None], _by_round: pd.DataFrame) -> str:
    """How often it is right on the pairs of these digits."""
    return mistakes.describe_pairs(_by_round, *digits)


@st.cache_resource(max_entries=14, show_spinner=False)
def measure_distances(dropout: float, model: str, signature: int, _answers: pd.DataFrame) -> pd.DataFrame:
    """Its accuracy by how far apart two digits are."""
    return accuracy_by_distance(count_by_distance(_answers))


@st.cache_resource(max_entries=14, show_spinner=False)
def calibrate(dropout: float, model: str, signature: int, _answers: pd.DataFrame) -> calibration.Calibration:
    """An architecture's calibration; what a perfect network would show is simulated, which takes some 100 ms."""
    return calibration.measure_calibration(_answers[_answers["model"] == model])


def choose_model(
    place: DeltaGenerator, label: str, key: str, options: Sequence[ModelName], index: int = 0
) -> ModelName:
    """A choice among architectures."""
    chosen: ModelName = choose_architecture(place, label, key, options, index, on_change=first_page, width=300)
    return chosen


def choose_digit(place: DeltaGenerator, label: str, key: str) -> int | None:
    """A digit, or None for any."""
    check_link(key, range(10))
    return place.selectbox(
        label, range(10), index=None, placeholder="Any", key=key, bind="query-params", on_change=first_page, width=160
    )


@st.fragment
def show_pairs(cell: pd.DataFrame, counts: Counts, of: tuple[float, str, int]) -> None:
    """The heat map and the wrong pairs of the chosen digits: a click runs this alone. All are `of` a dropout, an
    architecture and a state of the store."""

    def choose_cell() -> None:
        for point in st.session_state.heat.selection.get("points", []):
            chosen = point.get("y"), point.get("x")
            if all(digit in range(10) for digit in chosen):
                st.session_state.first_digit, st.session_state.second_digit = chosen
                first_page()

    left, right = st.columns([0.44, 0.56], gap="large")
    row = right.container(horizontal=True)
    digits = [choose_digit(row, "First digit", "first_digit"), choose_digit(row, "Second digit", "second_digit")]
    with left:
        show_figure(draw(charts.pair_heatmap, counts.over_all, *digits), "heat", on_select=choose_cell)
        st.caption("Test accuracy in percent over all rounds. Click a cell to see its wrong pairs alone.")
    with right:
        st.markdown(describe(*of, digits, counts.by_round))
        show_gallery(mistakes.rank_mistakes(cell, *digits), mistakes.say_answer, "cards")


@st.fragment
def show_together(together: pd.DataFrame, models: Sequence[ModelName]) -> None:
    """How many pairs one architecture alone gets right, and the pairs that none or that one does."""
    missed, alone = mistakes.missed_by_all(together), mistakes.right_alone(together)
    left, right = st.columns([0.44, 0.56], gap="large")
    options = ["None", "Just one", *models]
    with left:
        show_figure(charts.alone_bars(mistakes.count_alone(together), len(missed)), "alone")
        st.markdown(mistakes.describe_together(together))
        st.caption("In a round, all architectures meet the same pairs.")
    with right:
        who = choose_architecture(
            st, "Which architecture is right?", key="right_alone", options=options, on_change=first_page
        )
        if who == "None":
            show_gallery(missed, mistakes.say_missed, "cards")
        else:
            shown = alone if who == "Just one" else alone[alone["model"] == who]
            show_gallery(shown, mistakes.say_alone, "cards")


@st.fragment
def show_odds(together: pd.DataFrame, first: ModelName, second: ModelName, by_rounds: str) -> None:
    """Round by round, the pairs that only one of two architectures gets right; the pairs either way."""
    rounds, alone = mistakes.count_odds(together, first, second), mistakes.right_alone(together)
    left, right = st.columns([0.44, 0.56], gap="large")
    with left:
        show_figure(charts.odds_bars(rounds, first, second), "odds")
        st.markdown(mistakes.describe_odds(rounds, first, second))
        st.caption(
            "Each round has two networks of its own, and a round's p speaks of these two alone. What one architecture "
            f"adds to the other is judged over the rounds, under *Compare*, *All against all*: {by_rounds}"
        )
    with right:
        check_link("side", SIDES)
        side = st.segmented_control(
            "Pairs", SIDES, default=SIDES[0], key="side", bind="query-params", required=True, on_change=first_page
        )
        who = first if side == SIDES[0] else second
        show_gallery(alone[alone["model"] == who], mistakes.say_alone, "cards")


enter_by_router("mistakes")
heading = st.container()
check_link("mistakes", VIEWS)
bar = st.container(horizontal=True, gap="medium", vertical_alignment="top")
view = bar.segmented_control(
    "View",
    list(VIEWS),
    default="By digits",
    key="mistakes",
    bind="query-params",
    required=True,
    on_change=first_page,
)
view = view or "By digits"
heading.title(VIEWS[view])
runs = with_report_settings(choose_counted())
runs = runs[~runs["dropout_at_evaluation"].astype(bool)]
if runs.empty:
    st.caption("No network has answered the test pairs yet: train one under *Train* with the report's settings.")
    offer_training(MODEL_NAMES[-1], 0.0)
    st.stop()

dropouts = sorted(set(runs["dropout"].astype(float)))
check_link("mistaken_dropout", [f"{dropout:g}" for dropout in dropouts])
dropout = bar.segmented_control(
    "Dropout", dropouts, default=dropouts[0], format_func="{:g}".format, key="mistaken_dropout", bind="query-params",
    required=True, on_change=first_page,
) or dropouts[0]  # fmt: skip
runs = runs[runs["dropout"] == dropout]

signature = report_signature()
answers, problems = read(dropout, signature, runs)
unread = runs[~runs["run_id"].isin(answers["run_id"].unique())]
for problem in problems[:3]:
    st.caption(f":material/warning: {as_text(problem)}")
if len(problems) > 3:
    st.caption(f":material/warning: The same holds for {len(problems) - 3} more runs.")
if len(unread):
    offer_again(unread[unread["model"] == unread["model"].iloc[0]], dropout)
answered = set(answers["model"].unique())
models = [model for model in MODEL_NAMES if model in answered]
if not models:
    st.stop()

from core.figures import mistakes as charts  # noqa: E402 - Plotly takes a while to import: only when it draws
from pages.components.figure import draw, show_figure  # noqa: E402

if view in ("By digits", "Calibration"):
    model = choose_model(bar, "Architecture", "mistaken_model", MODEL_NAMES, len(MODEL_NAMES) - 1)
    seen, cell = [model], answers[answers["model"] == model]
    if cell.empty:
        st.caption(f"{PALETTE[model].label} has not answered the test pairs at this dropout yet.")
        offer_training(model, dropout)
        st.stop()

if view == "By digits":
    of = dropout, model, signature
    show_pairs(cell, count(*of, cell), of)
    st.header("Does it help if the digits are far apart?", anchor=False)
    show_figure(draw(charts.distance_lines, measure_distances(*of, cell)), "distance")
    st.caption("Accuracy with 95 % intervals over rounds. *Findings* has all architectures side by side.")
elif view == "All architectures":
    seen, together = models, judge(dropout, tuple(models), signature, answers)
    if len(models) < 2 or together.empty:
        st.caption("It takes two architectures with a common round at this dropout; there is none yet.")
        st.stop()
    show_together(together, models)
elif view == "Calibration":
    measured = calibrate(dropout, model, signature, answers)
    show_figure(charts.calibration_curve(calibration.calibrate(cell), measured), "calibration")
    show_sentences(calibration.describe_calibration(measured))
    st.caption(
        "Above the dashed line first ≤ second comes more often than the network says, below it less often. Intervals "
        "are 95 % over rounds."
    )
elif len(models) < 2:
    st.caption("It takes two architectures that have answered the test pairs at this dropout; train another one.")
    offer_training(next(model for model in MODEL_NAMES if model not in models), dropout)
    st.stop()
else:
    row = st.container(horizontal=True, gap="medium")
    first = choose_model(row, "First architecture", "first_model", models)
    others = [model for model in models if model != first]
    second = choose_model(row, "Second architecture", "second_model", others, len(others) - 1)
    seen, together = [first, second], judge(dropout, (first, second), signature, answers)
    if together.empty:
        st.caption("These two have no round in common at this dropout yet, so no pair that both have met.")
        st.stop()
    show_odds(together, first, second, describe_pair(compare_all(dropout, signature, runs), first, second))

if view != "Calibration" and DIRECT in seen:
    st.caption(
        f"{PALETTE[DIRECT].label} decides by the two likeliest digits, while how sure it is counts all of them: "
        "it can be less than half sure of what it says."
    )
