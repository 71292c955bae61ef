// A policy set that can decide, from its sources. The texts are read in a worker that is thrown
// away (policy-reader.ts); what comes back is checked for its limits and put, preparsed and sliced,
// into a Cedar instance of this set's own. Nothing that failed to load decides anything.
import { createHash } from 'node:crypto'
import type { Effect } from '../describe/action.ts'
import { candidatesOf } from './candidates.ts'
import type { SeatCount } from './decision.ts'
import { type CedarModule, Engine } from './engine.ts'
import { PolicyError } from './errors.ts'
import { freshCedar } from './fresh-cedar.ts'
import {
  type LoadedPolicy,
  type PolicySources,
  type SliceTable,
  sliceTexts,
} from './read-policies.ts'
import { readInWorker } from './reader-thread.ts'
import { parseSeatCount } from './seats.ts'
import { EVERYTHING, OTHER_ENVIRONMENT, sliceName } from './slice.ts'

export type { LoadedPolicy, PolicySources }

/** UTF-8 bytes of one policy file, and of all sources together. */
export const FILE_BYTES_MAX = 4 * 1024 * 1024
export const SOURCES_BYTES_MAX = 8 * 1024 * 1024
export const POLICIES_MAX = 20_000
/** Policies over all slices: one that names no action and no environment is in each of them. */
export const SLICED_POLICIES_MAX = 200_000
/** Ten thousand policies take about half of this on two slow cores. */
export const READ_TIMEOUT_MS = 120_000

/** The slice that answers for an effect in an environment. */
export interface Slice {
  readonly name: string
  readonly policyCount: number
  /** Attributes of the resource that any of its policies reads. */
  readonly resourceFacts: ReadonlySet<string>
  /** What any of its policies reads of context and principal, sorted; EVERYTHING for all of it. */
  readonly contextFacts: readonly string[]
  readonly principalFacts: readonly string[]
  readonly seatCounts: readonly SeatCount[]
}

export interface PolicySet {
  /** SHA-256, lower-case hex, of the schema and all policy files sorted by name. */
  readonly version: string
  readonly policies: ReadonlyMap<string, LoadedPolicy>
  readonly slices: ReadonlyMap<string, Slice>
  /** Every seat count that any policy mentions, sorted. */
  readonly seatCounts: readonly SeatCount[]
  /** The teams of these, without `any`. */
  readonly teams: ReadonlySet<string>
  /** The environments that the policies know; any other is decided as production. */
  readonly environments: ReadonlySet<string>
  /** The effects that a policy could judge by the isolation; the others have one answer for all of it. */
  readonly isolationReadFor: ReadonlySet<Effect>
  readonly engine: Engine
}

export interface LoadOptions {
  readonly readTimeoutMs?: number
  /** Where Cedar instances come from; a test hands in ones that die. */
  readonly makeCedar?: () => CedarModule
}

/**
 * The policy set of these sources, ready to decide; files may be given in any order.
 *
 * Throws PolicyError with every code of errors.ts; `policy_unparsable` also when the reader threw,
 * ended or took longer than the timeout (milliseconds, `READ_TIMEOUT_MS` unless told).
 */
