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
    "TwoChannelsModel": Look("Two channels", "sees both digits at once", "#8b9099", (), "circle"),
    "TwoBranchesModel": Look("Two branches", "own eyes for each digit, one score each", "#cb8502", (6, 3), "square"),
    "WeightSharingBranchesModel": Look("Shared branches", "one pair of eyes for both", "#ba4f08", (), "diamond"),
    "BranchesToVecModel": Look("Branches to vectors", "own eyes, ten numbers each", "#019aef", (6, 3), "cross"),
    "WeightSharingBranchesToVecModel": Look("Shared vectors", "one pair of eyes, ten numbers", "#026ac8", (), "x"),
    "WeightSharingAuxiliaryModel": Look(
        "Auxiliary losses", "is also told which digits it sees", "#9d5588", (2, 2), "triangle-up"
    ),
    "DirectClassificationModel": Look("Direct classification", "only reads the digits", "#19936e", (), "star"),
}
