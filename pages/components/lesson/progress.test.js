import assert from "node:assert/strict"
import { test } from "node:test"
import { describe, releaseFocus } from "./progress.js"

test("the line says which chapter of how many", () => {
  assert.equal(describe({ chapters: Array(8).fill({}), here: 2 }), "3 of 8")
})

test("a choice made with the pointer keeps no focus, anything else does", () => {
  const make = (isChoice) => {
    const element = { blurred: 0, matches: () => isChoice, blur: () => (element.blurred += 1) }
    return element
  }
  const [radio, button] = [make(true), make(false)]
  for (const active of [radio, button, null]) releaseFocus(active)
  assert.deepEqual([radio.blurred, button.blurred], [1, 0])
})
