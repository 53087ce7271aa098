"""What a chapter of the lesson shows: where one is, the evidence, what was guessed, and the networks' sketches."""

import base64
from collections.abc import Callable, Sequence
from html import escape

import streamlit as st

from core.analysis.exhibit import Evidence, Mark
from core.analysis.lesson import CHAPTERS, Chapter
from core.figures.sketch import describe_sketch, sketch_architecture
from core.networks.structure import load_architectures
from core.runs.palette import PALETTE
from core.runs.settings import ModelName
from pages.app.shared import is_phone
from pages.components.files import read_beside, read_style

STYLE = read_style(__file__, "lesson.css")
QUIET = "light-dark(#7f858d, #868d96)"  # of what is not clear, or not ours; opaque, so that nothing shines through
TRUTH = "light-dark(#0f7a59, #4cc79d)"
MARGIN = 0.16  # of a figure's width, on each side, for the values beside the dots
_PROGRESS = st.components.v2.component(
    "lesson_progress",
    html=read_beside(__file__, "progress.html"),
    css=read_beside(__file__, "progress.css"),
    js=read_beside(__file__, "progress.js"),
)


def show_progress(here: int, stages: Sequence[int], steers: bool) -> int | None:
    """A line for each chapter; the chapter that was asked for just now, if one was."""
    chapters = [
        {"question": chapter.question, "seen": bool(stages[chapter.place]), "href": f"?chapter={chapter.place + 1}"}
        for chapter in CHAPTERS
    ]
    result = _PROGRESS(
        key="lesson_progress",
        data={"chapters": chapters, "here": here, "steers": steers},
        on_chapter_change=lambda: None,
    )
    wanted = result.chapter
    return wanted if steers and type(wanted) is int and 0 <= wanted < len(CHAPTERS) else None


def show_evidence(evidence: Evidence, stage: int) -> None:
    """The figure of a chapter as far as it is revealed; what is still to come keeps its place, and the scale stays."""
    draw = _dots if evidence.kind == "dots" else _bars
    if evidence.chart:
        from core.figures.lesson import chapter_lines  # Plotly takes a while to import
        from pages.components.figure import show_figure

        st.html(f'<div class="lesson-figure"><p>{escape(evidence.caption)}</p></div>')
        show_figure(chapter_lines(evidence.chart, evidence.caption, stage, is_phone()), "lesson_lines")
    elif evidence.marks:
        rows = draw(evidence, stage)
        st.html(f'<div class="lesson-figure" role="img" aria-label="{escape(describe(evidence, stage))}">{rows}</div>')


def describe(evidence: Evidence, stage: int) -> str:
    """The figure in words."""
    shown = [f"{mark.group} {mark.label} {mark.text}".strip() for mark in evidence.marks if mark.step <= stage]
    return f"{evidence.caption}: {'; '.join(shown)}."


def _name(mark: Mark, stage: int, track: str) -> str:
    hidden = " hidden" if mark.step > stage else ""
    name = f'<span class="name">{escape(mark.label)}</span>'
    return f'<div class="row{hidden}">{name}<span class="track">{track}</span></div>'


def _bars(evidence: Evidence, stage: int) -> str:
    """Bars on a scale from nothing to all."""
    rows, group = [f"<p>{escape(evidence.caption)}</p>"], ""
    for mark in evidence.marks:
        if mark.group != group:
            group = mark.group
            rows.append(f'<p class="group">{escape(group)}</p>')
        width = f"calc((100% - 4.5rem) * {mark.value:.4f})"
        track = (
            f'<i class="whole"></i><i class="bar" style="inline-size:{width};background:{mark.colour or QUIET}"></i>'
            f'<b class="value" style="inset-inline-end:0">{_unbroken(mark.text)}</b>'
        )
        rows.append(_name(mark, stage, track))
    style = "--row:30px" if len(evidence.marks) > 7 else ""
    return f'<div style="{style}">{"".join(rows)}</div>'


def _dots(evidence: Evidence, stage: int) -> str:
    """Dots with intervals on a common scale, and a line where there is no difference."""
    ends = [end for mark in evidence.marks for end in (mark.value, mark.low, mark.high) if end == end]
    ends += [0.0] if evidence.sides[1] else []
    low, high = min(ends), max(ends)
    wide = (high - low) or 1.0

    def place(value: float) -> float:
        return 100 * (MARGIN + (1 - 2 * MARGIN) * (value - low) / wide)

    rows, group = [f"<p>{escape(evidence.caption)}</p>{_name_middle(evidence, place(0))}"], ""
    for mark in evidence.marks:
        if mark.group != group:
            group = mark.group
            rows.append(f'<p class="group">{escape(group)}</p>')
        line = f'<i class="reference" style="inset-inline-start:{place(0):.2f}%"></i>' if evidence.sides[1] else ""
        rows.append(_name(mark, stage, line + _dot(mark, place)))
    style = "--row:32px" if len(evidence.marks) > 5 else "--row:60px"
    return f'<div class="dots" style="{style}">{"".join(rows)}{_sides(evidence)}</div>'


