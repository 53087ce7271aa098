"""Can a network's probabilities be believed? Data frames from the answers that core.analysis.mistakes reads, with
their sentences."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from core.analysis.numbers import percent, points
from core.analysis.sentences import between, size_between
from core.analysis.statistics import LEVEL, PairedDifference, compare_paired, holm, pool_rounds
from core.runs.palette import PALETTE

BINS = 10  # of a calibration curve
SIMULATIONS = 200  # of a perfectly calibrated network


class Calibration(NamedTuple):
    """A cell's calibration, means over its rounds: the expected calibration `error` and its `std`, the `floor` that a
    perfectly calibrated network with the same probabilities would show, how `sure` the networks are and how often
    `right`; `excess` (error − floor) and `gap` (sure − right) by round, and Holm's p of both."""

    model: Any
    rounds: int
    error: float
    std: float
    floor: float
    sure: float
    right: float
    excess: PairedDifference
    gap: PairedDifference
    excess_p: float
    gap_p: float


def calibrate(answers: pd.DataFrame) -> pd.DataFrame:
    """One row for each tenth of the probability that first <= second: `bin` (0 to 9), `rounds`, `count`, `said` (mean
    probability), `right` (pairs in which first <= second), `accuracy` (their share) and its 95 % interval over rounds
    `low`, `high`. Tenths without pairs are left out. `answers` are those of one cell."""
    placed = answers.assign(bin=_bins(answers["probability"]), target=answers["first"] <= answers["second"])
    by_round = placed.groupby(["seed", "bin"], as_index=False).agg(count=("target", "size"), right=("target", "sum"))
    said = placed.groupby("bin")["probability"].mean().rename("said").reset_index()
    return pool_rounds(by_round, ["bin"]).merge(said, on="bin")


def _bins(probability: Any) -> Any:
    return np.minimum((np.asarray(probability) * BINS).astype(int), BINS - 1)


def calibration_error(probability: Any, target: Any) -> Any:
    """The expected calibration error of N answers: the mean distance of what is said from what is so, over the tenths,
    weighted by their pairs. `probability` is (N,), `target` (N,) or (…, N), the result a number or (…)."""
    said, so = np.asarray(probability, dtype=float), np.asarray(target, dtype=float)
    members = np.eye(BINS)[_bins(said)]  # (N, BINS)
    return np.abs((so - said) @ members).sum(axis=-1) / said.shape[-1]


def wrong_if_calibrated(confidence: Any) -> float:
    """How sure of its wrong answers, on average, a network would be that is right as often as it says: it gives a share
    1 − c of its answers of `confidence` c wrongly. `confidence` is (N,)."""
    said = np.asarray(confidence, dtype=float)
    return float(np.average(said, weights=1 - said))


def calibration_floor(probability: Any) -> float:
    """The calibration error to expect of a network that is calibrated perfectly and says these probabilities (N,): with
    finitely many pairs it is not zero. The mean of SIMULATIONS, always the same."""
    said = np.asarray(probability, dtype=float)
    drawn = np.random.default_rng(0).random((SIMULATIONS, len(said))) < said
    return float(calibration_error(said, drawn).mean())


def measure_calibration(answers: pd.DataFrame) -> Calibration:
    """The calibration of the rounds of one cell, from its answers."""
    rounds: Any = [own for _, own in answers.groupby("seed")]
    targets = [own["first"] <= own["second"] for own in rounds]
    errors = pd.Series(
        [float(calibration_error(own["probability"], so)) for own, so in zip(rounds, targets, strict=True)]
    )
    floors = pd.Series([calibration_floor(own["probability"]) for own in rounds])
    means = answers.groupby("seed")[["confidence", "right"]].mean().astype(float)
    excess, gap = compare_paired(errors - floors), compare_paired(means["confidence"] - means["right"])
    adjusted = holm([excess.p, gap.p])
    return Calibration(
        answers["model"].iloc[0],
        len(rounds),
        float(errors.mean()),
        float(errors.std()),
        float(floors.mean()),
        float(means["confidence"].mean()),
        float(means["right"].mean()),
        excess,
        gap,
        *map(float, adjusted),
    )


def describe_calibration(measured: Calibration) -> list[str]:
    """The calibration error beside that of a perfect network, and how sure the networks are beside how often right."""
    label = PALETTE[measured.model].label
    spread = "" if pd.isna(measured.std) else f" ± {points(measured.std)}"
    error = (
        f"Expected calibration error of {label}: {points(measured.error)}{spread} points, mean of single rounds "
        f"(n = {measured.rounds}); a perfectly calibrated network would show {points(measured.floor)} with as many "
        "pairs"
    )
    sure = f"On average {label} is {percent(measured.sure)} sure of what it says and right in {percent(measured.right)}"
    if measured.rounds < 2:
        return [f"{error}.", f"{sure}."]
    excess, gap = measured.excess, measured.gap
    surplus = f"the difference of {points(excess.difference)} points ({between(excess.low, excess.high)}) is"
    verdict = f"{surplus} {'clear' if measured.excess_p < LEVEL else 'not clear'}"
    habit = f"not clearly more or less sure than right ({points(gap.difference)} points"
    if measured.gap_p < LEVEL:
        habit = f"{'more' if gap.difference > 0 else 'less'} sure than right by {points(abs(gap.difference))} points ("
        return [f"{error}; {verdict}.", f"{sure}: {habit}{size_between(gap.low, gap.high)}). {TESTS}"]
    return [f"{error}; {verdict}.", f"{sure}: {habit}, {between(gap.low, gap.high)}). {TESTS}"]


TESTS = "(Paired t tests by round, Holm's correction over both.)"
