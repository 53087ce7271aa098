"""Choices that come with a link."""

import math
from collections.abc import Iterable
from contextlib import suppress
from typing import Literal

import streamlit as st

from pages.app.text import as_text

LINK = ":material/link_off:"


def check_link(name: str, options: Iterable[object]) -> None:
    """Say, before its widget, if the link's choice `name` is none of its options; Streamlit shows the default.

    For an empty choice Streamlit gives None, even if one is required: the page then takes its default.
    """
    allowed = [str(option) for option in options]
    rule = f"must be one of {', '.join(allowed)}"
    if isinstance(options, range):
        rule = f"must be a whole number from {allowed[0]} to {allowed[-1]}"
    for text in st.query_params.get_all(name):
        if text and text not in allowed:
            refuse(name, text, rule)


def refuse(name: str, text: str, rule: str) -> None:
    """Say that the link's choice `name` cannot be this `text`, since the `rule` is another."""
    st.warning(as_text(f"The link's {name} is {text[:40]!r}, but {rule}; the default is shown."), icon=LINK)


def bind_number(name: str) -> Literal["query-params"] | None:
    """The `bind` of a widget of whole numbers: none while the link's is infinite, at which Streamlit would fail."""
    with suppress(ValueError):
        if math.isinf(float(st.query_params.get(name, ""))):
            return None
    return "query-params"


def keep_in_link(name: str, value: str) -> None:
    """Have the address hold a choice.

    It is written only if it is not there: each write sends the whole address as this run knows it, and so would take
    away what the visitor has chosen since.
    """
    if st.query_params.get(name) != value:
        st.query_params[name] = value
