// The functions of node:crypto that the shared code asks for, as a browser has them, synchronous: the ledger's
// own SHA-256, and the browser's chance.
import { sha256 } from '@seconder/ledger/sha256'

const BLOCK_BYTES = 64
const texts = new TextEncoder()

type Data = Uint8Array | string

/** SHA-256 of bytes, or of the UTF-8 of a text: lower-case hex, or bytes of the environment's own kind. */
export function hash(algorithm: 'sha256', data: Data, encoding: 'hex'): string
export function hash(algorithm: 'sha256', data: Data, encoding: 'buffer'): Uint8Array
export function hash(algorithm: 'sha256', data: Data, encoding: 'hex' | 'buffer') {
  if (algorithm !== 'sha256') throw new Error('only SHA-256 is here')
  const digest = digestOf([bytesOf(data)])
  return encoding === 'hex' ? hexOf(digest) : asBuffer(digest)
}

export function createHash(algorithm: 'sha256'): Hashing {
  if (algorithm !== 'sha256') throw new Error('only SHA-256 is here')
  return new Hashing(digestOf)
}

/** HMAC. Source: RFC 2104, section 2. */
export function createHmac(algorithm: 'sha256', key: Uint8Array): Hashing {
  if (algorithm !== 'sha256') throw new Error('only SHA-256 is here')
  const block = new Uint8Array(BLOCK_BYTES)
  block.set(key.length > BLOCK_BYTES ? digestOf([key]) : key)
  const inner = block.map((byte) => byte ^ 0x36)
  const outer = block.map((byte) => byte ^ 0x5c)
  return new Hashing((parts) => digestOf([outer, digestOf([inner, ...parts])]))
}

export function randomBytes(length: number): Uint8Array {
  return asBuffer(crypto.getRandomValues(new Uint8Array(length)))
}

class Hashing {
  readonly #parts: Uint8Array[] = []
  readonly #digest: (parts: readonly Uint8Array[]) => Uint8Array

  constructor(digest: (parts: readonly Uint8Array[]) => Uint8Array) {
    this.#digest = digest
  }

  update(data: Data): this {
    this.#parts.push(bytesOf(data))
    return this
  }

  digest(encoding: 'hex'): string {
    if (encoding !== 'hex') throw new Error('digests are in hex here')
    return hexOf(this.#digest(this.#parts))
  }
}

function digestOf(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  const output = new Uint8Array(32)
  sha256(whole, output, 0)
  return output
}

function bytesOf(data: Data): Uint8Array {
  return typeof data === 'string' ? texts.encode(data) : data
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Where the worker has its Buffer (buffer.ts), the bytes are one; a page needs none. */
function asBuffer(bytes: Uint8Array): Uint8Array {
  const { Buffer: Made } = globalThis as { Buffer?: { from(bytes: Uint8Array): Uint8Array } }
  return Made ? Made.from(bytes) : bytes
}
