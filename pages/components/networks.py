"""The trained networks, asked in their own process, and their answers as one element."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

import numpy as np
import streamlit as st

from core.answering import Answerer, AnsweringError, Networks, Trained
from core.answers import Answer, Verdict
from core.palette import PALETTE
from core.settings import RunSettings
from pages.components.shared import STORE, read_runs
from pages.components.text import as_text

P = ParamSpec("P")
T = TypeVar("T")

Truths = tuple[int | None, int | None]
NETWORKS = Networks()


class Catalogue(NamedTuple):
    """The networks that can answer: which runs they are, the settings of each cell's rounds, and a sentence for each
    run that could not be loaded."""

    trained: Trained
    cells: list[list[RunSettings]]
    problems: list[str]


def load_networks() -> Catalogue:
    """The networks of all trained architectures, ready to answer."""
    runs = read_runs()
    able = runs["run_id"][(runs["state"] == "finished") & runs["has_weights"]]
    trained = Trained(STORE.root.resolve(), tuple(able))
    return Catalogue(trained, *_load(trained))


@st.cache_resource(max_entries=2, show_spinner="Loading the trained networks, some seconds the first time…")
def _load(trained: Trained) -> tuple[list[list[RunSettings]], list[str]]:
    return ask(Answerer.load, trained)


def ask(what: Callable[Concatenate[Answerer, P], T], *arguments: P.args, **named: P.kwargs) -> T:
    """What the networks answer; where they cannot, the page ends with a sentence. Raises ValueError."""
    try:
        return NETWORKS.ask(what, *arguments, **named)
    except AnsweringError as error:
        st.error(as_text(error), icon=":material/error:")
        st.stop()


EMPTY = '<td class="none">not trained</td>'
_CSS = """
.verdicts { color: var(--st-text-color); font-family: var(--st-font); font-variant-numeric: tabular-nums;
  line-height: 1.3; }
.verdicts .vote { font-size: 1.35rem; font-weight: 600; margin: 0 0 0.25rem; }
.verdicts .check { margin: 0 0 0.75rem; min-height: 1.3em; }
.verdicts table { width: 100%; border-collapse: collapse; margin: 0; }
.verdicts tr { border: 0; border-bottom: 1px solid color-mix(in srgb, currentColor 14%, transparent); }
.verdicts :is(th, td) { padding: 0.4rem 0.5rem; text-align: left; font-weight: 400; border: 0; }
.verdicts thead th { opacity: 0.7; font-size: 0.875rem; }
.verdicts i { display: inline-block; width: 0.75rem; height: 0.75rem; border-radius: 0.2rem; margin-right: 0.5rem; }
.verdicts :is(small, .none) { opacity: 0.7; }
.verdicts span { display: grid; grid-template-columns: 2.5rem 3.6rem auto; align-items: center;
  white-space: nowrap; justify-content: start; }
