"""The drawing path: strokes, links and pictures to the frames that networks read."""

import base64
import time
import zlib
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from torchvision.datasets import MNIST

from core.drawing import links
from core.drawing.ink import centre_of_mass
from core.drawing.links import decode_drawing, decode_pair, encode_drawing, encode_pair, parse_pair
from core.drawing.photo import frame_from_image, steps_from_image
from core.drawing.strokes import (
    MAX_POINTS,
    MAX_STROKES,
    PAD,
    PEN,
    Drawing,
    Stroke,
    frame_from_strokes,
    parse_strokes,
    steps_from_strokes,
)
from core.drawing.tracing import trace_digit
from core.mnist.files import DATA, unpack_mnist

SEVEN = Drawing((Stroke(((80.0, 60.0), (200.0, 60.0), (120.0, 230.0)), 18.0),))
DOT = Drawing((Stroke(((33.0, 250.0),), 18.0),))

# Strokes in a square of 1, so that a test can lay them anywhere at any size
shapes = st.lists(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=12), min_size=1, max_size=4
).filter(lambda shape: np.ptp([point for stroke in shape for point in stroke], axis=0).max() > 0.3)


def lay_shape(shape: list[list[tuple[float, float]]], left: float, top: float, side: float, width: float) -> Drawing:
    return Drawing(tuple(Stroke(tuple((left + side * x, top + side * y) for x, y in s), width) for s in shape))


# --- strokes ----------------------------------------------------------------------------------------------------------


