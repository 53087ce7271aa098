"""Intervals and tests on plain numbers: nothing here knows an architecture or the run store.

What is sampled are rounds. A round's thousand answers come from one network and are not independent, so intervals
count rounds, not answers.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

LEVEL = 0.05
DRAWS = 10_000  # of a bootstrap

Floats = NDArray[np.float64]


class PairedDifference(NamedTuple):
    """The mean of `rounds` paired differences, second minus first, with its 95 % interval and p (Student's t)."""

    rounds: int
    difference: float
    low: float
    high: float
    p: float


class UnpairedDifference(NamedTuple):
    """Differences of means, first minus second (N,), each with its 95 % interval and p (Welch's t)."""

    difference: Floats
    low: Floats
    high: Floats
    p: Floats


class Order(NamedTuple):
    """How far two rankings of so many `things` agree: Kendall's `tau`, its 95 % interval over resampled rounds, and the
    share of draws whose order is `exact`ly the other ranking's."""

    things: int
    tau: float
    low: float
    high: float
    exact: float


def holm(p_values: ArrayLike) -> Floats:
    """Holm's step-down adjustment of p values (N,), which keeps the chance of any false alarm; NaN passes through."""
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p)[: np.count_nonzero(~np.isnan(p))]  # the known p values, smallest first; NaN sorts last
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted = np.full_like(p, np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1) if len(order) else steps
    return adjusted


def add_holm(table: pd.DataFrame) -> pd.DataFrame:
    """The table with `p_holm`, Holm's correction over all its `p`, and `clear`, whether that is below 0.05."""
    adjusted = holm(table["p"])
    return table.assign(p_holm=adjusted, clear=adjusted < LEVEL)


