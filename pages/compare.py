"""The results table beside the report's own, what differs by more than chance, and the curves behind it."""

import streamlit as st

from core.palette import PALETTE
from core.settings import MODEL_NAMES
from core.statistics import climb_ladder, compare_with_report, describe_reproduction, dropout_effects
from pages.components.router import enter_by_router
from pages.components.shared import read_runs

enter_by_router()
st.title("Do our networks agree with the report's?")
runs = read_runs()
table = compare_with_report(runs)
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
in_percent = ("mean", "std", "low", "high", "report_mean", "report_std", "difference")
number = st.column_config.NumberColumn
st.dataframe(
    shown.assign(
        label=shown["model"].map(lambda name: PALETTE[name].label), **{name: 100 * shown[name] for name in in_percent}
    ),
    column_order=(
        "label", "rounds", "mean", "std", "low", "high", "report_mean", "report_std", "difference", "p_holm",
        "parameters", "epochs", "seconds",
    ),
    column_config={
        "label": st.column_config.TextColumn("Architecture", width=250, pinned=True),
        "rounds": number("Rounds", help="Each on its own 1,000 test pairs"),
        "mean": number("Ours, %", format="%.1f"),
        "std": number("± std", format="%.1f"),
        "low": number("95 % from", format="%.1f"),
        "high": number("to", format="%.1f"),
        "report_mean": number("Report's, %", format="%.1f"),
        "report_std": number("± std", format="%.1f"),
        "difference": number("Difference", format="%+.1f", help="Ours − the report's, in points"),
        "p_holm": number("p (Holm)", format="%.3f", help="Welch's test, Holm over the 14 cells of Table 1"),
        "parameters": number("Parameters", format="localized"),
        "epochs": number("Epochs", format="%.0f", help="Mean number of epochs until training stopped"),
        "seconds": number("Seconds", format="%.1f", help="Mean processor time of a round's training"),
    },
    hide_index=True,
    alt=f"Test accuracy of the seven architectures at dropout {dropout:g}, ours beside the report's",
)  # fmt: skip
st.markdown(" ".join(describe_reproduction(table)))
st.caption(
    "The report's figures are from its Table 1: ten rounds, dropout probability not given; ours beside its column with "
    "dropout is 0.25. Click a column's head to sort; the menu above the table chooses columns and saves a CSV."
)

st.subheader("What does each idea add?", anchor=False)
st.markdown("\n".join(f"- {sentence}" for sentence in climb_ladder(runs, dropout)["sentence"]))
st.caption("Paired by round: in a round, all architectures meet the same pairs of digits. Points of test accuracy.")

if dropout:
    st.subheader(f"Does dropout {dropout:g} help?", anchor=False)
    effects = dropout_effects(runs, dropout)
    in_points = {name: 100 * effects[name] for name in ("difference", "low", "high")}
    st.dataframe(
        effects.assign(label=[PALETTE[name].label for name in MODEL_NAMES], **in_points),
        column_order=("label", "rounds", "difference", "low", "high", "p_holm"),
        column_config={
            "label": st.column_config.TextColumn("Architecture", width="medium"),
            "rounds": "Rounds",
            "difference": number("With − without, points", format="%+.1f"),
            "low": number("95 % from", format="%+.1f"),
            "high": number("to", format="%+.1f"),
            "p_holm": number("p (Holm)", format="%.3f"),
        },
        hide_index=True,
        alt=f"What dropout {dropout:g} changes in the test accuracy of each architecture, paired by round",
    )