def test_json_round_trip() -> None:
    assert parse_strokes(SEVEN.as_json()) == SEVEN
    assert parse_strokes([]) == Drawing()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "list of strokes"),
        ({"0": []}, "list of strokes"),
        ("[]", "list of strokes"),
        ([[1, 2]], '"width" and "points"'),
        ([{"width": 5}], '"width" and "points"'),
        ([{"width": 5, "points": [1, 2], "colour": 1}], '"width" and "points"'),
        ([{"width": True, "points": [1, 2]}], "width must be a number from 2 to 60"),
        ([{"width": 1.9, "points": [1, 2]}], "width must be a number from 2 to 60"),
        ([{"width": "5", "points": [1, 2]}], "width must be a number from 2 to 60"),
        ([{"width": 5, "points": []}], "at least one point"),
        ([{"width": 5, "points": [1, 2, 3]}], "x, y, x, y"),
        ([{"width": 5, "points": "12"}], "x, y, x, y"),
        ([{"width": 5, "points": [1, float("nan")]}], "numbers from 0 to 280"),
        ([{"width": 5, "points": [1, float("inf")]}], "numbers from 0 to 280"),
        ([{"width": 5, "points": [1, None]}], "numbers from 0 to 280"),
        ([{"width": 5, "points": [1, -0.1]}], "numbers from 0 to 280"),
        ([{"width": 5, "points": [10**400, 1]}], "numbers from 0 to 280"),
        ([{"width": 5, "points": [1, 2]}] * (MAX_STROKES + 1), "201 strokes, but at most 200"),
        ([{"width": 5, "points": [1, 2] * (MAX_POINTS + 1)}], "5,001 points, but at most 5,000"),
        ([{"width": 5, "points": [1, 2] * 2_501}] * 2, "5,002 points, but at most 5,000"),
    ],
)
def test_bad_strokes_are_refused_in_one_sentence(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        parse_strokes(value)
    assert str(caught.value).count(". ") == 0
    assert str(caught.value).endswith(".")


def test_the_largest_drawing_is_allowed() -> None:
    points = [1, 2] * (MAX_POINTS // MAX_STROKES)
    assert len(parse_strokes([{"width": 60, "points": points}] * MAX_STROKES).strokes) == MAX_STROKES


def test_an_empty_pad_is_refused() -> None:
    with pytest.raises(ValueError, match="pad is empty"):
        frame_from_strokes(Drawing())


def test_steps_follow_mnist() -> None:
    steps = steps_from_strokes(SEVEN)
    for grid, side in ((steps.box, 20), (steps.field, 28), (steps.frame, 14)):
        assert grid.shape == (side, side)
        assert grid.dtype == np.float32
        assert grid.min() >= 0
        assert grid.max() <= 255
    assert steps.field.max() == 255
    assert centre_of_mass(steps.field) == pytest.approx([14.5, 14.5], abs=0.05)
    assert np.array_equal(steps.frame, steps.field.reshape(14, 2, 14, 2).mean((1, 3)))


def test_a_drawing_fills_the_box() -> None:
    rows, columns = (np.flatnonzero((steps_from_strokes(SEVEN).box >= 127).any(axis)) for axis in (1, 0))
    assert (rows[0], rows[-1]) == (0, 19)  # the seven is higher than wide
    assert columns[0] + columns[-1] == 19  # and stands in the middle


def test_a_line_is_as_thick_as_in_mnist() -> None:
    line = Drawing((Stroke(((140.0, 40.0), (140.0, 240.0)), 18.0),))
    across = steps_from_strokes(line).field[14]
    assert across.sum() / 255 == pytest.approx(PEN, abs=0.05)
    assert 2 <= PEN <= 3


@given(
    shapes, st.floats(60, 260), st.floats(60, 260), st.floats(0, 1), st.floats(0, 1), st.floats(2, 60), st.floats(2, 60)
)
@settings(max_examples=60, deadline=None)
def test_place_size_and_pen_make_no_difference(
    shape: Any, side: float, other: float, left: float, top: float, width: float, other_width: float
) -> None:
    one = frame_from_strokes(lay_shape(shape, 0, 0, side, width))
    two = frame_from_strokes(lay_shape(shape, left * (PAD - other), top * (PAD - other), other, other_width))
    assert np.abs(one - two).max() < 1


def test_a_dot_is_a_dot() -> None:
    field = steps_from_strokes(DOT).field
    assert centre_of_mass(field) == pytest.approx([14.5, 14.5], abs=0.01)
    assert field.sum() / 255 == pytest.approx(np.pi * (PEN / 2) ** 2, rel=0.1)
    shaken = Drawing((Stroke(((33.0, 250.0), (34.0, 250.0), (34.0, 251.0)), 18.0),))
    assert np.count_nonzero(steps_from_strokes(shaken).field) < 40  # a shaking finger draws no seven


def test_a_filled_pad_is_full() -> None:
    lines = [((0.0, float(y)), (280.0, float(y + 2))) for y in range(0, 280, 4)]
    drawn = frame_from_strokes(Drawing((Stroke(tuple(point for line in lines for point in line), 28.0),)))
    assert np.count_nonzero(drawn == 255) >= 64


def smallest_time(call: Callable[[], object], times: int = 7) -> float:
    """Seconds; the smallest of several, since others use the machine too."""
    durations = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        durations.append(time.perf_counter() - start)
    return min(durations)


def test_frames_are_fast() -> None:
    angles = np.linspace(0, 2 * np.pi, 150)
    ring = [c for a in angles for c in (140 + 60 * np.cos(a), 140 + 90 * np.sin(a))]
    ordinary = parse_strokes([{"width": 18, "points": ring}, {"width": 18, "points": ring[:100]}])
    assert smallest_time(lambda: frame_from_strokes(ordinary)) < 0.01  # 2 ms on an idle machine
    generator = np.random.default_rng(0)
    most = [{"width": 18, "points": generator.uniform(0, PAD, 50).tolist()} for _ in range(MAX_STROKES)]
    assert smallest_time(lambda: frame_from_strokes(parse_strokes(most))) < 0.1


# --- links ------------------------------------------------------------------------------------------------------------


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
    start = time.perf_counter()
    with pytest.raises(ValueError, match="damaged or incomplete"):
        decode_drawing(text)
    assert time.perf_counter() - start < 1


# --- pictures ---------------------------------------------------------------------------------------------------------


def draw_picture(
    size: tuple[int, int] = (300, 400), paper: Any = "white", ink: Any = "black", mode: str = "RGB", pen: int = 25
) -> Image.Image:
    """A seven, drawn on paper."""
    picture = Image.new(mode, size, paper)
    width, height = size
    line = [(width * 0.3, height * 0.2), (width * 0.7, height * 0.2), (width * 0.45, height * 0.8)]
    for start, end in pairwise(line):
        ImageDraw.Draw(picture).line([start, end], fill=ink, width=pen)
    return picture


def as_file(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    content = BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


@pytest.fixture(scope="module")
def mnist() -> np.ndarray:
    unpack_mnist(DATA)
    return MNIST(DATA, train=False).data.numpy()


def test_mnist_comes_through_nearly_unchanged(mnist: np.ndarray) -> None:
    digits = mnist[:300]
    frames = np.stack([frame_from_image(Image.fromarray(digit)) for digit in digits])
    change = np.abs(frames - digits.reshape(-1, 14, 2, 14, 2).mean((2, 4))).max((1, 2))
    assert np.median(change) < 3
    assert (change > 10).mean() < 0.05  # digits with specks, which the path removes


def test_dark_and_light_transparent_and_opaque_are_the_same() -> None:
    expected = frame_from_image(draw_picture())
    for paper, ink in (("black", "white"), ((0, 0, 0, 0), (0, 0, 0, 255)), ((255, 255, 255, 0), (255, 255, 255, 255))):
        mode = "RGBA" if isinstance(paper, tuple) else "RGB"
        assert np.array_equal(frame_from_image(as_file(draw_picture(paper=paper, ink=ink, mode=mode))), expected)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "CMYK", "I", "F", "YCbCr"])
def test_every_colour_mode_is_read(mode: str) -> None:
    expected = frame_from_image(draw_picture())
    assert np.abs(frame_from_image(draw_picture().convert(mode)) - expected).max() < 2


def test_sixteen_bits_are_not_clipped() -> None:
    deep = Image.fromarray(np.asarray(draw_picture(mode="L")).astype(np.uint16) * 40)
    assert np.array_equal(frame_from_image(as_file(deep)), frame_from_image(draw_picture()))


def test_a_turned_photo_is_set_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by a quarter
    turned = as_file(draw_picture().rotate(90, expand=True), "JPEG", exif=exif, quality=95)
    assert np.abs(frame_from_image(turned) - frame_from_image(draw_picture())).max() < 3


def test_place_and_size_of_a_digit_in_a_picture_make_little_difference() -> None:
    expected = frame_from_image(draw_picture())
    large = Image.new("RGB", (1600, 1200), "white")
    large.paste(draw_picture((450, 600), pen=38), (1000, 90))
    assert np.abs(frame_from_image(large) - expected).max() < 20


def test_uneven_light_and_grain_are_tolerated() -> None:
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:400, :300]
    paper = 150 + 50 * columns / 300 + 40 * rows / 400 + generator.normal(0, 5, (400, 300))
    ink = np.asarray(draw_picture(mode="L")) < 128
    photo = Image.fromarray((paper * np.where(ink, 0.3, 1)).clip(0, 255).astype(np.uint8))
    change = np.abs(frame_from_image(as_file(photo, "JPEG")) - frame_from_image(draw_picture()))
    assert change.mean() < 6


