"""Draws a picture of boxes and arrows: `python tools/draw_picture.py docs/architecture.toml` writes the SVG beside it.

The text file says what stands where; its first lines explain the format.
"""

import sys
import tomllib
from html import escape
from pathlib import Path
from typing import Any

STYLE = """
text { font: 14px Inter, system-ui, sans-serif; fill: #1d2733; text-anchor: middle }
.head { font-weight: 600; font-size: 15px }
.box { fill: #f4f6f9; stroke: #5c6b7f; stroke-width: 1.5 }
.frame { fill: none; stroke: #1f5fbf; stroke-width: 1.5; stroke-dasharray: 6 4 }
.page { fill: #ffffff }
.label { font-size: 12.5px }
.arrow { stroke: #1f5fbf; stroke-width: 2 }
marker path { fill: #1f5fbf }
@media (prefers-color-scheme: dark) {
  text { fill: #e6eaf0 }
  .page { fill: #12161c }
  .box { fill: #1c222b; stroke: #93a1b5 }
  .frame, .arrow { stroke: #6ea8fe }
  marker path { fill: #6ea8fe }
}
"""
LINE = 20  # from one line of text to the next


def draw_box(box: dict[str, Any]) -> str:
    """A box with its lines of text in the middle; those of a frame stand at its top, since others stand inside it."""
    (x, y), (width, height), kind = box["at"], box["size"], box.get("kind", "")
    shape = f'<rect class="{"frame" if kind == "frame" else "box"}" width="{width}" height="{height}"'
    behind = [f'{shape} x="{x + step}" y="{y - step}" rx="8"/>' for step in (10, 5) if kind == "many"]
    parts = [*behind, f'{shape} x="{x}" y="{y}" rx="{height / 3 if kind == "store" else 8:g}"/>']
    top = y + 26 if kind == "frame" else y + height / 2 - LINE * (len(box["lines"]) - 1) / 2 + 5
    for place, line in enumerate(box["lines"]):
        head = "" if place else ' class="head"'
        parts.append(f'<text{head} x="{x + width / 2:g}" y="{top + LINE * place:g}">{escape(line)}</text>')
    return "\n".join(parts)


def find_point(boxes: dict[str, dict[str, Any]], end: str) -> tuple[float, float]:
    """Where an arrow meets a box: 'engine.right.0.5' is the middle of that side."""
    name, side, share = end.split(".", 2)
    (x, y), (width, height) = boxes[name]["at"], boxes[name]["size"]
    if side in ("left", "right"):
        return x + width * (side == "right"), y + height * float(share)
    return x + width * float(share), y + height * (side == "bottom")


def draw_arrow(boxes: dict[str, dict[str, Any]], arrow: dict[str, Any]) -> str:
    """A straight arrow, with heads at one end or both, and its label beside the middle."""
    (x, y), (to_x, to_y) = (find_point(boxes, arrow[end]) for end in ("from", "to"))
    start = ' marker-start="url(#head)"' if arrow.get("both") else ""
    line = f'<line class="arrow" x1="{x:g}" y1="{y:g}" x2="{to_x:g}" y2="{to_y:g}"{start} marker-end="url(#head)"/>'
    upright = x == to_x
    style = ' style="text-anchor: start"' if upright else ""
    at = f'x="{(x + to_x) / 2 + 10 * upright:g}" y="{(y + to_y) / 2 + (4 if upright else -9):g}"'
    return f'{line}\n<text class="label" {at}{style}>{escape(arrow.get("label", ""))}</text>'


def draw_picture(source: Path) -> str:
    """The SVG of a text file as above."""
    picture = tomllib.loads(source.read_text())
    width, height = picture["size"]
    boxes = {box["name"]: box for box in picture["boxes"]}
    head = '<marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="6" markerHeight="6" '
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img">',
        f"<title>{escape(picture['title'])}</title>",
        f"<style>{STYLE}</style>",
        f'<defs>{head}orient="auto-start-reverse"><path d="M0 0 L10 5 L0 10 z"/></marker></defs>',
        f'<rect class="page" width="{width}" height="{height}" rx="12"/>',
        *(draw_box(box) for box in boxes.values()),
        *(draw_arrow(boxes, arrow) for arrow in picture["arrows"]),
        "</svg>\n",
    ]
    return "\n".join(parts)


if __name__ == "__main__":
    source = Path(sys.argv[1])
    source.with_suffix(".svg").write_text(draw_picture(source))
