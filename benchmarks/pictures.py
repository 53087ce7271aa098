"""Whether a picture of a digit is read as the strokes that it shows: `python -m benchmarks.pictures`.

MNIST test digits are traced to strokes, and the strokes are drawn as pictures in several styles: tiny, dark, in uneven
light, on ruled paper, under a hard shadow and so on. All rounds of DirectClassificationModel without dropout read the
strokes and the picture. A picture is read the same if the class that most rounds give is the same.
Exit status 1 if a style stays below the bar.
"""

import sys
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks.drawing import draw_digits, load_readers, print_versions, run_from_shell
from core.drawing.ink import Grid
from core.drawing.photo import frame_from_image
from core.drawing.strokes import PAD, Drawing, frame_from_strokes
from core.drawing.tracing import trace_digit
from core.networks.ensemble import Ensemble

BAR = 95.0  # percent of a style's pictures
FINE = 4  # a picture is drawn so much larger, and then averaged

Levels = NDArray[np.float64]  # (H, W), 0 to 255
Style = Callable[[Levels, np.random.Generator], Levels]  # from ink, 1 in full strokes, to grey levels


def draw_ink(drawing: Drawing, side: int, pen: float, generator: np.random.Generator) -> Levels:
    """The strokes anywhere on a square of `side` pixels, half to nearly as large as it; the pen in parts of the digit.

    (side, side), 0 on paper and 1 in full strokes.
    """
    size = side * generator.uniform(0.5, 0.9)
    corner = generator.uniform(0.03 * side, 0.97 * side - size, 2)
    picture = Image.new("L", (side * FINE, side * FINE))
    brush, width = ImageDraw.Draw(picture), max(round(max(pen * size, 1) * FINE), 1)
    for stroke in drawing.strokes:
        points = [tuple(FINE * (corner + np.array(point) / PAD * size)) for point in stroke.points]
        brush.line(points, 255, width, "curve")
        for x, y in (points[0], points[-1]):
            brush.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), 255)
    return np.asarray(picture.resize((side, side), Image.Resampling.BOX), float) / 255


def on_paper(ink: Levels, paper: float = 215, pen: float = 45) -> Levels:
    return paper + (pen - paper) * ink


def under_light(levels: Levels, generator: np.random.Generator) -> Levels:
    """As a camera sees it: darker towards one side, with grain."""
    rows, columns = np.mgrid[: levels.shape[0], : levels.shape[1]] / len(levels)
    across, down = generator.uniform(-0.25, 0.25, 2)
    return levels * (0.85 + across * (columns - 0.5) + down * (rows - 0.5)) + generator.normal(0, 4, levels.shape)


def on_ruled_paper(ink: Levels, generator: np.random.Generator) -> Levels:
    paper = np.full(ink.shape, 215.0)
    paper[:: max(len(ink) // 14, 6)] = 180
    return under_light(paper + (45 - paper) * ink, generator)


def in_shadow(ink: Levels, generator: np.random.Generator) -> Levels:
    """A straight shadow's edge in any direction through the picture's middle half; it takes 25 to 45 % of the light."""
    rows, columns = np.mgrid[: ink.shape[0], : ink.shape[1]] / len(ink) - 0.5
    angle = generator.uniform(0, 2 * np.pi)
    shadow = np.cos(angle) * columns + np.sin(angle) * rows > generator.uniform(-0.25, 0.25)
    return under_light(on_paper(ink) * np.where(shadow, generator.uniform(0.55, 0.75), 1), generator)


# The picture's side in pixels, the pen in parts of the digit's size, and what the picture shows.
STYLES: dict[str, tuple[tuple[int, int], tuple[float, float], Style]] = {
    "tiny, thin lines": ((20, 40), (0.03, 0.05), lambda ink, _: on_paper(ink, 255, 0)),
    "scan": ((250, 600), (0.02, 0.06), lambda ink, _: on_paper(ink, 255, 15)),
    "marker": ((250, 600), (0.09, 0.13), lambda ink, _: on_paper(ink, 255, 15)),
    "light on dark": ((250, 600), (0.02, 0.06), lambda ink, _: on_paper(ink, 25, 240)),
    "photo": ((250, 600), (0.02, 0.06), lambda ink, generator: under_light(on_paper(ink), generator)),
    "faint photo": ((250, 600), (0.03, 0.06), lambda ink, generator: under_light(on_paper(ink, 215, 150), generator)),
    "ruled paper": ((250, 600), (0.03, 0.06), on_ruled_paper),
    "hard shadow": ((250, 600), (0.02, 0.06), in_shadow),
}


def make_picture(drawing: Drawing, name: str, generator: np.random.Generator) -> Image.Image:
    """A picture of the drawing in the style of that name."""
    sides, pens, style = STYLES[name]
    ink = draw_ink(drawing, int(generator.integers(*sides)), generator.uniform(*pens), generator)
    return Image.fromarray(np.clip(style(ink, generator), 0, 255).astype(np.uint8))


def read_picture(picture: Image.Image) -> Grid | None:
    """The frame of a picture; None if no digit is found in it."""
    try:
        return frame_from_image(picture)
    except ValueError:
        return None


def read_classes(network: Ensemble, frames: list[Grid]) -> NDArray[np.int64]:
    """The class (N,) that most rounds give to each of an even number of frames."""
    digits = network.outputs(torch.from_numpy(np.stack(frames)).view(-1, 2, 14, 14)).digits
    assert digits is not None
    votes = digits.argmax(-1).flatten(1).numpy()  # (rounds, N)
    return np.stack([(votes == digit).sum(0) for digit in range(10)]).argmax(0)


def run_benchmark(count: int, seed: int) -> bool:
    """Print one line per style; whether every style meets the bar."""
    network = load_readers()
    images, _ = draw_digits(count, np.random.default_rng(seed))
    drawings = [trace_digit(image.astype(np.float32)) for image in images]
    wanted = read_classes(network, [frame_from_strokes(drawing) for drawing in drawings])
    print_versions(count, seed, len(network.settings))
    met = True
    for place, name in enumerate(STYLES):
        generator = np.random.default_rng([seed, place])
        frames = [read_picture(make_picture(drawing, name, generator)) for drawing in drawings]
        found = np.array([frame is not None for frame in frames])
        classes = read_classes(network, [np.zeros((14, 14), np.float32) if each is None else each for each in frames])
        same = int((found & (classes == wanted)).sum())
        met &= 100 * same >= BAR * count
        print(
            f"{name:20}{found.sum():5} of {count} laid, {same:5} read the same ({100 * same / count:.1f} %)", flush=True
        )
    print(f"bar {BAR:g} % in every style: {'met' if met else 'MISSED'}")
    return met


if __name__ == "__main__":
    sys.exit(run_from_shell(run_benchmark, __doc__, 200, "how many pictures of each style, an even number"))
