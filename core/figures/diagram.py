"""A network's structure as a diagram in SVG, and the diagram in words."""

from collections.abc import Collection, Iterable, Sequence
from html import escape
from itertools import pairwise
from typing import NamedTuple

from core.networks.structure import Architecture, Block, Decision, Lane, list_layers, name_shape
from core.runs.palette import PALETTE

_LIGHT, _DARK = ("#1d2733", "#ffffff"), ("#e6eaf0", "#12161c")  # ink and paper, as in .streamlit/config.toml
WIDTH = 360  # of the drawing; on a phone a unit is a pixel
_LINE, _PADDING, _GAP = 15, 5, 28  # heights: a line of text, a box's padding, the gap between two ranks
_LANES = {"first": WIDTH / 4, "second": 3 * WIDTH / 4, "both": WIDTH / 2}
_DECISIONS: dict[
    Decision, tuple[str, ...]
] = {  # how the answer follows from what the last layers give, if no layer gives it
    "logit": (),
    "difference": ("second − first",),
    "classes": ("the likeliest classes are compared", "(this is not learnt)"),
}
_ANSWERS = {"comparison": "first ≤ second?", "first digit": "first digit?", "second digit": "second digit?"}
_LOOKS = {
    "digit": 'fill="currentColor" fill-opacity=".1"',
    "weights": 'fill="currentColor" fill-opacity=".04" stroke="currentColor" stroke-opacity=".6"',
    "plain": 'fill="none" stroke="currentColor" stroke-opacity=".25"',
    "join": 'fill="none" stroke="currentColor" stroke-opacity=".6" stroke-dasharray="2 3"',
    "answer": 'fill="currentColor" fill-opacity=".1"',
}


def describe_architecture(architecture: Architecture) -> str:
    """The diagram in words, for those who cannot see it."""
    uses = {"own": ", twice, each with own weights,", "shared": ", twice with one set of weights,"}
    parts = [
        f"{layer.name}{uses.get(layer.sharing, '')} gives {name_shape(layer.shapes[1])}"
        for layer in list_layers(architecture)
    ]
    join = _DECISIONS[architecture.decision]
    end = f"; then {' '.join(join)}" if join else ""
    return (
        f"Diagram of {PALETTE[architecture.model].label}, from the two digits to the answer: {'; '.join(parts)}{end}. "
        f"{architecture.distinct_parameters:,} distinct parameters."
    )


class _Box(NamedTuple):
    """A box of the drawing. `source`: the boxes whose tensors go in, with the shape of each."""

    lane: Lane
    lines: tuple[str, ...]
    look: str
    source: tuple[tuple[int, str], ...] = ()
    weights: str = ""
    marked: bool = False
    width: float = 152


class _Place(NamedTuple):
    """Where a box stands: the middle of its upper edge, and its size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def bottom(self) -> float:
        return self.y + self.height


def draw_architecture(architecture: Architecture, marked: Collection[int] = (), dark: bool = False) -> str:
    """The diagram as a complete SVG: one box per block with its parameters, one arrow per tensor with its shape.

    Blocks with the same weights have the architecture's colour and are joined by a double line; `marked` blocks have
    a heavy broken outline and the sign ≠.
    """
    ink, paper = _DARK if dark else _LIGHT
    boxes = _list_boxes(architecture, marked)
    places = _place_boxes(boxes)
    colour = PALETTE[architecture.model].colour
    sets: dict[str, list[_Place]] = {}
    for box, place in zip(boxes, places, strict=True):
        sets.setdefault(box.weights, []).append(place)
    shared = {weights: uses for weights, uses in sets.items() if weights and len(uses) > 1}
    parts = [_draw_tie(left, right, colour) for uses in shared.values() for left, right in pairwise(uses)]
    for box, place in zip(boxes, places, strict=True):
        parts += [_draw_arrow(places[source], place, shape) for source, shape in box.source]
        parts.append(_draw_box(box, place, colour if box.weights in shared else ""))
        parts.append(_draw_mark(place, paper) if box.marked else "")
    height = max(place.bottom for place in places) + 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" color="{ink}" role="img" '
        f'font-family="Inter, system-ui, sans-serif" font-size="12" text-anchor="middle">'
        f'<title>{escape(describe_architecture(architecture))}</title><rect width="100%" height="100%" fill="{paper}"/>'
        f"{''.join(parts)}</svg>"
    )


def _list_boxes(architecture: Architecture, marked: Collection[int]) -> list[_Box]:
    """The digits, the blocks with what joins them, and the answers, each after its sources."""
    lanes = dict.fromkeys(block.lane for block in architecture.blocks if not block.source)
    boxes = [_Box(lane, ("both digits" if lane == "both" else f"{lane} digit",), "digit") for lane in lanes]
    box_of: dict[int, int] = {}  # block -> box

    def tensors(indices: Iterable[int]) -> tuple[tuple[int, str], ...]:
        return tuple((box_of[index], name_shape(architecture.blocks[index].output)) for index in indices)

    for index, block in enumerate(architecture.blocks):
        source = tensors(block.source) or ((list(lanes).index(block.lane), name_shape(block.input)),)
        if len(source) > 1:
            boxes.append(_Box("both", ("concatenate",), "join", source, width=110))
            source = ((len(boxes) - 1, name_shape(block.input)),)
        box_of[index] = len(boxes)
        boxes.append(_Box(block.lane, _word_block(block), _look(block), source, block.weights, index in marked))
    ends = architecture.ends()
    if join := _DECISIONS[architecture.decision]:
        boxes.append(_Box("both", join, "join", tensors(ends), width=230 if len(join) > 1 else 110))
        shape = name_shape(architecture.blocks[ends[0]].output) if architecture.decision == "difference" else ""
        return [*boxes, _Box("both", (_ANSWERS["comparison"],), "answer", ((len(boxes) - 1, shape),))]
    blocks = architecture.blocks
    return boxes + [_Box(blocks[end].lane, (_ANSWERS[blocks[end].gives],), "answer", tensors([end])) for end in ends]


def _word_block(block: Block) -> tuple[str, ...]:
    name, *rest = block.layers
    after = (f"then {', '.join(rest)}",) if rest else ()
    return (name, *after, *((f"{block.parameters:,} parameters",) if block.weights else ()))


def _look(block: Block) -> str:
    return "weights" if block.weights else "plain"


def _place_boxes(boxes: Sequence[_Box]) -> list[_Place]:
    """One rank below the other; in a rank, the two digits' boxes side by side, and those of both in the middle."""
    ranks: list[int] = []
    for box in boxes:
        ranks.append(1 + max((ranks[source] for source, _ in box.source), default=-1))
    places: dict[int, _Place] = {}
    top = 1.0
    for rank in range(max(ranks) + 1):
        row = [index for index, own in enumerate(ranks) if own == rank]
        middle = [index for index in row if boxes[index].lane == "both"]
        for index in row:
            box, x, width = boxes[index], _LANES[boxes[index].lane], boxes[index].width
            if len(middle) > 1:
                x = WIDTH * (2 * middle.index(index) + 1) / (2 * len(middle))
                width = WIDTH / len(middle) - 12
            places[index] = _Place(x, top, width, _LINE * len(box.lines) + 2 * _PADDING)
        top = max(places[index].bottom for index in row) + _GAP
    return [places[index] for index in range(len(boxes))]


