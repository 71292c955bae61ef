// The noun that replay makes: what the policies would have answered to the events of a trail, how many
// reviews a week that is, what was deleted and made again, and what the trail cannot prove.

import type { ScanFacts } from '../store/trail-store.ts'

export interface Counts {
  allowed: number
  reviewed: number
  denied: number
  /** Calls that AWS answered with an error: they did not happen. */
  failed: number
  /** Calls that a service of AWS made by itself or for somebody: they do not come to a gate. */
  serviceMade: number
  unmapped: number
}

export interface CountsOf extends Counts {
  readonly name: string
}

/** Of a principal or an agent: with its reviews, those of one session and ten minutes as one. */
export interface AskedCounts extends CountsOf {
  readonly groups: number
}

export interface Week extends Counts {
  /** Its Monday, UTC; empty for events without a time. */
  readonly week: string
  /** Reviews with those of one session and ten minutes as one. */
  groups: number
}

export interface Deed {
  /** ISO time; empty where the trail tells none. */
  readonly at: string
  readonly eventId: string
  readonly operation: string
  readonly principal: string
  readonly session: string
  readonly agent: string
  readonly answer: string
  readonly requirement: readonly string[]
  readonly environment: string
}

/** One thing that was deleted and made again under its name. */
export interface Recreated {
  readonly thing: string
  readonly deleted: Deed
  readonly created: Deed
  readonly secondsBetween: number
}

/** Reviews of one session that a person would have been asked for at once. */
export interface ReviewGroup {
  readonly from: string
  readonly principal: string
  readonly session: string
  readonly agent: string
  readonly calls: number
  readonly operations: readonly string[]
  readonly requirement: readonly string[]
}

export interface Unmapped {
  readonly source: string
  readonly name: string
  readonly why: string
  readonly count: number
}

/** Calls that one rule answers otherwise than the other. */
export interface Change {
  readonly from: string
  readonly to: string
  readonly operation: string
  readonly environment: string
  readonly principal: string
  readonly count: number
}

export interface Report {
  /** As read, copies and all. */
  readonly events: number
  /** notApiCalls + unmapped + mapped. */
  readonly unique: number
  /** allowed + denied + reviewed + failed + apart.serviceMade. */
  readonly mapped: number
  readonly unmapped: number
  readonly notApiCalls: number
  readonly failed: number
  readonly allowed: number
  readonly denied: number
  readonly reviewed: number
  readonly reviewsPerWeek: { readonly raw: number; readonly grouped: number }
  /** What the trail cannot prove, one sentence each, and how many events it is about. */
  readonly cannotProve: readonly { readonly what: string; readonly count: number }[]
  readonly apart: {
    readonly serviceMade: number
    /** What the gate would have answered to the calls that failed, had they come to it. */
    readonly failedWouldBe: { readonly allowed: number; reviewed: number; denied: number }
    readonly refusedByAws: number
    /** Allowed here; the gate looks up what the trail does not tell, and could be stricter. */
    readonly mayBeStricter: number
    /** Left out by --since and --principal. */
    readonly leftOut: number
  }
  readonly recreated: readonly Recreated[]
  readonly recreatedCount: number
  readonly unmappedCalls: readonly Unmapped[]
  readonly weeks: readonly Week[]
  readonly principals: readonly AskedCounts[]
  readonly agents: readonly AskedCounts[]
  readonly actions: readonly CountsOf[]
  readonly environments: readonly CountsOf[]
  /** The largest groups of reviews. */
  readonly reviewGroups: readonly ReviewGroup[]
  readonly reviewGroupCount: number
  readonly denials: readonly {
    readonly operation: string
    readonly environment: string
    readonly code: string
    readonly reason: string
    readonly count: number
  }[]
  /** Present with --against: what changes from that to the policy. */
  readonly changes?: readonly Change[]
  readonly changedCount?: number
  readonly window: { readonly from: string; readonly to: string; readonly weeks: number }
  readonly policy: { readonly from: string; readonly version: string; readonly configured: boolean }
  readonly against?: { readonly from: string; readonly version: string }
  readonly trail: ScanFacts
}

/** Rows of a list; the rest of it is one row `others`. */
export const LISTED_MAX = 1_000
/** Groups of reviews, deletions with their re-creation, and changes that are listed. */
export const GROUPS_LISTED_MAX = 200
export const RECREATED_LISTED_MAX = 500
export const CHANGES_LISTED_MAX = 1_000

export function noCounts(): Counts {
  return { allowed: 0, reviewed: 0, denied: 0, failed: 0, serviceMade: 0, unmapped: 0 }
}

export function total({
  allowed,
  reviewed,
  denied,
  failed,
  serviceMade,
  unmapped,
}: Counts): number {
  return allowed + reviewed + denied + failed + serviceMade + unmapped
}

/** ISO time of seconds since 1970; empty for 0. */
export function isoOf(seconds: number): string {
  return seconds === 0 ? '' : new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}
