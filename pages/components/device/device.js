// Whether this is a phone, or a tablet held upright: narrow, and touched with a finger. A browser's name would not say so.
const PHONE = "(max-width: 900px) and (pointer: coarse)"
const YEAR = 365 * 24 * 3600

// Tells Python, unless it believes so already; the cookie tells it at the next visit, before its first screen.
export function tell(isPhone, believed, document, post) {
  document.cookie = `pair_phone=${Number(isPhone)}; path=/; max-age=${YEAR}; samesite=lax`
  if (isPhone !== believed) post(isPhone)
}

/* node:coverage disable */
export default ({ data, setStateValue }) => {
  const query = matchMedia(PHONE)
  const post = (isPhone) => setStateValue("phone", isPhone)
  const follow = () => tell(query.matches, data, document, post)
  follow()
  query.onchange = follow
  return () => {
    query.onchange = null
  }
}
