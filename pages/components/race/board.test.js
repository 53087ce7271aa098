import assert from "node:assert/strict"
import { test } from "node:test"
import { shifts } from "./board.js"

test("a row that overtakes comes from below, and the one it passes from above", () => {
  const before = new Map([
    ["a", 0],
    ["b", 44],
    ["c", 88],
  ])
  const after = new Map([
    ["b", 0],
    ["a", 44],
    ["c", 88],
  ])
  assert.deepEqual(
    shifts(before, after),
    new Map([
      ["b", 44],
      ["a", -44],
    ]),
  )
})

test("a new row comes from nowhere", () => {
  assert.deepEqual(
    shifts(
      new Map([["a", 0]]),
      new Map([
        ["new", 0],
        ["a", 44],
      ]),
    ),
    new Map([["a", -44]]),
  )
})
