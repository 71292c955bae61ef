// SHA-256 of many messages at once, four in the lanes of WebAssembly's vectors (packages/ledger/hasher). What it
// computes is checked against published digests before it is used. No node: import; who uses it gives the module's bytes.

import { toHex, toUtf8 } from './bytes.ts'
import type { Messages, Sha256Many } from './primitives.ts'
import { INITIAL, ROUND } from './sha256.ts'

const HASH_BYTES = 32
const PAGE = 64 * 1024
/** What is hashed in one call of the module, so that its memory never grows. */
const WINDOW_BYTES = 256 * 1024
const JOBS_MAX = 4096
/** The module reads that much behind a message, and writes that much behind the hashes that it climbs. */
const SLACK_BYTES = 512
const PAGES = Math.ceil((WINDOW_BYTES + JOBS_MAX * (8 + HASH_BYTES)) / PAGE) + 1
/** The most hashes that are climbed at once. */
const CLIMBED_MAX = 256

// The part of WebAssembly that is used here, typed: the types of browsers are not loaded.
// Source: https://webassembly.github.io/spec/js-api/
interface WasmApi {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown }
  readonly Memory: new (pages: {
    readonly initial: number
    readonly maximum: number
  }) => { readonly buffer: ArrayBuffer }
}

/** Source: packages/ledger/hasher/sha256-lanes.ts. */
interface Hasher {
  ownEnd(): number
  setUp(words: number): void
  hashMany(jobs: number, count: number, digests: number): void
  climb(hashes: number, count: number): void
}

/** The module, or undefined where there is no WebAssembly, none with vectors, or a digest is not what it must be. */
export function sha256Lanes(module: Uint8Array): Sha256Many | undefined {
  const { WebAssembly: wasm } = globalThis as unknown as { WebAssembly?: WasmApi }
  if (wasm === undefined) return undefined
  try {
    const lanes = new Sha256Lanes(wasm, module)
    return isRight(lanes) ? lanes : undefined
  } catch {
    return undefined // it is only faster than what there is without it
  }
}

class Sha256Lanes implements Sha256Many {
  readonly #hasher: Hasher
  readonly #bytes: Uint8Array
  readonly #jobs: Uint32Array
  readonly #jobsAt: number
  readonly #digestsAt: number
  readonly #windowAt: number

  constructor(wasm: WasmApi, module: Uint8Array) {
    const memory = new wasm.Memory({ initial: PAGES, maximum: PAGES })
    const { exports } = new wasm.Instance(new wasm.Module(module), { env: { memory } })
    this.#hasher = exports as Hasher
    this.#bytes = new Uint8Array(memory.buffer)
    this.#jobsAt = Math.ceil(this.#hasher.ownEnd() / 64) * 64
    this.#digestsAt = this.#jobsAt + 8 * JOBS_MAX
    this.#windowAt = this.#digestsAt + HASH_BYTES * JOBS_MAX + 64
    const end = this.#windowAt + WINDOW_BYTES + SLACK_BYTES
    if (end > this.#bytes.length) throw new RangeError('the memory of the hasher is too small')
    this.#jobs = new Uint32Array(memory.buffer, this.#jobsAt, 2 * JOBS_MAX)
    const words = new DataView(memory.buffer, this.#windowAt)
    for (const [index, word] of [...ROUND, ...INITIAL].entries()) {
      words.setUint32(4 * index, word, true)
    }
    this.#hasher.setUp(this.#windowAt)
  }

  hash(messages: Messages, output: Uint8Array): void {
    for (let done = 0; done < messages.count; ) {
      const count = this.#take(messages, done)
      this.#hasher.hashMany(this.#jobsAt, count, this.#digestsAt)
      const digests = this.#bytes.subarray(this.#digestsAt, this.#digestsAt + HASH_BYTES * count)
      output.set(digests, HASH_BYTES * done)
      done += count
    }
  }

  /** Copies as many messages as there is room for from `done` on, at least one; how many. */
  #take({ bytes, starts, ends, count, prefix }: Messages, done: number): number {
    const before = prefix === null ? 0 : 1
    const from = (starts[done] ?? 0) - before
    if (from < 0) throw new RangeError('no byte stands before a message')
    let [taken, end] = [0, from]
    while (done + taken < count && taken < JOBS_MAX) {
      const first = (starts[done + taken] ?? 0) - before
      const last = ends[done + taken] ?? 0
      if (first < end || last < first + before || last > bytes.length) {
        throw new RangeError('a message does not lie behind the one before it')
      }
      if (last - from > WINDOW_BYTES) break
      this.#jobs[2 * taken] = this.#windowAt + first - from
      this.#jobs[2 * taken + 1] = last - first
      taken += 1
      end = last
    }
    if (taken === 0) throw new RangeError(`a message has more than ${WINDOW_BYTES} bytes`)
    this.#bytes.set(bytes.subarray(from, end), this.#windowAt)
    if (prefix === null) return taken
    for (let job = 0; job < taken; job++) this.#bytes[this.#jobs[2 * job] ?? 0] = prefix
    return taken
  }

  climb(hashes: Uint8Array, count: number): void {
    if (count < 2 || count > CLIMBED_MAX || (count & (count - 1)) !== 0) {
      throw new RangeError(`${count} hashes are not the leaves of a perfect tree`)
    }
    this.#bytes.set(hashes.subarray(0, HASH_BYTES * count), this.#windowAt)
    this.#hasher.climb(this.#windowAt, count)
    hashes.set(this.#bytes.subarray(this.#windowAt, this.#windowAt + HASH_BYTES))
  }
}

// Source: FIPS 180-2 appendix B.1 to B.3 (https://csrc.nist.gov/files/pubs/fips/180-2/final/docs/fips180-2.pdf); the
// empty message: NIST CAVP, SHA256ShortMsg.rsp, Len = 0.
const KNOWN: readonly (readonly [message: string, digest: string])[] = [
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
]
/** The root of RFC 6962 section 2.1 over 256 hashes of 32 zeros each, computed with Python's hashlib. */
const ZEROS_ROOT = '8e4b3745e5f2f7d48e36b192cb39242fa0f7a76fac1e36a519d8ebe00f3e21fb'

/** So that lanes begin and end with others that are not like them. */
const ORDER = [0, 1, 1, 0, 2, 2, 1, 2, 0, 2, 0, 0, 1]

function isRight(lanes: Sha256Many): boolean {
  const order = ORDER.map((index) => KNOWN[index])
  const text = order.map((known) => known?.[0] ?? '').join('')
  const [starts, ends] = [new Uint32Array(order.length), new Uint32Array(order.length)]
  let at = 0
  for (const [index, known] of order.entries()) {
    starts[index] = at
    at += known?.[0].length ?? 0
    ends[index] = at
  }
  const digests = new Uint8Array(HASH_BYTES * order.length)
  const messages = { bytes: toUtf8(text), starts, ends, count: order.length, prefix: null }
  lanes.hash(messages, digests)
  const hashes = new Uint8Array(HASH_BYTES * CLIMBED_MAX)
  lanes.climb(hashes, CLIMBED_MAX)
  const right = order.map((known) => known?.[1] ?? '').join('')
  return toHex(digests) === right && toHex(hashes.subarray(0, HASH_BYTES)) === ZEROS_ROOT
}
