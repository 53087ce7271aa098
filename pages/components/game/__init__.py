"""The game on the screen: ten pairs of digits, a person's answers and the networks'."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.analysis.game import Pair, Votes, describe_mix, describe_players
from core.figures.thumbnails import picture_digit
from core.mnist.files import average_windows, read_test_images
from core.runs.palette import PALETTE
from pages.components.files import read_beside

_GAME = st.components.v2.component(
    "game",
    html=read_beside(__file__, "game.html"),
    css=read_beside(__file__, "game.css"),
    js=read_beside(__file__, "game.js"),
)


def show_game(
    name: str,
    pairs: Sequence[Pair],
    votes: Votes,
    *,
    on_answer: Callable[[], None] | None = None,
    on_others: Callable[[], None] | None = None,
) -> None:
    """The pairs of core.analysis.game, one after another. Raises DataError if MNIST is damaged.

    The browser keeps the answers under `name`, so that a reload goes on with the game. With `on_answer`, each answer
    runs it at once: `st.session_state[f"game_{name}"].answered` is then {"game": name, "pair": 0 to 9, "says": whether
    first <= second}, which a browser can forge. With `on_others`, there is a button for other pairs.
    """
    looks = [PALETTE[model] for model in votes.models]
    numbers = [image for pair in pairs for image in pair.images]
    pictures = [picture_digit(frame) for frame in average_windows(read_test_images()[numbers])]
    data: dict[str, Any] = {
        "name": name,
        "pairs": [
            {"digits": pair.digits, "says": pair.says, "pictures": pictures[2 * place : 2 * place + 2]}
            for place, pair in enumerate(pairs)
        ],
        "players": [{"name": look.label, "idea": look.idea, "colour": look.colour} for look in looks],
        "lead": describe_players(votes),
        "mix": describe_mix(pairs, votes),
        "reports": on_answer is not None,
        "others": on_others is not None,
    }
    ignore = lambda: None  # noqa: E731 - without a callback, Streamlit keeps no trigger
    _GAME(key=f"game_{name}", data=data, on_answered_change=on_answer or ignore, on_others_change=on_others or ignore)
