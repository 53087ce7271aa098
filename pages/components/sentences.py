"""How the sentences under a figure or a table are shown."""

from collections.abc import Iterable

import streamlit as st


def show_sentences(sentences: Iterable[str]) -> None:
    """Sentences as a list, empty ones left out; a percent sign stays with its number."""
    st.markdown("\n".join(f"- {sentence}".replace(" %", "\u00a0%") for sentence in sentences if sentence))
