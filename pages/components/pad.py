"""Two drawing pads side by side: one component, so that one message always carries both drawings."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from core.drawing import MAX_POINTS, MAX_STROKES, PAD, Drawing, Grid, parse_strokes

WIDTH = 640  # pixels of both pads side by side; on a narrow screen they stand below one another

_PAD_HTML = """
    <section class="pad">
      <header>
        <h4>{title} digit</h4>
        <label>is a <select aria-label="What the {name} digit is" data-pad="{index}">{digits}</select></label>
        <button type="button" data-act="clear" data-pad="{index}" aria-label="Clear the {name} digit" title="Clear">
          <span class="icon" aria-hidden="true">delete</span>
        </button>
      </header>
      <div class="paper">
        <canvas class="pen" tabindex="0" role="application" aria-describedby="keys"></canvas>
        <p class="hint" aria-hidden="true">Draw a digit</p>
      </div>
      <footer>
        <canvas class="frame" width="14" height="14" role="img"></canvas>
        <span>As the networks see it: 14 × 14</span>
      </footer>
    </section>
"""
_HTML = """
<div class="root">
  <div class="tools" role="group" aria-label="Drawing tools">
    <span class="group">
      <button type="button" data-act="tool" data-tool="pen" aria-label="Pen" title="Pen">
        <span class="icon" aria-hidden="true">edit</span>
      </button>
      <button type="button" data-act="tool" data-tool="eraser" aria-label="Eraser" title="Eraser">
        <span class="icon" aria-hidden="true">ink_eraser</span>
      </button>
    </span>
    <span class="group">
      <button type="button" data-act="width" data-width="10" aria-label="Thin pen" title="Thin pen">
        <span class="dot" style="--dot: 5px" aria-hidden="true"></span>
      </button>
      <button type="button" data-act="width" data-width="18" aria-label="Medium pen" title="Medium pen">
        <span class="dot" style="--dot: 9px" aria-hidden="true"></span>
      </button>
      <button type="button" data-act="width" data-width="28" aria-label="Thick pen" title="Thick pen">
        <span class="dot" style="--dot: 14px" aria-hidden="true"></span>
      </button>
    </span>
    <span class="group">
      <button type="button" data-act="undo" aria-label="Undo" title="Undo (Ctrl+Z)">
        <span class="icon" aria-hidden="true">undo</span>
      </button>
      <button type="button" data-act="redo" aria-label="Redo" title="Redo (Ctrl+Shift+Z)">
        <span class="icon" aria-hidden="true">redo</span>
      </button>
    </span>
    <span class="status" role="status"></span>
  </div>
  <div class="pads">
{first}
    <button type="button" class="swap" data-act="swap" aria-label="Swap the two digits" title="Swap">
      <span class="icon" aria-hidden="true">swap_horiz</span>
    </button>
{second}
  </div>
  <p id="keys" hidden>Arrow keys move the pen, Space puts it down and lifts it, Delete clears, Ctrl+Z undoes.</p>
