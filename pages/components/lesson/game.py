"""The first chapter: the game of the home screen, and how everybody did in it, pair by pair."""

from collections.abc import Callable, Sequence
from html import escape

import streamlit as st

from core.analysis.game import Pair, choose_pairs
from core.figures.thumbnails import picture_digit
from core.mnist.files import DataError, average_windows, read_test_images
from core.runs.palette import PALETTE
from pages.app.shared import read_game_votes
from pages.app.text import as_text
from pages.components.game import show_game

state = st.session_state  # `lesson_game`: a game's number -> the answers so far, whether they are right;
# `lesson_skipped`: games that are not to be played


def read_answers(game: int) -> str:
    """Which of the pairs answered so far the visitor got right, as 1 and 0; in the order in which they are asked."""
    answers: dict[int, bool] = state.setdefault("lesson_game", {}).setdefault(game, {})
    return "".join(str(int(right)) for _, right in sorted(answers.items()))


def needs_game(game: int) -> bool:
    """Whether there is a game that the visitor has neither finished nor skipped."""
    pairs = choose_pairs(read_game_votes(), game)
    return len(read_answers(game)) < len(pairs) and game not in state.get("lesson_skipped", ())


def skip(game: int) -> None:
    """Guess without playing."""
    state.setdefault("lesson_skipped", set()).add(game)


def play(game: int, on_whole: Callable[[str], None]) -> None:
    """The ten pairs of a game to answer; all answers, once the last is given, go to `on_whole`."""
    votes = read_game_votes()
    if not (pairs := choose_pairs(votes, game)):
        return

    def keep() -> None:
        """Keep an answer; a browser can send anything."""
        message = getattr(state[f"game_{game}"], "answered", None) or {}
        place, says = message.get("pair"), message.get("says")
        if type(place) is int and 0 <= place < len(pairs) and type(says) is bool:
            state.setdefault("lesson_game", {}).setdefault(game, {})[place] = says == pairs[place].truth
            if len(answers := read_answers(game)) == len(pairs):
                on_whole(answers)

    try:
        show_game(str(game), pairs, votes, on_answer=keep)
    except DataError as error:
        st.error(as_text(error))


def show_scores(game: int, own: str, notes: Sequence[str]) -> None:
    """One row per player: the visitor, the class, each network; one column per pair, and how many are right.

    `own` and `notes` are answers as `read_answers` writes them; of the class, only whole games count.
    """
    votes = read_game_votes()
    if not (pairs := choose_pairs(votes, game)):
        return
    whole = [note for note in notes if len(note) == len(pairs)]
    rows = []
    if len(own) == len(pairs):
        rows.append(_row("You", "currentColor", [float(mark) for mark in own]))
    if whole:
        shares = [sum(note[place] == "1" for note in whole) / len(whole) for place in range(len(pairs))]
        rows.append(_row(f"The class ({len(whole)})", "currentColor", shares))
    for place, model in enumerate(votes.models):
        look = PALETTE[model]
        rows.append(_row(look.label, look.colour, [float(pair.right[place]) for pair in pairs]))
    columns = "".join(f'<th scope="col">{_picture(pair)}</th>' for pair in pairs)
    head = f'<tr><th scope="col">● right, × wrong</th>{columns}<th scope="col">of {len(pairs)}</th></tr>'
    st.html(f'<div class="lesson-scores"><table class="lesson-game">{head}{"".join(rows)}</table></div>')


def _picture(pair: Pair) -> str:
    first, second = average_windows(read_test_images()[list(pair.images)])
    pictures = "".join(f'<img src="{picture_digit(frame)}" alt="">' for frame in (first, second))
    truth = f"{pair.digits[0]}&nbsp;{'≤' if pair.truth else '&gt;'}&nbsp;{pair.digits[1]}"
    return f'{pictures}<span class="digits">{truth}</span>'


def _row(name: str, colour: str, shares: Sequence[float]) -> str:
    """A player's row; a share between 0 and 1 is that of the class who were right."""
    cells = "".join(f"<td>{_cell(share, colour)}</td>" for share in shares)
    total = sum(shares)
    text = f"{total:.0f}" if total == int(total) else f"{total:.1f}"
    return f'<tr><th scope="row">{escape(name)}</th>{cells}<td class="total">{text}</td></tr>'


def _cell(share: float, colour: str) -> str:
    if share in (0.0, 1.0):
        right = share == 1.0
        word, sign = ("right", "●") if right else ("wrong", "×")
        style = f' style="color:{colour}"' if right else ""
        return f'<span{style} aria-label="{word}">{sign}</span>'
    return f"<small>{100 * share:.0f}%</small>"
