// Where one is in the lesson: a line for each chapter, which leads there if its reader is the one who steers.

export function describe({ chapters, here }) {
  return `${here + 1} of ${chapters.length}`
}

function makeItem(document, { question, seen, href }, place, here, steers, go) {
  const item = document.createElement("li")
  const inner = document.createElement(steers ? "a" : "span")
  inner.append(document.createElement("i"))
  inner.title = `${place + 1}. ${question}`
  inner.setAttribute("aria-label", inner.title)
  if (place === here) inner.setAttribute("aria-current", "step")
  if (steers) {
    inner.href = href
    inner.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return // a tab of its own
      event.preventDefault()
      go(place)
    })
  }
  item.className = place === here ? "here" : seen ? "seen" : ""
  item.append(inner)
  return item
}

// What the pointer has chosen keeps no focus, so that the arrow keys move the lesson and not the choice
export function releaseFocus(active) {
  if (active?.matches("[role=radio], [role=slider], input[type=range]")) active.blur()
}

const release = () => setTimeout(() => releaseFocus(document.activeElement), 100) // when the choice has been taken

export default ({ parentElement, data, setTriggerValue }) => {
  const root = parentElement.querySelector("nav")
  root.querySelector("p").textContent = describe(data)
  const go = (place) => setTriggerValue("chapter", place)
  const items = data.chapters.map((each, place) => makeItem(document, each, place, data.here, data.steers, go))
  root.querySelector("ol").replaceChildren(...items)
  document.addEventListener("pointerup", release, true) // once, however often this runs
  return () => {
    if (parentElement.isConnected) return // newer data has overtaken this call: Streamlit ends it then, and the page stands
    document.removeEventListener("pointerup", release, true)
  }
}
