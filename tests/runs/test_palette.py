"""The architectures' colours stand out on both backgrounds and keep apart for everybody.

How others see a colour is Machado's model (2009) at full strength, as a screen can show it. Other models of tritan
vision, which are rougher guesses, bring two blues as near as 8 to a green: dashes and markers tell those apart.
"""

import tomllib
from itertools import combinations

import pytest
from coloraide import Color

from core.figures.style import FAINT
from core.runs.palette import PALETTE
from support.servers import ROOT

THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
COLOURS = {look.label: Color(look.colour) for look in PALETTE.values()}


def look_with(vision: str | None, colour: Color) -> Color:
    """A colour as somebody with this vision sees it on a screen."""
    return colour.filter(vision, method="machado").convert("srgb").clip() if vision else colour


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_stand_out_on_the_background(scheme):
    background = Color(THEME[scheme]["backgroundColor"])
    faint = {label: colour.contrast(background, method="wcag21") for label, colour in COLOURS.items()}
    assert {label: contrast for label, contrast in faint.items() if contrast < 3} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_single_rounds_are_faint_and_still_seen(scheme):
    background = Color(THEME[scheme]["backgroundColor"])
    seen = {label: background.mix(colour, FAINT, space="srgb") for label, colour in COLOURS.items()}
    assert {label for label, colour in seen.items() if colour.contrast(background, method="wcag21") < 2} == set()


@pytest.mark.parametrize("vision", [None, "protan", "deutan", "tritan"])
def test_any_two_colours_differ_for_everybody(vision):
    seen = {label: look_with(vision, colour) for label, colour in COLOURS.items()}
    differences = {pair: seen[pair[0]].delta_e(seen[pair[1]], method="2000") for pair in combinations(seen, 2)}
    assert {pair: difference for pair, difference in differences.items() if difference < 11.9} == {}
