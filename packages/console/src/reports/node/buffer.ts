// The part of Node's Buffer that the shared code asks for, for a browser: bytes with texts in and out of them.
// What it has not is not there at all, so that a new use fails in the tests and not in silence.
// Source: https://nodejs.org/docs/latest-v24.x/api/buffer.html

type Encoding = 'utf8' | 'latin1' | 'hex' | 'base64' | 'utf16le'

const UTF8 = new TextEncoder()

export class Bytes extends Uint8Array {
  static override from(
    given: string | ArrayBufferLike | ArrayLike<number> | Iterable<number>,
    second?: unknown,
    length?: number,
  ): Bytes {
    if (typeof given === 'string') return bytesOf(given, (second ?? 'utf8') as Encoding)
    if (given instanceof ArrayBuffer) {
      return new Bytes(given, second as number | undefined, length)
    }
    const copied = given as ArrayLike<number>
    const bytes = new Bytes(copied.length)
    bytes.set(copied)
    return bytes
  }

  static alloc(length: number): Bytes {
    return new Bytes(length)
  }

  static allocUnsafe(length: number): Bytes {
    return new Bytes(length)
  }

  static byteLength(text: string): number {
    return UTF8.encode(text).length
  }

  static concat(parts: readonly Uint8Array[]): Bytes {
    const whole = new Bytes(parts.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const part of parts) {
      whole.set(part, at)
      at += part.length
    }
    return whole
  }

  /** As in Node, from `start` to `end` where told. */
  override toString(encoding: Encoding = 'utf8', start = 0, end = this.length): string {
    return textOf(super.subarray(start, end), encoding)
  }

  copy(target: Uint8Array, targetStart = 0, start = 0, end = this.length): number {
    const part = super.subarray(start, end)
    target.set(part, targetStart)
    return part.length
  }

  /** As Node's: target range first, then that of this. */
  compare(
    target: Uint8Array,
    targetStart = 0,
    targetEnd = target.length,
    start = 0,
    end = this.length,
  ): -1 | 0 | 1 {
    const [mine, theirs] = [end - start, targetEnd - targetStart]
    const shared = Math.min(mine, theirs)
    for (let index = 0; index < shared; index++) {
      const a = this[start + index] as number
      const b = target[targetStart + index] as number
      if (a !== b) return a < b ? -1 : 1
    }
    return mine === theirs ? 0 : mine < theirs ? -1 : 1
  }

  equals(other: Uint8Array): boolean {
    return this.length === other.length && this.compare(other) === 0
  }

  readUInt32BE(at = 0): number {
    return new DataView(this.buffer, this.byteOffset, this.length).getUint32(at)
  }

  readInt32LE(at = 0): number {
    return new DataView(this.buffer, this.byteOffset, this.length).getInt32(at, true)
  }
}

function bytesOf(text: string, encoding: Encoding): Bytes {
  if (encoding === 'hex') {
    const pairs = text.match(/[0-9a-f]{2}/gi) ?? []
    return Bytes.from(pairs.map((pair) => Number.parseInt(pair, 16)))
  }
  if (encoding === 'latin1') return Bytes.from(Array.from(text, (sign) => sign.charCodeAt(0)))
  if (encoding === 'base64') return Bytes.from(fromBase64(text))
  if (encoding !== 'utf8') throw new Error(`no texts are read as ${encoding} here`)
  const { buffer, byteOffset, length } = UTF8.encode(text)
  return new Bytes(buffer, byteOffset, length)
}

/** As Node: both alphabets, what is no letter of them is passed over, nothing behind the first `=`. */
function fromBase64(text: string): number[] {
  const letters = text.split('=')[0]?.replaceAll('-', '+').replaceAll('_', '/') ?? ''
  const clean = letters.replace(/[^A-Za-z0-9+/]/g, '')
  const whole = clean.length % 4 === 1 ? clean.slice(0, -1) : clean
  return Array.from(atob(whole), (sign) => sign.charCodeAt(0))
}

function textOf(bytes: Uint8Array, encoding: Encoding): string {
  switch (encoding) {
    case 'utf8':
      // A byte order mark is a character, as it is in Node.
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
    case 'utf16le':
      return new TextDecoder('utf-16le', { ignoreBOM: true }).decode(bytes)
    case 'hex':
      return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
    case 'latin1':
      return latin1(bytes)
    case 'base64':
      return btoa(latin1(bytes))
  }
}

/** TextDecoder's latin1 is windows-1252, which is another alphabet. */
function latin1(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

export function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false // what fails to decode is the answer
  }
}

export function isAscii(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte < 0x80)
}

Object.assign(globalThis, { Buffer: Bytes })
