// On the way to another screen Streamlit adds two entries to the browser's history: the screen that is left, without
// its choices, and the new one. Back would lead to the first, which shows the defaults. Here the new screen takes its place.

// Wraps `history.pushState`; once, however often a page is shown
export function mend(history, location) {
  if (history.isMended) return
  history.isMended = true
  const push = history.pushState.bind(history)
  let bare = null // the address that was added although only the choices were taken from it
  history.pushState = (state, title, url) => {
    const to = new URL(url ?? location.href, location.href)
    const isLeft = bare !== null && bare === location.href && to.pathname !== location.pathname
    const drops = to.pathname === location.pathname && to.search === "" && location.search !== ""
    if (isLeft) history.replaceState(state, title, url)
    else push(state, title, url)
    bare = drops ? to.href : null
  }
}

export default () => mend(window.history, window.location)