</div>
"""

_CSS = """
.root { container-type: inline-size; color: var(--st-text-color); font-family: var(--st-font); }
.pads { display: grid; grid-template-columns: minmax(0, 320px) 44px minmax(0, 320px); gap: 8px; }
header { display: flex; align-items: center; gap: 8px; min-height: 44px; }
header button { margin: 0 -11px 0 auto; }
label { font-size: 0.95rem; opacity: 0.85; }
select {
  min-width: 52px; height: 44px; border: 0; background: transparent; color: inherit; font: inherit; font-weight: 600;
  cursor: pointer; border-radius: var(--st-button-radius);
}
select:disabled { opacity: 1; cursor: default; appearance: none; min-width: 24px; }
option { color: #1d2733; background: #fff; }
footer { display: flex; align-items: center; gap: 12px; margin-top: 12px; font-size: 0.875rem; }
footer span { opacity: 0.7; }
.frame { flex: none; width: 84px; height: 84px; image-rendering: pixelated; border-radius: 6px; background: #000; }
h4 { margin: 0; font-size: 0.95rem; font-weight: 500; }
.paper { position: relative; }
.pen {
  display: block; width: 100%; aspect-ratio: 1; box-sizing: border-box; cursor: crosshair;
  color: var(--st-text-color); border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius);
  background: color-mix(in srgb, var(--st-background-color) 60%, var(--st-secondary-background-color));
  touch-action: none; user-select: none; -webkit-user-select: none; -webkit-touch-callout: none;
}
.pen.erasing { cursor: none; }
.pen:focus-visible, select:focus-visible, button:focus-visible {
  outline: 2px solid var(--st-primary-color); outline-offset: 2px;
}
.hint {
  position: absolute; inset: 0; display: grid; place-items: center; margin: 0; pointer-events: none;
  font-size: 0.95rem; opacity: 0.6;
}
.drawn .hint { display: none; }
.swap { align-self: center; margin-bottom: 52px; }
.tools { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 20px; }
.group { display: flex; gap: 2px; }
button {
  display: grid; place-items: center; min-width: 44px; height: 44px; padding: 0; border: 0; cursor: pointer;
  border-radius: var(--st-button-radius); background: transparent; color: inherit; touch-action: manipulation;
}
button > span { opacity: 0.75; }
button:hover { background: color-mix(in srgb, var(--st-text-color) 7%, transparent); }
button[aria-pressed="true"] {
  background: color-mix(in srgb, var(--st-primary-color) 14%, transparent); color: var(--st-primary-color);
}
button[aria-pressed="true"] > span { opacity: 1; }
button[aria-disabled="true"] { cursor: default; background: transparent; }
button[aria-disabled="true"] > span { opacity: 0.3; }
.icon {
  font-family: "Material Symbols Rounded"; font-size: 22px; line-height: 1; width: 1em; overflow: hidden;
  white-space: nowrap; font-feature-settings: "liga"; -webkit-font-smoothing: antialiased;
}
.dot { width: var(--dot); height: var(--dot); border-radius: 50%; background: currentColor; }
.status { font-size: 0.875rem; opacity: 0.7; }
.status:empty { display: none; }
@container (max-width: 500px) {
  .pads { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .swap { margin: 0 48px -44px auto; z-index: 1; transform: rotate(90deg); }
  .tools { justify-content: space-between; }
}
"""

_JS = """
const INTERVAL = 160  // ms between messages while the pen moves
const REST = 400  // ms without a stroke after which Python hears that the pen rests
const PATIENCE = 1500  // ms after which an unanswered message no longer holds back the next
const ERASER = 12  // radius, in pad units
const MOST_UNDONE = 100
const NAMES = ["First digit", "Second digit"]
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

const instances = new WeakMap()

export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  let pads = instances.get(parentElement)
  if (!pads) {
    pads = createPads(parentElement, data)
    instances.set(parentElement, pads)
  }
  pads.receive(data, (value) => setStateValue("pads", value), (value) => setTriggerValue("rest", value))
  return () => {
    pads.dispose()
    instances.delete(parentElement)
  }
}

function createPads(root, limits) {
  const select = (selector) => [...root.querySelectorAll(selector)]
  const status = root.querySelector(".status")
  const pads = select(".pen").map((canvas, index) => ({
    canvas, index, pointer: null, pen: false, last: null, hover: null, frame: 0,
    section: canvas.closest("section"), truth: canvas.closest("section").querySelector("select"),
    seen: canvas.closest("section").querySelector(".frame"), cursor: [limits.side / 2, limits.side / 2],
  }))
  let drawings = [[], []], truths = [null, null], locked = false
  let past = [], future = []
  let tool = "pen", width = 18
  let revision = null, sequence = 0, answered = 0
  let emit = () => {}, sayRest = () => {}, sentAt = -Infinity, timer = 0, waiting = false, rest = 0, rested = 0

  // --- messages: at once when the pen is lifted, otherwise one at a time and not too often
  function send() {
    clearTimeout(timer)
    timer = 0
    waiting = false
    sentAt = performance.now()
    sequence += 1
    root.querySelector(".root").dataset.sent = sequence
    const pen_down = pads.some((pad) => pad.pen)
    emit(JSON.parse(JSON.stringify({ sequence, revision, pen_down, pads: drawings, truths })))
  }
  function sendSoon() {
    waiting = true
    if (timer) return
    const pause = answered >= sequence ? INTERVAL : PATIENCE
    timer = setTimeout(send, Math.max(sentAt + pause - performance.now(), 0))
  }
  function restSoon(wanted) {
    clearTimeout(rest)
    if (!wanted || rested >= sequence || answered < sequence) return
    rest = setTimeout(() => {
      if (waiting || pads.some((pad) => pad.pen)) return
      rested = sequence
      sayRest(sequence)
    }, REST)
  }
  function receive(data, emitter, restEmitter) {
    emit = emitter
    sayRest = restEmitter
    answered = Math.max(answered, data.sequence)
    if (data.revision !== revision) {
      if (revision === null) sequence = rested = data.sequence
      else remember()
      revision = data.revision
      drawings = data.pads
      truths = data.truths
      for (const pad of pads) lift(pad)
      waiting = false
    }
    locked = data.locked
    data.frames.forEach((frame, index) => showFrame(pads[index], frame))
    if (waiting) {
      clearTimeout(timer)
      timer = 0
      sendSoon()
    }
    restSoon(data.follow)
    refresh()
  }
  function showFrame({ seen, index }, frame) {
    const levels = atob(frame)
    const picture = new ImageData(14, 14)
    for (let i = 0; i < 196; i += 1) {
      picture.data.fill(levels.charCodeAt(i) || 0, 4 * i, 4 * i + 3)
      picture.data[4 * i + 3] = 255
    }
    seen.getContext("2d").putImageData(picture, 0, 0)
    const text = frame ? "14 by 14 pixels" : "nothing yet"
    seen.setAttribute("aria-label", `${NAMES[index]} as the networks see it: ${text}`)
  }

  // --- history
  function remember() {
    past = [...past, [drawings, truths]].slice(-MOST_UNDONE)
    future = []
  }
  function travel(from, to) {
    if (!from.length || pads.some((pad) => pad.pen)) return
    to.push([drawings, truths])
    ;[drawings, truths] = from.pop()
    change("")
  }
  function change(text) {
    status.textContent = text
    refresh()
    send()
  }
  function clear(index) {
    if (!drawings[index].length) return
    remember()
    lift(pads[index])
    drawings = drawings.with(index, [])
    if (!locked) truths = truths.with(index, null)
    change(`${NAMES[index]} cleared`)
  }
  function swap() {
    remember()
    pads.forEach(lift)
    drawings = [drawings[1], drawings[0]]
    truths = [truths[1], truths[0]]
    change("Swapped")
  }
  function tell(index, value) {
    remember()
    truths = truths.with(index, value === "" ? null : Number(value))
    change("")
  }

  // --- pen and eraser
  const count = (strokes) => strokes.reduce((sum, stroke) => sum + stroke.points.length / 2, 0)

  function isFull(index, more) {
    const strokes = drawings[index]
    const full = strokes.length + more > limits.max_strokes || count(strokes) >= limits.max_points
    if (full) status.textContent = "This pad is full: erase something first"
    return full
  }
  function lower(pad, point) {
    if (tool === "pen" && isFull(pad.index, 1)) return
    remember()
    pad.pen = tool
    pad.last = point
    status.textContent = ""
    const strokes = drawings[pad.index]
    if (tool === "pen") drawings = drawings.with(pad.index, [...strokes, { width, points: [...point] }])
    else erase(pad, point)
    refresh()
    sendSoon()
  }
  function move(pad, point) {
    if (Math.hypot(point[0] - pad.last[0], point[1] - pad.last[1]) < 0.7) return
    if (pad.pen === "eraser") erase(pad, point)
    else if (!isFull(pad.index, 0)) drawings[pad.index].at(-1).points.push(...point)
    pad.last = point
    sendSoon()
  }
  function lift(pad) {
    pad.pen = false
    pad.pointer = null
  }
  function finish(pad) {
    if (!pad.pen) return
    const strokes = drawings[pad.index]
    if (pad.pen === "pen") {
      const stroke = strokes.at(-1)
      drawings = drawings.with(pad.index, strokes.with(-1, { ...stroke, points: simplify(stroke.points, 0.3) }))
    } else if (past.at(-1)[0] === drawings) past.pop()
    lift(pad)
    refresh()
    send()
  }
  function erase(pad, point) {
    const before = drawings[pad.index]
    const after = before.flatMap((stroke) => cutStroke(stroke, pad.last, point))
    const changed = after.length !== before.length || after.some((stroke, i) => stroke !== before[i])
    if (changed && after.length <= limits.max_strokes) drawings = drawings.with(pad.index, after)
  }

  // --- what is seen
  function refresh() {
    for (const pad of pads) {
      const strokes = drawings[pad.index]
      pad.section.classList.toggle("drawn", strokes.length > 0)
      const state = strokes.length ? `${strokes.length} ${strokes.length > 1 ? "strokes" : "stroke"}` : "empty"
      pad.canvas.setAttribute("aria-label", `${NAMES[pad.index]}, drawing pad, ${state}`)
      pad.canvas.classList.toggle("erasing", tool === "eraser")
      pad.truth.value = truths[pad.index] ?? ""
      pad.truth.disabled = locked
      paintSoon(pad)
    }
    for (const button of select("button")) {
      const { act, pad, tool: its, width: size } = button.dataset
      const off = (act === "undo" && !past.length) || (act === "redo" && !future.length) ||
        (act === "clear" && !drawings[pad].length)
      button.setAttribute("aria-disabled", off)
      if (act === "tool") button.setAttribute("aria-pressed", its === tool)
      if (act === "width") button.setAttribute("aria-pressed", tool === "pen" && Number(size) === width)
    }
  }
  function paintSoon(pad) {
    pad.frame ||= requestAnimationFrame(() => {
      pad.frame = 0
      paint(pad)
    })
  }
  function paint(pad) {
    const { canvas } = pad
    const side = Math.round(canvas.clientWidth * devicePixelRatio)
    if (canvas.width !== side || canvas.height !== side) canvas.width = canvas.height = side
    const style = getComputedStyle(canvas)
    const pen = canvas.getContext("2d")
    pen.setTransform(1, 0, 0, 1, 0, 0)
    pen.clearRect(0, 0, side, side)
    pen.scale(side / limits.side, side / limits.side)
    pen.strokeStyle = pen.fillStyle = style.color
    pen.lineCap = pen.lineJoin = "round"
    for (const stroke of drawings[pad.index]) paintStroke(pen, stroke)
    const cursor = canvas.matches(":focus-visible") ? pad.cursor : tool === "eraser" ? pad.hover : null
    if (!cursor) return
    pen.beginPath()
    pen.arc(...cursor, tool === "eraser" ? ERASER : width / 2 + 3, 0, 2 * Math.PI)
    pen.lineWidth = pad.pen ? 4 : 2
    pen.strokeStyle = style.getPropertyValue("--st-primary-color")
    pen.stroke()
  }

  // --- pointers, keys, buttons
  function locate(pad, event) {
    const box = pad.canvas.getBoundingClientRect()
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height].map(inside)
  }
  const inside = (share) => Math.round(Math.min(Math.max(share, 0), 1) * limits.side * 10) / 10

  function watchPointer(pad) {
    const { canvas } = pad
    canvas.onpointerdown = (event) => {
      if (pad.pen || event.button !== 0) return
      canvas.setPointerCapture(event.pointerId)
      pad.pointer = event.pointerId
      lower(pad, locate(pad, event))
    }
    canvas.onpointermove = (event) => {
      pad.hover = event.pointerType === "touch" ? null : locate(pad, event)
      if (pad.pen && event.pointerId === pad.pointer) {
        const events = event.getCoalescedEvents?.() ?? []
        for (const each of events.length ? events : [event]) move(pad, locate(pad, each))
      }
      paintSoon(pad)
    }
    canvas.onpointerup = canvas.onpointercancel = (event) => {
      if (event.pointerId === pad.pointer) finish(pad)
    }
    canvas.onpointerleave = () => {
      pad.hover = null
      paintSoon(pad)
    }
    canvas.oncontextmenu = (event) => event.preventDefault()
    // Without this a long touch selects text or opens the magnifier on iOS.
    canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false })
  }
  function watchKeys(pad) {
    pad.canvas.onkeydown = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return
      if (event.key in ARROWS) moveCursor(pad, ARROWS[event.key], event.shiftKey ? 2 : 10)
      else if (event.key === " " && !event.repeat) toggle(pad)
      else if (event.key === "Escape") finish(pad)
      else if (event.key === "Delete" || event.key === "Backspace") clear(pad.index)
      else return
      event.preventDefault()
      event.stopPropagation()
    }
    pad.canvas.onfocus = () => paintSoon(pad)
    pad.canvas.onblur = () => {
      if (pad.pointer === null) finish(pad)
      paintSoon(pad)
    }
  }
  function toggle(pad) {
    if (pad.pointer !== null) return
    if (pad.pen) {
      finish(pad)
      status.textContent = "Pen up"
    } else {
      lower(pad, [...pad.cursor])
      if (pad.pen) status.textContent = "Pen down"
    }
  }
  function moveCursor(pad, [x, y], step) {
    pad.cursor = [pad.cursor[0] + x * step, pad.cursor[1] + y * step].map((value) => inside(value / limits.side))
    if (pad.pen && pad.pointer === null) move(pad, pad.cursor)
    refresh()
  }
  const actions = {
    clear: ({ pad }) => clear(Number(pad)),
    swap,
    undo: () => travel(past, future),
    redo: () => travel(future, past),
    tool: (chosen) => (tool = chosen.tool),
    width: (chosen) => {
      tool = "pen"
      width = Number(chosen.width)
    },
  }
  for (const button of select("button")) {
    button.onclick = () => {
      actions[button.dataset.act](button.dataset)
      refresh()
    }
  }
  root.querySelector(".root").onkeydown = (event) => {
    if (!(event.ctrlKey || event.metaKey) || !"zy".includes(event.key.toLowerCase())) return
    if (event.shiftKey || event.key === "y") travel(future, past)
    else travel(past, future)
    event.preventDefault()
    event.stopPropagation()
  }
  for (const pad of pads) pad.truth.onchange = () => tell(pad.index, pad.truth.value)
  pads.forEach(watchPointer)
  pads.forEach(watchKeys)
  const observer = new ResizeObserver(() => pads.forEach(paintSoon))
  for (const pad of pads) observer.observe(pad.canvas)

  function dispose() {
    observer.disconnect()
    clearTimeout(timer)
    clearTimeout(rest)
    for (const pad of pads) cancelAnimationFrame(pad.frame)
  }
  return { receive, dispose }
}

