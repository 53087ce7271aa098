"""The diagrams as drawn: every shape and count of the structure, ties, marks, words; and the source beside them."""

import ast
import re
import xml.etree.ElementTree as ET
from collections import Counter

import pytest

from core.figures.diagram import WIDTH, describe_architecture, draw_architecture
from core.networks.structure import (
    find_differences,
    layer_table,
    list_layers,
    load_architectures,
    name_shape,
    read_source,
)
from core.runs.palette import PALETTE
from core.runs.settings import MODEL_NAMES

ARCHITECTURES = load_architectures()
SVG = "{http://www.w3.org/2000/svg}"


def draw(model: str, **options) -> ET.Element:
    return ET.fromstring(draw_architecture(ARCHITECTURES[model], **options))


def texts(picture: ET.Element) -> list[str]:
    return [text.text for text in picture.iter(f"{SVG}text")]


def test_all_seven_in_the_order_of_table_1():
    assert tuple(ARCHITECTURES) == MODEL_NAMES


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_every_shape_and_every_count_is_in_the_drawing(model):
    blocks, shown = ARCHITECTURES[model].blocks, Counter(texts(draw(model)))
    counts = Counter(f"{block.parameters:,} parameters" for block in blocks if block.parameters)
    assert {text: count for text, count in shown.items() if text.endswith("parameters")} == counts
    assert sum(shown[name] for name in {block.layers[0] for block in blocks}) == len(blocks)
    used = {source for block in blocks for source in block.source}
    arrows = Counter(name_shape(blocks[source].output) for block in blocks for source in block.source)
    arrows += Counter(name_shape(block.input) for block in blocks if len(block.source) != 1)  # from a digit or a join
    arrows += Counter(name_shape(block.output) for index, block in enumerate(blocks) if index not in used)
    if ARCHITECTURES[model].decision == "difference":
        arrows["1"] += 1
    shapes = {text: count for text, count in shown.items() if re.fullmatch(r"\d+( × \d+)*", text)}
    assert shapes == arrows


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_shared_weights_are_joined_in_the_architectures_colour(model):
    picture, colour = draw(model), PALETTE[model].colour
    tied = [layer for layer in list_layers(ARCHITECTURES[model]) if layer.sharing == "shared"]
    assert sum(box.get("fill") == colour for box in picture.iter(f"{SVG}rect")) == 2 * len(tied)
    assert sum(line.get("stroke") == colour for line in picture.iter(f"{SVG}path")) == 2 * len(tied)  # an equals sign


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_nothing_leaves_the_drawing_or_overlaps(model):
    picture = draw(model, marked=range(30))
    height = float(picture.get("viewBox").split()[3])
    boxes = [
        [float(box.get(side)) for side in ("x", "y", "width", "height")]
        for box in picture.iter(f"{SVG}rect")
        if box.get("x")
    ]
    assert all(x >= 0 and x + width <= WIDTH and y >= 0 and y + deep <= height for x, y, width, deep in boxes)
    different = {tuple(box) for box in boxes}
    for x, y, width, deep in different:
        for other_x, other_y, other_width, other_deep in different - {(x, y, width, deep)}:
            apart = (
                x + width <= other_x or other_x + other_width <= x or y + deep <= other_y or other_y + other_deep <= y
            )
            assert apart


def test_a_mark_is_a_sign_and_an_outline():
    picture = draw("TwoBranchesModel", marked={0, 8})
    signs = [path for path in picture.iter(f"{SVG}path") if path.get("class") == "unequal"]
    assert len(signs) == 2  # drawn: not every font has the sign
    assert "≠" not in "".join(texts(picture))
    assert sum(box.get("stroke-dasharray") == "6 3" for box in picture.iter(f"{SVG}rect")) == 2


def test_light_and_dark_have_the_themes_colours(pytestconfig):
    config = (pytestconfig.rootpath / ".streamlit" / "config.toml").read_text()
    themes = re.findall(r'\nbackgroundColor = "(#\w+)"\n(?:.*\n)*?textColor = "(#\w+)"', config)
    assert len(themes) == 2
    for dark, colours in enumerate(themes):
        picture = draw("TwoChannelsModel", dark=bool(dark))
        assert (picture.find(f"{SVG}rect").get("fill"), picture.get("color")) == colours


def marked_layers(ours: str, other: str) -> list[str]:
    marked = find_differences(ARCHITECTURES[ours], ARCHITECTURES[other])
    return [layer.removeprefix("≠ ") for layer in layer_table(ARCHITECTURES[ours], marked)["layer"] if layer[0] == "≠"]


def test_what_differs_is_marked_on_both_sides():
    assert marked_layers("TwoBranchesModel", "BranchesToVecModel") == ["Linear 128 → 10, ReLU", "Linear 10 → 1"]
    assert marked_layers("BranchesToVecModel", "TwoBranchesModel") == [
        "Linear 128 → 10", "ReLU", "Linear 20 → 10, ReLU", "Linear 10 → 1",
    ]  # fmt: skip
    assert marked_layers("DirectClassificationModel", "WeightSharingBranchesToVecModel") == []
    assert marked_layers("WeightSharingBranchesToVecModel", "DirectClassificationModel") == [
        "ReLU", "Linear 20 → 10, ReLU", "Linear 10 → 1",
    ]  # fmt: skip
    assert marked_layers("WeightSharingAuxiliaryModel", "DirectClassificationModel") == [
        "Linear 256 → 100, ReLU", "Linear 100 → 10", "Linear 100 → 1",
    ]  # fmt: skip


def test_shared_weights_are_told_by_the_double_line_alone():
    assert marked_layers("TwoBranchesModel", "WeightSharingBranchesModel") == []
    assert marked_layers("WeightSharingBranchesToVecModel", "BranchesToVecModel") == []


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_an_architecture_does_not_differ_from_itself(model):
    assert find_differences(ARCHITECTURES[model], ARCHITECTURES[model]) == set()


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_the_layer_table_adds_up(model):
    table = layer_table(ARCHITECTURES[model])
    assert table["parameters"].sum() == ARCHITECTURES[model].distinct_parameters
    assert table["multiply_adds"].sum() == ARCHITECTURES[model].multiply_adds


def test_the_drawing_in_words():
    words = describe_architecture(ARCHITECTURES["WeightSharingBranchesModel"])
    assert words.startswith("Diagram of Shared branches, from the two digits to the answer: Conv 3 × 3, 1 → 32")
    assert "twice with one set of weights, gives 32 × 12 × 12" in words
    assert words.endswith("then second − first. 53,013 distinct parameters.")


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_the_source_is_whole_and_of_this_module(model):
    source = read_source(ARCHITECTURES[model])
    names = [node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    assert names[0] == "Blocks"
    assert names[-1] == ARCHITECTURES[model].module
    assert (model != "TwoChannelsModel") == ("Branches" in names)
    assert f'"{model}":' in source