def test_dust_is_removed() -> None:
    dusty = draw_picture()
    ImageDraw.Draw(dusty).ellipse([10, 380, 15, 385], fill="black")
    assert np.array_equal(frame_from_image(dusty), frame_from_image(draw_picture()))


def test_thin_lines_are_thickened_and_thick_ones_kept() -> None:
    def mean_width(pen: int) -> float:
        field = steps_from_image(draw_picture((600, 800), pen=pen)).field
        return float(field.sum()) / 255 / 28  # the seven is about 28 pixels of line

    assert mean_width(3) == pytest.approx(mean_width(24), rel=0.35)
    assert mean_width(90) > 2 * mean_width(45) * 0.7


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"digits, but in a text file", "no picture that can be read"),
        (as_file(draw_picture())[:600], "damaged or cut short"),
        (as_file(draw_picture(), "JPEG")[:3000], "damaged or cut short"),
        (as_file(Image.new("RGB", (200, 100), "red")), "No digit stands out"),
        (as_file(Image.new("L", (1, 1))), "No digit stands out"),
        (as_file(Image.new("RGBA", (50, 50), (0, 0, 0, 0))), "No digit stands out"),
        (b"\0" * (20 * 2**20 + 1), "20 MB"),
    ],
)
def test_unreadable_pictures_are_refused(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "digit.png"
    path.write_bytes(content)
    for source in (content, path):
        with pytest.raises(ValueError, match=message) as caught:
            frame_from_image(source)
        assert str(caught.value).endswith(".")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.png cannot be read"):
        frame_from_image(tmp_path / "nowhere.png")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [9_500, 60_000])
