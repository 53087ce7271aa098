"""The first screen: the task as a game, what there is to do next, the seven architectures, and the report."""

import random

import streamlit as st

from core.analysis.game import GAMES, choose_pairs, measure_accuracies
from core.mnist.files import DataError
from pages.app.router import enter_by_router
from pages.app.screens import GROUPS
from pages.app.shared import read_game_votes
from pages.app.text import as_text
from pages.components.game import show_game
from pages.components.home import show_glance
from pages.components.link import refuse
from pages.components.sentences import show_note

WAYS = {  # the first things to do after the game
    "lesson": ("Take the lesson", "Thirty minutes, alone or with a class."),
    "draw": ("Draw your own", "The networks answer while the pen moves."),
    "train": ("Train one yourself", "Choose an idea and watch it learn."),
}
REPORT = (
    "The task, the seven architectures and a table of their accuracies are from one report: *Project 1 – "
    "Classification, weight sharing, auxiliary losses* (Kriukov, Moiseev and Leserri, 2022). Here the same networks "
    "are trained anew, and *Compare* has our accuracies beside the printed ones."
)


def read_game() -> int:
    """The number of the link's game."""
    text = st.query_params.get("game", "")
    if text.isdecimal() and len(text) <= len(str(GAMES[-1])) and int(text) in GAMES:
        return int(text)
    if text:
        refuse("game", text, f"must be a whole number from {GAMES[0]} to {GAMES[-1]:,}")
    return GAMES[0]


def choose_another() -> None:
    """Other pairs, and their number in the link."""
    st.query_params["game"] = str(random.choice(GAMES))


enter_by_router("home")
st.title("Is the first digit less than or equal to the second?")
votes, game = read_game_votes(), read_game()
for problem in votes.problems[:3]:
    st.caption(f":material/warning: {as_text(problem)}")
if pairs := choose_pairs(votes, game):
    try:
        show_game(str(game), pairs, votes, on_others=choose_another)
    except DataError as error:
        st.error(as_text(error), icon=":material/error:")
else:
    st.caption(
        "No network has answered the test pairs yet, so there is nobody to play against: train one under *Train*."
    )

screens = {screen.name: screen for group in GROUPS for screen in group}
ways = [name for name in WAYS if name in screens]
for column, name in zip(st.columns(len(ways)), ways, strict=True):
    label, about = WAYS[name]
    with column.container(border=True, key=f"way_{name}", gap="xsmall"):
        st.page_link(f"pages/{name}.py", label=f"**{label}**", icon=f":material/{screens[name].icon}:")
        st.caption(about)

st.header("The seven at a glance", anchor=False)
show_glance(measure_accuracies(votes))
show_note(
    "Boxes are layers with parameters; coloured ones, joined by a double line, are one layer that both digits go "
    f"through. Accuracy: the share of {len(votes.table):,} test pairs that are right, without dropout."
)
st.header("Where does this come from?", anchor=False)
st.markdown(REPORT)
st.header("What is each screen for?", anchor=False)
first, *others = GROUPS
for column, group in zip(st.columns(len(others)), ((*first[1:], *others[0]), *others[1:]), strict=True):
    for screen in group:
        with column.container(gap="xsmall"):
            st.page_link(f"pages/{screen.name}.py", icon=f":material/{screen.icon}:")
            st.caption(screen.purpose)
