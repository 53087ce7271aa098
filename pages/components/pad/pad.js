// Two drawing pads side by side, in five parts: geometry; Sketch, what is drawn and what can be undone; Courier, when
// Python hears of it; the link to a drawing; and the pads on the screen. All but the last know no browser: the tests beside this file ask them under Node.
// All of it is one file, since Streamlit takes a component's JavaScript as one text, which cannot import its neighbours.

export const ERASER = 12 // radius, in the units of a pad: 280 from side to side
export const INTERVAL = 160 // ms between messages while the pen moves
export const REST = 400 // ms without a stroke after which Python hears that the pen rests
export const PATIENCE = 1500 // ms after which an unanswered message no longer holds back the next
export const MOST_UNDONE = 100
const NEAREST = 0.7 // a pen that has moved less than this adds no point
const NAMES = ["First digit", "Second digit"]
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

// --- geometry: a stroke is { width, points }, and its points are one list of numbers, [x, y, x, y, …]

// A share of the pad's side in its units, to a tenth; outside of the pad, the nearest place on its edge
export function snap(share, side) {
  return Math.round(Math.min(Math.max(share, 0), 1) * side * 10) / 10
}

// How far a point (x, y) is from the line that joins (ax, ay) and (bx, by)
export function distance(x, y, ax, ay, bx, by) {
  const dx = bx - ax
  const dy = by - ay
  const share = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)
  const nearest = Math.min(Math.max(share, 0), 1)
  return Math.hypot(x - ax - nearest * dx, y - ay - nearest * dy)
}

// Douglas and Peucker's algorithm: the points without which the line would move by more than `tolerance`
export function simplify(points, tolerance) {
  const kept = new Set([0, points.length - 2])
  const spans = [[0, points.length - 2]]
  while (spans.length) {
    const [first, last] = spans.pop()
    const ends = [points[first], points[first + 1], points[last], points[last + 1]]
    let farthest = 0
    let most = tolerance
    for (let i = first + 2; i < last; i += 2) {
      const off = distance(points[i], points[i + 1], ...ends)
      if (off > most) [farthest, most] = [i, off]
    }
    if (farthest) {
      kept.add(farthest)
      spans.push([first, farthest], [farthest, last])
    }
  }
  return [...kept].sort((a, b) => a - b).flatMap((i) => [points[i], points[i + 1]])
}

