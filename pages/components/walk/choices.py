"""What to walk through: a trained run, and a pair of digits; both live in the URL, as `run` and `pair` or `drawing`."""

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.drawing.links import encode_pair
from core.drawing.samples import Sample, Side, open_link, read_sample
from core.drawing.strokes import frame_from_strokes
from core.inference.service import InferenceService
from core.runs.settings import MODEL_NAMES, RunSettings
from core.runs.store import Run, StoreError
from pages.app.shared import STORE
from pages.app.text import as_text
from pages.components.architectures import describe_ideas, label_of
from pages.components.link import LINK, keep_in_link
from pages.components.networks import ask
from pages.components.pad import read_pads
from pages.components.settings_form import link_settings

ANY = "any"
LINKS = ("pair", "drawing")  # the query parameters that name a pair, as in Draw
DEFAULT = "WeightSharingBranchesModel"  # one set of kernels, shown twice


class Pair(NamedTuple):
    """Two digits as the networks see them, `frames` (2, 14, 14) in 0 to 255, and how a link names them.

    `images`: their numbers in MNIST's test half, `classes`: what they are; None for a drawing."""

    frames: np.ndarray
    link: dict[str, str]
    images: tuple[int, int] | None
    classes: tuple[int, int] | None


def choose(runs: pd.DataFrame) -> tuple[Run, Pair]:
    """The controls for the run and the pair in one row, and what was chosen; stops the page if no run has weights."""
    able = runs[(runs["state"] == "finished") & runs["has_weights"].astype(bool)].sort_values(["dropout", "seed"])
    if able.empty:
        st.caption("No trained network can be walked through yet: train any architecture under *Train*.")
        st.page_link("pages/train.py", label="Train a network", icon=":material/play_arrow:")
        st.stop()
    _follow_link(able)
    columns = st.columns([2, 2.6, 0.9, 0.9, 2.6], vertical_alignment="bottom")
    run = _choose_run(able, columns[:2])
    return run, _choose_pair(run, columns[2:])


def _choose_run(able: pd.DataFrame, columns: Sequence[DeltaGenerator]) -> Run:
    """The controls for the run, and what was chosen."""
    models = [model for model in MODEL_NAMES if model in set(able["model"])]
    st.session_state.setdefault("walk_model", DEFAULT if DEFAULT in models else models[0])
    model = columns[0].selectbox(
        "Architecture", models, format_func=label_of, key="walk_model", persist_state="session",
        help=describe_ideas([st.session_state.walk_model]),
    )  # fmt: skip
    own = able[able["model"] == model]
    _keep_round(able, own, f"walk_run_{model}")
    labels = {str(row.run_id): _label(row) for row in own.itertuples()}
    run_id = columns[1].selectbox(
        "Trained run",
        list(labels),
        format_func=lambda name: labels.get(name, name),
        key=f"walk_run_{model}",
        persist_state="session",
    )
    st.session_state.walked_run = run_id
    keep_in_link("run", run_id)
    try:
        return STORE.open(run_id)
    except StoreError as error:  # it has gone since the store was listed
        st.error(as_text(error), icon=":material/error:")
        st.stop()


def _follow_link(able: pd.DataFrame) -> None:
    """Set the controls to the run of a link that has not been followed yet, or say why it cannot be."""
    linked = st.query_params.get("run")
    if linked is None or linked == st.session_state.get("walked_run"):
        return
    rows = able[able["run_id"] == linked]
    if rows.empty:
        _refuse(linked)
        return
    model = rows.iloc[0]["model"]
    st.session_state.walk_model = model
    st.session_state[f"walk_run_{model}"] = st.session_state.walked_run = linked


def _refuse(linked: str) -> None:
    try:
        run = STORE.read(linked)
    except ValueError as error:
        st.warning(as_text(f"The link's run: {error} Another is shown."), icon=LINK)
        return
    reason = run.problem or f"The run {linked} has no weights."
    st.warning(as_text(f"{reason} Another is shown."), icon=LINK)
    if isinstance(run, Run):
        _offer_training(run.settings)


def _offer_training(settings: RunSettings) -> None:
    link = link_settings(settings.model_dump(), 1)
    st.page_link("pages/train.py", label="Train it again", icon=":material/play_arrow:", query_params=link)


def _keep_round(able: pd.DataFrame, own: pd.DataFrame, key: str) -> None:
    """After a change of architecture, go on with the run of the same dropout and round, if there is one."""
    before = able[able["run_id"] == st.session_state.get("walked_run")]
    if len(before) and before.iloc[0]["model"] != own.iloc[0]["model"]:
        same = own[(own[["dropout", "seed"]] == before.iloc[0][["dropout", "seed"]]).all(axis=1)]
        if len(same):
            st.session_state[key] = same.iloc[0]["run_id"]


