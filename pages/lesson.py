"""Eight chapters, one question each: guess first, then see. Alone, or with a class in a room."""

import streamlit as st

from core.analysis.exhibit import Evidence
from core.analysis.game import GAMES, choose_pairs
from core.analysis.lesson import CHAPTERS, Chapter
from pages.app.router import enter_by_router
from pages.app.shared import planned_signature, read_game_votes
from pages.app.text import as_text
from pages.components.lesson import STYLE, show_evidence, show_guesses, show_progress, show_sketches
from pages.components.lesson.evidence import find_evidence
from pages.components.lesson.fooler import draw_fooler, show_foolers
from pages.components.lesson.game import needs_game, play, read_answers, show_scores, skip
from pages.components.lesson.race import is_racing, offer_race, watch_race
from pages.components.lesson.room import show_invitation, show_notes, show_room
from pages.components.lesson.seat import Seat, go, guess, reveal, take_seat
from pages.components.sentences import show_text

state = st.session_state


def game_of(seat: Seat) -> int:
    """The number of the game that is played: the room's, or the first."""
    return seat.view.game if seat.view else GAMES[0]


def has_game(chapter: Chapter, seat: Seat) -> bool:
    """Whether the chapter has a game, whose pairs networks have answered."""
    return chapter.name == "game" and bool(choose_pairs(read_game_votes(), game_of(seat)))


def races_here(chapter: Chapter, seat: Seat) -> bool:
    """Whether the chapter's two networks can race on this screen."""
    return chapter.name == "sharing" and seat.steers and bool(seat.stage)


def is_playing(chapter: Chapter, seat: Seat) -> bool:
    """Whether the ten pairs come before the guess; whoever projects for a class does not play."""
    return chapter.name == "game" and seat.guesses and seat.own is None and needs_game(game_of(seat))


def ask(chapter: Chapter, evidence: Evidence, seat: Seat) -> None:
    """The question's two sentences and, for whoever guesses, the options."""
    with st.container(key="lesson_prompt"):
        prompt = chapter.prompt.format(digit=evidence.facts.get("digit", "some"))
        show_text(prompt)
    if chapter.name == "fool":  # its guess is what is drawn
        return
    key = f"lesson_guess_{seat.view.code if seat.view else ''}_{chapter.place}"

    def count() -> None:
        note = read_answers(game_of(seat)) if chapter.name == "game" else ""
        guess(chapter.place, state[key], note)

    with st.container(key="lesson_guess"):
        if chapter.options:
            numbers = range(len(chapter.options))
            st.pills(
                "Your guess", numbers, default=seat.own, format_func=lambda place: chapter.options[int(place)],
                key=key, on_change=count, label_visibility="collapsed", disabled=not seat.guesses, width="stretch",
            )  # fmt: skip
        else:
            st.slider(
                f"Your guess, in {chapter.unit}", chapter.low, chapter.high, seat.own or 0, key=key, on_change=count,
                disabled=not seat.guesses,
            )  # fmt: skip
            if seat.guesses and seat.own is None:  # nobody moves a slider that stands right already
                st.button(f"Guess {chapter.name_guess(0)}", key="lesson_zero", on_click=guess, args=(chapter.place, 0))
    if seat.view and seat.guesses:
        st.caption("It counts; you may change it until the reveal." if seat.own is not None else "Guess, then wait.")


def tell(chapter: Chapter, evidence: Evidence, seat: Seat) -> None:
    """What was guessed, beside what is true, and the sentences revealed so far."""
    if seat.view:
        show_guesses(chapter, seat.view.counts, evidence.truth, seat.own)
    elif seat.own is not None and chapter.name != "fool":
        truth = "" if evidence.truth is None else f" The runs say **{chapter.name_guess(evidence.truth)}**."
        st.markdown(f"You guessed **{chapter.name_guess(seat.own)}**.{truth}")
    with st.container(key="lesson_says"):
        for sentence in evidence.says[: seat.stage]:
            show_text(sentence)
    if chapter.name == "fool":
        show_foolers(seat.votes)
    if races_here(chapter, seat):
        offer_race(chapter.shows)


