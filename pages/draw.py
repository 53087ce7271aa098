"""Draw two digits by hand, and see what every network says of them."""

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import DeletedFile

from core import tally
from core.answering import Answerer
from core.answers import Verdict
from core.drawing import Drawing, Steps, encode_pair, ink_from_image, steps_from_strokes, trace_digit
from core.samples import Sample, draw_numbers, open_link, read_sample
from pages.components.networks import ask, load_networks, show_verdicts
from pages.components.pad import EMPTY, lay_on_pads, read_pads, show_pads
from pages.components.router import enter_by_router
from pages.components.stages import show_stages
from pages.components.text import as_text

PADS = "pads"
SIDES = ("first", "second")
LINKS = ("pair", "drawing")
PANELS = {"seen": "What the networks see", "why": "Why?", "score": "Score"}

enter_by_router()
st.title("Is the first digit less than or equal to the second?")
networks = load_networks()
for problem in networks.problems:
    st.warning(as_text(problem), icon=":material/warning:")
if not networks.cells:
    st.caption("No trained network can answer yet: train any architecture under *Train*, and it answers here.")
    st.page_link("pages/train.py", label="Train a network", icon=":material/play_arrow:")
    st.stop()

state = st.session_state
state.setdefault("samples", {})  # the traced drawings of MNIST images laid so far, and the images' numbers
state.setdefault("judgements", [])
state.setdefault("judged", None)  # the drawings judged last, so that none counts twice


# --- what is laid on the pads


def lay(first: Sample | Drawing, second: Sample | Drawing) -> None:
    """Lay two digits on the pads; what a sample is, is known."""
    sides = first, second
    state.samples |= {side.drawing: side.number for side in sides if isinstance(side, Sample)}
    drawings = [side.drawing if isinstance(side, Sample) else side for side in sides]
    lay_on_pads(PADS, *drawings, tuple(side.digit if isinstance(side, Sample) else None for side in sides))


def lay_samples() -> None:
    """Lay a random pair of MNIST test images, of the digits chosen, if any."""
    state.challenged, state.input_error = False, None
    try:
        numbers = draw_numbers((state.first_wanted, state.second_wanted), np.random.default_rng())
        lay(*map(read_sample, numbers))
    except ValueError as error:  # MNIST is missing or damaged
        state.input_error = str(error)


def lay_photo(side: int) -> None:
    """Trace an uploaded photo onto one pad."""
    photo = state[f"{SIDES[side]}_photo"]
    state.input_error = None
    if photo is None:
        return
    try:
        if isinstance(photo, DeletedFile):  # after a server's restart
            raise ValueError("It is no longer on the server; choose it again.")
        drawing = trace_digit(ink_from_image(photo.getvalue()))
    except ValueError as error:
        state.input_error = f"The photo of the {SIDES[side]} digit cannot be used. {error}"
        return
    pads = read_pads(PADS)
    drawings = [drawing if place == side else pads.drawings[place] for place in range(2)]
    truths = [None if place == side and not state.challenged else pads.truths[place] for place in range(2)]
    lay_on_pads(PADS, *drawings, tuple(truths))


def deal() -> None:
    """Empty the pads; while the challenge is on, for a pair of digits that the visitor is to draw."""
    wanted = tuple(np.random.default_rng().integers(10, size=2).tolist()) if state.challenged else (None, None)
    lay_on_pads(PADS, EMPTY, EMPTY, wanted)


# --- links


def follow_link() -> None:
    """Lay what the address asks for, once; a sentence where it cannot be had."""
    link = tuple(st.query_params.get(name) for name in LINKS)
    if link in ((None, None), state.get("followed")):
        return
    state.followed = link
    try:
        lay(*open_link(*link))
    except ValueError as error:
        st.warning(as_text(error), icon=":material/link_off:")
    state.linked = read_pads(PADS).drawings


def leave_link() -> None:
    """Take a link out of the address when the pads no longer show it."""
    if state.get("followed") and read_pads(PADS).drawings != state.linked:
        for name in LINKS:
            st.query_params.pop(name, None)
        state.followed = None


def make_link() -> None:
    """Put what the pads show into the address."""
    drawings = read_pads(PADS).drawings
    numbers = [state.samples.get(drawing) for drawing in drawings]
    for name in LINKS:
        st.query_params.pop(name, None)
    if None in numbers:
        first, second = (a if b is None else b for a, b in zip(drawings, numbers, strict=True))
        st.query_params["drawing"] = encode_pair((first, second))
    else:
        st.query_params["pair"] = "{}-{}".format(*numbers)
    state.linked, state.followed = drawings, tuple(st.query_params.get(name) for name in LINKS)


# --- answers


def find_steps(drawing: Drawing) -> Steps | None:
    """The stages of what stands on a pad; those of the MNIST image itself where nobody has changed it."""
    if drawing in state.samples:
        return read_sample(state.samples[drawing]).steps
    return steps_from_strokes(drawing) if drawing.strokes else None