export async function loadPolicySet(
  sources: PolicySources,
  options: LoadOptions = {},
): Promise<PolicySet> {
  refuseTooLarge(sources)
  const { makeCedar = freshCedar, readTimeoutMs = READ_TIMEOUT_MS } = options
  const reading = readInWorker(sources, readTimeoutMs)
  // Made while the reader starts, and alive while it reads: V8 then compiles Cedar once for both of them.
  const [read, cedar] = await Promise.all([reading, (async () => makeCedar())()])
  const sliced = read.slices.reduce((sum, slice) => sum + slice.policyIds.length, 0)
  if (read.policies.length > POLICIES_MAX) throw tooLarge('', `more than ${POLICIES_MAX} policies`)
  if (sliced > SLICED_POLICIES_MAX) {
    throw tooLarge('', `more than ${SLICED_POLICIES_MAX} policies over all slices`)
  }
  const policies = new Map(read.policies.map((policy) => [policy.id, policy]))
  const slices = new Map(read.slices.map((table) => [table.name, sliceOf(table, policies)]))
  const seatCounts = [...new Set(read.policies.flatMap((policy) => policy.seatCounts))].sort()
  refuseTooManyCandidates(seatCounts)
  const texts = sliceTexts(read.policies, read.slices)
  const engine = new Engine({ schema: sources.schema, slices: texts }, makeCedar)
  engine.warm(cedar)
  return {
    version: versionOf(sources),
    policies,
    slices,
    seatCounts,
    teams: teamsOf(seatCounts),
    environments: new Set(read.policies.flatMap(({ reach }) => reach.environmentsNamed)),
    isolationReadFor: new Set(
      read.slices
        .filter(({ name }) => readsIsolation(slices.get(name)))
        .map(({ effect }) => effect),
    ),
    engine,
  }
}

/** The slice for an effect in an environment; every set has one for each effect. */
export function sliceFor(set: PolicySet, effect: Effect, environment: string): Slice {
  const slice =
    set.slices.get(sliceName(effect, environment)) ??
    set.slices.get(sliceName(effect, OTHER_ENVIRONMENT))
  if (slice === undefined) throw new Error(`the policy set has no slice for \`${effect}\``)
  return slice
}

function sliceOf(table: SliceTable, policies: ReadonlyMap<string, LoadedPolicy>): Slice {
  const members = table.policyIds.flatMap((id) => policies.get(id) ?? [])
  return {
    name: table.name,
    policyCount: members.length,
    resourceFacts: new Set(members.flatMap(({ reach }) => reach.resourceFacts)),
    contextFacts: [...new Set(members.flatMap(({ reach }) => reach.contextFacts))].sort(),
    principalFacts: [...new Set(members.flatMap(({ reach }) => reach.principalFacts))].sort(),
    seatCounts: [...new Set(members.flatMap(({ seatCounts }) => seatCounts))].sort(),
  }
}

function readsIsolation(slice: Slice | undefined): boolean {
  return slice?.contextFacts.some((fact) => fact === 'isolation' || fact === EVERYTHING) ?? true
}

function teamsOf(seatCounts: readonly SeatCount[]): Set<string> {
  const teams = seatCounts.flatMap((text) => parseSeatCount(text)?.team ?? [])
  return new Set(teams.filter((team) => team !== 'any'))
}

function versionOf({ schema, policies }: PolicySources): string {
  const files = policies.map(({ file, text }) => [file, text] as const)
  // By code unit, not by locale: every machine must come to the same version.
  files.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return createHash('sha256')
    .update(JSON.stringify([schema, files]))
    .digest('hex')
}

function refuseTooLarge({ schema, policies }: PolicySources): void {
  let total = Buffer.byteLength(schema)
  for (const { file, text } of policies) {
    const size = Buffer.byteLength(text)
    if (size > FILE_BYTES_MAX)
      throw tooLarge(file, `the file is larger than ${FILE_BYTES_MAX} bytes`)
    total += size
  }
  if (total > SOURCES_BYTES_MAX) {
    throw tooLarge('', `the sources are larger than ${SOURCES_BYTES_MAX} bytes together`)
  }
}

function refuseTooManyCandidates(seatCounts: readonly SeatCount[]): void {
  if (candidatesOf(seatCounts) !== null) return
  throw new PolicyError({
    code: 'too_many_seat_counts',
    file: '',
    message: 'the policies mention too many combinations of seat counts to search',
    help: 'use fewer teams, or fewer different numbers for each',
  })
}

function tooLarge(file: string, message: string): PolicyError {
  return new PolicyError({
    code: 'policy_too_large',
    file,
    message,
    help: 'split the set, or generate fewer and wider policies',
  })
}
