"""How sentences are shown: a percent sign stays with its number, and a word that a beginner does not know is explained
where it stands. The only HTML in them is that of the meanings."""

from collections.abc import Iterable
from html import escape

import streamlit as st

from pages.components.glossary import mark


def show_text(text: str) -> None:
    """A paragraph, or whatever else this Markdown is."""
    st.markdown(_prepare(text), unsafe_allow_html=True)


def show_sentences(sentences: Iterable[str]) -> None:
    """Sentences as a list, empty ones left out."""
    show_text("\n".join(f"- {sentence}" for sentence in sentences if sentence))


def show_number(number: str, about: str) -> None:
    """The number that a screen is about, large, and what it is the number of."""
    st.html(f'<p class="number"><b>{escape(number)}</b> <span>{escape(about)}</span></p>'.replace(" %", "\u00a0%"))


def show_note(text: str) -> None:
    """A caption."""
    st.caption(_prepare(text), unsafe_allow_html=True)


def _prepare(text: str) -> str:
    return mark(text).replace(" %", "\u00a0%")
