"""Which runs make the reproduction, and which of them are shipped with their weights."""

from functools import cache

from core.runs.settings import REPORT_MODELS, RunSettings

PLANNED_ROUNDS = 10  # per cell, as in the report's Table 1
SHIPPED_DROPOUTS = (0.0, 0.25)  # our counterparts of the two columns of Table 1; the report gives no probability


def plan_reproduction() -> list[RunSettings]:
    """Every run of the reproduction, round by round, the two columns of Table 1 before the side experiments.

    Table 1's are 7 architectures × dropout 0 and 0.25 × 10 rounds. Beside them: dropout 0.1 and 0.5 for all, dropout
    left on at evaluation for the two networks that see digit classes, and a control: WeightSharingAuxiliaryModel with
    an auxiliary weight of 0, which has the layers of the auxiliary losses but not the losses.
    """
    main = [RunSettings(model=model, dropout=p) for p in SHIPPED_DROPOUTS for model in REPORT_MODELS]
    side = [
        RunSettings(model=model, dropout=p, dropout_at_evaluation=True)
        for p in (0.25, 0.5)
        for model in REPORT_MODELS[-2:]
    ]
    side += [RunSettings(model=model, dropout=p) for p in (0.1, 0.5) for model in REPORT_MODELS]
    side += [RunSettings(model="WeightSharingAuxiliaryModel", dropout=p, auxiliary_weight=0) for p in SHIPPED_DROPOUTS]
    rounds = [[cell.rounds(PLANNED_ROUNDS) for cell in cells] for cells in (main, side)]
    return [settings for cells in rounds for a_round in zip(*cells, strict=True) for settings in a_round]


@cache
def planned_run_ids() -> frozenset[str]:
    """The identities of the reproduction's runs: what else a store has is somebody's own."""
    return frozenset(settings.run_id for settings in plan_reproduction())


def is_shipped_with_weights(settings: RunSettings) -> bool:
    """Whether a run belongs to the two columns of Table 1, whose networks answer drawings."""
    return settings == RunSettings(model=settings.model, dropout=settings.dropout, seed=settings.seed) and (
        settings.dropout in SHIPPED_DROPOUTS
    )