def _dot(mark: Mark, place: Callable[[float], float]) -> str:
    colour, at = mark.colour or QUIET, place(mark.value)
    low, high = (place(end) if end == end else at for end in (mark.low, mark.high))
    span = f"inset-inline-start:{low:.2f}%;inline-size:{high - low:.2f}%;background:{colour}"
    interval = f'<i class="interval" style="{span}"></i>'
    beside = (
        f"inset-inline-start:calc({high:.2f}% + 14px)"
        if high < 78  # beyond, a value on its right would not fit on a phone
        else f"inset-inline-end:calc({100 - low:.2f}% + 14px)"
    )
    dot = f'<i class="dot" style="inset-inline-start:{at:.2f}%;background:{colour}"></i>'
    return f'{interval}{dot}<b class="value" style="{beside}">{_unbroken(mark.text)}</b>'


def _name_middle(evidence: Evidence, zero: float) -> str:
    """What the line where there is no difference means, above it."""
    none = escape(evidence.sides[1])
    at = f"inset-inline-start:{zero:.2f}%"
    return f'<div class="sides"><span class="none" style="{at}">{none}</span></div>' if none else ""


def _sides(evidence: Evidence) -> str:
    less, none, more = map(escape, evidence.sides)
    if not none:
        return ""
    return (
        f'<div class="sides"><span style="inset-inline-start:0">← {less}</span>'
        f'<span style="inset-inline-end:0">{more} →</span></div>'
    )


def _unbroken(text: str) -> str:
    return escape(text).replace(" ", "&nbsp;")


def show_guesses(chapter: Chapter, counts: Sequence[int], truth: int | None, own: int | None) -> None:
    """How many guessed what, beside what is true."""
    values, most = chapter.ballot.values, max(*counts, 1)
    caption = "What the class said" if sum(counts) > 1 else "What was guessed"
    if chapter.options:
        rows = "".join(
            _guess_row(chapter.options[value], count, most, value == truth, value == own)
            for value, count in zip(values, counts, strict=True)
        )
        st.html(f'<div class="lesson-figure" style="--row:36px"><p>{caption}</p>{rows}</div>')
        return
    columns = [
        f'<span{" class=truth" if value == truth else ""}>{count or ""}<i style="block-size:{70 * count / most:.1f}%">'
        f"</i>{chapter.name_guess(value)}</span>"
        for value, count in zip(values, counts, strict=True)
    ]
    yours = "" if own is None else f"; yours: {chapter.name_guess(own)}"
    st.html(
        f'<div class="lesson-figure"><p>{caption}, in {chapter.unit}{yours}</p></div>'
        f'<div class="lesson-columns">{"".join(columns)}</div>'
    )


def _guess_row(option: str, count: int, most: int, is_right: bool, is_own: bool) -> str:
    size = f"inline-size:calc((100% - 4.5rem) * {count / most:.4f})"
    fill = f'<i class="bar" style="{size};background:{TRUTH if is_right else QUIET}"></i>' if count else ""
    name = escape(option) + (" <b class=truth>✓</b>" if is_right else "")
    track = f'<i class="whole"></i>{fill}<b class="value" style="inset-inline-end:0">{count}</b>'
    own = " mine" if is_own else ""
    return f'<div class="row{own}"><span class="name">{name}</span><span class="track">{track}</span></div>'


def show_sketches(models: Sequence[ModelName]) -> None:
    """The networks that a chapter is about: name, idea and a tiny diagram."""
    architectures, dark = load_architectures(), st.context.theme.type == "dark"
    figures = []
    for model in models:
        svg = base64.b64encode(sketch_architecture(architectures[model], dark).encode()).decode()
        look, words = PALETTE[model], describe_sketch(architectures[model])
        figures.append(
            f'<figure><img src="data:image/svg+xml;base64,{svg}" alt="{escape(words)}"><figcaption>'
            f"<b>{escape(look.label)}</b> {escape(look.idea)}</figcaption></figure>"
        )
    many = " many" if len(models) > 3 else ""
    st.html(f'<div class="lesson-sketches{many}">{"".join(figures)}</div>')
