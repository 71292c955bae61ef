// Bytes as text and back, strictly: base64 and hex that are not in their one canonical spelling are
// refused, so that no byte of a signed text can change unnoticed. Runs in browsers.

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/
const TEXT_CHUNK_BYTES = 8192

/** Standard base64 with padding. Source: RFC 4648 section 4. */
export function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (let start = 0; start < bytes.length; start += TEXT_CHUNK_BYTES) {
    binary += String.fromCharCode(...bytes.subarray(start, start + TEXT_CHUNK_BYTES))
  }
  return btoa(binary)
}

/** The bytes, or null for anything but canonical base64 (padded, spare bits zero, no spaces). */
export function fromBase64(text: string): Uint8Array | null {
  if (text.length % 4 !== 0 || !BASE64.test(text)) return null
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length)
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index)
  return toBase64(bytes) === text ? bytes : null
}

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}

/** Whether both hold the same bytes. Not constant-time: nothing here is secret. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && firstDifference(left, right) === -1
}

/** Index of the first byte that differs within the shorter of the two, or -1. */
export function firstDifference(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    if (left[index] !== right[index]) return index
  }
  return -1
}

/** The chunks, one after the other, in one array. */
export function concatBytes(chunks: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const chunk of chunks) length += chunk.length
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}

const ENCODER = new TextEncoder()
const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function toUtf8(text: string): Uint8Array {
  return ENCODER.encode(text)
}

/** The text, or null when the bytes are not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string | null {
  try {
    return DECODER.decode(bytes)
  } catch {
    return null
  }
}