def ask_all(frames: list[np.ndarray]) -> list[Verdict]:
    """Every network's verdict on a pair of frames."""
    return ask(Answerer.answer, networks.trained, np.stack(frames))


def count_pair() -> None:
    """Add what the networks say of the pads to the score; deal the next pair of a challenge."""
    pads = read_pads(PADS)
    frames = [steps.frame for steps in map(find_steps, pads.drawings) if steps]
    if len(frames) == 2 and None not in pads.truths and pads.drawings != state.judged:
        state.judgements += tally.judge(
            ask_all(frames), pads.truths, 1 + max((j.pair for j in state.judgements), default=0)
        )
        state.judged = pads.drawings
        if state.challenged:
            deal()
    st.rerun(["answer", "below"])


follow_link()
with st.container(horizontal=True, vertical_alignment="center"):
    st.button(
        "MNIST pair", icon=":material/casino:", on_click=lay_samples, help="Two digits that no network trained on"
    )
    with st.popover("Digits or a photo", icon=":material/add_photo_alternate:"):
        for side in SIDES:
            st.pills(f"MNIST pair: {side} digit", range(10), key=f"{side}_wanted", help="Any, where none is chosen")
        for place, side in enumerate(SIDES):
            st.file_uploader(
                f"Photo of the {side} digit", ["png", "jpg", "jpeg", "webp", "gif", "bmp"],
                key=f"{side}_photo", on_change=lay_photo, args=(place,),
            )  # fmt: skip
        if state.get("input_error"):
            st.error(as_text(state.input_error), icon=":material/error:")
    st.toggle("Challenge me", key="challenged", on_change=deal, help="Draw the two digits that you are given")
    st.button("Link", icon=":material/link:", on_click=make_link, help="Puts this drawing into the page's address")
if state.get("input_error"):
    st.error(as_text(state.input_error), icon=":material/error:")


@st.fragment(key="answer")
def answer() -> None:
    """Pads, frames and verdicts; runs alone at each message from the pads."""
    pads = read_pads(PADS)
    if pads.error:
        st.error(as_text(pads.error), icon=":material/error:")
    steps = [find_steps(drawing) for drawing in pads.drawings]
    frames = [each and each.frame for each in steps]
    if state.challenged:
        st.markdown("Draw a **{}** and a **{}**, then count the pair.".format(*pads.truths))
    with st.container(horizontal=True, gap="medium"):
        show_pads(PADS, frames, locked=state.challenged, on_rest=follow_pads if state.get("panel") else None)
        with st.container(width=600):
            missing = [name for name, frame in zip(SIDES, frames, strict=True) if frame is None]
            if missing:
                pad = "Both pads are" if len(missing) == 2 else f"The {missing[0]} pad is"
                count = sum(map(len, networks.cells))
                st.caption(f"{pad} empty: draw a digit on each, and {count} networks answer.")
            else:
                show_verdicts(ask_all(frames), pads.truths, pads.sequence)
                ready = None not in pads.truths and pads.drawings != state.judged
                st.button("Count this pair", icon=":material/add_task:", on_click=count_pair, disabled=not ready)
    if not pads.pen_down:
        leave_link()


def follow_pads() -> None:
    """The panel below shows what is on the pads now; called when the pen rests, so that no verdict waits for it."""
    st.rerun("below")


@st.fragment(key="below")
def below() -> None:
    """The panel that was asked for; runs when the pen rests."""
    steps = [find_steps(drawing) for drawing in read_pads(PADS).drawings]
    match state.panel:
        case "score":
            show_score()
        case "seen" | "why" if None in steps:
            st.caption("Draw both digits first.")
        case "seen":
            show_stages(steps)
        case "why":
            from pages.components.why import show_why

            show_why(networks, tuple(steps))


def show_score() -> None:
    """How often each architecture was right so far, and the judgements as a file."""
    from core.palette import PALETTE

    if not state.judgements:
        st.caption("No pair has been counted yet: say which digits you drew, then press *Count this pair*.")
        return
    table = tally.summarise(state.judgements)
    pairs = table["pairs"].max()
    st.markdown(f"**{pairs} pair{'s' if pairs > 1 else ''}** counted in this session; nothing is kept after it.")
    st.dataframe(
        table.assign(label=[PALETTE[model].label for model in table["architecture"]], share=100 * table["round_share"]),
        column_order=("label", *(["settings"] if any(table["settings"]) else []), "dropout", "right", "pairs", "share"),
        column_config={
            "label": "Architecture", "settings": "Other settings", "dropout": "Dropout", "right": "Right",
            "pairs": "of",
            "share": st.column_config.NumberColumn("Right, over the rounds", format="%.0f %%"),
        },
        hide_index=True,
        alt="How often each architecture was right on the pairs counted so far",
    )  # fmt: skip
    st.download_button(
        "Download", tally.write_csv(state.judgements), "score.csv", "text/csv", icon=":material/download:",
        on_click="ignore",
    )  # fmt: skip


answer()
st.segmented_control(
    "Look closer", list(PANELS), format_func=PANELS.get, key="panel", bind="query-params", label_visibility="collapsed"
)
below()
