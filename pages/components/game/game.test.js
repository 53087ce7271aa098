import assert from "node:assert/strict"
import { test } from "node:test"
import { actionOf, isLessOrEqual, judge, restore, tally } from "./game.js"

const pair = (digits, ...says) => ({ digits, says })
const key = (name, more = {}) => ({ key: name, composedPath: () => [], ...more })

test("equal digits are less than or equal", () => {
  assert.deepEqual(
    [
      [4, 9],
      [4, 4],
      [9, 4],
    ].map((digits) => isLessOrEqual(pair(digits))),
    [true, true, false],
  )
})

test("the tally counts answered pairs alone, for everybody", () => {
  const pairs = [pair([1, 2], true, false), pair([2, 1], true, false), pair([3, 3], true, true)]
  assert.deepEqual(tally(pairs, []), { you: 0, networks: [0, 0] })
  assert.deepEqual(tally(pairs, [true, true]), { you: 1, networks: [1, 1] })
  assert.deepEqual(tally(pairs, [true, false, true]), { you: 3, networks: [2, 2] })
})

const SAID = [
  [[4, 9], [true, true, false], true, "4 ≤ 9: you were right.", "So were two of the three."],
  [[4, 9], [true, true, true], true, "4 ≤ 9: you were right.", "So were all three."],
  [[4, 9], [true, false, false], true, "4 ≤ 9: you were right.", "So was one of the three."],
  [[4, 9], [false, false, false], true, "4 ≤ 9: you were right.", "None of the three was."],
  [[9, 4], [true, false, false], true, "9 > 4: you were wrong.", "Two of the three were right."],
  [[9, 4], [false, false, false], true, "9 > 4: you were wrong.", "All three were right."],
  [[9, 4], [true, true, false], true, "9 > 4: you were wrong.", "One of the three was right."],
  [[9, 4], [true, true, true], true, "9 > 4: you were wrong.", "None of the three was right."],
]
for (const [digits, says, answer, truth, networks] of SAID) {
  test(`${truth} ${networks}`, () => assert.deepEqual(judge(pair(digits, ...says), answer), { truth, networks }))
}

test("arrows answer, the right one goes on, and nothing else does anything", () => {
  assert.equal(actionOf(key("ArrowRight"), false, false), "yes")
  assert.equal(actionOf(key("ArrowLeft"), false, false), "no")
  assert.equal(actionOf(key("ArrowRight"), true, false), "next")
  assert.equal(actionOf(key("ArrowLeft"), true, false), null)
  assert.equal(actionOf(key("ArrowRight"), true, true), null)
  assert.equal(actionOf(key("a"), false, false), null)
})

test("a key that repeats, comes with another, was used or is meant for a field is left alone", () => {
  for (const more of [{ repeat: true }, { ctrlKey: true }, { altKey: true }, { defaultPrevented: true }])
    assert.equal(actionOf(key("ArrowRight", more), false, false), null)
  const inField = { composedPath: () => [{ tagName: "INPUT" }, {}] }
  assert.equal(actionOf(key("ArrowRight", inField), false, false), null)
})

test("kept answers are taken as far as they are any", () => {
  assert.deepEqual(restore("[true,false]", 10), [true, false])
  for (const text of [null, "", "{", "7", '["yes"]', "[true,true]"]) assert.deepEqual(restore(text, 1), [])
})
