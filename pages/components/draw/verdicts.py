"""What the networks say of a pair of digits, as one element."""

import re
from collections import Counter
from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st

from core.drawing.ink import Grid
from core.drawing.strangeness import FLAGGED, is_strange
from core.mnist.files import DataError
from core.networks.verdicts import Perturbation, Verdict
from core.runs.palette import PALETTE
from core.runs.settings import RunSettings
from pages.components.files import read_beside
from pages.components.pad import PadState

Truths = tuple[int | None, int | None]
EMPTY = '<td class="none">not trained</td>'
# A component of our own, since st.html lets no drawing through, and takes longer to check than this to show.
_CSS = read_beside(__file__, "verdicts.css")
_VERDICTS = st.components.v2.component(
    "verdicts", html="<section></section>", css=_CSS, js=read_beside(__file__, "verdicts.js")
)
_VOTE = st.components.v2.component(
    "vote", html=read_beside(__file__, "vote.html"), css=_CSS, js=read_beside(__file__, "vote.js")
)


def show_vote(verdicts: Sequence[Verdict], pads: PadState, frames: Sequence[Grid | None], asked: bool = False) -> None:
    """How the networks vote, in one large line, how many of them are right if the digits are known, and which of the
    `frames` look like no digit, once the pen rests: a digit that is half drawn is none.

    `asked`: the digits are those of a challenge, so that it is said if the networks read others. It is spoken to a
    screen reader when the pen rests.
    """
    vote, check = word_vote(verdicts), word_check(verdicts, pads.truths)
    doubt = word_reading(verdicts, pads.truths) if asked else ""
    hint = "Say above each pad which digit it is, and wrong answers stand out."
    strange = "" if pads.pen_down else word_strangeness(frames)
    _show_vote(vote, (check or hint, doubt, strange), pads)


def show_invitation(pads: PadState, asked: bool, networks: int) -> None:
    """In the place of the vote, what is to be drawn before there is one."""
    missing = [name for name, drawing in zip(("first", "second"), pads.drawings, strict=True) if not drawing.strokes]
    if asked:
        wish = "Draw a {} and a {}".format(*pads.truths)
    else:
        wish = "Draw a digit on each pad" if len(missing) == 2 else f"Now draw the {missing[0]} digit"
    _show_vote(wish, (f"{networks} networks answer while the pen moves.",), pads)


def _show_vote(headline: str, sentences: Sequence[str], pads: PadState) -> None:
    lines = "".join(f'<p class="check">{_mark_wrong(escape(line))}</p>' for line in sentences if line)
    _VOTE(
        data={
            "html": f'<div class="verdicts" data-answers="{pads.sequence}"><h2>{escape(headline)}</h2>{lines}</div>',
            "words": " ".join(filter(None, (f"{headline}.", *sentences))),
            "resting": not pads.pen_down,
        },
        key="vote",
    )


def _mark_wrong(text: str) -> str:
    return re.sub(r"([1-9]\d* wrong)", r"<b>\1</b>", text)


def show_verdicts(verdicts: Sequence[Verdict], truths: Truths) -> None:
    """One row per architecture, and the digits that were read; answers that disagree with `truths` stand out."""
    _VERDICTS(data=verdicts_html(verdicts, truths), key="verdicts")


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


def verdicts_html(verdicts: Sequence[Verdict], truths: Truths) -> str:
    """The HTML of `show_verdicts`."""
    table = _table(verdicts, is_less_or_equal(truths))
    return f'<div class="verdicts">{table}<div class="reads">{_digits(verdicts)}</div></div>'


def is_less_or_equal(truths: Truths) -> bool | None:
    """Whether first <= second is true; None if a digit is unknown."""
    first, second = truths
    return None if first is None or second is None else first <= second


def word_vote(verdicts: Sequence[Verdict]) -> str:
    """How many networks say what most of them say."""
    yes, count = _count(verdicts)
    if 2 * yes == count:
        return f"{yes} of {count} say yes, {yes} say no"
    says = "first ≤ second" if 2 * yes > count else "first > second"
    return f"{max(yes, count - yes)} of {count} say: {says}"


def word_check(verdicts: Sequence[Verdict], truths: Truths) -> str:
    """How many networks are right; "" if a digit is unknown."""
    truth = is_less_or_equal(truths)
    if truth is None:
        return ""
    yes, count = _count(verdicts)
    right = yes if truth else count - yes
    return f"In truth {truths[0]} {'≤' if truth else '>'} {truths[1]}: {right} right, {count - right} wrong."


def word_reading(verdicts: Sequence[Verdict], asked: Truths) -> str:
    """A sentence if two or more verdicts read the same digits, but others than were asked for; else ""."""
    reads = Counter(tuple(verdict.digits.argmax(axis=1).tolist()) for verdict in verdicts if verdict.digits is not None)
    reads.pop(asked, None)
    if not reads or (most := reads.most_common(1)[0])[1] < 2:
        return ""
    (first, second), count = most
    readers = sum(verdict.digits is not None for verdict in verdicts)
    wish = f"Asked for were {asked[0]} and {asked[1]}"
    return f"{wish}, but {count} of the {readers} groups of networks that read digits read {first} and {second}."


def word_strangeness(frames: Sequence[Grid | None]) -> str:
    """A sentence if drawings look like none of the training digits, or if MNIST cannot be read to tell; else ""."""
    try:
        strange = [frame is not None and is_strange(frame) for frame in frames]
    except DataError as error:
        return f"Whether the drawings look like digits cannot be told. {error}"
    if not any(strange):
        return ""
    which = "Both drawings are" if all(strange) else f"The {'first' if strange[0] else 'second'} drawing is"
    what = "them" if all(strange) else "it"
    far = f"farther from the training digits than {100 - round(100 * FLAGGED)} of 100 real digits"
    return f"{which} {far}: do not rely on what the networks say of {what}."


def _count(verdicts: Sequence[Verdict]) -> tuple[int, int]:
    """How many networks say yes, and how many there are."""
    decisions = [decision for verdict in verdicts for decision in verdict.decisions]
    return sum(decisions), len(decisions)


def _table(verdicts: Sequence[Verdict], truth: bool | None) -> str:
    dropouts = sorted({verdict.settings.dropout for verdict in verdicts})
    head = "".join(f'<th scope="col">{_dropout(p)}</th>' for p in dropouts)
    rows: dict[str, dict[float, Verdict]] = {}
    for verdict in verdicts:
        rows.setdefault(_row_head(verdict.settings), {})[verdict.settings.dropout] = verdict
    body = "".join(
        f"<tr>{name}{''.join(_cell(own[p], truth) if p in own else EMPTY for p in dropouts)}</tr>"
        for name, own in rows.items()
    )
    start = '<table><thead><tr><th scope="col">First ≤ second?<br>Probability of yes</th>'
    return f"{start}{head}</tr></thead><tbody>{body}</tbody></table>"


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
