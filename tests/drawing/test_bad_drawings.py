"""Strokes, messages of the pads, links' drawings and pictures, right or wrong: a digit or one clear sentence."""

import io
import resource
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from PIL import Image

from core.drawing.links import decode_drawing
from core.drawing.photo import MAX_WHOLE, frame_from_image
from core.drawing.strokes import frame_from_strokes, parse_strokes
from pages.components.pad import PadState, _read_message
from support.any_values import BOUND, JSON, NUMBERS, attempt, is_sentence
from support.servers import ROOT


def is_digit(frame: np.ndarray | None) -> bool:
    return frame is None or (frame.shape == (14, 14) and bool(((frame >= 0) & (frame <= 255)).all()))


# --- strokes ----------------------------------------------------------------------------------------------------------

STROKE = some.fixed_dictionaries(
    {"width": NUMBERS | some.floats(2, 60), "points": some.lists(some.floats(0, 280) | NUMBERS, max_size=30) | JSON}
)


@given(some.lists(STROKE | JSON, max_size=4) | JSON)
@settings(max_examples=60, deadline=BOUND)
def test_strokes_are_a_digit_or_refused_in_a_sentence(value):
    drawing = attempt(parse_strokes, value)
    assert drawing is None or is_digit(attempt(frame_from_strokes, drawing))


PADS = some.lists(some.lists(STROKE, max_size=1), min_size=2, max_size=2)
MESSAGE = some.fixed_dictionaries(
    {
        "sequence": some.integers(1, 9) | NUMBERS | JSON,
        "revision": some.just(0) | JSON,
        "pads": PADS | JSON,
        "truths": some.just([None, 7]) | JSON,
    }
)


@given(JSON | MESSAGE)
@settings(max_examples=80, deadline=BOUND)
def test_any_message_of_the_pads_leaves_two_drawings(message):
    after = _read_message({"pads": message}, PadState())
    assert after.error is None or is_sentence(after.error)
    assert type(after.sequence) is int
    assert is_digit(attempt(frame_from_strokes, after.first))


@given(some.text() | some.from_regex(r"[A-Za-z0-9_-]*", fullmatch=True))
@settings(max_examples=50, deadline=BOUND)
def test_any_text_as_a_links_drawing(text):
    attempt(decode_drawing, text)


# --- pictures ---------------------------------------------------------------------------------------------------------


def make_picture(kind: str, mode: str) -> bytes:
    picture = Image.new("L", (40, 50))
    picture.paste(255, (15, 10, 22, 40))
    file = io.BytesIO()
    picture.convert(mode).save(file, kind)
    return file.getvalue()


PICTURES = [
    make_picture(*kind)
    for kind in (
        ("PNG", "RGBA"),
        ("PNG", "I;16"),
        ("PNG", "P"),
        ("JPEG", "RGB"),
        ("GIF", "P"),
        ("WEBP", "RGB"),
        ("BMP", "L"),
    )
]


@given(
    whole=some.sampled_from(PICTURES),
    changes=some.lists(some.tuples(some.integers(0, 10_000), some.integers(0, 255)), max_size=6),
    size=some.none() | some.integers(0, 2_000),
)
@settings(max_examples=100, deadline=BOUND)
@pytest.mark.filterwarnings("ignore")
def test_a_damaged_picture_is_read_or_refused_in_a_sentence(whole, changes, size):
    content = bytearray(whole)
    for place, value in changes:
        content[place % len(content)] = value
    assert is_digit(attempt(frame_from_image, bytes(content[:size])))


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def insert_chunks(*chunks: bytes, at_end: bool) -> bytes:
    """A readable PNG with more chunks, behind its head or before its end."""
    whole = make_picture("PNG", "L")
    place = len(whole) - 12 if at_end else 33
    return whole[:place] + b"".join(chunks) + whole[place:]


LARGE = zlib.compress(bytes(2 * 2**20), 9)
TEXTS = {
    "a text": [chunk(b"zTXt", b"key\0\0" + LARGE)],
    "an international text": [chunk(b"iTXt", b"key\0\1\0\0\0" + LARGE)],
    "a colour profile": [chunk(b"iCCP", b"key\0\0" + LARGE)],
    "many texts": [chunk(b"zTXt", b"k%d\0\0" % n + zlib.compress(bytes(2**20), 9)) for n in range(70)],
}


@pytest.mark.parametrize("at_end", [False, True])
@pytest.mark.parametrize("kind", TEXTS)
def test_a_picture_whose_texts_unpack_too_large_says_so(kind, at_end):
    with pytest.raises(ValueError, match=r"^The picture's file carries a text or a colour profile .* without\.$"):
        frame_from_image(insert_chunks(*TEXTS[kind], at_end=at_end))


@pytest.mark.parametrize("exif", [b"garbage", b"MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 99, b"II*\0\xff\xff\xff\xff", b""])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.filterwarnings("ignore")
def test_a_picture_whose_exif_is_damaged_is_read_as_it_lies(kind, exif):
    picture = Image.new("RGB", (40, 50))
    picture.paste((255, 255, 255), (15, 10, 22, 40))
    plain, marked = io.BytesIO(), io.BytesIO()
    picture.save(plain, kind)
    picture.save(marked, kind, exif=b"Exif\0\0" + exif)
    assert (frame_from_image(marked.getvalue()) == frame_from_image(plain.getvalue())).all()


def pack_png(width: int, height: int, depth: int, kind: int, channels: int) -> bytes:
    """A PNG of zeros, which packs a thousandfold, with a palette in which every colour is transparent."""

    row, packer = bytes(1 + width * channels * depth // 8), zlib.compressobj(1)
    rows = b"".join([packer.compress(row) for _ in range(height)]) + packer.flush()
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    palette = chunk(b"PLTE", bytes(768)) + chunk(b"tRNS", bytes(256)) if kind == 3 else b""
    return b"\x89PNG\r\n\x1a\n" + head + palette + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


SIDE = int(MAX_WHOLE**0.5)
LARGEST = {
    "colours with transparency": lambda: pack_png(SIDE, SIDE, 8, 6, 4),
    "sixteen bits": lambda: pack_png(SIDE, SIDE, 16, 0, 1),
    "a palette with transparency": lambda: pack_png(SIDE, SIDE, 8, 3, 1),
    "more than is allowed": lambda: pack_png(8_900, 8_900, 8, 6, 4),
    "a single row": lambda: pack_png(SIDE * SIDE, 1, 8, 6, 4),
}
READ_WITH_LIMIT = """
import resource, sys
from core.drawing.photo import frame_from_image
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    frame_from_image(sys.stdin.buffer.read())
except ValueError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
ALLOWED = (
    250  # MB that a picture may take on top of what the program takes; 30 MB of files unpack to a thousand times that
)


@pytest.mark.process
@pytest.mark.parametrize("kind", LARGEST)
def test_a_picture_cannot_exhaust_memory(kind):
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (1_000 * 2**20, 1_000 * 2**20))  # where it fails, it fails alone

    done = subprocess.run(
        [sys.executable, "-c", READ_WITH_LIMIT], input=LARGEST[kind](), cwd=ROOT, capture_output=True, preexec_fn=limit,
        timeout=60, check=True,
    )  # fmt: skip
    sentence, peak = done.stdout.decode().splitlines()
    assert is_sentence(sentence)
    assert int(peak) < ALLOWED
