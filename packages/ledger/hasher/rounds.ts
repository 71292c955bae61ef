// AssemblyScript (https://www.assemblyscript.org), part of sha256-lanes.wasm: see sha256-lanes.ts.
// The compression function over four blocks at once: lane n of every vector is message n. Source: FIPS 180-4
// sections 4.1.2 (functions), 4.2.2 (constants), 5.3.3 (initial hash value) and 6.2.2 (the function).
import { constants, schedule, state } from './places'

/** Of 16 bytes: those of each word in the other order. */
@inline
export function swapped(bytes: v128): v128 {
  return v128.shuffle<u8>(bytes, bytes, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12)
}

@inline
function rotated(word: v128, bits: i32): v128 {
  return v128.or(i32x4.shr_u(word, bits), i32x4.shl(word, 32 - bits))
}

@inline
function sum0(a: v128): v128 {
  return v128.xor(v128.xor(rotated(a, 2), rotated(a, 13)), rotated(a, 22))
}

@inline
function sum1(e: v128): v128 {
  return v128.xor(v128.xor(rotated(e, 6), rotated(e, 11)), rotated(e, 25))
}

@inline
function small0(w: v128): v128 {
  return v128.xor(v128.xor(rotated(w, 7), rotated(w, 18)), i32x4.shr_u(w, 3))
}

@inline
function small1(w: v128): v128 {
  return v128.xor(v128.xor(rotated(w, 17), rotated(w, 19)), i32x4.shr_u(w, 10))
}

@inline
function choice(e: v128, f: v128, g: v128): v128 {
  return v128.xor(g, v128.and(e, v128.xor(f, g)))
}

@inline
function majority(a: v128, b: v128, c: v128): v128 {
  return v128.xor(b, v128.and(v128.xor(a, b), v128.xor(b, c)))
}

/** T1 of a round whose word, with its constant, is at `at`. */
@inline
function first(e: v128, f: v128, g: v128, h: v128, word: v128): v128 {
  return i32x4.add(i32x4.add(i32x4.add(h, word), choice(e, f, g)), sum1(e))
}

@inline
function second(a: v128, b: v128, c: v128): v128 {
  return i32x4.add(sum0(a), majority(a, b, c))
}

@inline
function word(at: usize, t: usize): v128 {
  return i32x4.add(v128.load(schedule + at + (t << 4)), v128.load(constants + at + (t << 4)))
}

/** The word of round `t` from those before it, kept for those behind it; with its constant. */
@inline
function made(at: usize, t: usize): v128 {
  const place = schedule + at + (t << 4)
  const early = i32x4.add(v128.load(place - 256), small0(v128.load(place - 240)))
  const late = i32x4.add(v128.load(place - 112), small1(v128.load(place - 32)))
  const made = i32x4.add(early, late)
  v128.store(place, made)
  return i32x4.add(made, v128.load(constants + at + (t << 4)))
}

/** Takes the four blocks whose first sixteen words are in the schedule into the state. */
export function rounds(): void {
  let a = v128.load(state)
  let b = v128.load(state, 16)
  let c = v128.load(state, 32)
  let d = v128.load(state, 48)
  let e = v128.load(state, 64)
  let f = v128.load(state, 80)
  let g = v128.load(state, 96)
  let h = v128.load(state, 112)
  let at: usize = 0
  for (; at < 256; at += 128) {
    let t = first(e, f, g, h, word(at, 0))
    d = i32x4.add(d, t)
    h = i32x4.add(t, second(a, b, c))
    t = first(d, e, f, g, word(at, 1))
    c = i32x4.add(c, t)
    g = i32x4.add(t, second(h, a, b))
    t = first(c, d, e, f, word(at, 2))
    b = i32x4.add(b, t)
    f = i32x4.add(t, second(g, h, a))
    t = first(b, c, d, e, word(at, 3))
    a = i32x4.add(a, t)
    e = i32x4.add(t, second(f, g, h))
    t = first(a, b, c, d, word(at, 4))
    h = i32x4.add(h, t)
    d = i32x4.add(t, second(e, f, g))
    t = first(h, a, b, c, word(at, 5))
    g = i32x4.add(g, t)
    c = i32x4.add(t, second(d, e, f))
    t = first(g, h, a, b, word(at, 6))
    f = i32x4.add(f, t)
    b = i32x4.add(t, second(c, d, e))
    t = first(f, g, h, a, word(at, 7))
    e = i32x4.add(e, t)
    a = i32x4.add(t, second(b, c, d))
  }
  for (; at < 1024; at += 128) {
    let t = first(e, f, g, h, made(at, 0))
    d = i32x4.add(d, t)
    h = i32x4.add(t, second(a, b, c))
    t = first(d, e, f, g, made(at, 1))
    c = i32x4.add(c, t)
    g = i32x4.add(t, second(h, a, b))
    t = first(c, d, e, f, made(at, 2))
    b = i32x4.add(b, t)
    f = i32x4.add(t, second(g, h, a))
    t = first(b, c, d, e, made(at, 3))
    a = i32x4.add(a, t)
    e = i32x4.add(t, second(f, g, h))
    t = first(a, b, c, d, made(at, 4))
    h = i32x4.add(h, t)
    d = i32x4.add(t, second(e, f, g))
    t = first(h, a, b, c, made(at, 5))
    g = i32x4.add(g, t)
    c = i32x4.add(t, second(d, e, f))
    t = first(g, h, a, b, made(at, 6))
    f = i32x4.add(f, t)
    b = i32x4.add(t, second(c, d, e))
    t = first(f, g, h, a, made(at, 7))
    e = i32x4.add(e, t)
    a = i32x4.add(t, second(b, c, d))
  }
  v128.store(state, i32x4.add(v128.load(state), a))
  v128.store(state, i32x4.add(v128.load(state, 16), b), 16)
  v128.store(state, i32x4.add(v128.load(state, 32), c), 32)
  v128.store(state, i32x4.add(v128.load(state, 48), d), 48)
  v128.store(state, i32x4.add(v128.load(state, 64), e), 64)
  v128.store(state, i32x4.add(v128.load(state, 80), f), 80)
  v128.store(state, i32x4.add(v128.load(state, 96), g), 96)
  v128.store(state, i32x4.add(v128.load(state, 112), h), 112)
}
