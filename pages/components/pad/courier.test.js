import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"
import { Courier, INTERVAL, PATIENCE, REST } from "./pad.js"

const LINE = { width: 18, points: [20, 140, 260, 140] }
const DOT = { width: 10, points: [50, 50] }

// Time that passes when a test says so
class Clock {
  time = 0
  #last = 0
  #tasks = new Map()

  now() {
    return this.time
  }
  after(milliseconds, action) {
    this.#last += 1
    this.#tasks.set(this.#last, { due: this.time + milliseconds, action })
    return this.#last
  }
  cancel(handle) {
    this.#tasks.delete(handle)
  }
  pass(milliseconds) {
    const end = this.time + milliseconds
    for (;;) {
      const [handle, task] = [...this.#tasks].sort(([, a], [, b]) => a.due - b.due)[0] ?? []
      if (!task || task.due > end) break
      this.#tasks.delete(handle)
      this.time = task.due
      task.action()
    }
    this.time = end
  }
}

let clock, courier, content, drawing, posted, rests

beforeEach(() => {
  clock = new Clock()
  content = { pads: [[], []] }
  drawing = false
  posted = []
  rests = []
  courier = new Courier(
    clock,
    5,
    () => content,
    () => drawing,
  )
  courier.post = (message) => posted.push({ at: clock.time, ...message })
  courier.rest = (sequence) => rests.push({ at: clock.time, sequence })
})

const answer = (follow = false) => courier.receive({ sequence: posted.at(-1).sequence, follow })
const times = () => posted.map(({ at }) => at)

test("counts on from the last message that Python has read", () => {
  courier.send()
  courier.send()
  assert.deepEqual(
    posted.map(({ sequence }) => sequence),
    [6, 7],
  )
})

test("sends what stands now, and no later change of it", () => {
  content.pads[0].push(DOT)
  courier.send()
  content.pads[0].push(LINE)
  assert.deepEqual(posted[0].pads, [[DOT], []])
})

test("sends the first move at once, and then not more often than every interval", () => {
  for (let i = 0; i < 100; i += 1) {
    courier.sendSoon()
    clock.pass(10)
    if (posted.length) answer()
  }
  assert.deepEqual(
    times(),
    [0, 1, 2, 3, 4, 5, 6].map((i) => i * INTERVAL),
  )
})

test("waits for an answer, though not for ever", () => {
  courier.send()
  courier.sendSoon()
  clock.pass(PATIENCE - 1)
  assert.deepEqual(times(), [0])
  clock.pass(1)
  assert.deepEqual(times(), [0, PATIENCE])
})

test("goes on when the answer comes", () => {
  courier.send()
  courier.sendSoon()
  clock.pass(INTERVAL + 300)
  answer()
  clock.pass(0)
  assert.deepEqual(times(), [0, INTERVAL + 300])
})

test("an answer to an earlier message lets nothing go", () => {
  courier.send()
  courier.send()
  courier.sendSoon()
  courier.receive({ sequence: 6, follow: false })
  clock.pass(PATIENCE - 1)
  assert.equal(posted.length, 2)
})

test("what is finished goes at once, and takes with it what was to come", () => {
  courier.send()
  courier.sendSoon()
  clock.pass(20)
  courier.send()
  clock.pass(10 * PATIENCE)
  assert.deepEqual(times(), [0, 20])
})

test("says once that the pen rests, when the last message has been answered", () => {
  courier.send()
  courier.receive({ sequence: 5, follow: true })
  clock.pass(REST)
  assert.deepEqual(rests, []) // no answer yet
  answer(true)
  clock.pass(REST - 1)
  assert.deepEqual(rests, [])
  clock.pass(1)
  assert.deepEqual(rests, [{ at: 2 * REST, sequence: 6 }])
  answer(true)
  clock.pass(10 * REST)
  assert.equal(rests.length, 1)
})

test("says nothing of a rest that nobody asked for, or before anything is sent", () => {
  courier.receive({ sequence: 5, follow: true })
  courier.send()
  answer(false)
  clock.pass(10 * REST)
  assert.deepEqual(rests, [])
})

test("a pen that is down does not rest", () => {
  courier.send()
  answer(true)
  drawing = true
  clock.pass(2 * REST)
  assert.deepEqual(rests, [])
})

test("a stroke ends the rest; the next one counts from its own answer", () => {
  courier.send()
  answer(true)
  clock.pass(REST - 1)
  courier.send()
  clock.pass(10)
  answer(true)
  clock.pass(REST - 1)
  assert.deepEqual(rests, [])
  clock.pass(1)
  assert.deepEqual(rests, [{ at: 2 * REST + 9, sequence: 7 }])
})

test("a move that is still to be sent ends the rest as well", () => {
  courier.send()
  answer(true)
  clock.pass(REST - 1)
  courier.send()
  answer(true)
  clock.pass(REST - INTERVAL / 2)
  courier.sendSoon()
  clock.pass(INTERVAL / 2)
  assert.deepEqual(rests, [])
})

test("sends and says nothing once it is closed", () => {
  courier.send()
  answer(true)
  courier.sendSoon()
  courier.close()
  clock.pass(10 * PATIENCE)
  assert.deepEqual([posted.length, rests.length], [1, 0])
})
