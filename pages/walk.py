"""What a trained network makes of one pair of digits, stage by stage, and how sure it was during training."""

from typing import Any

import streamlit as st

from core import traces
from core.answering import Answerer
from core.palette import PALETTE
from pages.components.link import check_link
from pages.components.networks import ask
from pages.components.router import enter_by_router
from pages.components.shared import STORE, is_phone, read_runs
from pages.components.steps import describe_sharing, name_stage, show_digits, show_stage
from pages.components.walk_choices import choose_pair, choose_run

enter_by_router()
st.title("What does a network make of two digits?")
runs = read_runs()
run_id = choose_run(runs)
pair = choose_pair(run_id)
run = STORE.read(run_id)
look = PALETTE[run.settings.model]

try:
    with st.spinner("Loading the networks, some seconds the first time…", show_time=False):
        walk = ask(Answerer.walk_through, STORE.root.resolve(), run_id, pair.frames)
except ValueError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()

answer = f"The network says {'first ≤ second' if walk.first_le_second else 'first > second'}"
if walk.digits is not None:
    answer += f" and reads {walk.digits[0]} and {walk.digits[1]}"
if pair.classes is not None:
    right = walk.first_le_second == (pair.classes[0] <= pair.classes[1])
    answer += f"; the digits are {pair.classes[0]} and {pair.classes[1]}, so it is {'right' if right else 'wrong'}"
verdict = st.container(horizontal=True, vertical_alignment="center")
with verdict:
    show_digits(pair.frames, 64)
verdict.metric("Probability of first ≤ second", f"{100 * walk.probability:.1f} %", width="content")
verdict.markdown(f"**{answer}.**", width="content")
verdict.page_link("pages/draw.py", label="Open in Draw", icon=":material/draw:", query_params=pair.link)

last = len(walk.stages) + 1
names = ["The two digits", *map(name_stage, walk.stages), "The answer"]
if "stage" not in st.session_state:
    check_link("stage", range(last + 1))
elif st.session_state.stage > last:
    st.session_state.stage = last  # the architecture before had more stages


def word_answer() -> str:
    """How the probability follows from the last stage, as a formula."""
    if walk.logit is None:
        return rf"\sum_{{i \le j}} p(d_1 = i)\, p(d_2 = j) = {walk.probability:.3f}"
    scores = [float(step.output[0]) for step in walk.stages[-1]]
    start = rf"({scores[1]:.2f}) - ({scores[0]:.2f}) = " if not walk.stages[-1][0].block.gives else ""
    return rf"z = {start}{walk.logit:.2f}, \qquad \sigma(z) = {walk.probability:.3f}"


@st.fragment
def step_through() -> None:
    """One stage at a time; runs alone as the slider moves."""
    stage = st.slider(f"Stage, 0 to {last}", 0, last, 1, key="stage", bind="query-params")
    st.subheader(f"{stage}. {names[stage]}", anchor=False)
    if stage == 0:
        show_digits(pair.frames, 168)
        st.caption("14 × 14 grey levels of 0 to 255; the network sees them standardised.")
    elif stage == last:
        st.latex(word_answer())
    else:
        steps = walk.stages[stage - 1]
        show_stage(steps, look.colour)
        scale = max(float(abs(step.output).max()) for step in steps)
        st.caption(f"Blue is positive, orange negative, up to ±{scale:.3g}. {describe_sharing(steps)}")


step_through()
st.subheader("How sure was it during training?", anchor=False)


@st.cache_data(max_entries=50, show_spinner=False)
def trace(images: tuple[int, int], run_id: str, signature: int) -> Any:
    return traces.trace_pair(STORE, read_runs(), images, STORE.read(run_id).settings)


table, problems = trace(pair.images, run_id, STORE.signature()) if pair.images else (None, [])
for problem in problems:
    st.caption(f":material/warning: {problem}")
if table is None or run_id not in set(table["run_id"]):
    st.caption("Training follows the 1,000 test pairs of a run's own round; this pair is not among those of this run.")
    st.stop()

from core.pair_charts import pair_trace  # noqa: E402 - Plotly takes a while to import: only where it draws
from pages.components.figure import show_figure  # noqa: E402

show_figure(pair_trace(table, run.settings.model, is_phone()), "pair_trace")
st.caption("Every fifth epoch and the last one, for all architectures that met this pair in the same round.")
