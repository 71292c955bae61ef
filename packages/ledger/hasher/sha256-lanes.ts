// AssemblyScript (https://www.assemblyscript.org), built to sha256-lanes.wasm by `npm run hasher`.
//
// SHA-256 of many messages, four at once: each lane of a vector has a message of its own, and takes the next one
// when that ends. Knows nothing of trees but that a node is 0x01 and two hashes. Source: FIPS 180-4.
import { constants, initial, schedule, state, TAIL_BYTES, tails } from './places'
import { rounds, swapped } from './rounds'

const LANES: u32 = 4
const BLOCK: u32 = 64

/** Of each lane: the next block, how many there are in a row, the message's end, and where its digest goes. */
const nexts = memory.data(16)
const lefts = memory.data(16)
const digests = memory.data(16)
/** Blocks that follow in the tail of the lane; 0 where it is in its tail. */
const follow = memory.data(16)

/** Where what is not the module's own begins. */
export function ownEnd(): u32 {
  return <u32>__heap_base
}

/** Writes the constants, once: `words` are 64 and the eight of the initial hash value follow. */
export function setUp(words: usize): void {
  for (let t: usize = 0; t < 64; t++) {
    v128.store(constants + (t << 4), i32x4.splat(load<i32>(words + (t << 2))))
  }
  for (let word: usize = 0; word < 8; word++) store<i32>(initial + (word << 2), load<i32>(words + 256 + (word << 2)))
}

/** Puts `at`'s 16 bytes of four messages as four vectors into the schedule at `to`. */
@inline
function across(to: usize, v0: v128, v1: v128, v2: v128, v3: v128): void {
  const low01 = v128.shuffle<u32>(v0, v1, 0, 4, 1, 5)
  const high01 = v128.shuffle<u32>(v0, v1, 2, 6, 3, 7)
  const low23 = v128.shuffle<u32>(v2, v3, 0, 4, 1, 5)
  const high23 = v128.shuffle<u32>(v2, v3, 2, 6, 3, 7)
  v128.store(to, v128.shuffle<u64>(low01, low23, 0, 2))
  v128.store(to, v128.shuffle<u64>(low01, low23, 1, 3), 16)
  v128.store(to, v128.shuffle<u64>(high01, high23, 0, 2), 32)
  v128.store(to, v128.shuffle<u64>(high01, high23, 1, 3), 48)
}

@inline
function quarter(p0: usize, p1: usize, p2: usize, p3: usize, at: usize): void {
  across(
    schedule + (at << 2),
    swapped(v128.load(p0 + at)),
    swapped(v128.load(p1 + at)),
    swapped(v128.load(p2 + at)),
    swapped(v128.load(p3 + at)),
  )
}

function begin(lane: u32, from: u32, bytes: u32, digest: u32): void {
  for (let word: u32 = 0; word < 8; word++) {
    store<u32>(state + (word << 4) + (lane << 2), load<u32>(initial + (word << 2)))
  }
  const whole = bytes >>> 6
  const rest = bytes & 63
  const tail = tails + <usize>lane * TAIL_BYTES
  const end = from + (whole << 6)
  // The rest of the message and what lies behind it; that is overwritten with the padding.
  v128.store(tail, v128.load(end))
  v128.store(tail, v128.load(end, 16), 16)
  v128.store(tail, v128.load(end, 32), 32)
  v128.store(tail, v128.load(end, 48), 48)
  const zero = i32x4.splat(0)
  const padding = tail + rest
  for (let at: usize = 0; at < 128; at += 16) v128.store(padding + at, zero)
  store<u8>(padding, 0x80)
  const blocks: u32 = rest < 56 ? 1 : 2
  const bits = tail + (blocks << 6) - 8
  store<u32>(bits, bswap<u32>(bytes >>> 29))
  store<u32>(bits, bswap<u32>(bytes << 3), 4)
  store<u32>(digests + (lane << 2), digest)
  if (whole > 0) {
    store<u32>(nexts + (lane << 2), from)
    store<u32>(lefts + (lane << 2), whole)
    store<u32>(follow + (lane << 2), blocks)
  } else {
    store<u32>(nexts + (lane << 2), <u32>tail)
    store<u32>(lefts + (lane << 2), blocks)
    store<u32>(follow + (lane << 2), 0)
  }
}

function finish(lane: u32): void {
  const digest = load<u32>(digests + (lane << 2))
  for (let word: u32 = 0; word < 8; word++) {
    const value = load<u32>(state + (word << 4) + (lane << 2))
    store<u32>(digest + (word << 2), bswap<u32>(value))
  }
}

/**
 * The digests, one after another at `out`, of `count` messages, at least one: `jobs` has of each where it begins and its
 * length. 64 bytes behind a message are read.
 */
