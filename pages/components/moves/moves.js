// Listens to what the page shows, and wakes it. One stream a tab, closed while the tab is hidden: a browser allows six
// connections to a host. Where the stream is lost, a slow tick takes its place until it is back.

export const SLOW = 5000 // ms between two ticks without a stream

const BROWSER = { isHidden: () => globalThis.document?.hidden === true, reload: () => globalThis.location.reload() }

export class Listener {
  #source = null
  #topic = null
  #url = ""
  #timer = null

  constructor(tell, connect, clock = globalThis, page = BROWSER) {
    this.tell = tell
    this.connect = connect
    this.page = page
    this.clock = clock
  }

  // Another topic opens another stream; the same one stays, whatever else the address says
  follow(topic, url) {
    this.#url = url
    if (topic === this.#topic) return
    this.#topic = topic
    this.close()
    this.open()
  }

  open() {
    if (this.#source || this.#topic === null || this.page.isHidden()) return
    const source = this.connect(this.#url)
    this.#source = source
    source.onopen = () => this.#stopTicking()
    source.onmessage = () => this.tell()
    source.onerror = () => this.#startTicking()
    source.addEventListener("restarted", () => {
      this.close()
      this.page.reload()
    })
  }

  close() {
    this.#source?.close()
    this.#source = null
    this.#stopTicking()
  }

  #startTicking() {
    if (this.#timer !== null) return
    this.#timer = this.clock.setInterval(() => {
      this.tell()
      if (this.#source?.readyState !== 2) return // the browser itself tries again
      this.#source = null
      this.open()
    }, SLOW)
  }

  #stopTicking() {
    if (this.#timer !== null) this.clock.clearInterval(this.#timer)
    this.#timer = null
  }
}

const listeners = new WeakMap()

export default ({ parentElement, data, setTriggerValue }) => {
  let kept = listeners.get(parentElement)
  if (!kept) {
    const listener = new Listener(
      () => kept.tell(),
      (url) => new EventSource(url),
    )
    const onVisibility = () => {
      if (document.hidden) return listener.close()
      kept.tell() // what has moved meanwhile
      listener.open()
    }
    kept = { listener, onVisibility, tell: () => {}, count: 0 }
    listeners.set(parentElement, kept)
    document.addEventListener("visibilitychange", onVisibility)
  }
  kept.tell = () => {
    kept.count += 1
    setTriggerValue("moved", kept.count)
  }
  kept.listener.follow(data.topic, data.url)
  return () => {
    if (parentElement.isConnected) return // newer data has overtaken this call: Streamlit ends it then, and the page stands
    kept.listener.close()
    document.removeEventListener("visibilitychange", kept.onVisibility)
    listeners.delete(parentElement)
  }
}