def show_figure(chapter: Chapter, evidence: Evidence, seat: Seat) -> None:
    """The evidence as far as it is revealed; before, what the question is about."""
    game = game_of(seat)
    if evidence.problem:
        st.caption(as_text(evidence.problem))
    if chapter.name == "game" and seat.stage == 1:
        show_scores(game, read_answers(game), [vote.note for vote in seat.view.votes] if seat.view else ())
    elif seat.stage:
        if races_here(chapter, seat) and is_racing():
            watch_race(chapter.shows)
        else:
            show_evidence(evidence, seat.stage)
    elif chapter.shows and not (chapter.name == "game" and seat.view and seat.steers):  # beside the invitation
        show_sketches(chapter.shows)


def show_foot(chapter: Chapter, evidence: Evidence, seat: Seat) -> None:
    """Back, what to wonder about, and the next step: the next chapter, if there is nothing to reveal."""
    done = seat.stage == chapter.steps
    empty = bool(evidence.problem) and not (chapter.name == "fool" or has_game(chapter, seat))
    with st.container(
        key="lesson_foot", horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        if seat.steers:
            st.button(
                "Back", key="lesson_back", shortcut="Left", on_click=go, args=(chapter.place - 1,),
                disabled=chapter.place == 0,
            )  # fmt: skip
        if done:
            with st.container(key="lesson_wonder", width="content", gap=None):
                st.markdown(f"Wonder: {chapter.wonder[0].lower()}{chapter.wonder[1:]}")
                st.page_link(f"pages/{chapter.page}.py", label="The full screen", query_params=dict(chapter.link))
        if seat.steers and not (done or empty):
            label = "Reveal" if not seat.stage else "Reveal more"
            st.button(
                label, key="lesson_next", shortcut="Right", type="primary", on_click=reveal,
                args=(chapter.place, seat.stage + 1),
            )  # fmt: skip
        elif seat.steers and chapter.place + 1 < len(CHAPTERS):
            st.button(
                "Next", key="lesson_next", shortcut="Right", type="primary", on_click=go, args=(chapter.place + 1,)
            )


@st.fragment(key="lesson")
def show_lesson() -> None:
    """The chapter as it stands; in a room it runs again whenever the room has moved."""
    seat = take_seat()
    chapter = CHAPTERS[seat.place]
    evidence = find_evidence(chapter.name, planned_signature())
    with st.container(key="lesson"):
        stages = [0 if place > seat.place else 1 for place in range(len(CHAPTERS))]
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            wanted = show_progress(seat.place, stages, seat.steers)
            show_room(seat)
        if wanted is not None and wanted != seat.place:
            go(wanted)
            st.rerun(scope="fragment")
        st.title(chapter.question, anchor=False)
        if error := state.get("lesson_error"):  # until the next step: the page may run again by itself
            st.warning(as_text(error))
        if is_playing(chapter, seat):
            play(game_of(seat), lambda note: guess(chapter.place, None, note))
            st.button("Guess without playing", key="lesson_skip", on_click=skip, args=(game_of(seat),))
            return
        with st.container(key="lesson_body"):
            invites = seat.view is not None and seat.steers and not seat.stage
            # Pads and verdict, or a race and its board, side by side, so that nothing scrolls.
            draws, races = chapter.name == "fool" and seat.guesses, races_here(chapter, seat) and is_racing()
            widths = [3, 3, 2] if invites else [1, 3] if draws or races else [2, 3]
            left, right, *corner = st.columns(widths, gap="large")
            if seat.view and corner:
                with corner[0]:
                    show_invitation(seat.view)
            with left:
                (tell if seat.stage else ask)(chapter, evidence, seat)
            with right:
                show_figure(chapter, evidence, seat)
        show_foot(chapter, evidence, seat)
        if draws:  # last, as the networks take some seconds to load
            with right:
                draw_fooler(chapter.place)
        if seat.view and seat.steers:
            show_notes(chapter)


enter_by_router("lesson")
st.html(STYLE)
show_lesson()
