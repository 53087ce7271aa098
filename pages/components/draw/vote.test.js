import assert from "node:assert/strict"
import { test } from "node:test"
import { QUIET, Speaker } from "./vote.js"

// A speaker whose clock is wound by hand
function listen() {
  const spoken = []
  let now = 0
  let waiting = []
  const clock = {
    after: (milliseconds, action) => {
      const timer = { at: now + milliseconds, action }
      waiting.push(timer)
      return timer
    },
    cancel: (timer) => (waiting = waiting.filter((each) => each !== timer)),
  }
  const wait = (milliseconds) => {
    now += milliseconds
    const due = waiting.filter((timer) => timer.at <= now)
    waiting = waiting.filter((timer) => timer.at > now)
    for (const timer of due) timer.action()
  }
  return { spoken, wait, speaker: new Speaker(clock, (words) => spoken.push(words)) }
}

test("a stroke of three seconds is spoken once, when the pen rests", () => {
  const { spoken, wait, speaker } = listen()
  for (let i = 0; i < 27; i += 1) {
    speaker.hear(`${i} of 140 say: first > second.`, false)
    wait(110)
  }
  wait(5 * QUIET)
  assert.deepEqual(spoken, [])
  speaker.hear("131 of 140 say: first > second.", true)
  wait(QUIET - 1)
  assert.deepEqual(spoken, [])
  wait(1)
  assert.deepEqual(spoken, ["131 of 140 say: first > second."])
})

test("the same words are not spoken again, others are", () => {
  const { spoken, wait, speaker } = listen()
  for (const words of ["one", "one", "two"]) {
    speaker.hear(words, true)
    wait(QUIET)
  }
  assert.deepEqual(spoken, ["one", "two"])
})

test("of votes that follow each other fast, the last is spoken", () => {
  const { spoken, wait, speaker } = listen()
  for (const words of ["one", "two", "three"]) {
    speaker.hear(words, true)
    wait(QUIET / 2)
  }
  wait(QUIET)
  assert.deepEqual(spoken, ["three"])
})
