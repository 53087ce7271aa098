import assert from "node:assert/strict"
import { test } from "node:test"
import { close } from "./glossary.js"

function open() {
  const names = new Set()
  const term = Object.assign(new EventTarget(), {
    classList: { add: (name) => names.add(name), remove: (name) => names.delete(name) },
  })
  return [names, term, { querySelectorAll: () => [term] }]
}

test("Escape closes an open meaning until the word is left, other keys do not", () => {
  for (const leave of ["blur", "pointerleave"]) {
    const [names, term, page] = open()
    close({ key: "Enter" }, page)
    assert.deepEqual([...names], [])
    close({ key: "Escape" }, page)
    assert.deepEqual([...names], ["closed"])
    term.dispatchEvent(new Event(leave))
    assert.deepEqual([...names], [])
  }
})
