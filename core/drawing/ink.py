"""A digit as MNIST holds it: fitted into a box, centred in a field, averaged to 14 × 14 pixels.

Ink is grey levels of 0 to 255, light on a background of 0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

Grid = NDArray[np.float32]
Mask = NDArray[np.bool_]
Points = NDArray[np.float64]

FIELD, BOX = 28, 20  # MNIST: a digit fills a box of 20 pixels in a field of 28
CENTRE = 14.5  # MNIST: every centre of mass lies from 14 to 15, measured from the field's corner


@dataclass(frozen=True)
class Steps:
    """The stages from a drawing to a network's input, float32 in 0 to 255.

    `box` (20, 20): fitted; `field` (28, 28): its centre of mass on pixel (14, 14); `frame` (14, 14): 2 × 2 averages.
    """

    box: Grid
    field: Grid
    frame: Grid


def centre_of_mass(ink: Grid) -> Points:
    """(x, y) of the ink in pixels from the upper left corner; raises ValueError if there is none."""
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
    """The stages of an image (28, 28) that is in MNIST's form already: the box is cut from it, and it is itself the
    field."""
    ink = field[find_bounds(field > 0)]
    spare = [(BOX - side) // 2 for side in ink.shape]
    box = np.pad(ink, [(before, BOX - before - side) for before, side in zip(spare, ink.shape, strict=True)])
    return Steps(box, field, halve_field(field))


def change_width(ink: Grid, share: float) -> Grid:
    """Ink (H, W) made wider by `share` of its strokes' mean width, which is many pixels: its edges move outwards."""
    mask = np.pad(ink >= 128, 1)[1:-1, 1:-1]
    inside = ndimage.distance_transform_edt(mask)
    middle = inside >= ndimage.maximum_filter(inside, 3)
    width = 2 * float(inside[mask & middle].mean())
    signed = np.where(mask, inside - 0.5, 0.5 - ndimage.distance_transform_edt(~mask))  # pixels within the ink
    changed: Grid = (255 * np.clip(signed + share * width / 2 + 0.5, 0, 1)).astype(np.float32)
    return changed


def change_pen(field: Grid, share: float) -> Grid:
    """A digit (28, 28) as if its pen had been thicker by `share` of its width; thinner if `share` is negative."""
    large = np.asarray(Image.fromarray(field).resize((8 * FIELD, 8 * FIELD), Image.Resampling.BICUBIC))
    changed: Grid = change_width(large, share).reshape(FIELD, 8, FIELD, 8).mean((1, 3), dtype=np.float32)
    return changed


def find_bounds(mask: Mask) -> tuple[slice, slice]:
    """Rows and columns of the mask's extent; raises ValueError if it is empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        raise ValueError("The picture shows no ink.")
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
