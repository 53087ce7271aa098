"""A pair of drawings, or of MNIST test images, as the text of a link."""

import base64
import re
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from core.drawing.strokes import MAX_POINTS, Drawing, check_points, parse_strokes

MAX_LINK = 30_000  # characters
_PER_UNIT = 10  # the precision of pads and links: a tenth of a pad unit
_IMAGE = re.compile("[0-9]{1,4}")  # the number of a MNIST test image; a drawing's text is longer


def encode_drawing(drawing: Drawing) -> str:
    """The drawing as text for a link: letters, digits, "-" and "_". Nothing that a pad can tell apart is lost."""
    numbers = [len(drawing.strokes)]
    x = y = 0
    for stroke in drawing.strokes:
        path = np.round(np.array(stroke.points) * _PER_UNIT).astype(int).tolist()
        numbers += [round(stroke.width * _PER_UNIT), len(path)]
        for next_x, next_y in path:
            numbers += [_zigzag(next_x - x), _zigzag(next_y - y)]
            x, y = next_x, next_y
    packed = zlib.compress(b"".join(map(_as_varint, numbers)), 9)
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def decode_drawing(text: str) -> Drawing:
    """The drawing of a link; raises ValueError if the text is not wholly what `encode_drawing` makes."""
    try:
        numbers = list(_read_varints(_unpack(text)))
        drawing = parse_strokes(_read_strokes(iter(numbers)))
        intact = encode_drawing(drawing) == text
    except (ValueError, zlib.error, StopIteration):
        intact = False
    if not intact:
        raise ValueError("The drawing in this link is damaged or incomplete.")
    return drawing


def encode_pair(sides: tuple[Drawing | int, Drawing | int]) -> str:
    """Both digits of a pair for a link: drawings, or the numbers of unchanged MNIST test images."""
    return ".".join(str(side) if isinstance(side, int) else encode_drawing(side) for side in sides)


def decode_pair(text: str) -> tuple[Drawing | int, Drawing | int]:
    """What `encode_pair` made into a link's `drawing`; raises ValueError with one sentence if it did not."""
    sides = [int(part) if _IMAGE.fullmatch(part) else decode_drawing(part) for part in text.split(".", 2)]
    if len(sides) != 2:
        raise ValueError("The drawing in this link is damaged or incomplete: it must hold two digits.")
    return sides[0], sides[1]


def parse_pair(text: str) -> tuple[int, int]:
    """The numbers of two MNIST test images from a link's `pair`; raises ValueError with one sentence."""
    numbers = text.split("-")
    if len(numbers) != 2 or not all(map(_IMAGE.fullmatch, numbers)):
        raise ValueError(f"The link's pair is {text[:40]!r}, but must be two numbers from 0 to 9999, as in 7-2.")
    return int(numbers[0]), int(numbers[1])


def _unpack(text: str) -> bytes:
    if len(text) > MAX_LINK:
        raise ValueError("too long")
    packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    reader = zlib.decompressobj()
    return reader.decompress(packed, 8 * MAX_POINTS)  # never more than the largest drawing takes


def _read_strokes(numbers: Iterator[int]) -> list[dict[str, Any]]:
    strokes = []
    x = y = 0
    for _ in range(next(numbers)):
        width, count = next(numbers) / _PER_UNIT, next(numbers)
        check_points(count)
        points: list[float] = []
        for _ in range(count):
            x, y = x + _unzigzag(next(numbers)), y + _unzigzag(next(numbers))
            points += [x / _PER_UNIT, y / _PER_UNIT]
        strokes.append({"width": width, "points": points})
    return strokes


def _zigzag(number: int) -> int:
    """A number without a sign for one that may have one; small stays small: 0, -1, 1, -2, … become 0, 1, 2, 3, …"""
    return 2 * number if number >= 0 else -2 * number - 1


def _unzigzag(number: int) -> int:
    return number // 2 if number % 2 == 0 else -(number + 1) // 2


def _as_varint(number: int) -> bytes:
    """A number in as few bytes as it needs: seven bits in each, lowest first; the eighth bit says that more follow.

    For example, 300 = 2 · 128 + 44 becomes the bytes 44 + 128 and 2.
    """
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def _read_varints(content: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in content:
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield number
            number = shift = 0
