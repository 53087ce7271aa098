// The vote: what is seen follows the pen; what is spoken waits until the pen rests, and is said once.

export const QUIET = 600 // ms without a new vote after which it is spoken

// `clock` has after(milliseconds, action), which gives a handle, and cancel(handle); `say(words)` speaks.
export class Speaker {
  #said = ""
  #pause = null

  constructor(clock, say) {
    this.clock = clock
    this.say = say
  }

  hear(words, resting) {
    this.stop()
    if (!resting || words === this.#said) return
    this.#pause = this.clock.after(QUIET, () => {
      this.#said = words
      this.say(words)
    })
  }

  stop() {
    this.clock.cancel(this.#pause)
  }
}

/* node:coverage disable */
const CLOCK = {
  after: (milliseconds, action) => setTimeout(action, milliseconds),
  cancel: (handle) => clearTimeout(handle),
}
const speakers = new WeakMap()

export default ({ parentElement, data }) => {
  parentElement.querySelector("section").innerHTML = data.html
  if (!speakers.has(parentElement)) {
    const place = parentElement.querySelector(".spoken")
    speakers.set(parentElement, new Speaker(CLOCK, (words) => (place.textContent = words)))
  }
  const speaker = speakers.get(parentElement)
  speaker.hear(data.words, data.resting)
  return () => {
    if (parentElement.isConnected) return // newer data has overtaken this call: Streamlit ends it then, and the page stands
    speaker.stop()
    speakers.delete(parentElement)
  }
}