function paintStroke(pen, { width, points }) {
  pen.lineWidth = width
  pen.beginPath()
  pen.moveTo(points[0], points[1])
  for (let i = 2; i < points.length; i += 2) pen.lineTo(points[i], points[i + 1])
  if (points.length === 2) pen.lineTo(points[0], points[1])
  pen.stroke()
}

function distance(x, y, ax, ay, bx, by) {
  const dx = bx - ax, dy = by - ay
  const share = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)
  const nearest = Math.min(Math.max(share, 0), 1)
  return Math.hypot(x - ax - nearest * dx, y - ay - nearest * dy)
}

// Douglas and Peucker: the points without which the line would move by more than `tolerance`
function simplify(points, tolerance) {
  const kept = new Set([0, points.length - 2])
  const spans = [[0, points.length - 2]]
  while (spans.length) {
    const [first, last] = spans.pop()
    let farthest = 0, most = tolerance
    for (let i = first + 2; i < last; i += 2) {
      const off = distance(points[i], points[i + 1], points[first], points[first + 1], points[last], points[last + 1])
      if (off > most) [farthest, most] = [i, off]
    }
    if (farthest) {
      kept.add(farthest)
      spans.push([first, farthest], [farthest, last])
    }
  }
  return [...kept].sort((a, b) => a - b).flatMap((i) => [points[i], points[i + 1]])
}

