"""A race: architectures at one or more dropouts, trained with the same rounds, and how they stand."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, stdev
from typing import NamedTuple

import pandas as pd

from core.runs.palette import PALETTE, Look
from core.runs.settings import ModelName, RunSettings
from core.runs.store import Run, UnreadableRun

SUGGESTED: dict[str, tuple[ModelName, ModelName]] = {  # pairs that differ by one idea alone
    "own against shared": ("TwoBranchesModel", "WeightSharingBranchesModel"),
    "shared against auxiliary": ("WeightSharingBranchesToVecModel", "WeightSharingAuxiliaryModel"),
}


class Lane(NamedTuple):
    """One architecture at one dropout: one line of the chart and one row of the board. `name` is unique in its race."""

    name: str
    look: Look
    rounds: list[RunSettings]


class Standing(NamedTuple):
    """How a lane stands. `epochs`: those of the round that has come least far, and of the one that has come farthest.

    `validation` is the mean over the rounds of each one's last validation accuracy, `test` the mean test accuracy of
    the `finished` rounds and `deviation` its standard deviation, `seconds` the mean time that a round has trained.
    Each is None as long as there is nothing to tell it from.
    """

    lane: Lane
    epochs: tuple[int, int]
    validation: float | None
    finished: int
    test: float | None
    deviation: float | None
    seconds: float | None


def make_lanes(cells: Iterable[RunSettings], count: int) -> list[Lane]:
    """The lanes of a race from the settings of each cell's first round; raises SettingsError where `count` is wrong."""
    cells = list(cells)
    several = len({cell.dropout for cell in cells}) > 1
    return [
        Lane(
            PALETTE[cell.model].label + (f", dropout {cell.dropout:g}" if several else ""),
            PALETTE[cell.model],
            cell.rounds(count),
        )
        for cell in cells
    ]


def rank_lanes(
    lanes: Sequence[Lane], histories: pd.DataFrame, runs: Mapping[str, Run | UnreadableRun]
) -> list[Standing]:
    """The lanes' standings, the best first: by test accuracy where every round of the race has finished, else by
    validation accuracy; those without any follow. `histories` is as core.analysis.tables.load_histories gives it, and
    `runs` has the runs whose results may be told."""
    own = {str(run_id): rows for run_id, rows in histories.groupby("run_id", sort=False)}
    standings = [_stand(lane, own, runs) for lane in lanes]
    done = all(standing.finished == len(standing.lane.rounds) for standing in standings)
    values = [standing.test if done else standing.validation for standing in standings]
    order = sorted(range(len(lanes)), key=lambda place: -(values[place] or 0.0))
    return [standings[place] for place in order]


def _stand(lane: Lane, histories: Mapping[str, pd.DataFrame], runs: Mapping[str, Run | UnreadableRun]) -> Standing:
    names = [settings.run_id for settings in lane.rounds]
    own = [histories[name] for name in names if name in histories]
    counts = [len(rows) for rows in own] + [0] * (len(names) - len(own))
    found = [runs[name] for name in names if name in runs]
    tests = [run.summary["test_accuracy"] for run in found if isinstance(run, Run) and run.state == "finished"]
    return Standing(
        lane,
        (min(counts), max(counts)),
        fmean(float(rows["validation_accuracy"].iloc[-1]) for rows in own) if own else None,
        len(tests),
        fmean(tests) if tests else None,
        stdev(tests) if len(tests) > 1 else None,
        fmean(float(rows["seconds"].sum()) for rows in own) if own else None,
    )