def wilson_interval(right: Any, count: Any, z: Any = None) -> tuple[Floats, Floats]:
    """The 95 % interval of a share, `right` of `count` independent answers (N,), after Wilson (1927); NaN if the
    count is 0. `z` is the quantile to use, by default the normal distribution's."""
    k, n = np.asarray(right, dtype=float), np.asarray(count, dtype=float)
    n = np.where(n > 0, n, np.nan)
    z = stats.norm.ppf(1 - LEVEL / 2) if z is None else np.asarray(z, dtype=float)
    middle = (k + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * np.sqrt(k * (n - k) / n + z**2 / 4)
    return np.maximum(middle - half, 0), np.minimum(middle + half, 1)


def pool_rounds(by_round: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Shares over several rounds, with intervals that count rounds: the keys, `rounds`, `right`, `count`, `accuracy`
    (right of count), `low`, `high` (95 %; NaN below two rounds).

    `by_round` has one row per group and round: the keys, `right`, `count`. The interval is Wilson's with Student's t of
    the rounds, for the number of independent answers that would scatter as the rounds do (the design effect of
    Kish, 1965, of a ratio), which is never taken to be more than there are.
    """
    groups = by_round.groupby(keys, observed=True)
    table = groups.agg(rounds=("count", "size"), right=("right", "sum"), count=("count", "sum"))
    share = table["right"] / table["count"].where(table["count"] > 0)
    own = by_round.set_index(keys)
    residual = own["right"] - own["count"] * share.reindex(own.index)
    squares = (residual**2).groupby(level=list(range(len(keys))), observed=True).sum().reindex(table.index)
    rounds = table["rounds"].where(table["rounds"] >= 2).astype(float)
    scatter = rounds / (rounds - 1) * squares / table["count"] ** 2
    independent = share * (1 - share) / table["count"]
    design = (scatter / independent.where(independent > 0)).clip(lower=1).where(independent > 0, 1)
    effective = table["count"] / design
    low, high = wilson_interval(share * effective, effective, stats.t.ppf(1 - LEVEL / 2, rounds - 1))
    return table.assign(accuracy=share, low=low, high=high).reset_index()


def mcnemar(only_first: int, only_second: int) -> float:
    """McNemar's exact p, two-sided, from the counts of pairs that only the first or only the second gets right.

    Were both equally good, each such pair would be a fair coin; if there is none, p is 1.
    """
    count = only_first + only_second
    return float(stats.binomtest(only_first, count, 0.5).pvalue) if count else 1.0


def half_width(std: ArrayLike, rounds: ArrayLike) -> Floats:
    """Half of the 95 % t interval around a mean of `rounds` values; NaN below two rounds."""
    n = np.asarray(rounds, dtype=float)
    n = np.where(n >= 2, n, np.nan)
    return np.asarray(stats.t.ppf(1 - LEVEL / 2, n - 1) * np.asarray(std, dtype=float) / np.sqrt(n))


def add_interval(table: pd.DataFrame) -> pd.DataFrame:
    """The table with the 95 % interval `low`, `high` of its `mean`, from `std` and `rounds`."""
    half = half_width(table["std"], table["rounds"])
    return table.assign(low=table["mean"] - half, high=table["mean"] + half)


def summarise_rounds(
    runs: pd.DataFrame, keys: list[str], value: str = "test_accuracy", also: Sequence[str] = ("epochs", "seconds")
) -> pd.DataFrame:
    """One row per group of finished runs: the keys, `rounds`, `mean`, `std` (one round: NaN), the 95 % interval `low`,
    `high`, and the means of the columns `also`."""
    means: Any = {name: (name, "mean") for name in also}
    groups = runs.groupby(keys)
    return add_interval(
        groups.agg(rounds=(value, "count"), mean=(value, "mean"), std=(value, "std"), **means).reset_index()
    )


def compare_paired(differences: ArrayLike) -> PairedDifference:
    """Student's t test and interval of paired differences (N,); below two of them no interval and no p."""
    values = np.asarray(differences, dtype=float)
    count, nan = len(values), float("nan")
    if count < 2:
        return PairedDifference(count, float(values[0]) if count else nan, nan, nan, nan)
    mean, std = float(values.mean()), float(values.std(ddof=1))
    if np.ptp(values) < 1e-9:  # all are equal, up to rounding: there is no scatter to estimate a p from
        return PairedDifference(count, mean, mean, mean, 1.0 if abs(mean) < 1e-9 else 0.0)
    half = float(half_width(std, count))
    p = 2 * float(stats.t.sf(abs(mean) / (std / count**0.5), count - 1))
    return PairedDifference(count, mean, mean - half, mean + half, p)


def compare_unpaired(first: ArrayLike, second: ArrayLike) -> UnpairedDifference:
    """Welch's test and interval of first − second, from rows of (mean, standard deviation, rounds), (N, 3) each.

    NaN if a side has fewer than two rounds or no deviation; if nothing scatters, nothing is left to chance.
    """
    one, other = np.atleast_2d(np.asarray(first, dtype=float)), np.atleast_2d(np.asarray(second, dtype=float))
    rounds = np.stack([one[:, 2], other[:, 2]])
    rounds = np.where(rounds >= 2, rounds, np.nan)
    variances = np.stack([one[:, 1], other[:, 1]]) ** 2 / rounds
    difference, error = one[:, 0] - other[:, 0], np.sqrt(variances.sum(axis=0))
    fixed = error < 1e-9
    safe = np.where(fixed, np.nan, error)
    degrees = safe**4 / (variances**2 / (rounds - 1)).sum(axis=0)
    half = np.where(fixed, 0.0, stats.t.ppf(1 - LEVEL / 2, degrees) * safe)
    p = np.where(fixed, (np.abs(difference) < 1e-9).astype(float), 2 * stats.t.sf(np.abs(difference) / safe, degrees))
    return UnpairedDifference(difference, difference - half, difference + half, p)


def resample_order(values: ArrayLike, ranking: ArrayLike) -> Order:
    """Kendall's τ between the means of `values` (things, rounds) and a fixed `ranking` (things,), resampling rounds.

    A draw takes as many rounds as there are, with replacement and the same ones for all things, as rounds are shared.
    Its τ is the mean over all pairs of things: 1 if both order them alike, −1 if not, 0 for a tie. NaN below two
    rounds. The ranking is taken as it is, so its own chance is left out.
    """
    rows, other = np.asarray(values, dtype=float), np.asarray(ranking, dtype=float)
    count, rounds = rows.shape
    first, second = np.triu_indices(count, 1)
    wanted = np.sign(other[first] - other[second])

    def agree(means: Floats) -> Floats:
        gaps = np.round(means[..., first] - means[..., second], 9)
        return np.asarray((np.sign(gaps) * wanted).mean(axis=-1))

    tau = float(agree(rows.mean(axis=1)))
    if rounds < 2:
        return Order(count, tau, *3 * [float("nan")])
    chosen = np.random.default_rng(0).multinomial(rounds, np.full(rounds, 1 / rounds), DRAWS)  # (DRAWS, rounds)
    drawn = agree(chosen @ rows.T / rounds)
    low, high = np.quantile(drawn, [LEVEL / 2, 1 - LEVEL / 2], method="inverted_cdf")
    return Order(count, tau, float(low), float(high), float((drawn > 1 - 1e-9).mean()))
