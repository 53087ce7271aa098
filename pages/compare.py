"""The results table, beside the report's own."""

import streamlit as st

from core.palette import PALETTE
from core.results import results_table
from pages.components.router import enter_by_router
from pages.components.shared import read_runs

enter_by_router()
st.title("Do our networks agree with the report's?")
table = results_table(read_runs())
if not table["rounds"].sum():
    st.caption(
        "No architecture has been trained with the report's settings yet: train one under *Train*, and it appears here."
    )
    st.page_link("pages/train.py", label="Train a network", icon=":material/play_arrow:")
    st.stop()

dropouts = sorted(set(table["dropout"]))
dropout = st.segmented_control(
    "Dropout", dropouts, default=0.0, format_func="{:g}".format, key="shown_dropout", bind="query-params", required=True
)
shown = table[(table["dropout"] == dropout) & ~table["dropout_at_evaluation"]]
percent = st.column_config.NumberColumn(format="%.1f")
st.dataframe(
    shown.assign(
        label=shown["model"].map(lambda name: PALETTE[name].label),
        **{name: 100 * shown[name] for name in ("mean", "std", "report_mean", "report_std")},
    ),
    column_order=("label", "rounds", "mean", "std", "report_mean", "report_std"),
    column_config={
        "label": st.column_config.TextColumn("Architecture", width="large"),
        "rounds": "Rounds",
        "mean": st.column_config.NumberColumn("Our mean, %", format="%.1f"),
        "std": st.column_config.NumberColumn("± std", format="%.1f"),
        "report_mean": st.column_config.NumberColumn("Report's mean, %", format="%.1f"),
        "report_std": st.column_config.NumberColumn("± std", format="%.1f"),
    },
    hide_index=True,
    alt=f"Test accuracy of the seven architectures at dropout {dropout:g}, ours and the report's",
)
st.caption(
    "Test accuracy on 1,000 pairs a round, in percent; the report's figures are from its Table 1 (ten rounds). "
    "Its dropout probability is not given; ours beside it is 0.25."
)
