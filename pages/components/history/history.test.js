import assert from "node:assert/strict"
import { test } from "node:test"
import { mend } from "./history.js"

// A browser's history, as far as it matters: a list of addresses
function arrange(first) {
  const location = new URL(first)
  const entries = [location.href]
  const go = (url) => (location.href = new URL(url, location.href).href)
  const history = {
    pushState: (_state, _title, url) => entries.push(go(url)),
    replaceState: (_state, _title, url) => (entries[entries.length - 1] = go(url)),
  }
  mend(history, location)
  mend(history, location)
  return { history, entries }
}

test("the way to another screen leaves one entry, and the choices in the one before", () => {
  const { history, entries } = arrange("http://x/?seed=910")
  history.pushState({}, "", "/")
  history.pushState({}, "", "/findings")
  assert.deepEqual(entries, ["http://x/?seed=910", "http://x/findings"])
})

test("a screen without choices is left as ever", () => {
  const { history, entries } = arrange("http://x/findings")
  history.pushState({}, "", "/compare")
  history.pushState({}, "", "/")
  assert.deepEqual(entries, ["http://x/findings", "http://x/compare", "http://x/"])
})

test("the same screen without its choices is an entry of its own, if nothing follows", () => {
  const { history, entries } = arrange("http://x/?seed=910")
  history.pushState({}, "", "/")
  history.pushState({}, "", "/?seed=3")
  assert.deepEqual(entries, ["http://x/?seed=910", "http://x/", "http://x/?seed=3"])
})
