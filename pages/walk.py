"""What a trained network makes of one pair of digits, stage by stage, and how sure it was during training."""

import streamlit as st

from core.analysis import traces
from core.analysis.tables import TableWithProblems
from core.inference.service import InferenceService
from core.networks.verdicts import Walk
from core.runs.settings import RunSettings
from pages.app.router import enter_by_router
from pages.app.shared import STORE, ended_signature, is_phone, read_runs
from pages.app.text import as_text
from pages.components.link import check_link
from pages.components.neighbours import ask_neighbours, show_neighbours
from pages.components.networks import ask
from pages.components.walk.choices import Pair, choose
from pages.components.walk.steps import describe_sharing, name_stage, show_digits, show_stage


def word_answer(walk: Walk, pair: Pair) -> str:
    """What the network says of the pair and, if the digits are known, whether it is right."""
    answer = f"The network says {'first ≤ second' if walk.first_le_second else 'first > second'}"
    if walk.digits is not None:
        answer += f" and reads {walk.digits[0]} and {walk.digits[1]}"
    if pair.classes is None:
        return f"{answer}."
    first, second = pair.classes
    right = walk.first_le_second == (first <= second)
    return f"{answer}; the digits are {first} and {second}, so it is {'right' if right else 'wrong'}."


def word_formula(walk: Walk) -> str:
    """How the probability follows from the last stage, in LaTeX."""
    if walk.logit is None:
        return rf"\sum_{{i \le j}} p(d_1 = i)\, p(d_2 = j) = {walk.probability:.3f}"
    scores = [float(step.output[0]) for step in walk.stages[-1]]
    start = rf"({scores[1]:.2f}) - ({scores[0]:.2f}) = " if not walk.stages[-1][0].block.gives else ""
    return rf"z = {start}{walk.logit:.2f}, \qquad \sigma(z) = {walk.probability:.3f}"


@st.fragment
def step_through(walk: Walk, pair: Pair) -> None:
    """One stage at a time; runs alone as the slider moves."""
    names = ["The two digits", *map(name_stage, walk.stages), "The answer"]
    last = len(names) - 1
    heading = st.container()
    stage = st.slider("Stage", 0, last, 1, key="stage", bind="query-params", label_visibility="collapsed")
    heading.header(f"{stage}. {names[stage]}", anchor=False)
    if stage == 0:
        show_digits(pair.frames, 168)
        st.caption("14 × 14 grey levels of 0 to 255; the network sees them standardised.")
    elif stage == last:
        st.latex(word_formula(walk))
    else:
        steps = walk.stages[stage - 1]
        show_stage(steps)
        scale = max(float(abs(step.output).max()) for step in steps)
        st.caption(f"Blue is positive, orange negative, up to ±{scale:.3g}. {describe_sharing(steps)}")


@st.cache_data(max_entries=50, show_spinner=False)
def trace(images: tuple[int, int], run_id: str, signature: int, _settings: RunSettings) -> TableWithProblems:
    """How sure the networks of a run's round were of a test pair as they were trained."""
    return traces.trace_pair(STORE, read_runs(), images, _settings)


enter_by_router("walk")
st.title("What does a network make of two digits?")
run, pair = choose(read_runs())
with st.spinner("Loading the networks, some seconds the first time…", show_time=False):
    walk = ask(InferenceService.walk_through, STORE.root.resolve(), run.run_id, pair.frames)

verdict = st.container(horizontal=True, vertical_alignment="center")
with verdict:
    show_digits(pair.frames, 64)
verdict.metric("Probability of first ≤ second", f"{100 * walk.probability:.1f} %", width="content")
verdict.markdown(f"**{word_answer(walk, pair)}**", width="content")
verdict.page_link("pages/draw.py", label="Open in Draw", icon=":material/draw:", query_params=pair.link)

last = len(walk.stages) + 1
if "stage" not in st.session_state:
    check_link("stage", range(last + 1))
elif st.session_state.stage > last:
    st.session_state.stage = last  # the architecture before had more stages
step_through(walk, pair)

st.header("Which training digits are most like these?", anchor=False)
show_neighbours(ask_neighbours(STORE.root.resolve(), run.run_id, pair.frames), pair.frames, "the")

st.header("How sure was it during training?", anchor=False)
traced = trace(pair.images, run.run_id, ended_signature(), run.settings) if pair.images else None
for problem in traced.problems if traced else ():
    st.caption(f":material/warning: {as_text(problem)}")
if traced is None or run.run_id not in set(traced.table["run_id"]):
    st.caption("Training follows the 1,000 test pairs of a run's own round; this pair is not among those of this run.")
    st.stop()

from core.figures.pair import pair_trace  # noqa: E402 - Plotly takes a while to import: only when it draws
from pages.components.figure import draw, show_figure  # noqa: E402

show_figure(draw(pair_trace, traced.table, run.settings.model, is_phone()), "pair_trace")
st.caption("Every fifth epoch and the last one, for all architectures that met this pair in the same round.")
