// What the shared code unpacks itself. A browser unpacks before the code runs: the blocks of the index are plain
// in the console's copy (report-assets.ts), and files of people are inflated as they are read.

interface Limit {
  readonly maxOutputLength: number
}

/** The block as it is. */
export function brotliDecompressSync(bytes: Uint8Array, { maxOutputLength }: Limit): Uint8Array {
  if (bytes.length > maxOutputLength) throw new Error('a block is larger than it may be')
  return bytes
}

export function gunzipSync(): never {
  throw new Error('nothing packed comes here')
}
