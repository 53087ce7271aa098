"""Traces the picture of a digit: finds strokes of a pen that draw it again."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from core.drawing.ink import Grid, Mask, Points, find_bounds
from core.drawing.strokes import PAD, WIDTHS, Drawing, Stroke

_TRACED = 100  # pixels that the longer side of a digit has while it is traced
_TRACED_LEVEL = 128  # grey level from which a pixel is ink
_BLOB = 1.25  # pen radii from the edge at which ink is more than a line


def trace_digit(ink: Grid) -> Drawing:
    """The strokes of a picture (H, W) of a digit, ink light on 0; the picture's longer side spans the pad.

    The strokes run along the middle of the ink, with its usual width. Raises ValueError if there is no ink.
    """
    rows, columns = find_bounds(ink >= _TRACED_LEVEL)
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
    """The skeleton, with one pixel put back for each patch of ink that thinning has removed altogether, like a disc.

    It is the patch's deepest pixel: the one that is farthest from its edge.
    """
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    lost = np.setdiff1d(np.arange(1, count + 1), labels[middle])
    for row, column in ndimage.maximum_position(depth, labels, lost):
        middle[row, column] = True
    return middle


def _outline_blobs(middle: Mask, blobs: Mask) -> Mask:
    """The skeleton, with an outline around ink that is too wide for one line of the pen, as in a loop that ran full."""
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
    """For each of the 256 neighbourhoods, whether thinning removes its middle pixel: it has two to six
    neighbours, which lie in one arc without a gap, and not all of `corners` are among them."""
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
    """The path, joined at both ends to a neighbour on a path walked before, or to itself if it closes."""
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
