"""Every setting trained so far, as a table whose rows bring their settings back."""

from typing import Any

import pandas as pd
import streamlit as st

from core.analysis.numbers import in_percent
from core.analysis.tables import SETTINGS_FIELDS
from core.runs.palette import PALETTE
from core.runs.settings import MAX_ROUNDS, RunSettings
from pages.app.shared import ended_signature, is_phone, read_cells
from pages.components.settings_form import load_settings

CELL = [name for name in SETTINGS_FIELDS if name != "seed"]


@st.cache_resource(max_entries=2, show_spinner=False)
def _describe_cells(signature: int) -> pd.DataFrame:
    """The settings of the store, which nobody changes, with their names and figures as the table shows them."""
    cells = read_cells()
    return cells.assign(
        label=[PALETTE[name].label for name in cells["model"]],
        mean=in_percent(cells["mean"]),
        std=in_percent(cells["std"]),
        others=[RunSettings.parse(values).describe_differences() for values in cells[CELL].to_dict("records")],
    )


def show_earlier() -> None:
    """The table; a chosen row sets the controls."""
    cells = _describe_cells(ended_signature())
    if cells.empty:
        st.caption("Nothing has been trained yet.")
        return

    def bring_back() -> None:
        for row in set(st.session_state.earlier.selection.rows) & set(range(len(cells))):
            chosen = cells.iloc[row]
            values: dict[str, Any] = {name: chosen[name] for name in CELL}
            load_settings({**values, "seed": chosen["first_seed"]}, min(int(chosen["rounds"]), MAX_ROUNDS))

    st.dataframe(
        cells,
        column_order=(
            ("mean", "label", "dropout", "finished") if is_phone()
            else ("label", "dropout", "finished", "mean", "std", "others")
        ),
        column_config={
            "label": "Architecture",
            "dropout": st.column_config.NumberColumn("Dropout", format="%.2f"),
            "finished": st.column_config.NumberColumn("Rounds", help="Those that are finished"),
            "mean": st.column_config.NumberColumn("Accuracy, %", format="%.1f", help="Mean test accuracy"),
            "std": st.column_config.NumberColumn("± std", format="%.1f"),
            "others": st.column_config.TextColumn("Other settings", help="If they are not the report's"),
        },
        hide_index=True,
        height=300,
        on_select=bring_back,
        selection_mode="single-row",
        key="earlier",
        alt="Every setting trained so far, with its number of rounds and their test accuracy",
    )  # fmt: skip
    st.caption("Choose a row to bring its settings and its curves back.")
