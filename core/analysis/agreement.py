"""Our cells beside the report's Table 1: how far apart, whether clearly so, and whether the order is the same."""

from typing import Any

import numpy as np
import pandas as pd

from core.analysis.numbers import plural, points, signed, with_sign
from core.analysis.report import REPORT_ROUNDS, REPORT_TABLE
from core.analysis.sentences import CUT_SHORT, describe_gaps, join, name_cell, size_between
from core.analysis.statistics import LEVEL, Order, add_holm, add_interval, compare_unpaired, holm, resample_order
from core.analysis.tables import CELL_FIELDS, results_table, with_report_settings
from core.networks.structure import count_parameters
from core.runs.plan import SHIPPED_DROPOUTS
from core.runs.settings import RunSettings

PRINTED_DIGIT = 0.0005  # half of the last digit that the report prints
CLOSE = 0.01  # an interval of the difference inside ± this is called agreement
CLEAR, WITHIN, UNCLEAR = "clearly different", "within ± one point", "not clear"


def compare_with_report(runs: pd.DataFrame) -> pd.DataFrame:
    """The cells of core.analysis.tables.results_table, and how far they are from the report's Table 1.

    Adds the 95 % interval `low`, `high` of the mean; `difference` (ours − the report's) with its 95 % interval
    `difference_low`, `difference_high` and `p` (Welch, from the printed mean and deviation of ten rounds); `p_holm`
    over the cells that have a p; `clear`; the `verdict`, one of CLEAR, WITHIN and UNCLEAR; `parameters`; `capped`, how
    many rounds reached the last epoch; and the means of `epochs` and processor `seconds`. Figures that need more
    rounds than there are, are NaN or empty.
    """
    table = add_interval(results_table(runs).astype({"mean": float, "std": float}))
    kept = with_report_settings(runs)
    groups = kept.assign(capped=kept["stop_reason"] == "max_epochs").groupby(CELL_FIELDS)
    others = groups.agg(epochs=("epochs", "mean"), seconds=("seconds", "mean"), capped=("capped", "sum")).reset_index()
    table = table.merge(others.astype({"dropout": float, "dropout_at_evaluation": bool}), "left", on=CELL_FIELDS)
    ours, printed = _sides(table)
    tested = compare_unpaired(ours, printed)
    table = table.assign(
        difference=table["mean"] - table["report_mean"],
        difference_low=tested.low,
        difference_high=tested.high,
        p=tested.p,
        capped=table["capped"].fillna(0).astype(int),
        parameters=[count_parameters(RunSettings(model=model)) for model in table["model"]],
    )
    table = add_holm(table)
    return table.assign(verdict=[judge(row) for row in table.itertuples()])


def _sides(table: pd.DataFrame) -> tuple[Any, Any]:
    """(mean, deviation, rounds) of ours and of the report's, (N, 3) each."""
    ours = table[["mean", "std", "rounds"]].to_numpy(float, na_value=np.nan)
    printed = table[["report_mean", "report_std"]].to_numpy(float)
    return ours, np.column_stack([printed, np.full(len(table), float(REPORT_ROUNDS))])


def judge(row: Any) -> str:
    """The verdict on a cell of compare_with_report; empty if it cannot be tested."""
    if pd.isna(row.p):
        return ""
    if row.clear:
        return CLEAR
    return WITHIN if row.difference_low >= -CLOSE and row.difference_high <= CLOSE else UNCLEAR


def count_after_rounding(table: pd.DataFrame) -> tuple[int, int]:
    """Between which counts the clearly different cells of compare_with_report can lie, only because the report prints
    three digits: each printed mean and deviation may be half a digit off."""
    ours, printed = _sides(table[table["p"].notna()])
    gap = ours[:, 0] - printed[:, 0]
    nearer = printed[:, 0] + np.sign(gap) * np.minimum(np.abs(gap), PRINTED_DIGIT)
    farther = printed[:, 0] - np.where(gap < 0, -PRINTED_DIGIT, PRINTED_DIGIT)
    counts = []
    for means, choose in ((nearer, np.maximum), (farther, np.minimum)):
        ends = [
            compare_unpaired(ours, np.column_stack([means, np.maximum(printed[:, 1] + off, 0), printed[:, 2]])).p
            for off in (-PRINTED_DIGIT, PRINTED_DIGIT)
        ]
        counts.append(int((holm(choose(*ends)) < LEVEL).sum()))
    return counts[0], counts[1]