// What the eraser, moved from one point to another, leaves of a stroke: itself, pieces of it or nothing
function cutStroke(stroke, from, to) {
  const reach = ERASER + stroke.width / 4
  const isGone = (x, y) => distance(x, y, ...from, ...to) < reach
  const fine = subdivide(stroke.points, 2)
  const pieces = [[]]
  let touched = false
  for (let i = 0; i < fine.length; i += 2) {
    if (isGone(fine[i], fine[i + 1])) {
      touched = true
      pieces.push([])
    } else pieces.at(-1).push(fine[i], fine[i + 1])
  }
  if (!touched) return [stroke]
  const long = pieces.filter((piece) => piece.length > 2)
  return long.map((points) => ({ width: stroke.width, points: simplify(points, 0.2) }))
}

function subdivide(points, step) {
  const fine = [points[0], points[1]]
  for (let i = 2; i < points.length; i += 2) {
    const [ax, ay, bx, by] = points.slice(i - 2, i + 2)
    const parts = Math.ceil(Math.hypot(bx - ax, by - ay) / step) || 1
    for (let part = 1; part <= parts; part += 1) {
      const point = [ax + ((bx - ax) * part) / parts, ay + ((by - ay) * part) / parts]
      fine.push(...point.map((value) => Math.round(value * 10) / 10))
    }
  }
  return fine
}
"""


_DIGITS = '<option value="">?</option>' + "".join(f"<option>{digit}</option>" for digit in range(10))


def _pad_html(index: int, name: str) -> str:
    return _PAD_HTML.format(index=index, name=name, title=name.capitalize(), digits=_DIGITS)


_PADS = st.components.v2.component(
    "digit_pads", html=_HTML.format(first=_pad_html(0, "first"), second=_pad_html(1, "second")), css=_CSS, js=_JS
)


EMPTY = Drawing()


@dataclass(frozen=True)
class PadState:
    """What stands on the two pads.

    `truths`: which digit each pad holds, as the user, a sample or a challenge says; None where nobody does.
    `error` is one sentence where the browser's last message was no drawing; the drawings are then those before it.
    `pen_down` says that a stroke is under way; `sequence` counts the browser's messages, `revision` the times that
    Python laid something on the pads.
    """

    first: Drawing = EMPTY
    second: Drawing = EMPTY
    truths: tuple[int | None, int | None] = (None, None)
    error: str | None = None
    pen_down: bool = False
    sequence: int = 0
    revision: int = 0

    @property
    def drawings(self) -> tuple[Drawing, Drawing]:
        """Both drawings, the first pad's first."""
        return self.first, self.second