// The same line with a point at least every `step`
export function subdivide(points, step) {
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

// What the eraser, moved from one point to another, leaves of a stroke: itself, pieces of it, or nothing
export function cutStroke(stroke, from, to) {
  const reach = ERASER + stroke.width / 4
  const fine = subdivide(stroke.points, 2)
  const pieces = [[]]
  let touched = false
  for (let i = 0; i < fine.length; i += 2) {
    if (distance(fine[i], fine[i + 1], ...from, ...to) < reach) {
      touched = true
      pieces.push([])
    } else pieces.at(-1).push(fine[i], fine[i + 1])
  }
  if (!touched) return [stroke]
  const long = pieces.filter((piece) => piece.length > 2)
  return long.map((points) => ({ width: stroke.width, points: simplify(points, 0.2) }))
}

// --- what is drawn

export function countPoints(strokes) {
  return strokes.reduce((sum, stroke) => sum + stroke.points.length / 2, 0)
}

// The drawings on both pads (a list of strokes each), which digits they are, and the way back to earlier ones.
export class Sketch {
  #limits
  #past = []
  #future = []
  #pens = [null, null] // of each pad: { tool, last }, the last point, while the pen is down

  constructor({ pads, truths, max_strokes, max_points }) {
    this.drawings = pads
    this.truths = truths
    this.#limits = { max_strokes, max_points }
  }

  get canUndo() {
    return this.#past.length > 0
  }
  get canRedo() {
    return this.#future.length > 0
  }
  get isDrawing() {
    return this.#pens.some(Boolean)
  }
  isDown(index) {
    return this.#pens[index] !== null
  }
  isFull(index, more = 0) {
    const strokes = this.drawings[index]
    return strokes.length + more > this.#limits.max_strokes || countPoints(strokes) >= this.#limits.max_points
  }

  // The pen or the eraser comes down at a point; false if the pad is full.
  lower(index, tool, width, point) {
    if (tool === "pen" && this.isFull(index, 1)) return false
    this.#remember()
    this.#pens[index] = { tool, last: point }
    if (tool === "eraser") this.#erase(index, point)
    else this.#draw(index, [...this.drawings[index], { width, points: [...point] }])
    return true
  }

  // The pen or the eraser moves on to a point; false if that is hardly away from the last one.
  move(index, point) {
    const pen = this.#pens[index]
    if (Math.hypot(point[0] - pen.last[0], point[1] - pen.last[1]) < NEAREST) return false
    if (pen.tool === "eraser") this.#erase(index, point)
    else if (!this.isFull(index)) this.drawings[index].at(-1).points.push(...point)
    pen.last = point
    return true
  }

  // The pen or the eraser goes up, and leaves the stroke without needless points.
  finish(index) {
    const strokes = this.drawings[index]
    if (this.#pens[index].tool === "pen") {
      const stroke = strokes.at(-1)
      this.#draw(index, strokes.with(-1, { ...stroke, points: simplify(stroke.points, 0.3) }))
    } else if (this.#past.at(-1)[0] === this.drawings) this.#past.pop() // the eraser has met nothing
    this.#pens[index] = null
  }

  clear(index, keepTruth = false) {
    this.#remember()
    this.#pens[index] = null
    this.#draw(index, [])
    if (!keepTruth) this.truths = this.truths.with(index, null)
  }

  swap() {
    this.lay([this.drawings[1], this.drawings[0]], [this.truths[1], this.truths[0]])
  }

  tell(index, truth) {
    this.#remember()
    this.truths = this.truths.with(index, truth)
  }

  // Others take the place of both drawings.
  lay(drawings, truths) {
    this.#remember()
    this.#pens = [null, null]
    this.drawings = drawings
    this.truths = truths
  }

  undo() {
    return this.#travel(this.#past, this.#future)
  }
  redo() {
    return this.#travel(this.#future, this.#past)
  }

  #draw(index, strokes) {
    this.drawings = this.drawings.with(index, strokes)
  }
  #erase(index, point) {
    const before = this.drawings[index]
    const after = before.flatMap((stroke) => cutStroke(stroke, this.#pens[index].last, point))
    const changed = after.length !== before.length || after.some((stroke, i) => stroke !== before[i])
    const fits = after.length <= this.#limits.max_strokes && countPoints(after) <= this.#limits.max_points
    if (changed && fits) this.#draw(index, after)
  }
  #remember() {
    this.#past = [...this.#past, [this.drawings, this.truths]].slice(-MOST_UNDONE)
    this.#future = []
  }
  #travel(from, to) {
    if (!from.length || this.isDrawing) return false
    to.push([this.drawings, this.truths])
    ;[this.drawings, this.truths] = from.pop()
    return true
  }
}

// --- when Python hears of it

// Sends messages: at once when something is finished; while the pen moves, one at a time and not too often.
//
// `clock` has now(), after(milliseconds, action), which gives a handle, and cancel(handle). `write()` gives a message's
// content and `isDrawing()` says whether a pen is down. `post(message)` and `rest(sequence)` bring it to Python; they
// may be set anew at any time.
export class Courier {
  post = () => {}
  rest = () => {}
  #sequence // of the last message sent
  #answered // of the last message that Python has read
  #rested // of the last message after which Python heard that the pen rests
  #sentAt = Number.NEGATIVE_INFINITY
  #next = null // the message that is to be sent soon
  #pause = null // the pen's rest, if it lasts