def test_gigantic_pictures_are_refused_before_they_are_decoded(side: int) -> None:
    content = bytearray(as_file(Image.new("L", (1, 1))))
    header = b"IHDR" + side.to_bytes(4) + side.to_bytes(4) + content[24:29]
    content[12:33] = header + zlib.crc32(header).to_bytes(4)
    start = time.perf_counter()
    with pytest.raises(ValueError, match="megapixels"):
        frame_from_image(bytes(content))
    assert time.perf_counter() - start < 1


def test_a_large_photo_is_read_in_bounded_time() -> None:
    photo = as_file(draw_picture((7000, 7200), pen=500), "JPEG")  # 50 megapixels
    start = time.perf_counter()
    change = np.abs(frame_from_image(photo) - frame_from_image(draw_picture((1400, 1440), pen=100)))
    assert time.perf_counter() - start < 5
    assert change.max() < 12


# --- tracing ----------------------------------------------------------------------------------------------------------


def test_a_traced_digit_comes_back(mnist: np.ndarray) -> None:
    digits = mnist[:100].astype(np.float32)
    frames = np.stack([frame_from_strokes(trace_digit(digit)) for digit in digits]).reshape(100, -1)
    direct = digits.reshape(-1, 14, 2, 14, 2).mean((2, 4)).reshape(100, -1)
    alike = np.corrcoef(frames, direct)[:100, 100:]
    assert (alike.argmax(1) == np.arange(100)).mean() >= 0.9  # a few ones are each other's doubles
    assert np.median(alike.diagonal()) > 0.93


def test_a_trace_lies_on_the_ink_and_has_its_width() -> None:
    ink = np.zeros((280, 280), np.float32)
    ink[40:240, 130:150] = 255
    (stroke,) = trace_digit(ink).strokes
    assert stroke.width == pytest.approx(20, abs=2)
    assert all(abs(x - 140) < 2 for x, _ in stroke.points)
    assert min(y for _, y in stroke.points) == pytest.approx(50, abs=6)
    assert max(y for _, y in stroke.points) == pytest.approx(230, abs=6)


def test_a_disc_is_traced_as_a_dot_and_an_empty_picture_refused() -> None:
    rows, columns = np.mgrid[:280, :280]
    disc = np.where((rows - 140) ** 2 + (columns - 90) ** 2 < 20**2, 255, 0).astype(np.float32)
    (stroke,) = trace_digit(disc).strokes
    assert stroke.width == pytest.approx(40, abs=2)
    assert all(abs(x - 90.5) < 3 and abs(y - 140.5) < 3 for x, y in stroke.points)
    with pytest.raises(ValueError, match="shows no ink"):
        trace_digit(np.zeros((28, 28), np.float32))
