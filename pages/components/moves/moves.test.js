import assert from "node:assert/strict"
import { test } from "node:test"
import show, { Listener } from "./moves.js"

// What stands in for the browser: its streams, and a clock that ticks when told to
function arrange() {
  const seen = { sources: [], told: 0, loads: 0, ticks: new Map() }
  const connect = (url) => {
    const source = { url, readyState: 0, closed: false, close: () => (source.closed = true) }
    source.addEventListener = (name, follow) => (source[name] = follow)
    seen.sources.push(source)
    return source
  }
  const clock = {
    setInterval: (tick) => seen.ticks.set(seen.ticks.size + 1, tick).size,
    clearInterval: (timer) => seen.ticks.delete(timer),
  }
  const page = { isHidden: () => false, reload: () => (seen.loads += 1) }
  return { seen, listener: new Listener(() => (seen.told += 1), connect, clock, page) }
}

const tick = (seen) => [...seen.ticks.values()].map((each) => each())

test("an event wakes the page, and the same topic keeps its stream", () => {
  const { seen, listener } = arrange()
  listener.follow("a", "/moves?topic=a&seen=1")
  seen.sources[0].onmessage({ data: "moved" })
  listener.follow("a", "/moves?topic=a&seen=2")
  assert.equal(seen.told, 1)
  assert.equal(seen.sources.length, 1)
})

test("a page whose server was started again is loaded again", () => {
  const { seen, listener } = arrange()
  listener.follow("a", "/moves?topic=a&server=1")
  seen.sources[0].restarted()
  assert.deepEqual([seen.loads, seen.sources[0].closed], [1, true])
})

test("another topic closes the stream and opens its own", () => {
  const { seen, listener } = arrange()
  listener.follow("a", "/moves?topic=a")
  listener.follow("b", "/moves?topic=b")
  assert.deepEqual(
    seen.sources.map((source) => source.closed),
    [true, false],
  )
})

test("a hidden tab has no stream, and one that is shown again has the newest address", () => {
  const { seen, listener } = arrange()
  listener.follow("a", "/moves?seen=1")
  listener.follow("a", "/moves?seen=2")
  listener.close()
  assert.equal(seen.sources[0].closed, true)
  listener.open()
  assert.equal(seen.sources[1].url, "/moves?seen=2")
})

test("a stream that is lost is replaced by a slow tick until it is back", () => {
  const { seen, listener } = arrange()
  listener.follow("a", "/moves")
  seen.sources[0].onerror()
  seen.sources[0].onerror()
  assert.equal(seen.ticks.size, 1)
  tick(seen)
  assert.equal(seen.told, 1)
  assert.equal(seen.sources.length, 1) // the browser itself tries again
  seen.sources[0].onopen()
  assert.equal(seen.ticks.size, 0)
})

test("a stream that was refused is opened anew at the tick", () => {
  const { seen, listener } = arrange()
  listener.follow("a", "/moves?seen=1")
  seen.sources[0].readyState = 2
  seen.sources[0].onerror()
  listener.follow("a", "/moves?seen=2")
  tick(seen)
  assert.equal(seen.sources[1].url, "/moves?seen=2")
  seen.sources[1].onopen()
  assert.equal(seen.ticks.size, 0)
})

test("a call that newer data has overtaken ends nothing; a page that is gone listens no more", (t) => {
  const opened = []
  const open = (url) => {
    opened.push({ url, closed: false, addEventListener: () => {}, close: () => (opened[0].closed = true) })
    return opened.at(-1)
  }
  globalThis.EventSource = function EventSource(url) {
    return open(url)
  }
  globalThis.document = { hidden: false, addEventListener: () => {}, removeEventListener: () => {} }
  t.after(() => {
    delete globalThis.EventSource
    delete globalThis.document
  })
  const parentElement = { isConnected: true }
  const told = []
  const call = (url) =>
    show({ parentElement, data: { topic: "a", url }, setTriggerValue: (name, count) => told.push([name, count]) })
  const end = call("/moves?seen=1")
  call("/moves?seen=2")
  end()
  opened[0].onmessage()
  assert.deepEqual([opened.length, opened[0].closed, told], [1, false, [["moved", 1]]])
  parentElement.isConnected = false
  end()
  assert.equal(opened[0].closed, true)
})