.verdicts em { font-style: normal; text-align: right; padding-right: 0.5rem; }
.verdicts .wrong { background: color-mix(in srgb, #d6453f 17%, transparent); box-shadow: inset 3px 0 #d6453f; }
.verdicts svg { display: block; overflow: visible; }
.verdicts .strip { width: 64px; height: 22px; }
.verdicts .strip .middle { stroke: currentColor; stroke-opacity: 0.45; vector-effect: non-scaling-stroke; fill: none; }
.verdicts .reads { display: grid; grid-template-columns: repeat(auto-fit, minmax(240px, 1fr)); gap: 0.75rem 1.5rem;
  margin-top: 1rem; font-size: 0.875rem; }
.verdicts .reads p { margin: 0 0 0.25rem; }
.verdicts .reads > div > div { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
.verdicts .reads svg { width: 100%; height: auto; }
.verdicts text { font-size: 9px; fill: currentColor; fill-opacity: 0.75; text-anchor: middle; }
.changes { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: 0.5rem 1rem; }
.changes > div { padding: 0.4rem 0.5rem; }
.changes > :nth-child(3) { grid-column-start: 1; }
@media (max-width: 640px) {
  .changes { grid-template-columns: 1fr 1fr; gap: 0.25rem; }
  .verdicts tr { display: grid; grid-template-columns: 1fr 1fr; }
  .verdicts th:first-child { grid-column: 1 / -1; padding: 0.5rem 0.25rem 0; font-weight: 600; }
  .verdicts thead th:first-child { display: none; }
  .verdicts td { padding: 0.35rem 0.25rem 0.35rem 0.5rem; }
  .verdicts span { grid-template-columns: 2.4rem 3.5rem auto; }
  .verdicts .strip { width: 56px; }
}
"""
_JS = """
export default ({ parentElement, data }) => {
  parentElement.querySelector("section").innerHTML = data
}
"""
# A component of our own, since st.html lets no drawing through, and takes longer to check than this to show.
_VERDICTS = st.components.v2.component("verdicts", html="<section></section>", css=_CSS, js=_JS)


def show_verdicts(verdicts: Sequence[Verdict], truths: Truths, sequence: int) -> None:
    """The vote in a sentence, a row an architecture, and the digits that were read; one element.

    Answers that disagree with `truths` stand out. `sequence` is that of the pads' message which is answered.
    """
    _VERDICTS(data=verdicts_html(verdicts, truths, sequence), key="verdicts")


def show_changes(answers: Sequence[Answer]) -> None:
    """A strip an answer of core.explanation.change_minds; those that changed the mind stand out."""
    drawn = answers[0].verdict.first_le_second
    cells = "".join(
        f"<div{' class=wrong' if _is_changed(name, verdict, drawn) else ''}><small>{escape(name)}</small>"
        f"{_answer(verdict)}</div>"
        for name, verdict in answers
    )
    _VERDICTS(data=f'<div class="verdicts changes">{cells}</div>', key="changes")


def _is_changed(name: str, verdict: Verdict, drawn: bool) -> bool:
    """Whether the answer is another than that on the pair as drawn; swapped, whether it should be and is not."""
    return (verdict.first_le_second == drawn) == (name == "Swapped")


def verdicts_html(verdicts: Sequence[Verdict], truths: Truths, sequence: int) -> str:
    """The HTML of `show_verdicts`."""
    truth = is_less_or_equal(truths)
    return (
        f'<div class="verdicts" data-answers="{sequence}">{_headline(verdicts, truths)}'
        f'{_table(verdicts, truth)}<div class="reads">{_digits(verdicts)}</div></div>'
    )


def is_less_or_equal(truths: Truths) -> bool | None:
    """Whether first <= second is true; None where a digit is unknown."""
    first, second = truths
    return None if first is None or second is None else first <= second


def _headline(verdicts: Sequence[Verdict], truths: Truths) -> str:
    decisions = [decision for verdict in verdicts for decision in verdict.decisions]
    yes, count = sum(decisions), len(decisions)
    if 2 * yes == count:
        vote = f"The {count} networks are split: half say first ≤ second"
    else:
        says = "first ≤ second" if 2 * yes > count else "first &gt; second"
        vote = f"{max(yes, count - yes)} of {count} networks say: {says}"
    truth = is_less_or_equal(truths)
    if truth is None:
        check = "<small>Say above each pad which digit it is, and wrong answers stand out.</small>"
    else:
        right = yes if truth else count - yes
        sign = "≤" if truth else "&gt;"
        check = f"In truth {truths[0]} {sign} {truths[1]}: {right} right, <b>{count - right} wrong</b>."
    return f'<p class="vote" role="status">{vote}</p><p class="check">{check}</p>'


def _table(verdicts: Sequence[Verdict], truth: bool | None) -> str:
    dropouts = sorted({verdict.settings.dropout for verdict in verdicts})
    head = "".join(f"<th>{_dropout(p)}</th>" for p in dropouts)
    rows: dict[str, dict[float, Verdict]] = {}
    for verdict in verdicts:
        rows.setdefault(_row_head(verdict.settings), {})[verdict.settings.dropout] = verdict
    body = "".join(
        f"<tr>{name}{''.join(_cell(own[p], truth) if p in own else EMPTY for p in dropouts)}</tr>"
        for name, own in rows.items()
    )
    return f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row_head(settings: RunSettings) -> str:
    look = PALETTE[settings.model]
    differences = settings.describe_differences()
    others = f" <small>{escape(differences)}</small>" if differences else ""
    return f'<th scope="row"><i style="background:{look.colour}"></i>{escape(look.label)}{others}</th>'


def _dropout(probability: float) -> str:
    return "Without dropout" if probability == 0 else f"Dropout {probability:g}"


def _cell(verdict: Verdict, truth: bool | None) -> str:
    wrong = truth is not None and verdict.first_le_second != truth
    return f"<td{' class=wrong' if wrong else ''}>{_answer(verdict, '✗ ' if wrong else '')}</td>"


def _answer(verdict: Verdict, mark: str = "") -> str:
    answer = "yes" if verdict.first_le_second else "no"
    return f"<span><b>{mark}{answer}</b><em>{100 * verdict.probability:.0f} %</em>{votes_svg(verdict)}</span>"


def votes_svg(verdict: Verdict) -> str:
    """A bar a round, as high as its probability for yes; the line is one half, where answers change."""
    colour = PALETTE[verdict.settings.model].colour
    bars = "".join(f"M{5 * i} 20V{20 - max(20 * p, 0.6):.1f}h4V20z" for i, p in enumerate(verdict.probabilities))
    low, high = (100 * bound(verdict.probabilities) for bound in (min, max))
    text = f"{sum(verdict.decisions)} of {verdict.rounds} rounds say yes; probabilities {low:.0f} to {high:.0f} %"
    end = 5 * verdict.rounds - 1
    return (
        f'<svg class="strip" role="img" aria-label="{text}" viewBox="0 0 {end} 20" preserveAspectRatio="none">'
        f'<path fill="{colour}" d="{bars}"/><path class="middle" d="M0 10H{end}"/></svg>'
    )


def _digits(verdicts: Sequence[Verdict]) -> str:
    return "".join(_read_digits(verdict, verdict.digits) for verdict in verdicts if verdict.digits is not None)


def _read_digits(verdict: Verdict, digits: np.ndarray) -> str:
    look, settings = PALETTE[verdict.settings.model], verdict.settings
    first, second = digits.argmax(axis=1)
    dropout = _dropout(settings.dropout)
    name = escape(f"{look.label}, {dropout[0].lower()}{dropout[1:]}")
    charts = "".join(_digit_bars(row, look.colour) for row in digits)
    return f"<div><p>{name}: <b>reads {first} and {second}</b></p><div>{charts}</div></div>"


def _digit_bars(probabilities: np.ndarray, colour: str) -> str:
    bars = "".join(f"M{10 * i + 1} 24v-{max(24 * p, 0.4):.1f}h8V24z" for i, p in enumerate(probabilities))
    text = f"A {probabilities.argmax()} with {100 * probabilities.max():.0f} %"
    return (
        f'<svg role="img" aria-label="{text}" viewBox="0 0 100 34"><path fill="{colour}" d="{bars}"/>'
        '<text x="5 15 25 35 45 55 65 75 85 95" y="33">0123456789</text></svg>'
    )
