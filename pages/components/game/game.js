// Ten pairs of digits, one after another. All is in the browser from the start, so an answer shows at once; Python hears
// of it only if it asks to.

const NUMBERS = ["none", "one", "two", "three", "four", "five", "six", "seven"]
const count = (number) => NUMBERS[number] ?? String(number)

// Whether first <= second is true of a pair
export const isLessOrEqual = ({ digits: [first, second] }) => first <= second

// How many of the pairs answered so far each got right: whoever plays, and the networks
export function tally(pairs, answers) {
  const done = pairs.slice(0, answers.length)
  const you = done.filter((pair, index) => answers[index] === isLessOrEqual(pair)).length
  const networks = (pairs[0]?.says ?? []).map(
    (_, network) => done.filter((pair) => pair.says[network] === isLessOrEqual(pair)).length,
  )
  return { you, networks }
}

// What is said of an answer: the truth, and how many networks say it
export function judge(pair, answer) {
  const [first, second] = pair.digits
  const truth = isLessOrEqual(pair)
  const all = pair.says.length
  const right = pair.says.filter((says) => says === truth).length
  const who = right === all ? `all ${count(all)}` : `${count(right)} of the ${count(all)}`
  const were = right > 1 ? "were" : "was"
  const like = answer === truth
  const so = like && right > 0 ? `So ${were} ${who}.` : `${capital(who)} ${were}${like ? "" : " right"}.`
  return { truth: `${first} ${truth ? "≤" : ">"} ${second}: you were ${like ? "right" : "wrong"}.`, networks: so }
}

const capital = (text) => text[0].toUpperCase() + text.slice(1)

