"""The controls that choose what to train; every choice lives in the URL."""

from typing import Any, Literal

import streamlit as st

from core.analysis.race import SUGGESTED, Lane, make_lanes
from core.runs.settings import (
    MAX_ROUNDS,
    MAX_SEED,
    MODEL_NAMES,
    REPORT_MODELS,
    ModelName,
    RunSettings,
    SettingsError,
    allowed,
    bounds,
)
from pages.app.text import as_text
from pages.components.architectures import choose_architectures, describe_ideas
from pages.components.glossary import define
from pages.components.link import bind_number, refuse

DEFAULTS = RunSettings()
DEFAULT_ROUNDS = 3
FEW = 3  # architectures whose ideas are told above the race; those of more would push it down, and stand below it
DROPOUTS = ["0", "0.1", "0.25", "0.5"]  # those of the reproduction; others can be typed
MORE: dict[
    str, tuple[str, float, str, tuple[str, ...]]
] = {  # label, step, format and terms to explain of the settings under "More settings"
    "training_pairs": ("Training pairs", 100, "%d", ("training pairs", "validation pairs")),
    "max_epochs": ("Epochs at most", 10, "%d", ("epoch",)),
    "patience": ("Patience, epochs", 5, "%d", ("early stopping",)),
    "learning_rate": ("Learning rate", 1e-4, "%g", ()),
    "batch_size": ("Mini-batch, pairs", 10, "%d", ("batch",)),
    "hidden_units": ("Hidden units", 16, "%d", ()),
    "auxiliary_weight": ("Weight of the auxiliary loss", 0.1, "%g", ("auxiliary loss",)),
}


def choose_race() -> list[Lane]:
    """Show the controls; what is to race. Stops the page if a choice is wrong, or none is made."""
    _read_link()
    columns = st.columns([4, 1.4, 0.9, 0.9, 1], vertical_alignment="bottom")
    models = choose_architectures(columns[0], "Architectures", "model", MODEL_NAMES, DEFAULTS.model)
    dropouts = columns[1].multiselect(
        "Dropout", DROPOUTS, DROPOUTS[:1], key="dropout", bind=_bind_dropout(), accept_new_options=True, wrap=False,
        help=f"{define('dropout')}\n\nChoose several, or type another number from 0 to 0.9.",
    )  # fmt: skip
    rounds = columns[2].number_input(
        "Rounds", 1, MAX_ROUNDS, DEFAULT_ROUNDS, key="rounds", bind=bind_number("rounds"),
        help=define("round"),
    )  # fmt: skip
    seed = columns[3].number_input(
        "First seed", 0, MAX_SEED, DEFAULTS.seed, key="seed", bind=bind_number("seed"), help=define("seed")
    )
    if 0 < len(models) <= FEW:
        st.caption(describe_ideas(models))
    others = {"seed": seed, **_choose_more(columns[4])}
    try:
        cells = [
            RunSettings.parse({**others, "model": model, "dropout": dropout})
            for dropout in dropouts
            for model in MODEL_NAMES
            if model in models
        ]
        lanes = make_lanes(dict.fromkeys(cells), rounds)
    except SettingsError as error:
        st.error(as_text(error), icon=":material/error:")
        st.stop()
    if not lanes:
        st.caption("Choose at least one architecture and one dropout.")
        st.stop()
    return lanes


def suggest_races(row: Any) -> None:
    """Races with one click, in a row of controls."""
    row.caption("Suggested:", width="content")
    row.button("all seven", type="tertiary", on_click=_choose_models, args=(REPORT_MODELS, 1))
    for words, pair in SUGGESTED.items():
        row.button(words, type="tertiary", on_click=_choose_models, args=(pair, None))


def _choose_models(models: tuple[ModelName, ...], rounds: int | None) -> None:
    st.session_state.model = list(models)
    if rounds is not None:  # seven architectures with more would be more than one visitor may queue
        st.session_state.rounds = rounds


def link_settings(values: dict[str, Any], rounds: int) -> dict[str, str]:
    """The query parameters under which Train shows these settings; those at their defaults are left out."""
    chosen = RunSettings.parse(values).model_dump()
    link = {name: value for name, value in chosen.items() if value != getattr(DEFAULTS, name)}
    return {name: str(value).lower() if value is True else str(value) for name, value in link.items()} | {
        "rounds": str(min(rounds, MAX_ROUNDS))
    }


def load_settings(values: dict[str, Any], rounds: int) -> None:
    """Set the controls, from a callback: the next rerun shows these settings."""
    one = {"model": [values["model"]], "dropout": [f"{values['dropout']:g}"]}
    for name, value in {**values, **one, "rounds": rounds}.items():
        st.session_state[name] = value


def _choose_more(column: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    with column.popover("More", icon=":material/tune:", help="More settings", width="stretch"):
        grid = st.columns(2)
        for position, (name, more) in enumerate(MORE.items()):
            values[name] = _number(grid[position % 2], name, *more)
        values["dropout_at_evaluation"] = grid[1].checkbox(
            "Dropout left on at evaluation",
            key="dropout_at_evaluation",
            bind="query-params",
            help="A mistake worth seeing: the networks are then tested with parts of them switched off.",
        )
    return values


def _number(column: Any, name: str, label: str, step: float, form: str, terms: tuple[str, ...]) -> Any:
    default = getattr(DEFAULTS, name)
    low, high = (type(default)(bound) for bound in bounds(name))  # Streamlit wants one type of number
    return column.number_input(
        label, low, high, default, step, form, key=name, bind=bind_number(name), help=define(*terms) or None
    )


def _read_link() -> None:
    """Say which settings of the link cannot be used; Streamlit shows the defaults in their place."""
    names = [*RunSettings.model_fields, "rounds"]
    for name in names:
        for text in st.query_params.get_all(name):
            if not _is_allowed(name, text) and not (text == "" and name in ("model", "dropout")):
                refuse(name, text, _rule(name))


def _bind_dropout() -> Literal["query-params"] | None:
    """The `bind` of the dropouts: none while the link has one that is no dropout, which Streamlit would accept."""
    return "query-params" if all(_is_allowed("dropout", text) for text in st.query_params.get_all("dropout")) else None


def _rule(name: str) -> str:
    if name == "rounds":
        return f"must be a whole number from 1 to {MAX_ROUNDS}"
    return f"must be one of {', '.join(MODEL_NAMES)}" if name == "model" else allowed(name)


def _is_allowed(name: str, text: str) -> bool:
    if name == "rounds":
        return text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= MAX_ROUNDS
    try:
        RunSettings.parse({name: text})
    except SettingsError:
        return False
    return True
