"""The way from a drawing or a picture to a digit as MNIST holds it: 14 × 14 grey levels of 0 to 255.

MNIST fits a digit into a box of 20 × 20 pixels and lays its centre of mass on pixel (14, 14) of 28 × 28; so does
this module. Strokes are drawn with a pen of constant width in that box, hence where a drawing lies on the pad, how
large it is and how thick its pen was make no difference. Pictures keep their strokes.
"""

import base64
import math
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from scipy import ndimage
from scipy.spatial import cKDTree

Grid = NDArray[np.float32]
Mask = NDArray[np.bool_]
Points = NDArray[np.float64]

PAD = 280.0  # the side of the pad, in pad units
WIDTHS = (2.0, 60.0)  # pen widths, in pad units
MAX_STROKES = 200
MAX_POINTS = 5_000
MAX_LINK = 30_000  # characters
MAX_FILE = 20 * 2**20  # bytes
MAX_PIXELS = 80_000_000  # below the number from which Pillow itself objects
MAX_WHOLE = 20_000_000  # pixels of a picture that cannot be decoded at a fraction of its size, so as to spare memory

FIELD, BOX = 28, 20  # MNIST: a digit fills a box of 20 pixels in a field of 28
CENTRE = 14.5  # MNIST: every centre of mass lies from 14 to 15, measured from the field's corner
PEN = 2.5  # pixels; see benchmarks/drawing.py for how the pen was chosen
EDGE = 1.0  # pixels from paper to full ink
SMALLEST = 10.0  # pad units; a smaller drawing is a dot and keeps its size instead of filling the box
_SPACING = 0.125  # pixels between points of a path: the ink is then true to half a grey level
_MAX_SAMPLES = 10_000  # a scribble longer than these points reach has filled the box
_WORK = 1_024  # pixels of a picture's longer side that are looked at
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")  # what a browser shows
_LEAST_CONTRAST = 20  # grey levels by which a digit must stand out
_EVEN = 8  # grey levels by which an even background may vary
_THINNEST = 1.9  # pixels; a picture's thinner strokes are thickened to this
_PER_UNIT = 10  # the precision of pads and links: a tenth of a pad unit
_IMAGE = re.compile("[0-9]{1,4}")  # the number of a MNIST test image; a drawing's text is longer


@dataclass(frozen=True)
class Stroke:
    """One line of the pen: `points` (x, y) from the pad's upper left corner and `width`, in pad units."""

    points: tuple[tuple[float, float], ...]
    width: float


@dataclass(frozen=True)
class Drawing:
    """What stands on a pad: strokes in the order drawn; none on an empty pad."""

    strokes: tuple[Stroke, ...] = ()

    def as_json(self) -> list[dict[str, Any]]:
        """The form that the browser and `parse_strokes` read: `[{"width": w, "points": [x, y, x, y, …]}, …]`."""
        return [{"width": s.width, "points": [c for point in s.points for c in point]} for s in self.strokes]


@dataclass(frozen=True)
class Steps:
    """The stages from a drawing to a network's input, float32 in 0 to 255.

    `box` (20, 20): fitted; `field` (28, 28): its centre of mass on pixel (14, 14); `frame` (14, 14): 2 × 2 averages.
    """

    box: Grid
    field: Grid
    frame: Grid


# --- strokes ----------------------------------------------------------------------------------------------------------


def parse_strokes(value: object) -> Drawing:
    """The drawing that a browser sent as `Drawing.as_json` describes; raises ValueError with one sentence."""
    if not isinstance(value, list):
        raise ValueError("A drawing must be a list of strokes.")
    if len(value) > MAX_STROKES:
        raise ValueError(f"The drawing has {len(value):,} strokes, but at most {MAX_STROKES} are allowed.")
    strokes = tuple(_parse_stroke(stroke) for stroke in value)
    _check_points(sum(len(stroke.points) for stroke in strokes))
    return Drawing(strokes)


