"""Choices that come with a link."""

from collections.abc import Iterable

import streamlit as st

from pages.components.settings_form import LINK


def check_link(name: str, options: Iterable[object]) -> None:
    """Say where the link's choice `name` is none of its options; Streamlit shows the default in its place."""
    text, allowed = st.query_params.get(name), [str(option) for option in options]
    if text is None or text in allowed:
        return
    rule = f"must be one of {', '.join(allowed)}"
    if isinstance(options, range):
        rule = f"must be a whole number from {allowed[0]} to {allowed[-1]}"
    st.warning(f"The link's {name} is {text[:40]!r}, but {rule}; the default is shown.", icon=LINK)
