"""Every setting ever tried on this server, best first."""

import pandas as pd
import streamlit as st

from core.analysis.leaderboard import CERTAIN_ROUNDS, describe_origin, leaderboard
from core.analysis.numbers import in_percent
from core.analysis.tables import SETTINGS_FIELDS
from core.runs.palette import PALETTE
from core.runs.settings import RunSettings
from pages.app.router import enter_by_router
from pages.app.shared import (
    architecture_column,
    ended_signature,
    is_phone,
    read_cells,
    read_runs,
    tell_what_does_not_count,
)
from pages.components.settings_form import link_settings

NAMES = [name for name in SETTINGS_FIELDS if name != "seed"]


def link_row(row: pd.Series) -> dict[str, str]:
    """The link to Train with the settings of this row of the board, and as many rounds."""
    cells = read_cells()
    same = cells[(cells[NAMES] == row[NAMES]).all(axis=1)].iloc[0]
    return link_settings({**row[NAMES], "seed": same["first_seed"]}, int(same["rounds"]))


@st.cache_data(max_entries=1, show_spinner=False)
def rank_settings(signature: int) -> pd.DataFrame:
    """The board of all runs with what it says of each setting; the tests behind it take some 100 ms."""
    runs = read_runs()
    ranked = leaderboard(runs)
    return ranked.assign(
        label=[PALETTE[name].label for name in ranked["model"]],
        others=[RunSettings.parse(values).describe_differences() for values in ranked[NAMES].to_dict("records")],
        whose=describe_origin(ranked, runs),
    )


enter_by_router("leaderboard")
st.title("Which settings compare digits best?")
runs = read_runs()
board = rank_settings(ended_signature())
if board.empty:
    st.caption("Nothing has been trained to its end yet: train any architecture under *Train*, and it appears here.")
    st.page_link("pages/train.py", label="Train a network", icon=":material/play_arrow:")
    st.stop()

number = st.column_config.NumberColumn
load = f"load-{hash(tuple(board['mean']))}"  # a click on a board that is no longer shown leads nowhere
choice = st.dataframe(
    board.assign(
        train=":material/play_arrow: Train",
        **{name: in_percent(board[name]) for name in ("mean", "std", "low", "high")},
    ),
    column_order=(
        ["label", "mean", "rank", "dropout", "train"]
        if is_phone()
        else [
            "rank", "label", "dropout", "train", "mean", "std", "low", "high", "rounds", "whose",
            "others", "parameters", "seconds",
        ]
    ),
    column_config={
        "rank": number("Rank", width="small", help="Shared by those not clearly worse than its best"),
        "label": architecture_column(),
        "dropout": number("Dropout", format="%.2f"),
        "others": st.column_config.TextColumn("Other settings", width=170, help="Where they are not the report's"),
        "mean": number("Accuracy, %", help="Mean test accuracy of the rounds", format="%.1f"),
        "std": number("± std", format="%.1f"),
        "low": number("95 % from", format="%.1f"),
        "high": number("to", format="%.1f"),
        "rounds": "Rounds",
        "whose": st.column_config.TextColumn("Reproduction", help="How many of the rounds are the reproduction's"),
        "parameters": number("Parameters", format="localized"),
        "seconds": number("Seconds", format="%.1f", help="Mean processor time of a round's training"),
        "train": st.column_config.ButtonColumn("Train", key=load, help="Opens *Train* with these settings"),
    },
    hide_index=True,
    height=560,
    on_select="rerun",
    selection_mode="single-cell",
    alt="Every setting with a finished round, by mean test accuracy",
)  # fmt: skip
# No key presses a button inside the table, so the row of the chosen cell has one below it.
chosen = next((place for place, _ in choice.selection.cells if place in range(len(board))), None)
if chosen is not None:
    row = board.iloc[chosen]
    label = ", ".join(filter(None, [f"Train {row['label']}", f"dropout {row['dropout']:g}", row["others"]]))
    st.page_link("pages/train.py", label=label, icon=":material/play_arrow:", query_params=link_row(row))
else:
    st.caption("Choose a cell, with the arrow keys or a click: a link to *Train* with its row's settings appears here.")
tests = max(int(board["certain"].sum()) - 1, 0)
st.caption(
    "Sorted by mean test accuracy. A rank begins where a setting clearly differs from the best one of the rank "
    f"before (t test over rounds, paired if they share them; p × {tests}, the number of these tests, below 0.05), "
    "so inside a rank none is clearly worse than its best. Settings with fewer than "
    f"{CERTAIN_ROUNDS} rounds are uncertain and follow unranked."
)
tell_what_does_not_count(runs)
if click := st.session_state.get(load):
    st.switch_page("pages/train.py", query_params=link_row(board.iloc[click.row]))
