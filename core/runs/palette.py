"""How each architecture looks, everywhere: a name for people, a colour, a dash pattern and a marker.

The colours keep apart for people who see red and green alike, and stand out on white and on near-black; the dashes
and markers tell the architectures apart without any colour. What has an entry here can be asked for everywhere.
"""

from typing import NamedTuple


class Look(NamedTuple):
    """`label` for people; `colour` as #rrggbb; `dash`: pixels on and off, empty for solid; `marker` as in Plotly."""

    label: str
    colour: str
    dash: tuple[int, ...]
    marker: str


PALETTE = {  # by the architecture's name: those of the report in the order of its Table 1, then any others
    "TwoChannelsModel": Look("Two channels", "#8a8f98", (), "circle"),
    "TwoBranchesModel": Look("Two branches", "#d98e04", (6, 3), "square"),
    "WeightSharingBranchesModel": Look("Weight-sharing branches", "#c2571a", (), "diamond"),
    "BranchesToVecModel": Look("Branches to vectors", "#4fa3d9", (6, 3), "cross"),
    "WeightSharingBranchesToVecModel": Look("Weight-sharing branches to vectors", "#1f6fb5", (), "x"),
    "WeightSharingAuxiliaryModel": Look("Auxiliary losses", "#b3589a", (2, 2), "triangle-up"),
    "DirectClassificationModel": Look("Direct classification", "#0f9d76", (), "star"),
}
