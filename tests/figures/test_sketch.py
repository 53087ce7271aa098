"""The tiny pictures of the architectures: what goes apart, what is shared, where it meets."""

from xml.etree import ElementTree

import pytest

from core.figures.sketch import describe_sketch, sketch_architecture
from core.networks.structure import load_architectures
from core.runs.palette import PALETTE

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("model", "layers", "coloured", "inputs"),
    [
        ("TwoChannelsModel", 5, 0, 1),
        ("TwoBranchesModel", 10, 0, 2),
        ("WeightSharingBranchesModel", 10, 10, 2),
        ("BranchesToVecModel", 10, 0, 2),
        ("WeightSharingBranchesToVecModel", 10, 8, 2),
        ("WeightSharingAuxiliaryModel", 10, 6, 2),
        ("DirectClassificationModel", 8, 8, 2),
    ],
)
def test_each_layer_is_a_box_and_shared_ones_have_the_colour(model, layers, coloured, inputs):
    picture = ElementTree.fromstring(sketch_architecture(load_architectures()[model]))
    boxes = picture.findall(f"{SVG}rect")
    assert len(boxes) == layers
    assert sum(box.get("fill") == PALETTE[model].colour for box in boxes) == coloured
    assert len(picture.findall(f"{SVG}circle")) == inputs + 1
    assert len({(box.get("x"), box.get("y")) for box in boxes}) == layers


def test_the_words_say_what_the_picture_shows():
    architectures = load_architectures()
    assert describe_sketch(architectures["TwoChannelsModel"]) == "Both digits go through one chain of layers together."
    assert "layers of its own" in describe_sketch(architectures["BranchesToVecModel"])
    assert "the same layers" in describe_sketch(architectures["DirectClassificationModel"])
