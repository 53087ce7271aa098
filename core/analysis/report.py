"""The report's own numbers: Table 1, as printed."""

from typing import NamedTuple

from core.runs.settings import ModelName

REPORT_ROUNDS = 10  # per cell of Table 1


class Printed(NamedTuple):
    """A cell of the report's Table 1: mean and standard deviation of test accuracy over ten rounds.

    It is the deviation of a sample (n − 1): the authors' public code uses torch.std.
    """

    mean: float
    std: float


REPORT_TABLE: dict[ModelName, tuple[Printed, Printed]] = {  # report, Table 1: without and with dropout
    "TwoChannelsModel": (Printed(0.798, 0.011), Printed(0.798, 0.011)),
    "TwoBranchesModel": (Printed(0.812, 0.013), Printed(0.826, 0.018)),
    "WeightSharingBranchesModel": (Printed(0.838, 0.012), Printed(0.840, 0.008)),
    "BranchesToVecModel": (Printed(0.827, 0.012), Printed(0.831, 0.017)),
    "WeightSharingBranchesToVecModel": (Printed(0.847, 0.018), Printed(0.846, 0.010)),
    "WeightSharingAuxiliaryModel": (Printed(0.865, 0.019), Printed(0.863, 0.012)),
    "DirectClassificationModel": (Printed(0.965, 0.007), Printed(0.953, 0.010)),
}