def _label(row: Any) -> str:
    others = RunSettings.parse({name: getattr(row, name) for name in RunSettings.model_fields}).describe_differences()
    parts = [f"dropout {row.dropout:g}", f"round {row.seed}", *([others] if others else [])]
    return f"{', '.join(parts)}: {100 * row.test_accuracy:.1f} %"


def _choose_pair(run: Run, columns: Sequence[DeltaGenerator]) -> Pair:
    """The controls for the pair: one of the run's test pairs by its digits, one that it got wrong, or the drawing."""
    pool = _read_pool(run)
    digits = [ANY, *map(str, range(10))]
    change: dict[str, Any] = {"on_change": _draw_lot, "args": (pool,), "persist_state": "session"}
    columns[0].selectbox("First digit", digits, key="walk_first", **change)
    columns[1].selectbox("Second digit", digits, key="walk_second", **change)
    with columns[2].container(horizontal=True, vertical_alignment="center"):
        st.toggle("Mistakes only", key="walk_wrong", disabled="decision" not in pool, **change)
        st.button("Another pair", icon=":material/shuffle:", on_click=_draw_lot, args=(pool,))
        if token := _kept_drawing():
            st.button("My drawing", icon=":material/draw:", on_click=_set_link, args=("drawing", token))
    link = {name: st.query_params[name] for name in LINKS if name in st.query_params}
    if link:
        try:
            return _as_pair(open_link(link.get("pair"), link.get("drawing")), link)
        except ValueError as error:
            st.warning(as_text(f"{error} A test pair is shown."), icon=LINK)
    first, second = pool["indices"][_find_least_sure(pool)].tolist()
    try:
        return _as_pair((read_sample(first), read_sample(second)), {"pair": f"{first}-{second}"})
    except ValueError as error:  # MNIST is damaged
        st.error(as_text(error), icon=":material/error:")
        st.stop()


def _find_least_sure(pool: dict[str, np.ndarray]) -> int:
    """The place of the pair on which the run's network was nearest to one half: the one worth walking through."""
    return int(abs(pool["probability"] - 0.5).argmin()) if "probability" in pool else 0


def _as_pair(sides: tuple[Side, Side], link: dict[str, str]) -> Pair:
    frames = [side.steps.frame if isinstance(side, Sample) else frame_from_strokes(side) for side in sides]
    first, second = sides
    if isinstance(first, Sample) and isinstance(second, Sample):
        return Pair(np.stack(frames), link, (first.number, second.number), (first.digit, second.digit))
    return Pair(np.stack(frames), link, None, None)


def _kept_drawing() -> str:
    """What stands on the pads of *Draw*, as a link has it; "" if either is empty."""
    drawings = read_pads("pads").drawings
    if not all(drawing.strokes for drawing in drawings):
        return ""
    samples = st.session_state.get("samples", {})
    first, second = (samples.get(drawing, drawing) for drawing in drawings)
    return encode_pair((first, second))


def _read_pool(run: Run) -> dict[str, np.ndarray]:
    """`indices` (N, 2) and `classes` (N, 2) of the run's test pairs, and its `decision` (N,) on each if kept."""
    try:
        arrays = run.predictions()
        if arrays.keys() >= {"indices", "classes", "decision"}:
            return arrays
        raise StoreError(f"The predictions of the run {run.run_id} are not whole; train it again to get them.")
    except StoreError as error:
        st.caption(f":material/warning: {as_text(error)}")
        _offer_training(run.settings)
        return ask(InferenceService.draw_test_pairs, run.settings)


def _draw_lot(pool: dict[str, np.ndarray]) -> None:
    """Set the link to some pair of the pool that is as the controls say."""
    fits = np.ones(len(pool["indices"]), bool)
    for column, key in enumerate(("walk_first", "walk_second")):
        if st.session_state[key].isdecimal():  # the others: any digit, and what no browser sends
            fits &= pool["classes"][:, column] == int(st.session_state[key])
    if st.session_state.walk_wrong and "decision" in pool:
        fits &= pool["decision"] != (pool["classes"][:, 0] <= pool["classes"][:, 1])
    if not fits.any():
        st.toast("This run has no such test pair; the pair stays as it is.")
        return
    first, second = pool["indices"][random.choice(np.flatnonzero(fits).tolist())].tolist()
    _set_link("pair", f"{first}-{second}")


def _set_link(name: str, value: str) -> None:
    for other in LINKS:
        st.query_params.pop(other, None)
    st.query_params[name] = value
