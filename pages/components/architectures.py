"""Selectors of architectures: people read names and ideas, the link keeps the class names."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.runs.palette import PALETTE
from core.runs.settings import ModelName
from pages.components.link import check_link, keep_in_link

_LABELS = {str(model): look.label for model, look in PALETTE.items()}


def label_of(option: str) -> str:
    """An architecture's name for people; any other option stays as it is."""
    return _LABELS.get(option, option)


def choose_architecture(place: Any, label: str, key: str, options: Sequence[str], index: int = 0, **layout: Any) -> Any:
    """One of the options, architectures and perhaps others, in a selector with the chosen one's idea below.

    Streamlit would bind the name for people to the link; here `key` in the link has the class name.
    """
    check_link(key, options)
    linked, default = st.query_params.get(key), options[index]
    _follow_link(key, linked, linked if linked in options else None)
    if st.session_state.get(key, default) not in options:  # another choice has taken it away
        del st.session_state[key]
    box = place.container(width=layout.pop("width", "stretch"), gap="xsmall")
    chosen = box.selectbox(label, options, index=index, format_func=label_of, key=key, **layout)
    chosen = chosen if chosen in options else default  # a browser can send anything
    if chosen != (linked if linked in options else default):
        _write_link(key, chosen)
    if idea := describe_ideas([chosen]):
        box.caption(idea)
    return chosen


def choose_architectures(
    place: Any, label: str, key: str, options: Sequence[ModelName], default: ModelName
) -> list[ModelName]:
    """Any number of architectures, in the order in which they were chosen."""
    linked = st.query_params.get_all(key)
    known = [model for model in dict.fromkeys(linked) if model in options]
    _follow_link(key, linked, known if known or linked == [""] else None)
    chosen = place.multiselect(label, options, [default], format_func=label_of, key=key, wrap=False)
    chosen = [model for model in chosen if model in options]  # a browser can send anything
    if chosen != (known if known or linked == [""] else [default]):
        _write_link(key, chosen or [""])
    return chosen


def describe_ideas(models: Sequence[str]) -> str:
    """The ideas of architectures, each after its name if there are several."""
    known = [look for model, look in PALETTE.items() if model in models]
    if len(known) == 1:
        return known[0].idea[0].upper() + known[0].idea[1:] + "."
    return " · ".join(f"{look.label}: {look.idea}" for look in known)


def _follow_link(key: str, linked: Any, value: Any) -> None:
    """Take over the link's choice, unless it is None, when the page opens, and when Back has changed the link."""
    if value is not None and (key not in st.session_state or st.session_state.get(f"{key}_linked") != linked):
        st.session_state[key] = value
    st.session_state[f"{key}_linked"] = linked


def _write_link(key: str, chosen: Any) -> None:
    st.session_state[f"{key}_linked"] = chosen
    keep_in_link(key, chosen)
