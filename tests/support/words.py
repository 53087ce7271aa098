"""What a visitor reads of a screen's texts."""

import re


def without_meanings(text: str) -> str:
    """The text with the words of the glossary as they stand, without their meanings and what marks them."""
    return re.sub(r'<span role="tooltip">.*?</span>|<span class="term" tabindex="0">|</span>', "", text)
