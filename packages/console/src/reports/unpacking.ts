// Gzip in a browser: the parts of the build whole, files of people in pieces.
// Source: https://compression.spec.whatwg.org/

export async function unpacked(packed: ArrayBuffer): Promise<ArrayBuffer> {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'))
  return new Response(stream).arrayBuffer()
}

/** The file's bytes in pieces, inflated where it is gzip, of one member or several. Throws as the browser does. */
export async function piecesOf(file: File): Promise<{
  readonly isGzip: boolean
  readonly pieces: AsyncIterable<Uint8Array>
}> {
  const head = new Uint8Array(await file.slice(0, 2).arrayBuffer())
  const isGzip = head[0] === 0x1f && head[1] === 0x8b
  return { isGzip, pieces: isGzip ? inflated(file) : read(file.stream()) }
}

async function* inflated(file: File): AsyncGenerator<Uint8Array> {
  for await (const member of membersOf(file)) yield* read(inflating(member))
}

function inflating(packed: Blob): ReadableStream<Uint8Array> {
  return packed.stream().pipeThrough(new DecompressionStream('gzip'))
}

/** What looked like the begin of a member and was none; past it the rest is read as one, and refused as it is. */
const MISTAKEN_MAX = 100

/**
 * The members of a gzip file, which a browser inflates one at a time: it takes what follows the first for junk. What is
 * wrong with the last is found when it is read. Source: https://www.rfc-editor.org/rfc/rfc1952#page-5 (section 2.2)
 */
async function* membersOf(file: File): AsyncGenerator<Blob> {
  let start = 0
  let mistaken = 0
  for (const next of await headsIn(file)) {
    const member = file.slice(start, next)
    if (await isWhole(member)) {
      yield member
      start = next
    } else if (++mistaken > MISTAKEN_MAX) break
  }
  yield file.slice(start)
}

/** Where a member may begin, after the first: its magic number, deflate, and no flag that there is not. */
async function headsIn(file: File): Promise<number[]> {
  const heads: number[] = []
  let [at, third, second, first] = [0, -1, -1, -1]
  for await (const piece of read(file.stream())) {
    for (const byte of piece) {
      if (first === 0x1f && second === 0x8b && third === 8 && byte < 0x20 && at > 3) {
        heads.push(at - 3)
      }
      first = second
      second = third
      third = byte
      at++
    }
  }
  return heads
}

/** Whether it inflates to its end, and nothing follows; nothing of it is kept. */
async function isWhole(member: Blob): Promise<boolean> {
  try {
    for await (const _ of read(inflating(member)));
    return true
  } catch {
    return false // the begin of the next one was none, or this one is damaged, which whoever reads it finds
  }
}

async function* read(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => undefined) // what is at its end or broken has nothing to cancel
  }
}
