// Patterns of IAM: `*` stands for any characters, `?` for any one. Compiled once; matching looks for
// each literal piece once from left to right, so no pattern makes it exponential: without `?` a text is
// read once, with `?` at most once for each character of a piece.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html

import type { Truth } from './truth.ts'

/** One position of a pattern: a character that stands for itself, or one of the two wildcards. */
export type Unit = string | typeof ANY | typeof ONE

export const ANY = Symbol('*')
export const ONE = Symbol('?')

/** Characters compared, for a proof that no pattern is worse than its length times the text's. */
export interface Steps {
  count: number
}

/** A compiled pattern. `test` is exact for a plain text. */
export interface Glob {
  readonly units: readonly Unit[]
  readonly test: (text: string, steps?: Steps) => boolean
  /** The text it stands for, where it has no wildcard. */
  readonly literal: string | null
}

/** Every `*` and `?` of the text as a wildcard. */
export function unitsOf(pattern: string): Unit[] {
  return Array.from(pattern, (character) => {
    if (character === '*') return ANY
    return character === '?' ? ONE : character
  })
}

export function globOf(pattern: string): Glob {
  return compiled(unitsOf(pattern))
}

export function compiled(units: readonly Unit[]): Glob {
  if (units.every((unit) => typeof unit === 'string')) {
    const literal = units.join('')
    return { units, literal, test: (text) => text === literal }
  }
  if (units.every((unit) => unit === ANY)) return { units, literal: null, test: () => true }
  const last = units.length - 1
  if (units[last] === ANY && units.slice(0, last).every((unit) => typeof unit === 'string')) {
    const start = units.slice(0, last).join('')
    // Half a character at the end could meet the first half of another one.
    if (start.isWellFormed()) {
      return { units, literal: null, test: (text) => text.startsWith(start) }
    }
  }
  return { units, literal: null, test: byPieces(units) }
}

type Piece = readonly (string | typeof ONE)[]

/** The pieces as plain texts; null where one has a `?`, or half a character that could meet half of another. */
function textsOf(pieces: readonly Piece[]): string[] | null {
  if (pieces.some((piece) => piece.includes(ONE))) return null
  const texts = pieces.map((piece) => piece.join(''))
  return texts.every((text) => text.isWellFormed()) ? texts : null
}

/** `byPieces` for pieces without `?`: a search from where the last one ended. */
function byTexts(texts: readonly string[]): Glob['test'] {
  const first = texts[0] ?? ''
  const final = texts.at(-1) ?? ''
  const middle = texts.slice(1, -1).filter((text) => text !== '')
  return (text, steps) => {
    const end = text.length - final.length
    if (steps) steps.count += first.length + final.length
    if (end < first.length || !text.startsWith(first) || !text.endsWith(final)) return false
    let from = first.length
    for (const piece of middle) {
      const at = text.indexOf(piece, from)
      if (steps) steps.count += (at < 0 ? text.length : at + piece.length) - from
      if (at < 0 || at + piece.length > end) return false
      from = at + piece.length
    }
    return true
  }
}

function piecesOf(units: readonly Unit[]): Piece[] {
  const pieces: (string | typeof ONE)[][] = [[]]
  for (const unit of units) {
    if (unit === ANY) pieces.push([])
    else pieces.at(-1)?.push(unit)
  }
  return pieces
}

/** The first piece at the start, the last at the end, each other at its first place after the one before. */
function byPieces(units: readonly Unit[]): Glob['test'] {
  const pieces = piecesOf(units)
  const first = pieces[0] ?? []
  if (pieces.length === 1) {
    return (text, steps) => {
      const characters = Array.from(text)
      return characters.length === first.length && isAt(characters, 0, first, steps)
    }
  }
  const texts = textsOf(pieces)
  if (texts !== null) return byTexts(texts)
  const final = pieces.at(-1) ?? []
  const middle = pieces.slice(1, -1).filter((piece) => piece.length > 0)
  return (text, steps) => {
    const characters = Array.from(text)
    const end = characters.length - final.length
    if (end < first.length) return false
    if (!isAt(characters, 0, first, steps) || !isAt(characters, end, final, steps)) return false
    let from = first.length
    for (const piece of middle) {
      const at = placeOf(characters, from, end, piece, steps)
      if (at < 0) return false
      from = at + piece.length
    }
    return true
  }
}

function isAt(
  characters: readonly string[],
  at: number,
  piece: Piece,
  steps: Steps | undefined,
): boolean {
  for (let index = 0; index < piece.length; index++) {
    if (steps) steps.count += 1
    const wanted = piece[index]
    if (wanted !== ONE && characters[at + index] !== wanted) return false
  }
  return true
}

function placeOf(
  characters: readonly string[],
  from: number,
  end: number,
  piece: Piece,
  steps: Steps | undefined,
): number {
  for (let at = from; at + piece.length <= end; at++) {
    if (isAt(characters, at, piece, steps)) return at
  }
  return -1
}

/** Longest product of two pattern lengths that is compared; past it the answer is `unknown`. */
export const COMPARED_MAX = 4_000_000

/**
 * Whether a pattern holds for everything that `subject`, a pattern itself, may stand for: `yes` for
 * all of it, `no` for none of it, else `unknown`. Never wrong; `yes` may be missed.
 */
export function relation(pattern: Glob, subject: Glob): Truth {
  if (subject.literal !== null) return pattern.test(subject.literal) ? 'yes' : 'no'
  if (pattern.units.length * subject.units.length > COMPARED_MAX) return 'unknown'
  if (covers(pattern.units, subject.units)) return 'yes'
  return meet(pattern.units, subject.units) ? 'unknown' : 'no'
}

/** A `*` of the subject must be met by a `*` of the pattern; greedy with one place to come back to. */
function covers(pattern: readonly Unit[], subject: readonly Unit[]): boolean {
  let p = 0
  let s = 0
  let star = -1
  let starAt = 0
  while (s < subject.length) {
    const want = pattern[p]
    const have = subject[s]
    if (want === ANY) {
      star = p++
      starAt = s
    } else if (want !== undefined && have !== ANY && (want === have || want === ONE)) {
      p++
      s++
    } else if (star !== -1) {
      p = star + 1
      s = ++starAt
    } else {
      return false
    }
  }
  while (pattern[p] === ANY) p++
  return p === pattern.length
}

/** Whether some text matches both. One row of a table at a time: linear in the product. */
function meet(left: readonly Unit[], right: readonly Unit[]): boolean {
  let row = new Uint8Array(right.length + 1)
  row[0] = 1
  for (let index = 0; index < right.length && right[index] === ANY; index++) row[index + 1] = 1
  for (const unit of left) {
    const next = new Uint8Array(right.length + 1)
    next[0] = unit === ANY ? (row[0] ?? 0) : 0
    for (let index = 0; index < right.length; index++) {
      const other = right[index] as Unit
      const ended = unit === ANY || other === ANY
      const both = unit === ONE || other === ONE || unit === other
      const reached = ended ? row[index + 1] || next[index] || row[index] : both && row[index]
      next[index + 1] = reached ? 1 : 0
    }
    row = next
  }
  return row[right.length] === 1
}