// What a key does; nothing if it repeats, comes with another, or is for something that takes keys itself
export function actionOf(event, isAnswered, isOver) {
  if (isOver || event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return null
  if (event.defaultPrevented || event.composedPath().some((each) => TAKES_KEYS.test(each.tagName ?? ""))) return null
  if (event.key === "ArrowRight") return isAnswered ? "next" : "yes"
  return event.key === "ArrowLeft" && !isAnswered ? "no" : null
}
const TAKES_KEYS = /^(input|textarea|select)$/i

// The answers that were kept for these pairs, as far as they are any
export function restore(text, length) {
  try {
    const answers = JSON.parse(text ?? "[]")
    return Array.isArray(answers) && answers.length <= length && answers.every((each) => typeof each === "boolean")
      ? answers
      : []
  } catch {
    return []
  }
}

class Game {
  constructor(root, data) {
    this.root = root
    this.data = data
    this.name = `game ${data.name}`
    this.answers = restore(
      this.#store((kept) => kept.getItem(this.name)),
      data.pairs.length,
    )
    this.place = this.answers.length // of the pair that is shown
    this.onKey = (event) => {
      const action = actionOf(event, this.answers.length > this.place, this.place === data.pairs.length)
      if (action === null) return
      event.preventDefault()
      this.act(action)
    }
    document.addEventListener("keydown", this.onKey)
    root.querySelector(".game").onclick = (event) => {
      const button = event.target.closest("button")
      if (button) this.act(button.dataset.does)
    }
    this.find = (selector) => root.querySelector(selector)
    this.#fillLists()
    this.#paint()
  }

  close() {
    document.removeEventListener("keydown", this.onKey)
  }

  act(action) {
    const { pairs } = this.data
    if (action === "yes" || action === "no") {
      if (this.answers.length > this.place) return
      this.answers.push(action === "yes")
      this.tell("answered", { game: this.data.name, pair: this.place, says: action === "yes" })
    } else if (action === "next") this.place += 1
    else if (action === "again") {
      this.answers = []
      this.place = 0
    } else return this.tell("others", Date.now())
    this.#store((kept) => kept.setItem(this.name, JSON.stringify(this.answers)))
    const hadFocus = this.find(".game").contains(this.root.activeElement ?? document.activeElement)
    this.#paint()
    if (hadFocus) this.#focus()
    this.#say(pairs)
  }

  // Tells Python; set anew with each of its messages
  tell() {}

  #store(use) {
    try {
      return use(sessionStorage)
    } catch {
      return null // a browser that keeps nothing plays all the same
    }
  }

  #fillLists() {
    const { players, pairs, mix, others } = this.data
    this.find(".players").replaceChildren(...players.map((player) => makeRow(player, MARK)))
    const you = { name: "You", idea: "", colour: "" }
    this.find(".bars").replaceChildren(...[you, ...players].map((player) => makeRow(player, BAR)))
    this.find(".mix").textContent = mix
    this.find("[data-does=others]").hidden = !others
    this.find(".progress").replaceChildren(...pairs.map(() => document.createElement("li")))
  }

  #paint() {
    const { pairs } = this.data
    const isOver = this.place === pairs.length
    this.find(".play").hidden = isOver
    this.find(".lead").hidden = isOver
    this.find(".result").hidden = !isOver
    if (isOver) this.#paintResult()
    else this.#paintPair(pairs[this.place], this.answers[this.place])
    this.find(".progress")
      .querySelectorAll("li")
      .forEach((item, index) => {
        const answer = this.answers[index]
        const state = answer === undefined ? "" : answer === isLessOrEqual(pairs[index]) ? "right" : "wrong"
        item.className = state || (index === this.place ? "now" : "")
        item.textContent = { right: "✓", wrong: "✗" }[state] ?? ""
        item.ariaLabel = `Pair ${index + 1}: ${state || "not answered"}`
      })
  }

  #paintPair(pair, answer) {
    const isAnswered = answer !== undefined
    const { pairs, lead } = this.data
    this.find(".lead").replaceChildren(bold(`Pair ${this.place + 1} of ${pairs.length}.`), ` ${lead}`)
    this.root.querySelectorAll("figure").forEach((figure, side) => {
      const name = side === 0 ? "First digit" : "Second digit"
      const image = figure.querySelector("img")
      image.src = pair.pictures[side]
      image.alt = isAnswered ? `${name}: ${pair.digits[side]}` : `${name}, 14 by 14 pixels`
      figure.querySelector("figcaption").textContent = isAnswered ? pair.digits[side] : ""
    })
    this.find(".sign").textContent = isAnswered ? (isLessOrEqual(pair) ? "≤" : ">") : "≤ ?"
    for (const button of this.find(".side").querySelectorAll("button"))
      button.hidden = (button.dataset.does === "next") !== isAnswered
    this.find(".where").textContent = this.place + 1 === pairs.length ? "See how you did" : "Next pair"
    const { truth, networks } = isAnswered ? judge(pair, answer) : { truth: "", networks: "" }
    this.find(".said").replaceChildren(bold(truth), ` ${networks}`)
    this.find(".players")
      .querySelectorAll("li")
      .forEach((item, network) => {
        const mark = item.querySelector(".mark")
        const right = pair.says[network] === isLessOrEqual(pair)
        mark.className = isAnswered ? `mark ${right ? "right" : "wrong"}` : "mark"
        mark.textContent = isAnswered ? (right ? "✓ right" : "✗ wrong") : ""
      })
  }

  #paintResult() {
    const { pairs } = this.data
    const { you, networks } = tally(pairs, this.answers)
    this.find(".score").textContent = `You: ${you} of ${pairs.length} right`
    this.find(".bars")
      .querySelectorAll("li")
      .forEach((item, index) => {
        const right = index === 0 ? you : networks[index - 1]
        item.style.setProperty("--share", right / pairs.length)
        item.querySelector("b").textContent = right
      })
  }

  #focus() {
    const answered = this.answers.length > this.place
    const next = this.place === this.data.pairs.length ? "again" : answered ? "next" : "yes"
    this.find(`[data-does=${next}]`).focus({ preventScroll: true })
  }

  #say(pairs) {
    const answer = this.answers[this.place]
    const said = answer === undefined ? null : judge(pairs[this.place], answer)
    const done = this.place === pairs.length
    const now = done ? this.find(".score").textContent : `Pair ${this.place + 1} of ${pairs.length}`
    this.find(".live").textContent = said ? `${said.truth} ${said.networks}` : now
  }
}

const MARK = '<b class="mark"></b>'
const BAR = '<span class="track"><span></span></span><b></b>'

function bold(text) {
  const element = document.createElement("strong")
  element.textContent = text
  return element
}

function makeRow({ name, idea, colour }, end) {
  const item = document.createElement("li")
  item.innerHTML = `<i></i><span class="who"><span></span><small></small></span>${end}`
  item.style.setProperty("--colour", colour || "var(--st-text-color)")
  item.querySelector(".who span").textContent = name
  item.querySelector("small").textContent = idea
  return item
}

const games = new WeakMap()

export default ({ parentElement, data, setTriggerValue }) => {
  let game = games.get(parentElement)
  if (game?.data.name !== data.name) {
    game?.close()
    game = new Game(parentElement, data)
    games.set(parentElement, game)
  }
  game.tell = (name, value) => {
    if (name === "others" || data.reports) setTriggerValue(name, value)
  }
  return () => {
    if (parentElement.isConnected) return // newer data has overtaken this call: Streamlit ends it then, and the page stands
    game.close()
    games.delete(parentElement)
  }
}
