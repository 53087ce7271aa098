"""How each architecture is named and looks, everywhere: a name for people, its idea, a colour, a dash and a marker.

The colours keep apart for people who see red and green alike, and stand out on white and on near-black; the dashes
and markers tell the architectures apart without any colour. What has an entry here can be asked for everywhere.
"""

from typing import NamedTuple


class Look(NamedTuple):
    """`label` for people; `idea` in one line; `colour` as #rrggbb; `dash`: pixels on and off, empty for solid; `marker`
    as in Plotly."""

    label: str
    idea: str
    colour: str
    dash: tuple[int, ...]
    marker: str


PALETTE = {  # by the architecture's name: those of the report in the order of its Table 1, then any others
    "TwoChannelsModel": Look("Two channels", "sees both digits at once", "#8a8f98", (), "circle"),
    "TwoBranchesModel": Look("Two branches", "own eyes for each digit, one score each", "#d98e04", (6, 3), "square"),
    "WeightSharingBranchesModel": Look("Shared branches", "one pair of eyes for both", "#c2571a", (), "diamond"),
    "BranchesToVecModel": Look("Branches to vectors", "own eyes, ten numbers each", "#4fa3d9", (6, 3), "cross"),
    "WeightSharingBranchesToVecModel": Look("Shared vectors", "one pair of eyes, ten numbers", "#1f6fb5", (), "x"),
    "WeightSharingAuxiliaryModel": Look(
        "Auxiliary losses", "is also told which digits it sees", "#b3589a", (2, 2), "triangle-up"
    ),
    "DirectClassificationModel": Look("Direct classification", "only reads the digits", "#0f9d76", (), "star"),
}
