"""Words that a beginner does not know, each in one line, and how a screen explains them where they stand."""

import re
from html import escape

import streamlit as st

from pages.components.files import read_beside

_ESCAPE = st.components.v2.component("glossary", html="<i hidden></i>", js=read_beside(__file__, "glossary.js"))
STYLE = read_beside(__file__, "glossary.css")  # for components, which the page's own style does not reach

GLOSSARY = {
    "epoch": "One pass of training over all training pairs.",
    "round": "The whole experiment once: pairs drawn anew, a network trained anew, one test.",
    "seed": "A number that decides what chance decides: the same seed draws the same pairs and the same first weights.",
    "batch": "The pairs after which training adjusts the parameters once; here 100, if nothing else is chosen.",
    "training pairs": "Pairs of digits with their answers, from which the parameters are learnt. A number of them, "
    "such as 1,000, counts those kept for validation, a fifth.",
    "validation pairs": "Pairs kept out of learning; how many of them are right decides when training stops.",
    "test pairs": "Pairs that training never uses, not even to decide when it stops. On them, accuracy is counted.",
    "early stopping": "Training ends when validation accuracy has not improved for some epochs; here 20, if nothing "
    "else is chosen.",
    "dropout": "During training, each value before a large layer is set to zero with this probability, so that the "
    "network relies on no single one. Off in the test, unless it says “left on”.",
    "parameter": "A number inside the network that training sets.",
    "weight sharing": "Both digits go through the same parameters: what is learnt from either serves both.",
    "auxiliary loss": "The error in a second task, here naming the digits, that training reduces beside the first.",
    "logit": "What the network computes before it is made a probability: 0 means one half, more means rather yes.",
    "probability": "How sure the network says it is, from 0 to 1. Whether it is right so often is another question.",
    "confidence interval": "A range from a method that catches the true value in 95 of 100 such experiments.",
    "p value after correction": "How often chance alone would make a difference at least this large, made stricter "
    "because many comparisons are looked at together.",
    "embedding": "The numbers by which a network describes one digit before it compares.",
}
SPELLINGS = {  # how a term is written in a sentence, as a pattern; the others stand as they are, or with an s
    "training pairs": r"training pairs?",
    "validation pairs": r"validation (?:pairs?|accuracy)",
    "test pairs": r"test (?:pairs?|accuracy|accuracies)",
    "batch": r"(?:mini-)?batch(?:es)?",
    "early stopping": r"early stopping|stop(?:s|ped)? early",
    "auxiliary loss": r"auxiliary loss(?:es)?",
    "probability": r"probabilit(?:y|ies)",
    "confidence interval": r"(?:confidence |95 % )?intervals?",
    "p value after correction": r"p values? after correction|Holm's correction",
}
_TERM = re.compile(
    r"(?<![\w-])(?:" + "|".join(f"({SPELLINGS.get(term, f'{term}s?')})" for term in GLOSSARY) + r")(?![\w-])",
    re.IGNORECASE,
)


def close_on_escape() -> None:
    """Have Escape close whatever meaning is open; nothing is shown."""
    _ESCAPE(key="glossary", height=1)


def define(*terms: str) -> str:
    """What terms of the glossary mean, as the `help` of an element. Raises KeyError for an unknown one."""
    return "\n\n".join(f"**{term[0].upper()}{term[1:]}**: {GLOSSARY[term]}" for term in terms)


def mark(text: str) -> str:
    """The same Markdown, in which HTML explains each term of the glossary where it first stands: on touch, when the
    pointer is over it, or when it has the focus. HTML that is in `text` already is shown as text."""
    seen: set[str] = set()

    def wrap(found: re.Match[str]) -> str:
        term = list(GLOSSARY)[(found.lastindex or 1) - 1]
        if term in seen:
            return found[0]
        seen.add(term)
        meaning = f'<span role="tooltip">{escape(GLOSSARY[term], quote=False)}</span>'
        return f'<span class="term" tabindex="0">{found[0]}{meaning}</span>'

    return _TERM.sub(wrap, escape(text, quote=False))
