"""Strokes of a pen on a pad, and the digit that they make.

The strokes are drawn anew with a pen of constant width in MNIST's box of 20 × 20 pixels. Hence it makes no difference
where a drawing lies on the pad, how large it is and how thick its pen was.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from core.drawing.ink import BOX, CENTRE, FIELD, Grid, Points, Steps, centre_of_mass, halve_field

PAD = 280.0  # the side of the pad, in pad units
WIDTHS = (2.0, 60.0)  # pen widths, in pad units
MAX_STROKES = 200
MAX_POINTS = 5_000
PEN = 2.5  # pixels; see benchmarks/drawing.py for how the pen was chosen
EDGE = 1.0  # pixels from paper to full ink
SMALLEST = 10.0  # pad units; a smaller drawing is a dot and keeps its size instead of filling the box
_SPACING = 0.125  # pixels between points of a path: the ink is then true to half a grey level
_MAX_SAMPLES = 10_000  # a scribble longer than these points reach has filled the box


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


def parse_strokes(value: object) -> Drawing:
    """The drawing that a browser sent as `Drawing.as_json` describes; raises ValueError with one sentence."""
    if not isinstance(value, list):
        raise ValueError("A drawing must be a list of strokes.")
    if len(value) > MAX_STROKES:
        raise ValueError(f"The drawing has {len(value):,} strokes, but at most {MAX_STROKES} are allowed.")
    strokes = tuple(_parse_stroke(stroke) for stroke in value)
    check_points(sum(len(stroke.points) for stroke in strokes))
    return Drawing(strokes)


def _parse_stroke(value: object) -> Stroke:
    if not isinstance(value, dict) or value.keys() != {"width", "points"}:
        raise ValueError('A stroke must be an object of "width" and "points".')
    width, points = value["width"], value["points"]
    if not _is_within(width, *WIDTHS):
        raise ValueError(f"A stroke's width must be a number from {WIDTHS[0]:g} to {WIDTHS[1]:g}.")
    if not isinstance(points, list) or not points or len(points) % 2:
        raise ValueError("A stroke's points must be a list of x, y, x, y, … with at least one point.")
    check_points(len(points) // 2)
    if not all(_is_within(number, 0, PAD) for number in points):
        raise ValueError(f"A stroke's coordinates must be numbers from 0 to {PAD:g}.")
    numbers = [float(number) for number in points]
    return Stroke(tuple(zip(numbers[::2], numbers[1::2], strict=True)), float(width))


def _is_within(value: object, low: float, high: float) -> bool:
    # bool is a kind of int to Python, but no number to a reader; NaN fails the comparison.
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def check_points(count: int) -> None:
    if count > MAX_POINTS:
        raise ValueError(f"The drawing has {count:,} points, but at most {MAX_POINTS:,} are allowed.")


def frame_from_strokes(drawing: Drawing) -> Grid:
    """(14, 14) float32 in 0 to 255; raises ValueError if the pad is empty."""
    return steps_from_strokes(drawing).frame


def steps_from_strokes(drawing: Drawing) -> Steps:
    """The stages of a drawing; raises ValueError if the pad is empty."""
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
