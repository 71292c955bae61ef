// Makes values from SSH wire bytes and back, one way only: every length is bounded, every integer
// minimal, and nothing may be left over. Types: RFC 4251 section 5.

import { SshError, type SshErrorCode } from './errors.ts'

/** Longest single field; the modulus of a 16,384-bit RSA key takes 2,049 bytes. */
export const WIRE_FIELD_BYTES_MAX = 8192

export class WireReader {
  readonly #bytes: Buffer
  readonly #code: SshErrorCode
  #at = 0

  /** `code` is what every error of this reader says. */
  constructor(bytes: Uint8Array, code: SshErrorCode) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#code = code
  }

  take(count: number): Buffer {
    if (this.#bytes.length - this.#at < count) throw new SshError(this.#code, 'cut short')
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }

  byte(): number {
    return this.take(1).readUInt8(0)
  }

  uint32(): number {
    return this.take(4).readUInt32BE(0)
  }

  string(bytesMax = WIRE_FIELD_BYTES_MAX): Buffer {
    const length = this.uint32()
    if (length > bytesMax) throw new SshError(this.#code, `field of more than ${bytesMax} bytes`)
    return this.take(length)
  }

  /** A name: printable ASCII without spaces, as RFC 4251 section 6 asks of algorithm names. */
  name(): string {
    const text = this.string(256).toString('latin1')
    if (!/^[\x21-\x7e]*$/.test(text)) throw new SshError(this.#code, 'name with odd characters')
    return text
  }

  /** The magnitude of a positive mpint, without its sign byte; zero and padding are refused. */
  positiveInteger(): Buffer {
    const bytes = this.string()
    const first = bytes[0] ?? 0
    if (bytes.length === 0 || first >= 0x80) throw new SshError(this.#code, 'integer not positive')
    if (first !== 0) return bytes
    if ((bytes[1] ?? 0) < 0x80) throw new SshError(this.#code, 'integer not minimal')
    return bytes.subarray(1)
  }

  rest(): Buffer {
    return this.take(this.#bytes.length - this.#at)
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new SshError(this.#code, 'bytes after the end')
  }
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** A length and the bytes; a string is taken as UTF-8. */
export function wireString(value: Uint8Array | string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  return Buffer.concat([uint32(bytes.length), bytes])
}

/** The bytes of standard base 64 in its one spelling: right padding, no stray bits, no spaces. */
export function decodeBase64(text: string, code: SshErrorCode): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) throw new SshError(code, 'not canonical base 64')
  return bytes
}