def _parse_stroke(value: object) -> Stroke:
    if not isinstance(value, dict) or value.keys() != {"width", "points"}:
        raise ValueError('A stroke must be an object of "width" and "points".')
    width, points = value["width"], value["points"]
    if not _is_within(width, *WIDTHS):
        raise ValueError(f"A stroke's width must be a number from {WIDTHS[0]:g} to {WIDTHS[1]:g}.")
    if not isinstance(points, list) or not points or len(points) % 2:
        raise ValueError("A stroke's points must be a list of x, y, x, y, … with at least one point.")
    _check_points(len(points) // 2)
    if not all(_is_within(number, 0, PAD) for number in points):
        raise ValueError(f"A stroke's coordinates must be numbers from 0 to {PAD:g}.")
    numbers = [float(number) for number in points]
    return Stroke(tuple(zip(numbers[::2], numbers[1::2], strict=True)), float(width))


def _is_within(value: object, low: float, high: float) -> bool:
    # bool is a kind of int to Python, but no number to a reader; NaN fails the comparison.
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _check_points(count: int) -> None:
    if count > MAX_POINTS:
        raise ValueError(f"The drawing has {count:,} points, but at most {MAX_POINTS:,} are allowed.")


def frame_from_strokes(drawing: Drawing) -> Grid:
    """(14, 14) float32 in 0 to 255; raises ValueError where the pad is empty."""
    return steps_from_strokes(drawing).frame


def steps_from_strokes(drawing: Drawing) -> Steps:
    """The stages of a drawing; raises ValueError where the pad is empty."""
    if not drawing.strokes:
        raise ValueError("The pad is empty: draw a digit first.")
    path = cKDTree(_fit_path(*_pieces(drawing)))
    box = _draw_path(path, BOX, np.zeros(2))
    field = _draw_path(path, FIELD, CENTRE - centre_of_mass(box))
    return Steps(box, field, halve_field(field))


def _pieces(drawing: Drawing) -> tuple[Points, Points]:
    """Starts and ends (S, 2) of all straight pieces, in pad units; a stroke of one point has no length."""
    starts: list[tuple[float, float]] = []
    ends: list[tuple[float, float]] = []
    for stroke in drawing.strokes:
        starts += stroke.points[:-1] or stroke.points
        ends += stroke.points[1:] or stroke.points
    return np.array(starts), np.array(ends)


def _fit_path(starts: Points, ends: Points) -> Points:
    """Points (P, 2) along the path of the pen, in pixels: as large as the box allows, in its middle."""
    low, high = np.minimum(starts, ends).min(0), np.maximum(starts, ends).max(0)
    scale = (BOX - PEN) / max(float((high - low).max()), SMALLEST)
    along = (ends - starts) * scale
    lengths = np.hypot(along[:, 0], along[:, 1])
    spacing = max(_SPACING, float(lengths.sum()) / _MAX_SAMPLES)
    counts = np.ceil(lengths / spacing).astype(int)
    piece = np.repeat(np.arange(len(starts)), counts)
    place = np.arange(len(piece)) - np.repeat(counts.cumsum() - counts, counts)  # 0, 1, … within each piece
    between = starts[piece] * scale + along[piece] * (place / counts[piece])[:, None]
    path: Points = np.concatenate([between, ends * scale]) + (BOX - (low + high) * scale) / 2
    return path


def _draw_path(path: cKDTree, side: int, shift: Points) -> Grid:
    """Ink (side, side) of the path moved by `shift`: full within the pen's width, falling off over `EDGE`."""
    centres = np.arange(side) + 0.5
    pixels = np.stack(np.meshgrid(centres, centres), -1) - shift  # (side, side, 2)
    reach = (PEN + EDGE) / 2
    distances, _ = path.query(pixels, distance_upper_bound=reach)  # beyond its reach infinite, hence no ink
    ink: Grid = (255 * np.clip((reach - distances) / EDGE, 0, 1)).astype(np.float32)
    return ink


def centre_of_mass(ink: Grid) -> Points:
    """(x, y) of the ink in pixels from the upper left corner; raises ValueError where there is none."""
    total = float(ink.sum())
    if not total > 0:
        raise ValueError("There is no ink, so it has no centre of mass.")
    height, width = ink.shape
    x = float(ink.sum(0) @ (np.arange(width) + 0.5)) / total
    y = float(ink.sum(1) @ (np.arange(height) + 0.5)) / total
    return np.array([x, y])


def halve_field(field: Grid) -> Grid:
    """(28, 28) -> (14, 14): averages over 2 × 2 pixels."""
    halved: Grid = field.reshape(FIELD // 2, 2, FIELD // 2, 2).mean((1, 3), dtype=np.float32)
    return halved


def steps_from_field(field: Grid) -> Steps:
    """The stages of an image (28, 28) as MNIST holds it, which are those that led there; the image itself is kept."""
    ink = field[_bounds(field > 0)]
    spare = [(BOX - side) // 2 for side in ink.shape]
    box = np.pad(ink, [(before, BOX - before - side) for before, side in zip(spare, ink.shape, strict=True)])
    return Steps(box, field, halve_field(field))


# --- pictures ---------------------------------------------------------------------------------------------------------


def frame_from_image(picture: Image.Image | bytes | Path) -> Grid:
    """(14, 14) float32 in 0 to 255 from a picture of one digit, whatever its size, background and orientation.

    `picture` is an image, the content of an image file or its path. Raises ValueError with one sentence where there
    is no readable picture, where it is too large, and where no digit stands out.
    """
    return steps_from_image(picture).frame


def steps_from_image(picture: Image.Image | bytes | Path) -> Steps:
    """The stages of a picture; raises ValueError as `frame_from_image`."""
    ink = ink_from_image(picture)
    field = _centre_ink(ink)
    return Steps(_box_ink(ink), field, halve_field(field))


def _box_ink(ink: Grid) -> Grid:
    height, width = ink.shape
    unit = max(ink.shape) / BOX  # pixels of the picture in one of the box
    return _average_areas(ink, (width - BOX * unit) / 2, (height - BOX * unit) / 2, BOX)


def _centre_ink(ink: Grid) -> Grid:
    unit = max(ink.shape) / BOX
    left, top = centre_of_mass(ink) - CENTRE * unit
    if unit == 1:  # nothing to average, and a part of a pixel would blur what is sharp: MNIST moved by whole pixels
        left, top = np.floor(left + 0.5), np.floor(top + 0.5)
    return _average_areas(ink, left, top, FIELD)


def _average_areas(ink: Grid, left: float, top: float, side: int) -> Grid:
    """(side, side) from a square window onto the ink, in box pixels; `left`, `top` in the picture's; 0 around it."""
    height, width = ink.shape
    reach = max(ink.shape) / BOX * side
    before = [max(math.ceil(-start), 0) for start in (top, left)]
    after = [max(math.ceil(start + reach - size), 0) for start, size in ((top, height), (left, width))]
    roomy = Image.fromarray(np.pad(ink, list(zip(before, after, strict=True))))
    window = (left + before[1], top + before[0], left + before[1] + reach, top + before[0] + reach)
    filtering = Image.Resampling.BICUBIC if max(ink.shape) < BOX else Image.Resampling.BOX
    return np.clip(np.asarray(roomy.resize((side, side), filtering, window), np.float32), 0, 255)


def ink_from_image(picture: Image.Image | bytes | Path) -> Grid:
    """The ink (H, W) of a picture, float32: 0 on its background, 255 in full strokes, no side above 1,024 pixels.

    Raises ValueError as `frame_from_image`.
    """
    image = picture if isinstance(picture, Image.Image) else _open_image(picture)
    grey = _grey_levels(image)
    grey = grey if _is_light_on_dark(grey) else 255 - grey
    ink = grey - _background(grey)
    strong = ink > ink.max() / 4
    noise = max(2 * float(np.median(ink[~strong])), 0.0) if strong.any() else 0.0
    full = float(np.percentile(ink[strong], 99)) if strong.any() else 0.0
    if full - noise < _LEAST_CONTRAST:
        raise ValueError("No digit stands out in the picture: it is of one flat colour or too faint.")
    ink = np.clip((ink - noise) / (full - noise), 0, 1) * np.float32(255)
    return _thicken(_without_specks(ink))


def _open_image(source: bytes | Path) -> Image.Image:
    content = _read_file(source)
    with _in_our_words():
        image = Image.open(BytesIO(content), formats=_FORMATS)
    _check_pixels(image)
    with _in_our_words():
        if "progressive" not in image.info:  # such a JPEG is held whole, whatever comes out
            image.draft("L", (_WORK, _WORK))  # a JPEG is decoded at a fraction of its size
    _check_pixels(image, MAX_WHOLE)
    with _in_our_words():
        image.load()
    return image


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Whatever Pillow raises of a file as a ValueError with one sentence."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValueError(f"The picture has more than the {MAX_PIXELS // 10**6} megapixels allowed.") from None
    except UnidentifiedImageError:
        raise ValueError("The file is no picture that can be read; PNG, JPEG, WebP, GIF and BMP can.") from None
    except (OSError, SyntaxError, EOFError, IndexError, ValueError, struct.error, zlib.error) as error:
        if "MAX_TEXT" in str(error):  # Pillow's two limits: 1 MB for one of them, 64 MB for all
            raise ValueError(
                "The picture's file carries a text or a colour profile that unpacks to more than 1 MB; save it without."
            ) from None
        raise ValueError("The picture's file is damaged or cut short.") from None


def _read_file(source: bytes | Path) -> bytes:
    try:
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        if size > MAX_FILE:
            raise ValueError(f"The picture's file has {size >> 20} MB, but at most {MAX_FILE >> 20} are allowed.")
        content = source if isinstance(source, bytes) else source.read_bytes()
    except OSError as error:
        raise ValueError(f"The picture {source!s} cannot be read: {error.strerror}.") from None
    if not content:
        raise ValueError("The picture's file is empty.")
    return content


def _check_pixels(image: Image.Image, most: int = MAX_PIXELS) -> None:
    pixels = image.width * image.height
    if pixels > most:
        plain = "" if most == MAX_PIXELS else " unless it is a plain JPEG"
        allowed = f"at most {most // 10**6} are allowed{plain}"
        raise ValueError(f"The picture has {pixels / 1e6:.0f} megapixels, but {allowed}.")


def _grey_levels(image: Image.Image) -> Grid:
    """(H, W) float32 in 0 to 255, upright, opaque, no side above `_WORK`."""
    _check_pixels(image)
    deep = image.mode.startswith(("I", "F"))  # more than eight bits
    if deep:
        image = image.convert("F")
    elif image.has_transparency_data:
        image = image.convert("RGBA") if image.mode != "RGBA" else image
    elif image.mode not in ("L", "RGB"):
        image = image.convert("RGB")
    factor = -(-max(image.size) // _WORK)
    image = _upright(image.reduce(factor) if factor > 1 else image)
    if deep:  # stretched, since Pillow would clip it
        levels = np.asarray(image, np.float32)
        return np.asarray((levels - levels.min()) * (255 / max(float(np.ptp(levels)), 1)), np.float32)
    return np.asarray(_opaque(image).convert("L"), np.float32)


def _upright(image: Image.Image) -> Image.Image:
    """The picture turned as its EXIF says; as it lies where that cannot be read."""
    try:
        return ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, struct.error):
        return image


def _opaque(image: Image.Image) -> Image.Image:
    """Transparent pictures on white where what they show is dark, on black where it is light."""
    if image.mode != "RGBA":
        return image
    alpha = np.asarray(image.getchannel("A"), np.float32)
    shown = np.asarray(image.convert("L"), np.float32)
    light = float((shown * alpha).sum()) > 127.5 * float(alpha.sum())
    return Image.alpha_composite(Image.new("RGBA", image.size, "black" if light else "white"), image)


def _is_light_on_dark(grey: Grid) -> bool:
    """Whether the picture departs from its border's level farther towards white than towards black."""
    coarse = _shrink(grey, 64)  # averages, so that grain does not decide
    level = float(np.median(_border(coarse)))
    return float(coarse.max()) - level >= level - float(coarse.min())


def _border(grey: Grid) -> Grid:
    rim = max(min(grey.shape) // 16, 1)
    outer = np.ones(grey.shape, bool)
    outer[rim:-rim, rim:-rim] = False
    return grey[outer]


def _background(grey: Grid) -> Grid:
    """The level (H, W) under light ink: that of an even border, else what anything narrower than half goes on."""
    coarse = _shrink(grey, 128)
    border = _border(coarse)
    level = np.median(border)
    if np.mean(np.abs(border - level) <= _EVEN) >= 0.75:
        return np.full(grey.shape, level, np.float32)
    opened = ndimage.grey_opening(ndimage.median_filter(coarse, 3), max(max(coarse.shape) // 2, 3))
    smooth = ndimage.uniform_filter(opened, max(max(coarse.shape) // 16, 1))
    height, width = grey.shape
    return np.asarray(Image.fromarray(smooth).resize((width, height), Image.Resampling.BILINEAR))


def _shrink(grey: Grid, side: int) -> Grid:
    factor = -(-max(grey.shape) // side)
    return np.asarray(Image.fromarray(grey).reduce(factor)) if factor > 1 else grey


def _without_specks(ink: Grid) -> Grid:
    """The ink cut to its extent, without the patches that hold less than a twentieth of the largest patch's ink."""
    # In a tiny picture the soft rim of a stroke is a part of the digit's size, in a large one it is blur.
    seen = ink > (8 if max(ink.shape) <= 64 else 64)
    labels, count = ndimage.label(seen, np.ones((3, 3)))
    weights = ndimage.sum_labels(ink, labels, np.arange(1, count + 1))
    kept = np.concatenate([[False], weights >= weights.max() / 20])[labels]
    return np.where(kept, ink, 0)[_bounds(kept)].astype(np.float32)


def _thicken(ink: Grid) -> Grid:
    """Ink whose strokes would be thinner than MNIST's thinnest, thickened to that; other ink as it is."""
    unit = max(ink.shape) / BOX
    if unit < 3:
        return ink
    mask = np.pad(ink >= 128, 1)
    width = 4 * float(ndimage.distance_transform_edt(mask)[mask].mean()) - 2  # a bar is a quarter deep on average
    grow = (_THINNEST * unit - width) / 2
    if grow <= 0.5:
        return ink
    roomy = np.pad(ink < 128, math.ceil(grow) + 1, constant_values=True)
    outside = ndimage.distance_transform_edt(roomy)
    grown: Grid = (255 * np.clip(grow + 1 - outside, 0, 1)).astype(np.float32)
    return grown


def change_width(ink: Grid, share: float) -> Grid:
    """Ink (H, W), its strokes many pixels wide, made wider by `share` of their mean width: its edge moves outwards."""
    mask = np.pad(ink >= 128, 1)[1:-1, 1:-1]
    inside = ndimage.distance_transform_edt(mask)
    middle = inside >= ndimage.maximum_filter(inside, 3)
    width = 2 * float(inside[mask & middle].mean())
    signed = np.where(mask, inside - 0.5, 0.5 - ndimage.distance_transform_edt(~mask))  # pixels within the ink
    changed: Grid = (255 * np.clip(signed + share * width / 2 + 0.5, 0, 1)).astype(np.float32)
    return changed


def change_pen(field: Grid, share: float) -> Grid:
    """A digit (28, 28) as a pen would write it that is thicker by `share` of its width, or thinner."""
    large = np.asarray(Image.fromarray(field).resize((8 * FIELD, 8 * FIELD), Image.Resampling.BICUBIC))
    changed: Grid = change_width(large, share).reshape(FIELD, 8, FIELD, 8).mean((1, 3), dtype=np.float32)
    return changed


# --- tracing ----------------------------------------------------------------------------------------------------------

_TRACED = 100  # pixels that the longer side of a digit has while it is traced
_TRACED_LEVEL = 128  # grey level from which a pixel is ink
_BLOB = 1.25  # pen radii from the edge at which ink is more than a line


def trace_digit(ink: Grid) -> Drawing:
    """The strokes of a picture (H, W) of a digit, ink light on 0; the picture's longer side spans the pad.

    The strokes run along the middle of the ink, with its usual width. Raises ValueError where there is no ink.
    """
    rows, columns = _bounds(ink >= _TRACED_LEVEL)
    cut = Image.fromarray(ink[rows, columns].astype(np.float32))
    zoom = _TRACED / max(cut.size)
    width, height = (max(round(side * zoom), 1) for side in cut.size)
    enlarged = np.asarray(cut.resize((width, height), Image.Resampling.BICUBIC))
    mask = np.pad(enlarged >= _TRACED_LEVEL, 2)
    depth = ndimage.distance_transform_edt(mask)
    middle = _keep_patches(thin_mask(mask), mask, depth)
    radius = float(np.median(depth[middle]))
    middle = _outline_blobs(middle, depth >= _BLOB * radius)
    unit = PAD / max(ink.shape)
    corner = np.array([columns.start, rows.start]) - 1.5 / zoom  # 2 pixels of padding, half a pixel to centres
    paths = [(corner + path / zoom) * unit for path in _smooth_paths(_walk(middle), radius)]
    pen = round(float(np.clip(2 * radius / zoom * unit, *WIDTHS)), 1)
    return Drawing(tuple(Stroke(_as_points(path), pen) for path in paths))


def _keep_patches(middle: Mask, mask: Mask, depth: Points) -> Mask:
    """The skeleton with the deepest pixel of every patch that thinning wore away, as it does with a disc."""
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    lost = np.setdiff1d(np.arange(1, count + 1), labels[middle])
    for row, column in ndimage.maximum_position(depth, labels, lost):
        middle[row, column] = True
    return middle


def _outline_blobs(middle: Mask, blobs: Mask) -> Mask:
    """The skeleton with a round where ink is too wide for one line of the pen, as in a loop that ran full."""
    outlined: Mask = (middle | blobs) & ~ndimage.binary_erosion(blobs)
    return outlined


def thin_mask(mask: Mask) -> Mask:
    """The skeleton of a mask whose border is empty, one pixel wide (Zhang and Suen, 1984)."""
    skeleton = mask.copy()
    while True:
        before = skeleton.sum()
        for deletable in _DELETABLE:
            skeleton[1:-1, 1:-1] &= ~deletable[_neighbourhoods(skeleton)]
        if skeleton.sum() == before:
            return skeleton


_AROUND = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))  # (row, column), from the north on


def _neighbourhoods(mask: Mask) -> NDArray[np.uint8]:
    """For each inner pixel its eight neighbours as the bits of one byte."""
    height, width = mask.shape
    codes = np.zeros((height - 2, width - 2), np.uint8)
    for bit, (row, column) in enumerate(_AROUND):
        codes |= mask[1 + row : height - 1 + row, 1 + column : width - 1 + column].view(np.uint8) << np.uint8(bit)
    return codes


def _deletable_codes(corners: tuple[tuple[int, int, int], ...]) -> Mask:
    """Which of the 256 neighbourhoods let their middle go: two to six neighbours in one arc, `corners` not all set."""
    around = (np.arange(256)[:, None] >> np.arange(8)) & 1 == 1  # (256, 8)
    count = around.sum(1)
    arcs = (~around & np.roll(around, -1, 1)).sum(1)
    free = np.logical_and.reduce([~around[:, corner].all(1) for corner in corners])
    deletable: Mask = (count >= 2) & (count <= 6) & (arcs == 1) & free
    return deletable


_DELETABLE = (_deletable_codes(((0, 2, 4), (2, 4, 6))), _deletable_codes(((0, 2, 6), (0, 4, 6))))

Pixel = tuple[int, int]  # row, column


def _walk(skeleton: Mask) -> list[Points]:
    """The skeleton as paths (P, 2) of x, y: from each end straight on through crossings, until all is visited."""
    left = {(int(row), int(column)) for row, column in zip(*skeleton.nonzero(), strict=True)}
    every = set(left)
    paths = []
    while left:
        start = min(left, key=lambda pixel: (len(_neighbours(pixel, left)), pixel))
        path = [start]
        left.discard(start)
        while near := _neighbours(path[-1], left):
            path.append(max(near, key=lambda pixel: _straightness(path, pixel)))
            left.discard(path[-1])
        paths.append(_close_gaps(path, every))
    return [np.array(path, float)[:, ::-1] for path in paths]


def _neighbours(pixel: Pixel, among: set[Pixel]) -> list[Pixel]:
    near = ((pixel[0] + row, pixel[1] + column) for row, column in _AROUND)
    return [other for other in near if other in among]


def _straightness(path: list[Pixel], pixel: Pixel) -> float:
    """Cosine between the path's last six pixels and the step to `pixel`."""
    end, before = path[-1], path[max(len(path) - 7, 0)]
    row, column = end[0] - before[0], end[1] - before[1]
    step_row, step_column = pixel[0] - end[0], pixel[1] - end[1]
    length = math.hypot(row, column) * math.hypot(step_row, step_column)
    # Without a direction yet, the four straight neighbours come first, so that no pixel is left behind.
    return (row * step_row + column * step_column) / length if length else -math.hypot(step_row, step_column)


def _close_gaps(path: list[Pixel], every: set[Pixel]) -> list[Pixel]:
    """The path, joined at both ends to a neighbour on a path walked before, or to itself where it closes."""
    for _ in range(2):
        path.reverse()
        own = set(path[-3:])
        near = [pixel for pixel in _neighbours(path[-1], every) if pixel not in own]
        if near:
            path.append(near[0])
    return path


def _smooth_paths(paths: list[Points], radius: float) -> list[Points]:
    """Paths without spurs (shorter than the pen's radius) and without the steps of pixels, thinned to few points."""
    lengths = [float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum()) for path in paths]
    kept = [path for path, length in zip(paths, lengths, strict=True) if length >= min(radius, max(lengths))]
    return [_simplify(_smooth(path), 0.3) for path in kept]


def _smooth(path: Points) -> Points:
    smoothed: Points = ndimage.gaussian_filter1d(path, 2.0, axis=0, mode="nearest")
    smoothed[[0, -1]] = path[[0, -1]]
    return smoothed


def _simplify(path: Points, tolerance: float) -> Points:
    """Those points of `path` without which it would move by more than `tolerance` (Douglas and Peucker, 1973)."""
    keep = np.zeros(len(path), bool)
    keep[[0, -1]] = True
    spans = [(0, len(path) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        distances = _distances_to_chord(path[first + 1 : last], path[first], path[last])
        farthest = int(distances.argmax())
        if distances[farthest] > tolerance:
            middle = first + 1 + farthest
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return path[keep]


def _distances_to_chord(points: Points, start: Points, end: Points) -> Points:
    along, offset = end - start, points - start
    share = np.clip(offset @ along / max(float(along @ along), 1e-12), 0, 1)
    away = offset - share[:, None] * along
    distances: Points = np.hypot(away[:, 0], away[:, 1])
    return distances


def _as_points(path: Points) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in np.clip(path, 0, PAD).round(1))


def _bounds(mask: Mask) -> tuple[slice, slice]:
    """Rows and columns of the mask's extent; raises ValueError where it is empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        raise ValueError("The picture shows no ink.")
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


# --- links ------------------------------------------------------------------------------------------------------------


def encode_drawing(drawing: Drawing) -> str:
    """The drawing, as exact as the pads are, as letters, digits, "-" and "_" for a link."""
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
    """The drawing of a link; raises ValueError where the text is not wholly what `encode_drawing` makes."""
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
    """What `encode_pair` made into a link's `drawing`; raises ValueError with one sentence where it did not."""
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
        _check_points(count)
        points: list[float] = []
        for _ in range(count):
            x, y = x + _unzigzag(next(numbers)), y + _unzigzag(next(numbers))
            points += [x / _PER_UNIT, y / _PER_UNIT]
        strokes.append({"width": width, "points": points})
    return strokes


def _zigzag(number: int) -> int:
    """Small numbers of either sign as small numbers without: 0, -1, 1, -2, … as 0, 1, 2, 3, …"""
    return 2 * number if number >= 0 else -2 * number - 1


def _unzigzag(number: int) -> int:
    return number // 2 if number % 2 == 0 else -(number + 1) // 2


def _as_varint(number: int) -> bytes:
    """Seven bits a byte, lowest first; the eighth says that more follow."""
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
