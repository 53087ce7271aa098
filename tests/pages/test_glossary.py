"""The glossary: every term is found where it stands, once, and nothing else is."""

import re

import pytest

from pages.components.glossary import GLOSSARY, define, mark


def marked(text: str) -> list[str]:
    return re.findall(r'tabindex="0">(.*?)<span role="tooltip">', mark(text))


@pytest.mark.parametrize("term", GLOSSARY)
def test_each_term_is_one_line_and_is_found(term):
    assert GLOSSARY[term].endswith(".")
    assert len(GLOSSARY[term]) <= 180
    assert f'{term}<span role="tooltip">{GLOSSARY[term]}</span>' in mark(f"Here is {term} in a sentence.")


def test_a_term_is_explained_where_it_first_stands_in_any_spelling():
    text = "Epochs: each round has 95 % intervals. An epoch, p below 0.05 after Holm's correction; 2 auxiliary losses."
    assert marked(text) == ["Epochs", "round", "95 % intervals", "Holm's correction", "auxiliary losses"]


@pytest.mark.parametrize("text", ["background", "seeded", "dropout_at_evaluation", "test", "a well-rounded loss", ""])
def test_parts_of_words_are_left_alone(text):
    assert mark(text) == text


def test_html_in_a_text_is_shown_as_text():
    assert mark("<img src=x> & a **seed**").startswith("&lt;img src=x&gt; &amp; a **<span")


def test_the_help_of_an_element_defines_its_terms():
    assert define("seed", "round").splitlines() == [
        f"**Seed**: {GLOSSARY['seed']}",
        "",
        f"**Round**: {GLOSSARY['round']}",
    ]
    with pytest.raises(KeyError):
        define("entropy")
