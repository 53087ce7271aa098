import assert from "node:assert/strict"
import { test } from "node:test"
import { tell } from "./device.js"

function posts(isPhone, believed) {
  const posted = []
  const page = {}
  tell(isPhone, believed, page, (value) => posted.push(value))
  return [posted, page.cookie.split(";")[0]]
}

test("Python hears of a phone once, and of a computer never", () => {
  assert.deepEqual(posts(true, false), [[true], "pair_phone=1"])
  assert.deepEqual(posts(true, true), [[], "pair_phone=1"])
  assert.deepEqual(posts(false, false), [[], "pair_phone=0"])
})

test("a window that has become wide is no phone any more", () => {
  assert.deepEqual(posts(false, true), [[false], "pair_phone=0"])
})
