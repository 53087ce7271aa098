"""What the networks say of a pair of digits, as one element."""

from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st

from core.networks.verdicts import Perturbation, Verdict
from core.runs.palette import PALETTE
from core.runs.settings import RunSettings
from pages.components.files import read_beside

Truths = tuple[int | None, int | None]
EMPTY = '<td class="none">not trained</td>'
# A component of our own, since st.html lets no drawing through, and takes longer to check than this to show.
_VERDICTS = st.components.v2.component(
    "verdicts",
    html="<section></section>",
    css=read_beside(__file__, "verdicts.css"),
    js=read_beside(__file__, "verdicts.js"),
)


def show_verdicts(verdicts: Sequence[Verdict], truths: Truths, sequence: int) -> None:
    """The vote in a sentence, one row per architecture, and the digits that were read; one element.

    Answers that disagree with `truths` stand out. `sequence` is that of the pads' message which is answered.
    """
    _VERDICTS(data=verdicts_html(verdicts, truths, sequence), key="verdicts")


def show_changes(answers: Sequence[Perturbation]) -> None:
    """One strip per answer of core.networks.attribution.change_minds; those that changed the mind stand out."""
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
    """Whether first <= second is true; None if a digit is unknown."""
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
    """One bar per round, as high as its probability for yes; the line is one half, where answers change."""
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
