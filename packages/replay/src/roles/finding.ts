// The nouns of the result: a finding with its rule, evidence and fix, and the audit as a whole.

import type { Evidence } from './asking.ts'
import type { Destruction } from './destruction.ts'
import type { Fault } from './estate.ts'
import type { RuleId } from './rules.ts'

export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'note'] as const
export type Severity = (typeof SEVERITIES)[number]

/** Something to paste: a policy document, a command, or both. */
export interface Fix {
  readonly words: string
  readonly policy?: object
  readonly command?: string
}

/** One step of a way, in words and by its rows. */
export interface PathStep {
  readonly from: string
  readonly to: string
  readonly truth: 'yes' | 'unknown'
  readonly rows: readonly string[]
  readonly about: string
  readonly dependsOn: readonly string[]
  readonly evidence: readonly Evidence[]
  readonly source: string
}

export interface Finding {
  readonly rule: RuleId
  readonly severity: Severity
  /** ARN of whom it is about, or `account 123456789012`, or the place in a file. */
  readonly subject: string
  readonly account: string
  readonly isAgent: boolean
  /** Empty where it is certain. */
  readonly dependsOn: readonly string[]
  readonly title: string
  readonly words: string
  readonly evidence: readonly Evidence[]
  readonly path: readonly PathStep[]
  /** Environments it reaches, production first. */
  readonly environments: readonly string[]
  readonly fix: Fix
  /** Weight of what it can take down; more is worse within a severity. */
  readonly weight: number
}

export interface PrincipalRow {
  readonly arn: string
  readonly name: string
  readonly kind: 'user' | 'role'
  readonly account: string
  readonly isAgent: boolean
  readonly isGate: boolean
  /** Lent by the gate, and nobody else gets in. */
  readonly behindGate: boolean
  readonly serviceLinked: boolean
  readonly rules: 'yes' | 'no' | 'unknown'
  readonly reachesAdmin: 'yes' | 'no' | 'unknown'
  /** Ids of pathfinding.cloud and of our own that lead out of it. */
  readonly rows: readonly string[]
  /** ARNs that it can become, itself left out; behind an administrator nobody else is named. */
  readonly reaches: readonly string[]
  readonly destroys: Destruction
  /** Environments it can change anything in, whatever it becomes. */
  readonly environments: readonly string[]
  readonly unread: readonly string[]
  readonly lastUsed: string | null
  /** What a trail says of it; null where none was given. */
  readonly trail: TrailFacts | null
}

export interface TrailFacts {
  readonly events: number
  /** ISO day of the last event; null = it is not in the trail. */
  readonly last: string | null
  /** Destructive actions that it may do and did, with the ISO day of the last time. */
  readonly destroyed: readonly { readonly action: string; readonly last: string }[]
  /** How many destructive actions it may do and did not. */
  readonly unused: number
}

/** Somebody who can act on production without the gate (red team C2). */
export interface Rounder {
  readonly who: string
  readonly kind: 'user' | 'role' | 'account' | 'provider' | 'everybody'
  readonly certain: boolean
  /** `directly`, or through whom. */
  readonly how: string
  readonly isAgent: boolean
  readonly excepted: boolean
}

export interface Audit {
  readonly version: 1
  readonly accounts: readonly string[]
  readonly whole: boolean
  readonly faults: readonly Fault[]
  /** What the answer rests on and what it cannot say, one sentence each. */
  readonly limits: readonly string[]
  /** The window of the trail; null where none was given. */
  readonly window: {
    readonly from: string | null
    readonly to: string | null
    readonly days: number
  } | null
  readonly principals: readonly PrincipalRow[]
  readonly rounders: readonly Rounder[]
  readonly findings: readonly Finding[]
  readonly edges: readonly GraphEdge[]
  readonly counts: Readonly<Record<Severity, number>>
}

/** For the drawing: who can become whom in one step. */
export interface GraphEdge {
  readonly from: string
  readonly to: string
  readonly truth: 'yes' | 'unknown'
  readonly rows: readonly string[]
}

export function countsOf(findings: readonly Finding[]): Record<Severity, number> {
  const counts = { critical: 0, high: 0, medium: 0, low: 0, note: 0 }
  for (const { severity } of findings) counts[severity]++
  return counts
}

/** Agents first, then by severity, then by what it can take down, then by name. */
export function ranked(findings: readonly Finding[]): Finding[] {
  return [...findings].sort(
    (a, b) =>
      SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
      Number(b.isAgent) - Number(a.isAgent) ||
      b.weight - a.weight ||
      compare(a.rule, b.rule) ||
      compare(a.subject, b.subject),
  )
}

export function lower(severity: Severity, by = 1): Severity {
  return SEVERITIES[Math.min(SEVERITIES.indexOf(severity) + by, SEVERITIES.length - 1)] ?? 'note'
}

export function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
