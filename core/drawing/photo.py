"""From a picture of a digit, whatever its size, background and orientation, to the strokes that draw it."""

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

from core.drawing.ink import BOX, Grid, find_bounds
from core.drawing.strokes import Drawing, frame_from_strokes
from core.drawing.tracing import trace_digit

MAX_FILE = 20 * 2**20  # bytes
MAX_PIXELS = 80_000_000  # below the number from which Pillow itself objects
MAX_WHOLE = 20_000_000  # pixels of a picture that cannot be decoded at a fraction of its size, so as to spare memory
_WORK = 1_024  # pixels of a picture's longer side that are looked at
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")  # what a browser shows
_LEAST_CONTRAST = 20  # grey levels by which a digit must stand out
_EVEN = 8  # grey levels by which an even background may vary
_WIDEST = 0.2  # of a picture's longer side: a wider light thing on an uneven background is no stroke
_THINNEST = 1.9  # pixels; a picture's thinner strokes are thickened to this


def frame_from_image(picture: Image.Image | bytes | Path) -> Grid:
    """(14, 14) float32 in 0 to 255, what networks see of a picture of one digit; errors as in `trace_picture`."""
    return frame_from_strokes(trace_picture(picture))


def trace_picture(picture: Image.Image | bytes | Path) -> Drawing:
    """The strokes of a picture of one digit, whatever its size, background and orientation.

    The command line and the pads both read pictures so, and thus give the same answers. `picture` is an image, the
    content of an image file or its path. Raises ValueError with one sentence if there is no readable picture, if it
    is too large, and if no digit stands out.
    """
    return trace_digit(ink_from_image(picture))


def ink_from_image(picture: Image.Image | bytes | Path) -> Grid:
    """The ink (H, W) of a picture, float32: 0 on its background, 255 in full strokes, no side above 1,024 pixels.

    Raises ValueError as `trace_picture`.
    """
    image = picture if isinstance(picture, Image.Image) else _open_image(picture)
    grey = _grey_levels(image)
    grey = grey if _is_light_on_dark(grey) else 255 - grey
    background = _background(grey)
    share = 255 / np.maximum(255 - background, 32)  # a shadow weakens paper and ink alike
    ink: Grid = ((grey - background) * share).astype(np.float32)
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
    """Whether the picture departs from its background farther towards white than towards black."""
    coarse = _shrink(grey, 64)  # averages, so that grain does not decide
    if _has_even_border(coarse):
        level = float(np.median(_border(coarse)))
        return float(coarse.max()) - level >= level - float(coarse.min())
    # A wide median keeps a shadow's straight edge and loses strokes; ratios, since ink stands out more than a shadow.
    brightness = np.log(coarse + 32)
    change = brightness - ndimage.median_filter(brightness, max(max(coarse.shape) * 2 // 5, 3))
    return float(change.max()) >= -float(change.min())


def _has_even_border(grey: Grid) -> bool:
    border = _border(grey)
    return float(np.mean(np.abs(border - np.median(border)) <= _EVEN)) >= 0.75


def _open(grey: Grid) -> Grid:
    """The picture without all light things that are narrower than a disc of `_WIDEST` of its longer side.

    A disc, since it follows a straight edge of any direction, as a shadow has it; a square leaves steps behind.
    Beyond the rim everything counts as light, or the corner that a shadow cuts off would be a narrow thing too.
    """
    radius = max(round(max(grey.shape) * _WIDEST / 2), 2)
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    disc = x * x + y * y <= radius * radius
    low = ndimage.grey_erosion(np.pad(grey, radius, constant_values=255), footprint=disc, mode="constant", cval=255)
    opened = ndimage.grey_dilation(low, footprint=disc, mode="constant")
    return np.asarray(opened[radius:-radius, radius:-radius], np.float32)


def _border(grey: Grid) -> Grid:
    rim = max(min(grey.shape) // 16, 1)
    outer = np.ones(grey.shape, bool)
    outer[rim:-rim, rim:-rim] = False
    return grey[outer]


def _background(grey: Grid) -> Grid:
    """The grey level of the background (H, W), for ink that is lighter than it.

    If the picture's border is even, its level is that of the whole background. Otherwise the background changes from
    place to place, perhaps at a shadow's edge: it is the picture without all light things as narrow as a stroke.
    """
    coarse = _shrink(grey, 128)
    if _has_even_border(coarse):
        return np.full(grey.shape, np.median(_border(coarse)), np.float32)
    opened = _open(ndimage.median_filter(coarse, 3))
    wide = ndimage.grey_dilation(opened, 3)  # or a shadow's edge, sharper in the picture than here, would be a line
    height, width = grey.shape
    return np.asarray(Image.fromarray(wide).resize((width, height), Image.Resampling.BILINEAR))


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
