"""What a chapter of the lesson shows after the guess, as parts that a figure is made of."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

NAN = float("nan")


class Mark(NamedTuple):
    """A row of a figure: a value with its interval if it has one, as the unit of the figure. `step`: from which reveal
    on it is there. `colour` is empty for what is not clear or not ours."""

    label: str
    value: float
    text: str
    low: float = NAN
    high: float = NAN
    colour: str = ""
    step: int = 1
    group: str = ""


class Point(NamedTuple):
    """A point of a curve: its place on the axis, a share of 1 with its interval if it has one, and its reveal."""

    x: float
    value: float
    text: str
    low: float = NAN
    high: float = NAN
    step: int = 1


class Curve(NamedTuple):
    """Points that a line joins from left to right. `dash` and `marker` are as core.runs.palette has them."""

    name: str
    colour: str
    dash: tuple[int, ...]
    marker: str
    points: tuple[Point, ...]


class Arrow(NamedTuple):
    """A horizontal distance at the height `value`. `text` says whose it is; `label` stands on the figure."""

    value: float
    start: float
    end: float
    colour: str
    text: str
    label: str = ""
    step: int = 1


class Chart(NamedTuple):
    """Curves on a common axis, whose `ticks` are place -> text."""

    axis: str
    ticks: Mapping[float, str]
    curves: tuple[Curve, ...]
    arrows: tuple[Arrow, ...] = ()


class Evidence(NamedTuple):
    """What a chapter shows: `marks` or a `chart`. `sides`: what less, none and more means on a figure of differences.

    `truth` is the value of the guess that is right, None if the store cannot tell; `says` the sentences, the first with
    the first reveal. `facts` fill the chapter's prompt. `problem` says what is missing, if something is.
    """

    caption: str
    kind: Literal["bars", "dots"] = "bars"
    marks: tuple[Mark, ...] = ()
    sides: tuple[str, str, str] = ("", "", "")
    truth: int | None = None
    says: tuple[str, ...] = ()
    facts: Mapping[str, str] = MappingProxyType({})
    problem: str = ""
    chart: Chart | None = None


def missing(what: str) -> Evidence:
    """A chapter for which the store has no runs."""
    return Evidence("", problem=f"No finished rounds of {what} are stored yet, so there is nothing to reveal.")
