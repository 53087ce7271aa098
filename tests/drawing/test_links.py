"""A pair of drawings or samples in a link."""

import base64
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.drawing import links
from core.drawing.links import decode_drawing, decode_pair, encode_drawing, encode_pair, parse_pair
from core.drawing.strokes import (
    MAX_POINTS,
    PAD,
    Drawing,
    Stroke,
)

SEVEN = Drawing((Stroke(((80.0, 60.0), (200.0, 60.0), (120.0, 230.0)), 18.0),))
DOT = Drawing((Stroke(((33.0, 250.0),), 18.0),))


@given(st.lists(st.tuples(st.floats(0, PAD), st.floats(0, PAD)), min_size=1, max_size=40), st.floats(2, 60))
@settings(deadline=None)
def test_a_link_keeps_a_drawing_to_a_tenth_of_a_unit(points: list[tuple[float, float]], width: float) -> None:
    drawn = Drawing((Stroke(tuple(points), width), Stroke(((0.0, 280.0),), 2.0)))
    text = encode_drawing(drawn)
    back = decode_drawing(text)
    assert encode_drawing(back) == text
    assert back.strokes[1] == drawn.strokes[1]
    assert back.strokes[0].width == pytest.approx(width, abs=0.051)
    assert np.abs(np.array(back.strokes[0].points) - np.array(points)).max() < 0.051


@given(st.lists(st.tuples(st.integers(0, 2800), st.integers(0, 2800)), min_size=1, max_size=40))
@settings(deadline=None)
def test_a_link_keeps_what_a_pad_sends_exactly(tenths: list[tuple[int, int]]) -> None:
    drawn = Drawing((Stroke(tuple((x / 10, y / 10) for x, y in tenths), 18.0),))
    assert decode_drawing(encode_drawing(drawn)) == drawn


def test_the_largest_drawing_fits_in_a_link() -> None:
    generator = np.random.default_rng(0)
    points = [tuple(point) for point in (generator.integers(0, 2801, (MAX_POINTS, 2)) / 10).tolist()]
    drawn = Drawing((Stroke(tuple(points), 18.0),))
    assert decode_drawing(encode_drawing(drawn)) == drawn


def test_a_pair_in_a_link_is_drawings_or_numbers_of_images() -> None:
    for sides in ((SEVEN, DOT), (SEVEN, 9_999), (0, Drawing()), (7, 3)):
        assert decode_pair(encode_pair(sides)) == sides
    assert parse_pair("7-9999") == (7, 9999)


@pytest.mark.parametrize(
    "text", ["", ".", "7", "7.", "7.8.9", "7.-8", "12345.1", "７.8", encode_drawing(SEVEN), "7." * 20_000]
)
def test_a_damaged_pair_is_one_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"^The drawing in this link is damaged or incomplete[^.]*\.$"):
        decode_pair(text)


@pytest.mark.parametrize("text", ["", "7", "7-", "7-10000", "-7-2", "7-2-1", "a-b", "7 2", "٣-٤", "7-" + "9" * 500])
def test_a_pair_of_images_out_of_range_is_one_sentence(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"^The link's pair is .{0,44}, but must be two numbers from 0 to 9999, as in 7-2\.$"
    ):
        parse_pair(text)


def test_a_link_is_short_and_safe_for_addresses() -> None:
    angles = np.linspace(0, 2 * np.pi, 300)
    ring = tuple((140 + 60 * float(np.cos(a)), 140 + 100 * float(np.sin(a))) for a in angles)
    text = encode_drawing(Drawing((Stroke(ring, 18.0), *SEVEN.strokes)))
    assert len(text) < 600
    assert text.isascii()
    assert text.replace("-", "").replace("_", "").isalnum()
    assert decode_drawing(encode_drawing(Drawing())) == Drawing()


def test_tampered_links_are_refused() -> None:
    text = encode_drawing(SEVEN)
    tampered = {text[:i] + letter + text[i + 1 :] for i in range(len(text)) for letter in "Ab_" if letter != text[i]}
    tampered |= {text[:-1], text + "A", text + "=", text[::-1], "", "é", "a b", "%", "A" * 40_000}
    for bad in tampered:
        with pytest.raises(ValueError, match=r"^The drawing in this link is damaged or incomplete\.$"):
            decode_drawing(bad)


def pack_numbers(numbers: list[int]) -> str:
    packed = zlib.compress(b"".join(map(links._as_varint, numbers)), 9)
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "numbers",
    [
        [1, 36, 1, 2 * 2801, 0],  # beyond the pad
        [1, 36, 10**12, 0, 0],  # more points than there are
        [1, 1, 1, 0, 0],  # a pen too thin
        [10**9],
    ],
)
def test_well_packed_nonsense_is_refused(numbers: list[int]) -> None:
    with pytest.raises(ValueError, match="damaged or incomplete"):
        decode_drawing(pack_numbers(numbers))


def test_a_link_that_unpacks_without_end_is_refused_at_once() -> None:
    text = base64.urlsafe_b64encode(zlib.compress(bytes(20_000_000), 9)).decode().rstrip("=")
    assert len(text) < links.MAX_LINK
    tracemalloc.start()
    with pytest.raises(ValueError, match="damaged or incomplete"):
        decode_drawing(text)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2_000_000  # bytes: a tenth of what it holds
