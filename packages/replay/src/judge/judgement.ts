// The noun of `judge`: what the gate would have answered to one recorded call, with what the report says
// of it. Many calls share one.

export type Answer = 'allowed' | 'reviewed' | 'denied' | 'unmapped' | 'not-an-api-call'

export interface Judgement {
  readonly answer: Answer
  /** `<prefix>:<Operation>`; the trail's own names where it is no call that is known. */
  readonly operation: string
  /** The same in two: the trail's own names where nothing else is known. */
  readonly source: string
  readonly name: string
  readonly effect: string
  readonly environment: string
  /** Seats of the review: `sre:1`. */
  readonly requirement: readonly string[]
  readonly policies: readonly string[]
  readonly code: string
  readonly reason: string
  /** The gate looks up what the trail does not tell: its answer can be stricter than this. */
  readonly mayBeStricter: boolean
  /** The region is one that no partition of AWS has. */
  readonly oddRegion: boolean
}
