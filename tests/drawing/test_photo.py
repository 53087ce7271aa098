"""Pictures of digits to the frames that networks read, and traced to strokes."""

import zlib
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFile
from torchvision.datasets import MNIST

from core.drawing.photo import frame_from_image
from core.drawing.strokes import (
    frame_from_strokes,
)
from core.drawing.tracing import trace_digit
from core.mnist.files import DATA, unpack_mnist

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


def test_lines_of_any_width_are_read_alike() -> None:
    expected = frame_from_image(draw_picture((600, 800), pen=50))
    for pen in (3, 8, 24, 90):
        assert np.abs(frame_from_image(draw_picture((600, 800), pen=pen)) - expected).mean() < 8


@pytest.mark.parametrize("edge", [0.3, 0.5, 0.7, 0.93])
@pytest.mark.parametrize("paper", [220, 40])
def test_a_hard_shadow_across_the_paper_changes_nothing(edge: float, paper: int) -> None:
    ink = 260 - paper
    lit = np.asarray(draw_picture(paper=paper, ink=ink, mode="L"), np.float32)
    rows, columns = np.mgrid[:400, :300]
    shadow = columns / 300 + 0.3 * rows / 400 > edge + 0.15
    photo = Image.fromarray((lit * np.where(shadow, 0.6, 1)).astype(np.uint8))
    assert np.abs(frame_from_image(photo) - frame_from_image(draw_picture())).max() < 40


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
def test_gigantic_pictures_are_refused_before_they_are_decoded(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(ImageFile.ImageFile, "load")
    content = bytearray(as_file(Image.new("L", (1, 1))))
    header = b"IHDR" + side.to_bytes(4) + side.to_bytes(4) + content[24:29]
    content[12:33] = header + zlib.crc32(header).to_bytes(4)
    with pytest.raises(ValueError, match="megapixels"):
        frame_from_image(bytes(content))


def test_a_large_photo_is_read_like_a_small_one() -> None:
    photo = as_file(draw_picture((7000, 7200), pen=500), "JPEG")  # 50 megapixels
    change = np.abs(frame_from_image(photo) - frame_from_image(draw_picture((1400, 1440), pen=100)))
    assert change.mean() < 2


# --- tracing ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mnist() -> np.ndarray:
    unpack_mnist(DATA)
    return MNIST(DATA, train=False).data.numpy()


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
