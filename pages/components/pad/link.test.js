import assert from "node:assert/strict"
import { test } from "node:test"
import { handOver } from "./pad.js"

const LINK = Promise.resolve("http://x/draw?pair=0-1")
const fail = (name) => async () => {
  throw Object.assign(new Error(), { name })
}

test("a link is shared where the browser can, else copied, and it is said which", async () => {
  const got = []
  const ways = { share: async (url) => got.push(url), write: async (link) => got.push(await link), copy: () => true }
  assert.equal(await handOver(LINK, ways), "Link shared")
  assert.equal(await handOver(LINK, { ...ways, share: undefined }), "Link copied")
  assert.deepEqual(got, ["http://x/draw?pair=0-1", "http://x/draw?pair=0-1"])
})

test("the older way is taken without a clipboard, and if the clipboard refuses", async () => {
  const copied = []
  const copy = (url) => copied.push(url) > 0
  assert.equal(await handOver(LINK, { copy }), "Link copied")
  assert.equal(await handOver(LINK, { write: fail("NotAllowedError"), copy }), "Link copied")
  assert.deepEqual(copied, ["http://x/draw?pair=0-1", "http://x/draw?pair=0-1"])
})

test("a link that nothing takes is in the address bar; a sheet that was closed says nothing", async () => {
  assert.equal(await handOver(LINK, { copy: () => false }), "The link is in the address bar")
  assert.equal(await handOver(LINK, { share: fail("AbortError"), copy: () => true }), "")
})