def lay_on_pads(
    key: str, first: Drawing, second: Drawing, truths: tuple[int | None, int | None] = (None, None)
) -> None:
    """Replace what stands on both pads; the user can undo it. Takes effect where the pads are next read and shown."""
    state = _kept(key)
    st.session_state[f"{key}_kept"] = PadState(
        first, second, truths, sequence=state.sequence, revision=state.revision + 1
    )


def read_pads(key: str) -> PadState:
    """What stands on the pads, the browser's last message included; it also stays while another page is shown."""
    state = _read_message(st.session_state.get(key), _kept(key))
    st.session_state[f"{key}_kept"] = state
    return state


def show_pads(
    key: str, frames: Sequence[Grid | None], *, locked: bool = False, on_rest: Callable[[], None] | None = None
) -> None:
    """Show both pads with the frame (14, 14) beside each.

    `locked`: the truths cannot be changed. `on_rest` is called when the pen has rested for a moment after a change.
    """
    state = _kept(key)
    _PADS(
        key=key,
        data={
            "revision": state.revision,
            "sequence": state.sequence,
            "pads": [drawing.as_json() for drawing in state.drawings],
            "truths": state.truths,
            "frames": ["" if frame is None else _levels(frame) for frame in frames],
            "locked": locked,
            "follow": on_rest is not None,
            "side": PAD,
            "max_strokes": MAX_STROKES,
            "max_points": MAX_POINTS,
        },
        width=WIDTH,
        on_pads_change=lambda: None,
        on_rest_change=on_rest or (lambda: None),
    )


