import assert from "node:assert/strict"
import { test } from "node:test"
import { cutStroke, distance, ERASER, simplify, snap, subdivide } from "./pad.js"

const LINE = { width: 18, points: [20, 140, 260, 140] }
const DOT = { width: 10, points: [50, 50] }

test("a place is in units of the pad, to a tenth, and never outside", () => {
  assert.deepEqual(
    [0, 1, 0.5, 1 / 3, -0.2, 7].map((share) => snap(share, 280)),
    [0, 280, 140, 93.3, 0, 280],
  )
})

test("the distance is to the nearest point of the line, ends included", () => {
  assert.equal(distance(5, 3, 0, 0, 10, 0), 3)
  assert.equal(distance(13, 4, 0, 0, 10, 0), 5)
  assert.equal(distance(-3, -4, 0, 0, 10, 0), 5)
  assert.equal(distance(3, 4, 0, 0, 0, 0), 5) // a line of no length
})

test("points on a straight line go, corners stay", () => {
  const corner = [0, 0, 5, 0.1, 10, 0, 10, 5, 10, 10]
  assert.deepEqual(simplify(corner, 0.3), [0, 0, 10, 0, 10, 10])
  assert.deepEqual(simplify(corner, 0.05), [0, 0, 5, 0.1, 10, 0, 10, 10])
  assert.deepEqual(simplify(DOT.points, 0.3), [50, 50])
})

test("no point that was left out is farther away than the tolerance", () => {
  const wave = Array.from({ length: 100 }, (_, i) => [2 * i, 40 * Math.sin(i / 8)]).flat()
  const kept = simplify(wave, 0.5)
  assert.ok(kept.length < wave.length / 2)
  for (let i = 0; i < wave.length; i += 2) {
    const pieces = Array.from({ length: kept.length / 2 - 1 }, (_, j) => kept.slice(2 * j, 2 * j + 4))
    const nearest = Math.min(...pieces.map((piece) => distance(wave[i], wave[i + 1], ...piece)))
    assert.ok(nearest <= 0.5, `${nearest} at ${i}`)
  }
})

test("a line is divided into steps that are short enough", () => {
  assert.deepEqual(subdivide([0, 0, 5, 0], 2), [0, 0, 1.7, 0, 3.3, 0, 5, 0])
  assert.deepEqual(subdivide([1, 2], 2), [1, 2])
  assert.deepEqual(subdivide([1, 2, 1, 2], 2), [1, 2, 1, 2])
})

test("the eraser cuts a stroke in two, as wide as it reaches", () => {
  const [left, right] = cutStroke(LINE, [140, 84], [140, 196])
  const reach = ERASER + LINE.width / 4
  assert.deepEqual([left.width, right.width], [18, 18])
  assert.deepEqual(left.points.slice(0, 2), [20, 140])
  assert.deepEqual(right.points.slice(-2), [260, 140])
  assert.ok(140 - reach - left.points.at(-2) >= 0 && 140 - reach - left.points.at(-2) < 2)
  assert.ok(right.points[0] - 140 - reach >= 0 && right.points[0] - 140 - reach < 2)
  assert.equal(left.points.length, 4) // a straight piece needs no points between its ends
})

test("the eraser takes the whole of a stroke, or leaves the very stroke", () => {
  assert.deepEqual(cutStroke(LINE, [14, 140], [266, 140]), [])
  assert.deepEqual(cutStroke(DOT, [50, 50], [50, 50]), [])
  assert.equal(cutStroke(LINE, [140, 200], [140, 250])[0], LINE)
})
