"""How the sentences under a figure or a table are shown."""

from collections.abc import Iterable

import streamlit as st

from pages.components.glossary import mark


def show_sentences(sentences: Iterable[str]) -> None:
    """Sentences as a list, empty ones left out; a percent sign stays with its number, and a word that a beginner does
    not know is explained where it stands."""
    text = "\n".join(f"- {sentence}".replace(" %", "\u00a0%") for sentence in sentences if sentence)
    st.markdown(mark(text), unsafe_allow_html=True)


def show_note(text: str) -> None:
    """A caption of our own words, in which words that a beginner does not know are explained where they stand."""
    st.caption(mark(text), unsafe_allow_html=True)
