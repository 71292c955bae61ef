// Gzip in a browser: the parts of the build whole, files of people in pieces.
// Source: https://compression.spec.whatwg.org/

export async function unpacked(packed: ArrayBuffer): Promise<ArrayBuffer> {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'))
  return new Response(stream).arrayBuffer()
}

/** The file's bytes in pieces, inflated where it is gzip. Throws as the browser does. */
export async function piecesOf(file: File): Promise<{
  readonly isGzip: boolean
  readonly pieces: AsyncIterable<Uint8Array>
}> {
  const head = new Uint8Array(await file.slice(0, 2).arrayBuffer())
  const isGzip = head[0] === 0x1f && head[1] === 0x8b
  const plain = file.stream()
  return {
    isGzip,
    pieces: read(isGzip ? plain.pipeThrough(new DecompressionStream('gzip')) : plain),
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