  constructor(clock, sequence, write, isDrawing) {
    this.clock = clock
    this.write = write
    this.isDrawing = isDrawing
    this.#sequence = this.#answered = this.#rested = sequence
  }

  send() {
    this.close()
    this.#sentAt = this.clock.now()
    this.#sequence += 1
    this.post(structuredClone({ sequence: this.#sequence, ...this.write() }))
  }

  sendSoon() {
    if (this.#next !== null) return
    const pause = this.#answered >= this.#sequence ? INTERVAL : PATIENCE
    this.#next = this.clock.after(Math.max(this.#sentAt + pause - this.clock.now(), 0), () => this.send())
  }

  // Nothing is left to send.
  forget() {
    this.clock.cancel(this.#next)
    this.#next = null
  }

  // Nothing more comes, until something else happens.
  close() {
    this.forget()
    this.clock.cancel(this.#pause)
  }

  // Python has read the messages up to `sequence`; `follow` says whether it wants to hear that the pen rests.
  receive({ sequence, follow }) {
    this.#answered = Math.max(this.#answered, sequence)
    if (this.#next !== null) {
      this.forget()
      this.sendSoon() // it need not wait for an answer any more
    }
    this.clock.cancel(this.#pause)
    if (!follow || this.#rested >= this.#sequence || this.#answered < this.#sequence) return
    this.#pause = this.clock.after(REST, () => this.#sayRest())
  }

  #sayRest() {
    if (this.#next !== null || this.isDrawing()) return
    this.#rested = this.#sequence
    this.rest(this.#sequence)
  }
}

// --- the link to a drawing

// Hands a link over in the best way that the browser has, and says which one that was. `link` is the promise of an
// address, since Python still writes it; a browser lets go of the clipboard unless it is asked at once. `ways` has
// share(address), write(promise) and copy(address); a way that the browser lacks is undefined, one that fails rejects.
export async function handOver(link, { share, write, copy }) {
  try {
    if (share) {
      await share(await link)
      return "Link shared"
    }
    if (write) {
      await write(link)
      return "Link copied"
    }
  } catch (error) {
    if (error.name === "AbortError") return "" // the visitor has closed the sheet
  }
  return (await copy(await link)) ? "Link copied" : "The link is in the address bar"
}

/* node:coverage disable */
// What this browser can do with a link; a page without https has no clipboard, but the older way.
function findWays() {
  const { clipboard, share } = navigator
  const byFinger = matchMedia("(pointer: coarse)").matches
  const asBlob = (text) => new Blob([text], { type: "text/plain" })
  return {
    share: byFinger && share ? (url) => navigator.share({ url, title: document.title }) : undefined,
    write:
      clipboard?.write && window.ClipboardItem
        ? (link) => clipboard.write([new ClipboardItem({ "text/plain": link.then(asBlob) })])
        : undefined,
    copy: copyByHand,
  }
}

function copyByHand(text) {
  const field = Object.assign(document.createElement("textarea"), { value: text, readOnly: true })
  field.style.cssText = "position: fixed; inset: 0 auto auto 0; opacity: 0"
  const focused = document.activeElement
  document.body.append(field)
  field.select()
  const copied = document.execCommand("copy")
  field.remove()
  focused?.focus?.()
  return copied
}

// --- the pads on the screen

const CLOCK = {
  now: () => performance.now(),
  after: (milliseconds, action) => setTimeout(action, milliseconds),
  cancel: (handle) => clearTimeout(handle),
}
const boards = new WeakMap()

export default function show({ parentElement, data, setStateValue, setTriggerValue }) {
  if (!boards.has(parentElement)) boards.set(parentElement, new Board(parentElement, data))
  const board = boards.get(parentElement)
  board.courier.rest = (sequence) => setTriggerValue("rest", sequence)
  board.askLink = () => setTriggerValue("link", true)
  board.receive(data, (message) => setStateValue("pads", message))
  return () => {
    if (parentElement.isConnected) return // newer data has overtaken this call: Streamlit ends it then, and the page stands
    board.close()
    boards.delete(parentElement)
  }
}

// Both pads with their tools: what the pads ask for goes from here to the sketch and to the courier.
class Board {
  tool = "pen"
  width = 18
  locked = false // whether which digits these are is not the user's to say
  askLink = () => {}
  #giveLink = () => {} // what waits for the link that was asked for

  constructor(parent, data) {
    this.linked = data.link?.[0]
    this.root = parent.querySelector(".root")
    this.status = this.root.querySelector(".status")
    this.side = data.side
    this.revision = data.revision
    this.sketch = new Sketch(data)
    this.courier = new Courier(
      CLOCK,
      data.sequence,
      () => this.#write(),
      () => this.sketch.isDrawing,
    )
    this.pads = [...this.root.querySelectorAll(".pad")].map((section, index) => new Pad(this, section, index))
    this.buttons = [...this.root.querySelectorAll("button")]
    for (const button of this.buttons) button.onclick = () => this.#press(button.dataset)
    this.root.onkeydown = (event) => this.#onKey(event)
    this.observer = new ResizeObserver(() => this.#repaint())
    for (const pad of this.pads) this.observer.observe(pad.canvas)
  }

  close() {
    this.observer.disconnect()
    this.courier.close()
    for (const pad of this.pads) pad.close()
  }

  // What Python says: the frames, and both drawings if it has laid others on the pads.
  receive(data, post) {
    this.courier.post = (message) => {
      this.root.dataset.sent = message.sequence
      post(message)
    }
    if (data.revision !== this.revision) {
      this.revision = data.revision
      this.sketch.lay(data.pads, data.truths)
      this.courier.forget()
    }
    this.locked = data.locked
    this.root.querySelector(".link").hidden = !data.links
    if (data.link && data.link[0] !== this.linked) {
      this.linked = data.link[0]
      this.#giveLink(`${location.origin}${location.pathname}?${data.link[1]}`)
    }
    for (const pad of this.pads) pad.showFrame(data.frames[pad.index])
    this.courier.receive(data)
    this.refresh()
  }

  refresh() {
    for (const pad of this.pads) pad.refresh()
    for (const button of this.buttons) {
      const { act, pad, tool, width } = button.dataset
      const idle = {
        undo: !this.sketch.canUndo,
        redo: !this.sketch.canRedo,
        clear: !this.sketch.drawings[pad]?.length,
        link: this.#isEmpty,
      }
      button.setAttribute("aria-disabled", idle[act] ?? false)
      if (act === "tool") button.setAttribute("aria-pressed", tool === this.tool)
      if (act === "width") button.setAttribute("aria-pressed", this.tool === "pen" && Number(width) === this.width)
    }
  }

  lower(index, point) {
    if (!this.sketch.lower(index, this.tool, this.width, point)) {
      this.#sayFull()
      return
    }
    this.say("")
    this.refresh()
    this.courier.sendSoon()
  }
  move(index, point) {
    if (!this.sketch.move(index, point)) return
    if (this.tool === "pen" && this.sketch.isFull(index)) this.#sayFull()
    this.courier.sendSoon()
  }
  finish(index) {
    if (!this.sketch.isDown(index)) return
    this.sketch.finish(index)
    this.refresh()
    this.courier.send()
  }
  clear(index) {
    if (!this.sketch.drawings[index].length) return
    this.sketch.clear(index, this.locked)
    this.#changed(`${NAMES[index]} cleared`)
  }
  tell(index, truth) {
    this.sketch.tell(index, truth)
    this.#changed("")
  }
  say(text) {
    this.status.textContent = text
  }

  get #isEmpty() {
    return this.sketch.drawings.every((drawing) => !drawing.length)
  }
  async #link() {
    if (this.#isEmpty) {
      this.say("Draw something first")
      return
    }
    const link = new Promise((resolve) => {
      this.#giveLink = resolve
    })
    this.askLink()
    this.say(await handOver(link, findWays()))
  }
  #sayFull() {
    this.say("This pad is full: erase something first")
  }
  #changed(text) {
    this.say(text)
    this.refresh()
    this.courier.send()
  }
  #write() {
    const { drawings, truths, isDrawing } = this.sketch
    return { revision: this.revision, pen_down: isDrawing, pads: drawings, truths }
  }
  #repaint() {
    for (const pad of this.pads) pad.paintSoon()
  }
  #press({ act, pad, tool, width }) {
    if (act === "clear") this.clear(Number(pad))
    else if (act === "undo") this.#undo()
    else if (act === "redo") this.#redo()
    else if (act === "link") this.#link()
    else if (act === "swap") {
      this.sketch.swap()
      this.#changed("Swapped")
    } else {
      this.tool = tool ?? "pen"
      this.width = Number(width ?? this.width)
    }
    this.refresh()
  }
  #undo() {
    if (this.sketch.undo()) this.#changed("")
  }
  #redo() {
    if (this.sketch.redo()) this.#changed("")
  }
  #onKey(event) {
    const key = event.key.toLowerCase()
    if (!(event.ctrlKey || event.metaKey) || (key !== "z" && key !== "y")) return
    if (event.shiftKey || key === "y") this.#redo()
    else this.#undo()
    event.preventDefault()
    event.stopPropagation()
  }
}

