// Escape closes the meaning of a word and leaves the focus where it is; it opens again when one comes back to the word.
export function close(event, document) {
  if (event.key !== "Escape") return
  for (const term of document.querySelectorAll(".term:is(:hover, :focus)")) {
    term.classList.add("closed")
    const reopen = () => term.classList.remove("closed")
    term.addEventListener("blur", reopen, { once: true })
    term.addEventListener("pointerleave", reopen, { once: true })
  }
}

/* node:coverage disable */
export default () => {
  const listen = (event) => close(event, document)
  document.addEventListener("keydown", listen)
  return () => document.removeEventListener("keydown", listen)
}
