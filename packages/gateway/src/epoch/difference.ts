// What a new epoch would change, line by line, from the two texts that are hashed: a client renders it from what it
// hashed itself, so nobody signs a version that they did not see. Pure; runs in browsers.
import { sha256Hex } from '../lib/canonical-json.ts'
import type { EpochContent } from './content.ts'

/** An unchanged line (` `), one that goes (`-`), one that comes (`+`), or how many are left out (`…`). */
export interface DifferingLine {
  readonly mark: ' ' | '-' | '+' | '…'
  readonly text: string
}

export interface Difference {
  /** A policy's file, or the member of the epoch: `environments`, `roles`, `schema`. */
  readonly what: string
  readonly lines: readonly DifferingLine[]
}

/** As the gate offers it to whoever signs: both contents whole. */
export interface EpochCandidate {
  /** Number of the epoch that it would replace. */
  readonly from: number
  /** Version of what is on the disk, and of the epoch in force: SHA-256 (hex) of its text. */
  readonly version: string
  readonly active: string
  /** Canonical JSON of an EpochContent each. */
  readonly text: string
  readonly activeText: string
  /** Who has signed this version already. */
  readonly signers: readonly string[]
}

/** Lines that are shown before and after each change. */
const AROUND = 3
/** Lines that are compared with each other at most: past it, all between first and last change is shown as changed. */
const COMPARED_MAX = 4_000_000

/** What would change, policies last. Throws where a text is not the version that it is offered as. */
export function checkedCandidate(candidate: EpochCandidate): readonly Difference[] {
  const { version, active, text, activeText } = candidate
  if (sha256Hex(text) !== version || sha256Hex(activeText) !== active) {
    throw new Error('the gate shows another version than the one to be signed: do not sign it')
  }
  const [before, after] = [partsOf(activeText), partsOf(text)]
  const names = [...new Set([...before.keys(), ...after.keys()])]
  return names
    .filter((what) => before.get(what) !== after.get(what))
    .sort((left, right) => rank(left) - rank(right) || (left < right ? -1 : 1))
    .map((what) => ({ what, lines: differing(before.get(what), after.get(what)) }))
}

const POLICY = 'policies/'
const rank = (what: string) => (what.startsWith(POLICY) ? 1 : 0)

/** Each policy by its file, and every other member, as text of lines. */
function partsOf(text: string): ReadonlyMap<string, string> {
  const { policies, ...others } = JSON.parse(text) as EpochContent
  const members = Object.entries(others).map(([name, value]) => {
    return [name, typeof value === 'string' ? value : JSON.stringify(value, null, 2)] as const
  })
  return new Map([
    ...members,
    ...policies.map(({ file, text }) => [`${POLICY}${file}`, text] as const),
  ])
}

function differing(before: string | undefined, after: string | undefined): DifferingLine[] {
  const [old, now] = [linesOf(before), linesOf(after)]
  let start = 0
  while (start < old.length && start < now.length && old[start] === now[start]) start++
  let [oldEnd, nowEnd] = [old.length, now.length]
  while (oldEnd > start && nowEnd > start && old[oldEnd - 1] === now[nowEnd - 1]) {
    oldEnd--
    nowEnd--
  }
  const changed = compared(old.slice(start, oldEnd), now.slice(start, nowEnd))
  const same = (lines: readonly string[]) => lines.map((text) => ({ mark: ' ', text }) as const)
  return shortened([...same(old.slice(0, start)), ...changed, ...same(old.slice(oldEnd))])
}

function linesOf(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split('\n')
}

/** By the longest common subsequence. Source: https://en.wikipedia.org/wiki/Longest_common_subsequence */
function compared(old: readonly string[], now: readonly string[]): DifferingLine[] {
  const goes = (text: string): DifferingLine => ({ mark: '-', text })
  const comes = (text: string): DifferingLine => ({ mark: '+', text })
  if (old.length * now.length > COMPARED_MAX) return [...old.map(goes), ...now.map(comes)]
  const width = now.length + 1
  const common = new Uint32Array((old.length + 1) * width)
  const at = (row: number, column: number) => common[row * width + column] ?? 0
  for (let row = old.length - 1; row >= 0; row--) {
    for (let column = now.length - 1; column >= 0; column--) {
      common[row * width + column] =
        old[row] === now[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1))
    }
  }
  const lines: DifferingLine[] = []
  let [row, column] = [0, 0]
  while (row < old.length || column < now.length) {
    const [left, right] = [old[row], now[column]]
    if (left !== undefined && left === right) {
      lines.push({ mark: ' ', text: left })
      row++
      column++
    } else if (
      left !== undefined &&
      (right === undefined || at(row + 1, column) >= at(row, column + 1))
    ) {
      lines.push(goes(left))
      row++
    } else {
      lines.push(comes(right ?? ''))
      column++
    }
  }
  return lines
}

/** Leaves out what is the same and not near a change, and says how much. */
function shortened(lines: readonly DifferingLine[]): DifferingLine[] {
  const isNear = (index: number) =>
    lines.slice(Math.max(0, index - AROUND), index + AROUND + 1).some(({ mark }) => mark !== ' ')
  const shown: DifferingLine[] = []
  let left = 0
  lines.forEach((line, index) => {
    if (!isNear(index)) {
      left++
      return
    }
    if (left > 0) shown.push(leftOut(left))
    left = 0
    shown.push(line)
  })
  if (left > 0) shown.push(leftOut(left))
  return shown
}

function leftOut(count: number): DifferingLine {
  return { mark: '…', text: `${count} unchanged ${count === 1 ? 'line' : 'lines'}` }
}
