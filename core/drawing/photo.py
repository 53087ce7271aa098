"""From a picture of a digit, whatever its size, background and orientation, to the digit as MNIST holds it."""

import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from scipy import ndimage

from core.drawing.ink import BOX, CENTRE, FIELD, Grid, Steps, centre_of_mass, find_bounds, halve_field

MAX_FILE = 20 * 2**20  # bytes
MAX_PIXELS = 80_000_000  # below the number from which Pillow itself objects
MAX_WHOLE = 20_000_000  # pixels of a picture that cannot be decoded at a fraction of its size, so as to spare memory
_WORK = 1_024  # pixels of a picture's longer side that are looked at
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")  # what a browser shows
_LEAST_CONTRAST = 20  # grey levels by which a digit must stand out
_EVEN = 8  # grey levels by which an even background may vary
_THINNEST = 1.9  # pixels; a picture's thinner strokes are thickened to this


def frame_from_image(picture: Image.Image | bytes | Path) -> Grid:
    """(14, 14) float32 in 0 to 255 from a picture of one digit, whatever its size, background and orientation.

    `picture` is an image, the content of an image file or its path. Raises ValueError with one sentence if there
    is no readable picture, if it is too large, and if no digit stands out.
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
    """Turn whatever Pillow raises about a file into a ValueError with one sentence."""
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
        if isinstance(source, bytes):
            content = source
        else:
            with source.open("rb") as file:
                content = file.read(MAX_FILE + 1)  # a device might never end
    except OSError as error:
        raise ValueError(f"The picture {source!s} cannot be read: {error.strerror}.") from None
    if len(content) > MAX_FILE:
        raise ValueError(f"The picture's file is larger than the {MAX_FILE >> 20} MB allowed.")
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
    """The picture turned as its EXIF says; as it lies if that cannot be read."""
    try:
        return ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, struct.error):
        return image


def _opaque(image: Image.Image) -> Image.Image:
    """Transparent pictures on white if what they show is dark, on black if it is light."""
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
    """The grey level of the background (H, W), for ink that is lighter than it.

    If the picture's border is even, its level is that of the whole background. Otherwise the background changes from
    place to place: it is the picture without all light things that are narrower than half of it.
    """
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
    return np.where(kept, ink, 0)[find_bounds(kept)].astype(np.float32)


def _thicken(ink: Grid) -> Grid:
    """The ink; if its strokes would be thinner than the thinnest in MNIST, they are thickened to that."""
    unit = max(ink.shape) / BOX
    if unit < 3:
        return ink
    mask = np.pad(ink >= 128, 1)
    width = (
        4 * float(ndimage.distance_transform_edt(mask)[mask].mean()) - 2
    )  # of a bar, pixels lie on average a quarter of its width from its edge
    grow = (_THINNEST * unit - width) / 2
    if grow <= 0.5:
        return ink
    roomy = np.pad(ink < 128, math.ceil(grow) + 1, constant_values=True)
    outside = ndimage.distance_transform_edt(roomy)
    grown: Grid = (255 * np.clip(grow + 1 - outside, 0, 1)).astype(np.float32)
    return grown
