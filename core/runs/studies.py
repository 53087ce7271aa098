"""Studies: questions that the report did not ask, each with the runs that answer it.

A study's runs are kept without history, weights and predictions: their results hold what the study counts. To add one,
declare its cells here; `python -m core reproduce --study NAME` trains it, and core.analysis.studies counts it.
"""

from dataclasses import dataclass
from functools import cache

from core.runs.plan import PLANNED_ROUNDS, SHIPPED_DROPOUTS, planned_run_ids
from core.runs.settings import REPORT_MODELS, RunSettings

TRAINING_PAIRS = (200, 500, 1_000, 2_000, 5_000, 10_000, 25_000)
AUXILIARY_WEIGHTS = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0)
TWINS = {  # own weights for each digit -> the same network with shared weights
    "TwoBranchesModel": "WeightSharingBranchesModel",
    "BranchesToVecModel": "WeightSharingBranchesToVecModel",
}
# Hidden units with which shared branches have about as many parameters as own ones with 128, and own ones as few as
# shared ones with 128: within 0.4 % for the vectors, which is as near as whole units come.
SHARED_AS_LARGE, OWN_AS_SMALL = 326, 29


@dataclass(frozen=True)
class Study:
    """A question, the cells of settings (seed 0) that answer it, and how many rounds each has."""

    name: str
    question: str
    cells: tuple[RunSettings, ...]
    rounds: int

    def plan(self) -> list[RunSettings]:
        """Every run of the study: those without dropout first, round by round, so that one cut short has whole
        rounds."""
        runs = [settings for cell in self.cells for settings in cell.rounds(self.rounds)]
        return sorted(runs, key=lambda settings: (settings.dropout, settings.seed))


STUDIES = {
    study.name: study
    for study in (
        Study(
            "twins",
            "Is it the sharing or the size?",
            tuple(
                cell
                for own, shared in TWINS.items()
                for cell in (
                    RunSettings(model=own),
                    RunSettings(model=shared),
                    RunSettings(model=shared, hidden_units=SHARED_AS_LARGE),
                    RunSettings(model=own, hidden_units=OWN_AS_SMALL),
                )
            ),
            PLANNED_ROUNDS,
        ),
        Study(
            "auxiliary-weight",
            "How much should the auxiliary losses count?",
            tuple(
                RunSettings(model="WeightSharingAuxiliaryModel", dropout=dropout, auxiliary_weight=weight)
                for dropout in SHIPPED_DROPOUTS
                for weight in AUXILIARY_WEIGHTS
            ),
            PLANNED_ROUNDS,
        ),
        Study(
            "data",
            "How much data is an idea worth?",
            tuple(
                RunSettings(model=model, dropout=dropout, training_pairs=pairs)
                for dropout in SHIPPED_DROPOUTS
                for pairs in TRAINING_PAIRS
                for model in REPORT_MODELS
            ),
            5,
        ),
    )
}


@cache
def study_run_ids() -> frozenset[str]:
    """The identities of the runs that the studies add to those of the reproduction."""
    runs = {settings.run_id for study in STUDIES.values() for settings in study.plan()}
    return frozenset(runs - planned_run_ids())