export function hashMany(jobs: usize, count: u32, out: u32): void {
  let taken: u32 = 0
  let busy: u32 = 0
  for (let lane: u32 = 0; lane < LANES; lane++) {
    // A lane without a message goes along with a tail of its own, as long as there is work.
    if (taken < count) {
      begin(lane, load<u32>(jobs + (taken << 3)), load<u32>(jobs + (taken << 3), 4), out + (taken << 5))
      taken++
      busy++
    } else rest(lane)
  }
  while (busy > 0) {
    let run = load<u32>(lefts)
    for (let lane: u32 = 1; lane < LANES; lane++) run = min(run, load<u32>(lefts + (lane << 2)))
    let p0: usize = load<u32>(nexts)
    let p1: usize = load<u32>(nexts, 4)
    let p2: usize = load<u32>(nexts, 8)
    let p3: usize = load<u32>(nexts, 12)
    for (let block: u32 = 0; block < run; block++) {
      quarter(p0, p1, p2, p3, 0)
      quarter(p0, p1, p2, p3, 16)
      quarter(p0, p1, p2, p3, 32)
      quarter(p0, p1, p2, p3, 48)
      rounds()
      p0 += BLOCK
      p1 += BLOCK
      p2 += BLOCK
      p3 += BLOCK
    }
    for (let lane: u32 = 0; lane < LANES; lane++) {
      const place = lane << 2
      const left = load<u32>(lefts + place) - run
      store<u32>(lefts + place, left)
      store<u32>(nexts + place, load<u32>(nexts + place) + (run << 6))
      if (left > 0) continue
      const tailBlocks = load<u32>(follow + place)
      if (tailBlocks > 0) {
        store<u32>(nexts + place, <u32>tails + lane * <u32>TAIL_BYTES)
        store<u32>(lefts + place, tailBlocks)
        store<u32>(follow + place, 0)
        continue
      }
      if (load<u32>(digests + place) != 0) {
        finish(lane)
        busy--
      }
      if (taken < count) {
        begin(lane, load<u32>(jobs + (taken << 3)), load<u32>(jobs + (taken << 3), 4), out + (taken << 5))
        taken++
        busy++
      } else rest(lane)
    }
  }
}

/** One block of the lane's own tail, with no digest. */
function rest(lane: u32): void {
  const place = lane << 2
  store<u32>(digests + place, 0)
  store<u32>(follow + place, 0)
  store<u32>(nexts + place, <u32>tails + lane * <u32>TAIL_BYTES)
  store<u32>(lefts + place, 1)
}

/**
 * Climbs from `count` hashes at `hashes`, a power of two and at least two, to the root above them, in place. A byte before
 * the hashes is read, and 512 bytes behind them are read and written.
 */
export function climb(hashes: usize, count: u32): void {
  for (let nodes = count >>> 1; nodes >= 1; nodes >>>= 1) {
    for (let node: u32 = 0; node < nodes; node += LANES) {
      fourNodes(hashes + (node << 6), hashes + (node << 5))
    }
  }
}

@inline
function nodeHead(at: usize): v128 {
  return swapped(i8x16.replace_lane(v128.load(at - 1), 0, 1))
}

/** Reads all of the pairs before it writes. */
function fourNodes(pairs: usize, to: usize): void {
  for (let word: usize = 0; word < 8; word++) {
    v128.store(state + (word << 4), v128.load32_splat(initial + (word << 2)))
  }
  const p1 = pairs + 64
  const p2 = pairs + 128
  const p3 = pairs + 192
  across(schedule, nodeHead(pairs), nodeHead(p1), nodeHead(p2), nodeHead(p3))
  quarter(pairs - 1, p1 - 1, p2 - 1, p3 - 1, 16)
  quarter(pairs - 1, p1 - 1, p2 - 1, p3 - 1, 32)
  quarter(pairs - 1, p1 - 1, p2 - 1, p3 - 1, 48)
  rounds()
  const zero = i32x4.splat(0)
  // The last byte of the pair, the bit behind it, and 520 bits.
  let last = i32x4.splat(0x00800000)
  last = v128.or(last, i32x4.shl(v128.load32_zero(pairs + 63), 24))
  last = i32x4.replace_lane(last, 1, (<i32>load<u8>(p1 + 63) << 24) | 0x00800000)
  last = i32x4.replace_lane(last, 2, (<i32>load<u8>(p2 + 63) << 24) | 0x00800000)
  last = i32x4.replace_lane(last, 3, (<i32>load<u8>(p3 + 63) << 24) | 0x00800000)
  v128.store(schedule, last)
  for (let at: usize = 16; at < 240; at += 16) v128.store(schedule + at, zero)
  v128.store(schedule, i32x4.splat(520), 240)
  rounds()
  half(to, 0)
  half(to + 16, 64)
}

/** Four words of each digest. */
@inline
function half(to: usize, at: usize): void {
  const v0 = swapped(v128.load(state + at))
  const v1 = swapped(v128.load(state + at, 16))
  const v2 = swapped(v128.load(state + at, 32))
  const v3 = swapped(v128.load(state + at, 48))
  const low01 = v128.shuffle<u32>(v0, v1, 0, 4, 1, 5)
  const high01 = v128.shuffle<u32>(v0, v1, 2, 6, 3, 7)
  const low23 = v128.shuffle<u32>(v2, v3, 0, 4, 1, 5)
  const high23 = v128.shuffle<u32>(v2, v3, 2, 6, 3, 7)
  v128.store(to, v128.shuffle<u64>(low01, low23, 0, 2))
  v128.store(to, v128.shuffle<u64>(low01, low23, 1, 3), 32)
  v128.store(to, v128.shuffle<u64>(high01, high23, 0, 2), 64)
  v128.store(to, v128.shuffle<u64>(high01, high23, 1, 3), 96)
}
