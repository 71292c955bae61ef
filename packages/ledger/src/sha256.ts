// SHA-256 in plain TypeScript, for readers that have no synchronous one (browsers: WebCrypto's is
// asynchronous, which would cost a promise per hash). Slow; Node uses node.ts. Source: FIPS 180-4.

const BLOCK_BYTES = 64

/** The first 32 bits of the fractional part of `root(prime)`, for the first `count` primes. */
function primeFractions(count: number, root: (prime: number) => number): Uint32Array {
  const words = new Uint32Array(count)
  let found = 0
  for (let candidate = 2; found < count; candidate++) {
    let isPrime = true
    for (let factor = 2; factor * factor <= candidate; factor++) {
      if (candidate % factor === 0) isPrime = false
    }
    if (!isPrime) continue
    const value = root(candidate)
    words[found] = (value - Math.floor(value)) * 2 ** 32
    found += 1
  }
  return words
}

// FIPS 180-4 sections 4.2.2 and 5.3.3 define the constants by this rule.
export const INITIAL = primeFractions(8, Math.sqrt)
export const ROUND = primeFractions(64, Math.cbrt)

const schedule = new Uint32Array(64)
const state = new Uint32Array(8)

function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits))
}

function word(words: Uint32Array, index: number): number {
  return words[index] ?? 0
}

/** FIPS 180-4 section 6.2.2, one 64-byte block at `offset`. */
function compress(block: DataView, offset: number): void {
  for (let t = 0; t < 16; t++) schedule[t] = block.getUint32(offset + t * 4)
  for (let t = 16; t < 64; t++) {
    const w15 = word(schedule, t - 15)
    const w2 = word(schedule, t - 2)
    const small0 = rotate(w15, 7) ^ rotate(w15, 18) ^ (w15 >>> 3)
    const small1 = rotate(w2, 17) ^ rotate(w2, 19) ^ (w2 >>> 10)
    schedule[t] = word(schedule, t - 16) + small0 + word(schedule, t - 7) + small1
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
  for (let t = 0; t < 64; t++) {
    const big1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
    const choice = (e & f) ^ (~e & g)
    const first = (h + big1 + choice + word(ROUND, t) + word(schedule, t)) | 0
    const big0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
    const majority = (a & b) ^ (a & c) ^ (b & c)
    h = g
    g = f
    f = e
    e = (d + first) | 0
    d = c
    c = b
    b = a
    a = (first + big0 + majority) | 0
  }
  const next = [a, b, c, d, e, f, g, h]
  for (let index = 0; index < 8; index++) {
    state[index] = word(state, index) + (next[index] ?? 0)
  }
}

/** Writes the SHA-256 of `input` into `output` at `offset`. */
export function sha256(input: Uint8Array, output: Uint8Array, offset: number): void {
  state.set(INITIAL)
  const whole = input.length - (input.length % BLOCK_BYTES)
  const body = new DataView(input.buffer, input.byteOffset, input.length)
  for (let start = 0; start < whole; start += BLOCK_BYTES) compress(body, start)

  const rest = input.length - whole
  const tail = new Uint8Array(rest < BLOCK_BYTES - 8 ? BLOCK_BYTES : BLOCK_BYTES * 2)
  tail.set(input.subarray(whole))
  tail[rest] = 0x80
  const tailView = new DataView(tail.buffer)
  tailView.setUint32(tail.length - 8, Math.floor(input.length / 2 ** 29))
  tailView.setUint32(tail.length - 4, input.length * 8)
  for (let start = 0; start < tail.length; start += BLOCK_BYTES) compress(tailView, start)

  const result = new DataView(output.buffer, output.byteOffset + offset, 32)
  for (let index = 0; index < 8; index++) result.setUint32(index * 4, word(state, index))
}