def compare_orders(runs: pd.DataFrame) -> dict[float, Order]:
    """For each dropout of Table 1, how far the order of our means is the printed one, as `resample_order` says it.

    Over the architectures and the rounds that all of them have; left out below three architectures.
    """
    kept = with_report_settings(runs)
    kept = kept[~kept["dropout_at_evaluation"].astype(bool) & kept["model"].isin(REPORT_TABLE)]
    orders = {}
    for column, dropout in enumerate(SHIPPED_DROPOUTS):
        wide = kept[kept["dropout"] == dropout].pivot(index="model", columns="seed", values="test_accuracy")
        wide = wide[wide.notna().sum(axis=1) >= 2].dropna(axis=1)
        if len(wide) >= 3 and wide.shape[1]:
            printed = [REPORT_TABLE[model][column].mean for model in wide.index]
            orders[dropout] = resample_order(wide.to_numpy(float), printed)
    return orders


def describe_reproduction(table: pd.DataFrame, orders: dict[float, Order]) -> list[str]:
    """The sentences under the table of compare_with_report: verdicts, what differs, what rounding does to that, the
    order (of compare_orders), what was cut short, and the gaps."""
    printed = table[table["report_mean"].notna()]
    tested = printed[printed["p"].notna()]
    if tested.empty:
        return ["No cell of the report's Table 1 has two rounds yet, so nothing can be compared."]
    sentences = [_count_verdicts(tested), *_list_differences(tested[tested["clear"]]), _describe_rounding(tested)]
    sentences += [describe_order(dropout, order) for dropout, order in orders.items()]
    return [sentence for sentence in [*sentences, describe_capped(printed), describe_gaps(printed)] if sentence]


def _count_verdicts(tested: pd.DataFrame) -> str:
    counts = {verdict: int((tested["verdict"] == verdict).sum()) for verdict in (CLEAR, WITHIN, UNCLEAR)}
    return (
        f"Of the {len(tested)} cells compared, {counts[CLEAR]} {_is(counts[CLEAR])} {CLEAR} from the report's (Welch's "
        f"test, Holm's p over the {len(tested)} below 0.05), {counts[WITHIN]} {_is(counts[WITHIN])} {WITHIN} (the 95 % "
        f"interval of the difference lies inside) and {counts[UNCLEAR]} {_is(counts[UNCLEAR])} {UNCLEAR}."
    )


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _list_differences(differs: pd.DataFrame) -> list[str]:
    sentences = []
    for direction, sign in (("Higher", 1), ("Lower", -1)):
        rows: Any = differs[sign * differs["difference"] > 0].itertuples()
        names = [
            f"{name_cell(row.model, row.dropout)} by {points(abs(row.difference))} "
            f"({size_between(row.difference_low, row.difference_high)})"
            for row in rows
        ]
        sentences += [f"{direction} than printed, in points: {join(names)}."] if names else []
    return sentences


def _describe_rounding(tested: pd.DataFrame) -> str:
    low, high = count_after_rounding(tested)
    if low == high:
        return f"The report's rounding to three digits cannot change that count of {low}."
    return f"The report's rounding to three digits alone could make the count of the clearly different {low} to {high}."


def describe_order(dropout: float, order: Order) -> str:
    """Whether our means put the architectures of one column in the printed order: claimed only if nearly all
    resampled rounds do."""
    column = f"{'with' if dropout else 'without'} dropout"
    if order.low != order.low:
        return f"The order of the architectures {column} cannot be judged yet: it takes two common rounds."
    tau, spread = f"Kendall's τ {signed(order.tau, 2)}", f"95 % {signed(order.low, 2)} to {signed(order.high, 2)}"
    evidence = f"({tau}, {spread} over resampled rounds)"
    subject = f"the {order.things} architectures {column}"
    exact = f"{signed(order.exact, 0, 100)} % of the draws"
    if order.exact >= 1 - LEVEL:
        return f"The report's order of {subject} reproduces {evidence}: {exact} give exactly that order."
    if order.high < 0:
        return f"The order of {subject} is the reverse of the report's {evidence}."
    if order.low <= 0:
        return f"Whether {subject} stand in the report's order is not clear {evidence}."
    return (
        f"On the whole {subject} stand in the report's order {evidence}, but some neighbours are too close to tell: "
        f"exactly that order comes out in {exact}."
    )


def describe_capped(table: pd.DataFrame) -> str:
    """Names the cells of which most rounds reached the last epoch: their means are cut short."""
    rows: Any = table[table["capped"] > table["rounds"] / 2].itertuples()
    names = [f"{name_cell(row.model, row.dropout)} ({row.capped} of {plural(row.rounds, 'round')})" for row in rows]
    if not names:
        return ""
    return f"{CUT_SHORT}: {join(names)}."


def describe_difference(row: Any) -> str:
    """A cell's difference from the report's for a table: '+2.0 (1.0 to 2.9)'; a dash if there is none."""
    if pd.isna(row.difference):
        return "–"
    if pd.isna(row.difference_low):
        return with_sign(row.difference)
    return f"{with_sign(row.difference)} ({points(row.difference_low)} to {points(row.difference_high)})"
