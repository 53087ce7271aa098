// The score board of a race. A row keeps its node, so that one that changes places is seen to move there.

const MOTION = 200 // ms

// How far each row that stays has moved up or down: name -> pixels from its new place to its old one
export function shifts(before, after) {
  const moved = new Map()
  for (const [name, top] of after) {
    const was = before.get(name)
    if (was !== undefined && was !== top) moved.set(name, was - top)
  }
  return moved
}

function makeRow(document) {
  const row = document.createElement("tr")
  row.innerHTML =
    '<td><span class="name"><svg viewBox="0 0 24 6" aria-hidden="true"><line x1="0" y1="3" x2="24" y2="3" stroke-width="5"/></svg><span></span></span><small></small></td>' +
    '<td></td><td class="large validation"></td><td class="large test"><span></span><small></small></td><td></td>'
  return row
}

function fillRow(row, data) {
  const [name, epoch, validation, test, seconds] = row.cells
  const line = name.querySelector("line")
  line.setAttribute("stroke", data.colour)
  line.setAttribute("stroke-dasharray", data.dash)
  name.querySelector("span span").textContent = data.name
  name.querySelector("small").textContent = data.state
  epoch.textContent = data.epoch
  validation.textContent = data.validation
  test.querySelector("span").textContent = data.test
  test.querySelector("small").textContent = data.deviation
  seconds.textContent = data.seconds
}

const tops = (body) => new Map([...body.rows].map((row) => [row.dataset.name, row.offsetTop]))

export default ({ parentElement, data }) => {
  const table = parentElement.querySelector("table")
  table.dataset.order = data.order // the number that matters
  const [body] = table.tBodies
  const before = tops(body)
  const spoken = parentElement.querySelector(".spoken")
  if (spoken.textContent !== data.spoken) spoken.textContent = data.spoken
  const kept = new Map([...body.rows].map((row) => [row.dataset.name, row]))
  const rows = data.rows.map((each) => {
    const row = kept.get(each.name) ?? makeRow(document)
    row.dataset.name = each.name
    fillRow(row, each)
    return row
  })
  body.replaceChildren(...rows)
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return
  const moved = shifts(before, tops(body))
  for (const row of rows) {
    const from = moved.get(row.dataset.name)
    if (from) row.animate([{ transform: `translateY(${from}px)` }, { transform: "none" }], MOTION)
  }
}
