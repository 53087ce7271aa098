"""Choices that come with a link."""

from collections.abc import Iterable

import streamlit as st

from pages.components.settings_form import LINK


def check_link(name: str, options: Iterable[object]) -> None:
    """Say where the link's choice `name` is none of its options; Streamlit shows the default in its place."""
    text, allowed = st.query_params.get(name), [str(option) for option in options]
    if text is not None and text not in allowed:
        rule = f"must be one of {', '.join(allowed)}" if len(allowed) > 1 else f"must be {allowed[0]}"
        st.warning(f"The link's {name} is {text[:40]!r}, but {rule}; the default is shown.", icon=LINK)
