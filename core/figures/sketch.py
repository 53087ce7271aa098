"""A network's structure as a tiny picture: where the two digits go apart, share weights, and meet."""

from core.networks.structure import Architecture
from core.runs.palette import PALETTE

INK = ("#55606e", "#a9b4c0")  # on light, on dark
STEP, SIDE, HEIGHT = 26, 14, 60  # from one layer to the next, of a box, of the picture
ROWS = {"first": 14.0, "both": 30.0, "second": 46.0}  # the middles of a lane's boxes

Point = tuple[float, float]


def describe_sketch(architecture: Architecture) -> str:
    """The sketch in words."""
    if all(block.lane == "both" for block in architecture.blocks):
        return "Both digits go through one chain of layers together."
    own = "the same layers" if _find_shared(architecture) else "layers of its own"
    return f"Each digit goes through {own}; then the two meet."


def sketch_architecture(architecture: Architecture, dark: bool = False) -> str:
    """The layers that have parameters, from left to right between digits and answer, as a complete SVG. Layers that
    share their parameters have the architecture's colour and are joined by a double line."""
    places = _place_layers(architecture)
    ink, colour = INK[dark], PALETTE[architecture.model].colour
    shared = _find_shared(architecture)
    inputs: dict[str, Point] = {
        block.lane: (SIDE / 2, ROWS[block.lane]) for block in architecture.blocks if not block.source
    }
    answer = (max(x for x, _ in places.values()) + STEP, ROWS["both"])
    lines = [(places[end], answer) for last in architecture.ends() for end in _find_layers(architecture, last)]
    for index, place in places.items():
        block = architecture.blocks[index]
        before = [places[layer] for source in block.source for layer in _find_layers(architecture, source)]
        lines += [(start, place) for start in before or [inputs[block.lane]]]
    parts = [f'<path d="M{x:g} {y:g}L{u:g} {v:g}" stroke="{ink}" stroke-width="1.5"/>' for (x, y), (u, v) in lines]
    parts += [_tie(places[one], places[other], colour) for one, other in shared]
    coloured = {index for pair in shared for index in pair}
    parts += [_box(place, colour if index in coloured else ink) for index, place in places.items()]
    parts += [f'<circle cx="{x:g}" cy="{y:g}" r="5.5" fill="{ink}"/>' for x, y in (*inputs.values(), answer)]
    size = f'width="{answer[0] + SIDE / 2:g}" height="{HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} fill="none">{"".join(parts)}</svg>'


def _find_layers(architecture: Architecture, index: int) -> list[int]:
    """The block itself if it has parameters, else the nearest ones before it that do."""
    block = architecture.blocks[index]
    if block.weights:
        return [index]
    return [layer for source in block.source for layer in _find_layers(architecture, source)]


def _find_shared(architecture: Architecture) -> list[tuple[int, int]]:
    """The blocks of the two digits that have the same parameters."""
    first = {block.weights: index for index, block in enumerate(architecture.blocks) if block.weights}
    return [
        (index, first[block.weights])
        for index, block in enumerate(architecture.blocks)
        if block.weights and first[block.weights] != index
    ]


def _place_layers(architecture: Architecture) -> dict[int, Point]:
    """The middle of each layer with parameters: by its distance from the digits, and by the digits that it sees."""
    depths: dict[int, int] = {}
    for index, block in enumerate(architecture.blocks):
        if block.weights:
            before = [layer for source in block.source for layer in _find_layers(architecture, source)]
            depths[index] = 1 + max((depths[layer] for layer in before), default=0)
    places = {}
    for index, depth in depths.items():
        block = architecture.blocks[index]
        beside = [other for other in depths if depths[other] == depth and architecture.blocks[other].lane == block.lane]
        row = ROWS[block.lane] + 16 * (beside.index(index) - (len(beside) - 1) / 2)
        places[index] = (SIDE / 2 + STEP * depth, row)
    return places


def _box(place: Point, colour: str) -> str:
    x, y = place[0] - SIDE / 2, place[1] - SIDE / 2
    return f'<rect x="{x:g}" y="{y:g}" width="{SIDE}" height="{SIDE}" rx="3" fill="{colour}"/>'


def _tie(one: Point, other: Point, colour: str) -> str:
    """A double line from one use of the parameters to the other."""
    sides = (one[0] - 2.5, one[0] + 2.5)
    return "".join(f'<path d="M{x:g} {one[1]:g}V{other[1]:g}" stroke="{colour}" stroke-width="2"/>' for x in sides)