// One pad: its canvas with pointers and keys, the choice of which digit it is, and the frame that the networks see.
class Pad {
  #pointer = null // the one that put the pen down; null if the keyboard did
  #hover = null // where the eraser's ring follows the pointer
  #painting = 0 // the animation frame that is to paint

  constructor(board, section, index) {
    this.board = board
    this.section = section
    this.index = index
    this.canvas = section.querySelector(".pen")
    this.truth = section.querySelector("select")
    this.frame = section.querySelector(".frame")
    this.cursor = [board.side / 2, board.side / 2]
    this.truth.onchange = () => board.tell(index, this.truth.value === "" ? null : Number(this.truth.value))
    this.#watchPointer()
    this.#watchFocus()
    this.canvas.onkeydown = (event) => this.#onKey(event)
  }

  get isDown() {
    return this.board.sketch.isDown(this.index)
  }

  close() {
    cancelAnimationFrame(this.#painting)
  }

  refresh() {
    const { sketch, tool, locked } = this.board
    const count = sketch.drawings[this.index].length
    const state = count ? `${count} ${count > 1 ? "strokes" : "stroke"}` : "empty"
    this.section.classList.toggle("drawn", count > 0)
    this.canvas.setAttribute("aria-label", `${NAMES[this.index]}, drawing pad, ${state}`)
    this.canvas.classList.toggle("erasing", tool === "eraser")
    this.truth.value = sketch.truths[this.index] ?? ""
    this.truth.disabled = locked
    this.paintSoon()
  }

  showFrame(frame) {
    paintFrame(this.frame.getContext("2d"), frame)
    const text = frame ? "14 by 14 pixels" : "nothing yet"
    this.frame.setAttribute("aria-label", `${NAMES[this.index]} as the networks see it: ${text}`)
  }

  paintSoon() {
    this.#painting ||= requestAnimationFrame(() => {
      this.#painting = 0
      this.#paint()
    })
  }

  #paint() {
    const { canvas, board } = this
    const side = Math.round(canvas.clientWidth * devicePixelRatio)
    if (canvas.width !== side || canvas.height !== side) canvas.width = canvas.height = side
    const context = canvas.getContext("2d")
    context.setTransform(1, 0, 0, 1, 0, 0)
    context.clearRect(0, 0, side, side)
    context.scale(side / board.side, side / board.side)
    context.strokeStyle = context.fillStyle = getComputedStyle(canvas).color
    context.lineCap = context.lineJoin = "round"
    for (const stroke of board.sketch.drawings[this.index]) paintStroke(context, stroke)
    this.#paintCursor(context)
  }

  #paintCursor(context) {
    const { tool, width } = this.board
    const cursor = this.canvas.matches(":focus-visible") ? this.cursor : tool === "eraser" ? this.#hover : null
    if (!cursor) return
    context.beginPath()
    context.arc(...cursor, tool === "eraser" ? ERASER : width / 2 + 3, 0, 2 * Math.PI)
    context.lineWidth = this.isDown ? 4 : 2
    context.strokeStyle = getComputedStyle(this.canvas).getPropertyValue("--st-primary-color")
    context.stroke()
  }

  #locate(event) {
    const box = this.canvas.getBoundingClientRect()
    const shares = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]
    return shares.map((share) => snap(share, this.board.side))
  }

  #watchPointer() {
    const { canvas, board, index } = this
    canvas.onpointerdown = (event) => {
      if (this.isDown || event.button !== 0) return
      canvas.setPointerCapture(event.pointerId)
      this.#pointer = event.pointerId
      board.lower(index, this.#locate(event))
    }
    canvas.onpointermove = (event) => {
      this.#hover = event.pointerType === "touch" ? null : this.#locate(event)
      if (this.isDown && event.pointerId === this.#pointer) {
        const events = event.getCoalescedEvents?.() ?? []
        for (const each of events.length ? events : [event]) board.move(index, this.#locate(each))
      }
      this.paintSoon()
    }
    canvas.onpointerup = canvas.onpointercancel = (event) => {
      if (event.pointerId === this.#pointer) board.finish(index)
    }
    canvas.onpointerleave = () => {
      this.#hover = null
      this.paintSoon()
    }
    canvas.oncontextmenu = (event) => event.preventDefault()
    // Without this a long touch selects text or opens the magnifier on iOS.
    canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false })
  }

  #watchFocus() {
    this.canvas.onfocus = () => this.paintSoon()
    this.canvas.onblur = () => {
      if (this.#pointer === null) this.board.finish(this.index)
      this.paintSoon()
    }
  }

  #onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key in ARROWS) this.#moveCursor(ARROWS[event.key], event.shiftKey ? 2 : 10)
    else if (event.key === " " && !event.repeat) this.#toggle()
    else if (event.key === "Escape") this.board.finish(this.index)
    else if (event.key === "Delete" || event.key === "Backspace") this.board.clear(this.index)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  #toggle() {
    if (this.isDown) {
      if (this.#pointer !== null) return
      this.board.finish(this.index)
      this.board.say("Pen up")
    } else {
      this.#pointer = null
      this.board.lower(this.index, [...this.cursor])
      if (this.isDown) this.board.say("Pen down")
    }
  }
  #moveCursor([x, y], step) {
    const { side } = this.board
    this.cursor = [snap((this.cursor[0] + x * step) / side, side), snap((this.cursor[1] + y * step) / side, side)]
    if (this.isDown && this.#pointer === null) this.board.move(this.index, this.cursor)
    this.board.refresh()
  }
}

function paintStroke(context, { width, points }) {
  context.lineWidth = width
  context.beginPath()
  context.moveTo(points[0], points[1])
  for (let i = 2; i < points.length; i += 2) context.lineTo(points[i], points[i + 1])
  if (points.length === 2) context.lineTo(points[0], points[1])
  context.stroke()
}

// A frame comes as one byte for each of its 14 × 14 grey levels, in base64; "" is a black one.
function paintFrame(context, frame) {
  const levels = atob(frame)
  const picture = new ImageData(14, 14)
  for (let i = 0; i < 196; i += 1) {
    picture.data.fill(levels.charCodeAt(i) || 0, 4 * i, 4 * i + 3)
    picture.data[4 * i + 3] = 255
  }
  context.putImageData(picture, 0, 0)
}
