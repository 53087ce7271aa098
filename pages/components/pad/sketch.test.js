import assert from "node:assert/strict"
import { test } from "node:test"
import { MOST_UNDONE, Sketch } from "./pad.js"

const LIMITS = { max_strokes: 3, max_points: 8 }
const LINE = { width: 18, points: [20, 140, 260, 140] }
const DOT = { width: 10, points: [50, 50] }

function makeSketch(pads = [[], []], truths = [null, null], limits = LIMITS) {
  return new Sketch({ pads, truths, ...limits })
}

// Pen down at the first point, along the others, and up.
function draw(sketch, index, points, tool = "pen", width = 18) {
  const [first, ...others] = points
  assert.ok(sketch.lower(index, tool, width, first))
  for (const point of others) sketch.move(index, point)
  sketch.finish(index)
}

test("a stroke is drawn where the pen goes, without needless points", () => {
  const sketch = makeSketch()
  assert.ok(sketch.lower(1, "pen", 28, [10, 10]))
  assert.ok(sketch.isDrawing && sketch.isDown(1) && !sketch.isDown(0))
  assert.equal(sketch.move(1, [10.5, 10.4]), false) // hardly away
  assert.ok(sketch.move(1, [20, 10]))
  assert.ok(sketch.move(1, [30, 10]))
  assert.deepEqual(sketch.drawings, [[], [{ width: 28, points: [10, 10, 20, 10, 30, 10] }]])
  sketch.finish(1)
  assert.deepEqual(sketch.drawings, [[], [{ width: 28, points: [10, 10, 30, 10] }]])
  assert.equal(sketch.isDrawing, false)
})

test("a touch is a point", () => {
  const sketch = makeSketch()
  draw(sketch, 0, [[50, 50]], "pen", 10)
  assert.deepEqual(sketch.drawings[0], [DOT])
})

test("undo and redo walk through strokes of both pads", () => {
  const sketch = makeSketch()
  assert.ok(!sketch.canUndo && !sketch.canRedo && !sketch.undo() && !sketch.redo())
  draw(sketch, 0, [
    [20, 140],
    [260, 140],
  ])
  draw(sketch, 1, [[50, 50]], "pen", 10)
  assert.ok(sketch.undo())
  assert.deepEqual(sketch.drawings, [[LINE], []])
  assert.ok(sketch.undo())
  assert.deepEqual(sketch.drawings, [[], []])
  assert.ok(sketch.canRedo && sketch.redo() && sketch.redo())
  assert.deepEqual(sketch.drawings, [[LINE], [DOT]])
  assert.equal(sketch.canRedo, false)
})

test("a new stroke ends the way forward, and nothing is undone while the pen is down", () => {
  const sketch = makeSketch()
  draw(sketch, 0, [[20, 140]])
  sketch.undo()
  sketch.lower(0, "pen", 18, [50, 50])
  assert.ok(!sketch.undo() && !sketch.canRedo)
  sketch.finish(0)
  assert.ok(sketch.undo())
})

test("only so many steps can be undone", () => {
  const sketch = makeSketch()
  for (let i = 0; i < MOST_UNDONE + 20; i += 1) sketch.tell(0, i % 10)
  let steps = 0
  while (sketch.undo()) steps += 1
  assert.equal(steps, MOST_UNDONE)
  assert.equal(sketch.truths[0], 9) // what the twentieth said
})

test("the eraser splits a stroke; one that meets nothing leaves nothing to undo", () => {
  const sketch = makeSketch([[LINE], []])
  draw(
    sketch,
    0,
    [
      [140, 20],
      [140, 30],
    ],
    "eraser",
  )
  assert.ok(!sketch.canUndo && sketch.drawings[0][0] === LINE)
  draw(
    sketch,
    0,
    [
      [140, 84],
      [140, 196],
    ],
    "eraser",
  )
  assert.equal(sketch.drawings[0].length, 2)
  sketch.undo()
  assert.deepEqual(sketch.drawings[0], [LINE])
})

test("a full pad takes no stroke and no point, and is cut into no more strokes", () => {
  const sketch = makeSketch([[DOT, DOT, LINE], []])
  assert.equal(sketch.lower(0, "pen", 18, [1, 1]), false)
  assert.equal(sketch.canUndo, false)
  draw(
    sketch,
    0,
    [
      [140, 84],
      [140, 196],
    ],
    "eraser",
  )
  assert.deepEqual(sketch.drawings[0], [DOT, DOT, LINE])
  draw(sketch, 0, [[50, 50]], "eraser")
  assert.deepEqual(sketch.drawings[0], [LINE])

  sketch.lower(1, "pen", 18, [0, 0])
  for (let i = 1; i < 20; i += 1) sketch.move(1, [i, i * i])
  assert.equal(sketch.drawings[1][0].points.length, 2 * LIMITS.max_points)
  assert.ok(sketch.isFull(1) && !sketch.isFull(0))
})

test("the eraser leaves no more points than a pad may hold", () => {
  const sketch = makeSketch([[LINE], []], [null, null], { max_strokes: 3, max_points: 3 })
  draw(
    sketch,
    0,
    [
      [140, 84],
      [140, 196],
    ],
    "eraser",
  )
  assert.deepEqual(sketch.drawings[0], [LINE]) // two pieces have four
})

test("clearing forgets which digit it is, unless somebody else says it", () => {
  const sketch = makeSketch([[LINE], [DOT]], [4, 7])
  sketch.clear(0)
  assert.deepEqual(
    [sketch.drawings, sketch.truths],
    [
      [[], [DOT]],
      [null, 7],
    ],
  )
  sketch.clear(1, true)
  assert.deepEqual(
    [sketch.drawings, sketch.truths],
    [
      [[], []],
      [null, 7],
    ],
  )
  sketch.undo()
  sketch.undo()
  assert.deepEqual(
    [sketch.drawings, sketch.truths],
    [
      [[LINE], [DOT]],
      [4, 7],
    ],
  )
})

test("what is cleared, swapped or laid ends a stroke under way", () => {
  for (const act of [(s) => s.clear(0), (s) => s.swap(), (s) => s.lay([[DOT], []], [null, null])]) {
    const sketch = makeSketch()
    sketch.lower(0, "pen", 18, [10, 10])
    act(sketch)
    assert.ok(!sketch.isDrawing && sketch.undo())
    assert.deepEqual(sketch.drawings[0], [{ width: 18, points: [10, 10] }])
  }
})

test("swapping takes along which digits they are, and can be undone", () => {
  const sketch = makeSketch([[LINE], [DOT]])
  sketch.tell(0, 4)
  sketch.swap()
  assert.deepEqual(
    [sketch.drawings, sketch.truths],
    [
      [[DOT], [LINE]],
      [null, 4],
    ],
  )
  sketch.undo()
  assert.deepEqual(
    [sketch.drawings, sketch.truths],
    [
      [[LINE], [DOT]],
      [4, null],
    ],
  )
})