def _levels(frame: Grid) -> str:
    return base64.b64encode(frame.round().astype(np.uint8).tobytes()).decode()


def _kept(key: str) -> PadState:
    return st.session_state.get(f"{key}_kept", PadState())


def _read_message(component: Any, state: PadState) -> PadState:
    """The state after the browser's message; the same where there is none, or one already read or overtaken."""
    message = component.get("pads") if component else None
    if message is None:
        return state
    try:
        sequence, based_on, (first, second) = message["sequence"], message["revision"], message["pads"]
        truths = message["truths"][0], message["truths"][1]
        if type(sequence) is not int:
            raise TypeError("A sequence is a whole number.")
        if sequence <= state.sequence or based_on != state.revision:
            return state
    except (KeyError, TypeError, ValueError, IndexError):
        return replace(state, error="The pad sent a message that is no pair of drawings.")
    try:
        drawings = parse_strokes(first), parse_strokes(second)
        if not all(truth is None or (type(truth) is int and 0 <= truth <= 9) for truth in truths):
            raise ValueError("What a digit is must be a whole number from 0 to 9, or nothing.")
    except ValueError as error:
        return replace(state, error=str(error), sequence=sequence)
    return PadState(*drawings, truths, None, message.get("pen_down") is True, sequence, state.revision)
