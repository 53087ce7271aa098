"""Tensors as small pictures, PNG in a data URI: readable on white and on near-black, for nearest-neighbour scaling."""

import base64
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

POSITIVE, NEGATIVE, ZERO = (47, 134, 214), (217, 115, 26), (128, 138, 151)  # blue, orange, grey
_FAINTEST = 0.12  # opacity of a zero
_FEW = 32  # up to so many pictures stand in rows of 8, more in rows of 16


def picture_digit(frame: NDArray[Any]) -> str:
    """Grey levels (H, W) in 0 to 255, light ink on black as MNIST has it."""
    return _as_uri(Image.fromarray(np.asarray(frame).round().astype(np.uint8)))


def picture_maps(maps: NDArray[Any], strongest: float) -> str:
    """Maps (C, H, W) in rows of 8 or 16 with a pixel between them: blue is positive, orange negative, and the farther
    from zero the stronger, up to `strongest`."""
    count, height, width = maps.shape
    columns = 8 if count <= _FEW else 16
    rows = -(-count // columns)
    sheet = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), np.nan, np.float32)
    for index, values in enumerate(maps):
        top, left = (index // columns) * (height + 1), (index % columns) * (width + 1)
        sheet[top : top + height, left : left + width] = values
    return _as_uri(_paint(sheet, strongest))


def picture_vector(values: NDArray[Any], strongest: float) -> str:
    """A vector (K,) as cells in rows of 16, coloured as maps are."""
    return picture_maps(values[:, None, None], strongest)


def _paint(sheet: NDArray[np.float32], strongest: float) -> Image.Image:
    """A sheet of values as a picture in blue and orange, transparent where the sheet is NaN."""
    strength = np.nan_to_num(np.abs(sheet) / (strongest or 1)).clip(0, 1)[..., None]
    hue = np.where(sheet[..., None] > 0, POSITIVE, NEGATIVE)
    colour = ZERO + (hue - np.array(ZERO)) * strength
    opacity = np.where(np.isnan(sheet)[..., None], 0, 255 * (_FAINTEST + (1 - _FAINTEST) * strength))
    return Image.fromarray(np.concatenate([colour, opacity], axis=2).round().astype(np.uint8), "RGBA")


def _as_uri(image: Image.Image) -> str:
    file = BytesIO()
    image.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
