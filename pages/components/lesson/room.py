"""A class together: how a room is opened and joined, what its teacher's screen adds, and what is taken home."""

from html import escape
from urllib.parse import urlsplit

import segno
import streamlit as st

from core.analysis.game import choose_pairs
from core.analysis.lesson import CHAPTERS, Chapter
from core.analysis.takeaway import Line, list_results, write_csv, write_page
from core.classroom.room import View
from pages.app.classes import ROOMS
from pages.app.shared import get_owner, planned_signature, read_game_votes
from pages.components.lesson.evidence import find_evidence
from pages.components.lesson.seat import Seat, join, leave, open_room

state = st.session_state
LOCAL = ("localhost", "127.0.0.1", "::1")


def show_room(seat: Seat) -> None:
    """The room in the upper right corner: how to come into one, or which it is and how many have answered."""
    with st.container(key="lesson_room", horizontal=True, vertical_alignment="center", width="content"):
        if seat.view is None:
            _offer_rooms()
            return
        if seat.stage and seat.steers:
            st.html(f'<img class="lesson-qr small" src="{_draw_code(seat.view)}" alt="{_name_address(seat.view)}">')
        st.html(f'<p class="lesson-room">Room <b>{seat.view.code}</b>{_count(seat)}</p>')
        if seat.steers:
            _show_controls(seat.view)
        else:
            st.button("Leave", key="lesson_leave", type="tertiary", on_click=leave)


def _count(seat: Seat) -> str:
    if seat.view is None or not seat.steers or not seat.stage:  # before, the invitation says it
        return ""
    return f" · <b>{seat.view.answered}</b> of {seat.view.people} answered"


def _offer_rooms() -> None:
    with st.popover("With a class", icon=":material/groups:", type="tertiary"):
        st.markdown("**You teach**: open a room, and students join on their own devices. No names, no accounts.")
        st.button("Open a room", key="lesson_open", on_click=open_room, type="primary")
        st.markdown("**You are in a class**: type the four letters on the projector.")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.text_input("Code", key="lesson_code", max_chars=4, width=140, autocomplete="off")
            st.button("Join", key="lesson_join", on_click=lambda: join(state.lesson_code))


def _show_controls(view: View) -> None:
    """What the teacher alone has: the notes, the results, the end."""
    with st.popover("Teacher", icon=":material/tune:", type="tertiary"):
        st.toggle("Notes on this screen", key="lesson_notes", help="Off on a projector: what to ask, and the minutes.")
        st.caption(f"Students' address: {_name_address(view)}")
        lines = _collect(view)
        for label, text, kind in (("page", write_page(view.code, lines), "html"), ("CSV", write_csv(lines), "csv")):
            st.download_button(
                f"Results as {label}", text, f"room-{view.code}.{kind}", f"text/{kind}", on_click="ignore",
                key=f"lesson_{kind}", disabled=not lines,
            )  # fmt: skip
        st.button("End the room", key="lesson_end", on_click=leave, help="Nothing of it is kept.")


def _collect(view: View) -> list[Line]:
    """The results so far: of the chapters that are revealed, whose evidence is found already."""
    tally = ROOMS.tally(get_owner())
    truths = [
        find_evidence(chapter.name, planned_signature()).truth if votes else None
        for chapter, votes in zip(CHAPTERS, tally, strict=True)
    ]
    return list_results(tally, truths, choose_pairs(read_game_votes(), view.game))


def show_invitation(view: View) -> None:
    """The code and its QR code, large, and how many have answered; on the teacher's screen while a chapter is asked."""
    answered = f"<b>{view.answered}</b> of {view.people} answered"
    st.html(
        f'<div class="lesson-invitation"><img class="lesson-qr" src="{_draw_code(view)}" alt="">'
        f'<p class="code">{view.code}</p><p>{escape(_name_address(view))}</p><p class="answered">{answered}</p></div>'
    )
    if urlsplit(_find_base()).hostname in LOCAL:
        st.caption("Other devices cannot reach this address: open the lesson by this computer's name or number.")


def _find_base() -> str:
    """Where students reach this server: as the settings say, or as the teacher's browser does."""
    if ROOMS.limits.address:
        return f"{ROOMS.limits.address.rstrip('/')}/lesson"
    return str(st.context.url or "").split("?")[0].rstrip("/")


def _name_address(view: View) -> str:
    return f"{_find_base()}?room={view.code}"


def _draw_code(view: View) -> str:
    uri: str = segno.make(_name_address(view), error="m", micro=False).svg_data_uri(
        scale=4, border=2, dark="#000", light="#fff"
    )
    return uri


def show_notes(chapter: Chapter) -> None:
    """The teacher's notes on a chapter, if the teacher wants them on this screen."""
    if state.get("lesson_notes"):
        with st.container(border=True, key="lesson_note"):
            st.markdown(f"**{chapter.minutes} minutes.** " + " ".join(chapter.notes))
