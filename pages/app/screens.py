"""The screens: in which order and groups the navigation has them, and what each is for."""

from typing import NamedTuple

from core.runs.settings import RunSettings

OWN = "own_rounds"  # the switch that counts what this server has trained beside the reproduction


class Screen(NamedTuple):
    """`name`: that of its file in `pages/`, and of its address; `purpose`: what a visitor does there, in one line."""

    name: str
    title: str
    icon: str
    purpose: str


GROUPS: tuple[tuple[Screen, ...], ...] = (  # in the order of a first visit
    (
        Screen("home", "Home", "home", "Compare ten pairs of digits yourself, against seven networks."),
        Screen("lesson", "Lesson", "school", "Eight questions, alone or with a class: guess first, then see."),
    ),
    (
        Screen("draw", "Draw", "draw", "Draw two digits; the trained networks answer while the pen moves."),
        Screen("train", "Train", "play_arrow", "Train architectures against each other and watch their curves."),
    ),
    (
        Screen("compare", "Compare", "table_chart", "Our accuracies beside the report's, and what each idea adds."),
        Screen("findings", "Findings", "lightbulb", "What the trained networks show, each with its evidence."),
        Screen("mistakes", "Mistakes", "rule", "The test pairs that networks get wrong, and how sure they were."),
    ),
    (
        Screen("architectures", "Architectures", "account_tree", "Two architectures side by side, layer by layer."),
        Screen("walk", "Walk", "footprint", "One pair's way through one network, step by step."),
        Screen("leaderboard", "Leaderboard", "leaderboard", "Every setting trained on this server, best first."),
    ),
)

# What a link to each screen may set, as in `walk?run=…&stage=2`.
CHOICES = {
    "home": ["game"],
    "lesson": ["chapter", "room"],
    "draw": ["pair", "drawing", "panel", "why_method", "why_network", "why_round", OWN],
    "train": [*RunSettings.model_fields, "rounds", "curve"],
    "compare": [
        *("view", "table_dropouts", "whole", "shown_dropout", OWN),
        *("compared_curve", "looked_at", "hold", "single"),
    ],
    "findings": ["finding", "found_dropout", OWN],
    "mistakes": [
        *("mistakes", "mistaken_dropout", "mistaken_model", "first_digit", "second_digit", OWN),
        *("right_alone", "first_model", "second_model", "side", "cards"),
    ],
    "architectures": ["one", "other"],
    "walk": ["run", "pair", "drawing", "stage"],
    "leaderboard": [],
}
