// The noun of an incident report, whatever it was made from: what happened, each chain from a person to an
// effect, factors with their evidence, and what would have stopped it. Its JSON is a documented, stable shape
// (docs/incident.md): members may be added, none changes its meaning.

import type { Reconciliation } from '../reconcile/reconciliation.ts'

/** What a reader can check a sentence against. */
export interface Evidence {
  /** An entry of the ledger, a payload beside it, or an event of a trail. */
  readonly source: 'ledger' | 'payload' | 'trail'
  /** Index of the entry; null for payloads and events. */
  readonly entry: number | null
  /** RFC 6962 leaf hash (hex) of the entry, SHA-256 (hex) of the payload, or the event's own id. */
  readonly id: string
  /** ISO time; empty where none is on record. */
  readonly at: string
}

export const FATES = ['happened', 'unknown', 'failed', 'held', 'refused'] as const

/**
 * - `happened`: AWS took it on; `partial` and `accepted` count as this
 * - `unknown`: sent, and nothing on record says whether it happened
 * - `failed`: AWS refused it
 * - `held`: asked for, and never sent: nobody signed, or somebody said no
 * - `refused`: the gate denied it, or withheld it before it was sent
 */
export type Fate = (typeof FATES)[number]

/** One thing that was done, or asked for, and that can do harm. */
export interface Effect {
  readonly operation: string
  /** Effects of the call with those that a look-up added, strictest first. */
  readonly effects: readonly string[]
  readonly resources: readonly string[]
  readonly environments: readonly string[]
  readonly region: string
  readonly fate: Fate
  /** `succeeded`, `partial`, `accepted`, `failed`, `unknown`, or `none` where it was never sent. */
  readonly outcome: string
  /** How what was accepted ended; null where it was not followed to an end. */
  readonly confirmed: string | null
  readonly at: string
  /** Last word about it; empty where there is none. */
  readonly endedAt: string
  /** One plain line each: what it would take, or took with it. */
  readonly takes: readonly string[]
  /** When the same thing was made again; absent where it was not. */
  readonly madeAgain?: {
    readonly operation: string
    readonly at: string
    readonly evidence: Evidence
  }
}

export const LINKS = [
  'operator',
  'agent',
  'session',
  'role',
  'policy',
  'request',
  'review',
  'grant',
  'call',
  'outcome',
] as const

export type LinkName = (typeof LINKS)[number]

export interface Link {
  readonly link: LinkName
  readonly says: string
  /** False where the record does not tell, and `says` is only that. */
  readonly known: boolean
  readonly evidence: readonly Evidence[]
}

/** From the person it was done for to what came of it, in this order. */
export interface Chain {
  /** `1`, `2`, ...: as factors and candidates name it. */
  readonly id: string
  /** Who made the call, in words: the agent, or the role where no agent is on record. */
  readonly actor: string
  readonly effect: Effect
  readonly links: readonly Link[]
  /** The agent's own words, untrusted; null where none are on record. */
  readonly claimed: string | null
  /** What it did, in words made from the record. */
  readonly did: string
}

export const FACTORS = [
  'role',
  'policy',
  'review',
  'agent',
  'safeguard',
  'outcome',
  'gate',
] as const

/** Something that let it come so far, or held it. It names no culprit; people weigh factors, not programs. */
export interface Factor {
  readonly factor: (typeof FACTORS)[number]
  /** Whether it let things go on, or held them. */
  readonly did: 'let' | 'held'
  readonly says: string
  /** The same in few words, for the answer; empty where it does not belong there. */
  readonly brief: string
  readonly chains: readonly string[]
  readonly evidence: readonly Evidence[]
}

/** One policy set put to the recorded calls. */
export interface Candidate {
  readonly name: string
  readonly answers: readonly {
    readonly chain: string
    /** `stopped`: denied, or asked for more than was signed. */
    readonly wouldHave: 'passed' | 'asked' | 'stopped'
    readonly says: string
    readonly policies: readonly string[]
  }[]
  /** Calls of the same window that it would also have asked for or denied, and that were not. */
  readonly alsoStops: number
  readonly alsoTried: number
}

export interface Proposal {
  /** File name without its ending. */
  readonly name: string
  /** Cedar; null where no policy needs to change and the cases only hold what is. */
  readonly policy: string | null
  /** The text of a `*.case.json`. */
  readonly cases: string
  readonly casesPassed: number
  readonly says: string
}

export interface Moment {
  readonly at: string
  readonly who: string
  readonly says: string
  /** Untrusted words of somebody, shown as a quotation; null where there are none. */
  readonly quote: string | null
  readonly evidence: readonly Evidence[]
}

/** The answer in five lines, each with its own head. */
export interface Answer {
  readonly head: string
  readonly says: string
}

export interface Incident {
  readonly format: 'seconder-incident@v1'
  readonly madeFrom: 'ledger' | 'trail'
  /** Said loudly before anything else: what makes this report less than evidence. Empty where nothing does. */
  readonly warnings: readonly string[]
  readonly source: {
    /** Gate of the ledger (hex), or empty. */
    readonly gate: string
    readonly verified: boolean | null
    readonly entries: number
    readonly events: number
    readonly root: string
  }
  readonly asked: {
    readonly since: string
    readonly until: string
    readonly resource: string
    readonly session: string
  }
  readonly window: { readonly from: string; readonly to: string }
  readonly answers: readonly Answer[]
  /** What somebody outside of the record says it meant for users; a claim. Null where nobody did. */
  readonly impact: string | null
  readonly cannotKnow: readonly string[]
  readonly chains: readonly Chain[]
  /** Harmful calls that were found; `chains` lists the gravest of them. */
  readonly chainCount: number
  readonly factors: readonly Factor[]
  readonly candidates: readonly Candidate[]
  readonly proposal: Proposal | null
  readonly timeline: readonly Moment[]
  readonly timelineCount: number
  /** A ledger held against CloudTrail; null where no trail was given beside it. */
  readonly reconciled: Reconciliation | null
}

/** Chains told in full; the gravest first. */
export const CHAINS_MAX = 40
/** Moments of the timeline. */
export const MOMENTS_MAX = 400

/** What can do harm: it takes away, changes who may do what, or cannot be seen through. */
export const HARMFUL: ReadonlySet<string> = new Set([
  'stop',
  'replace',
  'permissions',
  'opaque',
  'destroy',
  'unknown',
])

export function isHarmful(effects: readonly string[]): boolean {
  return effects.some((effect) => HARMFUL.has(effect))
}
