// What a bench hands back: rows of ours against a peer, each a median of interleaved rounds with its
// range, and the aim of design section 7 that a row is held to, if there is one.
import { median, range } from './figures.ts'

export type Unit = '/s' | 'ms' | 'us' | 's' | 'MB/s' | 'MB'

export interface Figure {
  /** The median of the rounds. */
  readonly value: number
  readonly unit: Unit
  /** Least and greatest round. */
  readonly range: readonly [number, number]
}

export interface Row {
  readonly what: string
  readonly ours: Figure | null
  readonly peer: Figure | null
  readonly peerName: string
  /** Ours over the peer's, or how many times faster: `ratioOf` says which. */
  readonly ratio: number | null
  readonly aim: string
  /** Null where nothing is aimed at, or a side could not be measured. */
  readonly reached: boolean | null
}

export interface Section {
  readonly name: string
  readonly title: string
  readonly rows: readonly Row[]
  /** What a reader of the figures must know: what was skipped, what was not on one core. */
  readonly notes: readonly string[]
}

/** What every bench is given. */
export interface BenchOptions {
  /** Length of one slot of one side, in seconds. */
  readonly seconds: number
  /** Rounds of all sides, in turn. */
  readonly rounds: number
  /** A folder on the disk under test, removed afterwards. */
  readonly scratch: string
  /** Also what takes minutes. */
  readonly all: boolean
  readonly progress: (text: string) => void
}

export type Bench = (options: BenchOptions) => Promise<Section>

export function figure(rounds: readonly number[], unit: Unit): Figure {
  return { value: median(rounds), unit, range: range(rounds) }
}

/** The median over rounds of a quotient within each round: what both sides share falls out. */
export function quotient(ours: readonly number[], peer: readonly number[]): number {
  return median(ours.map((value, index) => value / (peer[index] ?? Number.NaN)))
}
