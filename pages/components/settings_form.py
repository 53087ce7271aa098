"""The controls that choose what to train; every choice lives in the URL."""

from typing import Any

import streamlit as st

from core.runs.settings import MAX_ROUNDS, MAX_SEED, MODEL_NAMES, RunSettings, SettingsError, allowed, bounds
from pages.app.text import as_text
from pages.components.link import bind_number, refuse

DEFAULTS = RunSettings()
DEFAULT_ROUNDS = 3
MORE = {  # label, step and format of the settings under "More settings"
    "training_pairs": ("Training pairs", 100, "%d"),
    "max_epochs": ("Epochs at most", 10, "%d"),
    "patience": ("Patience, epochs", 5, "%d"),
    "learning_rate": ("Learning rate", 1e-4, "%g"),
    "batch_size": ("Mini-batch, pairs", 10, "%d"),
    "hidden_units": ("Hidden units", 16, "%d"),
    "auxiliary_weight": ("Weight of the auxiliary loss", 0.1, "%g"),
}


def choose_settings() -> tuple[RunSettings, int]:
    """Show the controls; the first round's settings and the number of rounds. Stops the page if one is wrong."""
    _read_link()
    columns = st.columns([3, 1.2, 1.2, 1.2], vertical_alignment="bottom")
    values: dict[str, Any] = {
        "model": columns[0].selectbox(
            "Architecture",
            MODEL_NAMES,
            index=MODEL_NAMES.index(DEFAULTS.model),
            key="model",
            bind="query-params",
        ),
        "dropout": _number(columns[1], "dropout", "Dropout", 0.05, "%g"),
    }
    rounds = columns[2].number_input(
        "Rounds",
        1,
        MAX_ROUNDS,
        DEFAULT_ROUNDS,
        key="rounds",
        bind=bind_number("rounds"),
        help="Each on new pairs of digits.",
    )
    values["seed"] = columns[3].number_input(
        "First seed", 0, MAX_SEED, DEFAULTS.seed, key="seed", bind=bind_number("seed"), help="Decides a round's pairs."
    )
    values |= _choose_more()
    try:
        settings = RunSettings.parse(values)
        settings.rounds(rounds)
    except SettingsError as error:
        st.error(as_text(error), icon=":material/error:")
        st.stop()
    return settings, rounds


def link_settings(values: dict[str, Any], rounds: int) -> dict[str, str]:
    """The query parameters under which Train shows these settings; those at their defaults are left out."""
    chosen = RunSettings.parse(values).model_dump()
    link = {name: value for name, value in chosen.items() if value != getattr(DEFAULTS, name)}
    return {name: str(value).lower() if value is True else str(value) for name, value in link.items()} | {
        "rounds": str(min(rounds, MAX_ROUNDS))
    }


def load_settings(values: dict[str, Any], rounds: int) -> None:
    """Set the controls, from a callback: the next rerun shows these settings."""
    for name, value in {**values, "rounds": rounds}.items():
        st.session_state[name] = value


def _choose_more() -> dict[str, Any]:
    values: dict[str, Any] = {}
    with st.expander("More settings", icon=":material/tune:"):
        grid = st.columns(4)
        for position, (name, (label, step, form)) in enumerate(MORE.items()):
            values[name] = _number(grid[position % 4], name, label, step, form)
        values["dropout_at_evaluation"] = grid[3].checkbox(
            "Dropout left on at evaluation",
            key="dropout_at_evaluation",
            bind="query-params",
            help="A mistake worth seeing: the networks are then tested with parts of them switched off.",
        )
    return values


def _number(column: Any, name: str, label: str, step: float, form: str) -> Any:
    default = getattr(DEFAULTS, name)
    low, high = (type(default)(bound) for bound in bounds(name))  # Streamlit wants one type of number
    return column.number_input(label, low, high, default, step, form, key=name, bind=bind_number(name))


def _read_link() -> None:
    """Say which settings of the link cannot be used; Streamlit shows the defaults in their place."""
    for name in [*RunSettings.model_fields, "rounds"]:
        text = st.query_params.get(name)
        if text is not None and not _is_allowed(name, text):
            refuse(name, text, _rule(name))


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