def _draw_box(box: _Box, place: _Place, tie: str) -> str:
    """A box with its lines of text; `tie` is the colour of shared weights, if they are."""
    look = f'fill="{tie}" fill-opacity=".16" stroke="{tie}" stroke-width="1.5"' if tie else _LOOKS[box.look]
    parts = [_draw_frame(place, place.height / 2 if box.look in ("digit", "answer", "join") else 6, look)]
    for row, line in enumerate(box.lines):
        bold = f'font-weight="600" font-size="{12 if place.width > 120 else 11}"' if box.weights else ""
        style = 'font-size="11" opacity=".8"' if row else bold
        parts.append(_draw_text(line, place.x, place.y + _PADDING + _LINE * row + 11.5, style))
    return "".join(parts)


def _draw_frame(place: _Place, radius: float, look: str) -> str:
    left = place.x - place.width / 2
    size = f'width="{place.width:g}" height="{place.height:g}" rx="{radius:g}"'
    return f'<rect x="{left:g}" y="{place.y:g}" {size} {look}/>'


def _draw_mark(place: _Place, paper: str) -> str:
    """A heavy broken outline, and the sign ≠ on its upper right corner: two lines and a stroke, as not every font has
    the sign."""
    outline = _draw_frame(place, 6, 'fill="none" stroke="currentColor" stroke-width="2" stroke-dasharray="6 3"')
    x, y = place.x + place.width / 2 - 2, place.y - 2
    badge = f'<circle cx="{x:g}" cy="{y:g}" r="8" fill="currentColor"/>'
    sign = f"M{x - 4:g} {y - 1.75:g}h8m-8 3.5h8M{x - 2:g} {y + 4.5:g}l4 -9"
    return f'{outline}{badge}<path d="{sign}" class="unequal" fill="none" stroke="{paper}" stroke-width="1.5"/>'


def _draw_text(text: str, x: float, y: float, style: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" fill="currentColor" {style}>{escape(text)}</text>'


def _draw_arrow(start: _Place, end: _Place, shape: str) -> str:
    """An arrow that goes down, then across if the boxes do not stand below each other, then down. The tensor's shape
    stands beside its outer part."""
    middle, tip = start.bottom + (end.y - start.bottom) / 2, end.y - 1
    bend = "" if start.x == end.x else f"V{middle:g}H{end.x:g}"
    line = f'<path d="M{start.x:g} {start.bottom:g}{bend}V{tip - 4:g}" fill="none" stroke="currentColor"/>'
    head = f'<path d="M{end.x:g} {tip:g}l-4 -6h8z" fill="currentColor"/>'
    outer_start = abs(start.x - WIDTH / 2) >= abs(end.x - WIDTH / 2)
    x, y = (start.x, start.bottom + 14) if bend and outer_start else (end.x, end.y - 13)
    label = _draw_text(shape, x + 7, y, 'font-size="11" text-anchor="start" opacity=".8"')
    return line + head + (label if shape else "")


def _draw_tie(left: _Place, right: _Place, colour: str) -> str:
    """An equals sign from one use of the weights to the next."""
    start, end, middle = left.x + left.width / 2, right.x - right.width / 2, left.y + left.height / 2
    return "".join(
        f'<path d="M{start:g} {middle + offset:g}H{end:g}" stroke="{colour}" stroke-width="2"/>' for offset in (-3, 3)
    )
