// Remembers what a sequence of bytes was found to mean: most events of a trail repeat the bytes of others,
// and what was understood once is not read again. The bytes are kept and compared, so that two keys of
// one hash are never taken for each other. Bounded: when it is full it forgets all and begins anew.

/** Bytes of all keys together, and of one that is worth keeping. */
export const KEPT_BYTES_MAX = 48 * 1024 * 1024
export const KEY_BYTES_MAX = 64 * 1024
const SLOTS = 1 << 18
const ENTRIES_MAX = SLOTS >> 1
/** Keys looked at for one. */
const PROBES_MAX = 256

export class ByteTable {
  /** The key under the pen: written by `begin` and `add`, asked for by `find`. */
  readonly #key = Buffer.alloc(KEY_BYTES_MAX + 8)
  readonly #view = new DataView(this.#key.buffer, this.#key.byteOffset, this.#key.length)
  #source: Uint8Array | null = null
  #buffer: Buffer<ArrayBufferLike> = Buffer.alloc(0)
  #length = 0
  #tooLong = false
  /** Too many keys of one hash: this one is understood anew each time. */
  #isCrowded = false
  #hash = 0
  readonly #seed: number
  #kept = Buffer.allocUnsafe(1024 * 1024)
  #keptBytes = 0
  readonly #slots = new Int32Array(SLOTS)
  /** Of each entry: hash, from, to, value. */
  readonly #entries = new Int32Array(ENTRIES_MAX * 4)
  #count = 0

  /** `seed` is chance, so that nobody who writes parameters can choose keys of one hash. */
  readonly #step: number

  /**
   * `seed` is chance, so that nobody who writes parameters can choose keys of one hash. `words` is of how many
   * words of a key one is hashed: long keys that differ by chance in runs of letters need not all of them.
   */
  constructor(seed: number, words = 1) {
    this.#seed = seed | 0
    this.#step = words * 4
  }

  begin(): void {
    this.#length = 0
    this.#tooLong = false
  }

  /** Each piece with its length before it, so that no two lists of pieces make one key. */
  add(bytes: Uint8Array, from: number, to: number): void {
    const length = to - from
    if (this.#length + length + 4 > KEY_BYTES_MAX) {
      this.#tooLong = true
      return
    }
    this.#view.setUint32(this.#length, length, true)
    this.#length += 4
    if (length > 48) this.#bufferOf(bytes).copy(this.#key, this.#length, from, to)
    else
      for (let at = 0; at < length; at++) this.#key[this.#length + at] = bytes[from + at] as number
    this.#length += length
  }

  /** The same bytes as a Buffer, whose copy makes no object for each piece. */
  #bufferOf(bytes: Uint8Array): Buffer<ArrayBufferLike> {
    if (bytes !== this.#source) {
      this.#source = bytes
      this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    return this.#buffer
  }

  /** What the key means; -1 where that is not known, and then `keep` may say it. */
  find(): number {
    if (this.#tooLong) return -1
    this.#hash = this.#hashKey()
    let slot = this.#hash & (SLOTS - 1)
    this.#isCrowded = false
    for (let probes = 0; ; probes++) {
      const entry = (this.#slots[slot] as number) - 1
      if (entry < 0) return -1
      if (probes === PROBES_MAX) {
        this.#isCrowded = true
        return -1
      }
      const at = entry * 4
      if (this.#entries[at] === this.#hash) {
        const from = this.#entries[at + 1] as number
        const to = this.#entries[at + 2] as number
        const isSame =
          to - from === this.#length &&
          this.#kept.compare(this.#key, 0, this.#length, from, to) === 0
        if (isSame) return this.#entries[at + 3] as number
      }
      slot = (slot + 1) & (SLOTS - 1)
    }
  }

  /** The meaning of the key that was just not found. */
  keep(value: number): void {
    if (this.#tooLong || this.#isCrowded) return
    const bytes = this.#keptBytes + this.#length
    if (this.#count >= ENTRIES_MAX || bytes > KEPT_BYTES_MAX) this.#forget()
    this.#grow(this.#keptBytes + this.#length)
    this.#key.copy(this.#kept, this.#keptBytes, 0, this.#length)
    const at = this.#count * 4
    this.#entries[at] = this.#hash
    this.#entries[at + 1] = this.#keptBytes
    this.#keptBytes += this.#length
    this.#entries[at + 2] = this.#keptBytes
    this.#entries[at + 3] = value
    this.#count++
    let slot = this.#hash & (SLOTS - 1)
    while (this.#slots[slot] !== 0) slot = (slot + 1) & (SLOTS - 1)
    this.#slots[slot] = this.#count
  }

  #forget(): void {
    this.#slots.fill(0)
    this.#count = 0
    this.#keptBytes = 0
  }

  #grow(bytes: number): void {
    if (bytes <= this.#kept.length) return
    const larger = Buffer.allocUnsafe(Math.max(bytes, this.#kept.length * 2))
    this.#kept.copy(larger, 0, 0, this.#keptBytes)
    this.#kept = larger
  }

  #hashKey(): number {
    const length = this.#length
    // Zeros behind the key make the last word whole.
    this.#view.setUint32(length, 0, true)
    let hash = this.#seed ^ length
    const step = this.#step
    for (let at = 0; at < length; at += step) {
      hash = Math.imul(hash ^ this.#view.getInt32(at, true), 0x9e3779b1)
      hash ^= hash >>> 15
    }
    hash = Math.imul(hash ^ (hash >>> 13), 0x85ebca6b)
    return hash ^ (hash >>> 16)
  }
}
