// Who is told instead of somebody who is away: signed by the one who goes, dated, and in the ledger. It changes
// who is notified and nothing else: whoever stands in may sign what they could sign before, no more.
import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { type ActVerifier, type GivenAct, invalidStatement } from '../lib/signed-act.ts'
import type { Recorder } from '../record/recorder.ts'
import type { Store } from '../state/store.ts'

export const AWAY_NAMESPACE = 'seconder-away@v1'

/** Longest absence, in milliseconds. */
export const AWAY_MS_MAX = 90 * 86_400_000
/** How far from now it may have been signed. */
const AGE_MS_MAX = 5 * 60_000
/** From one stand-in to the next; past it, and in a circle, whoever went away is told themselves. */
const HOPS_MAX = 5

const NAME = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/)

export const AWAY_STATEMENT = z.strictObject({
  type: z.literal(AWAY_NAMESPACE),
  gate: z.string().max(64),
  signer: z.string().max(64),
  /** Until when who is told instead; null: back, nobody is. */
  away: z.strictObject({ to: NAME, until: z.iso.datetime() }).nullable(),
  nonce: z.string().min(22).max(64),
  signedAt: z.iso.datetime(),
})

export interface Absence {
  readonly person: string
  readonly to: string
  readonly untilMs: number
}

/** Where absences are kept; what is lost there has its person told again. */
export interface Absences {
  keepAbsence(absence: Absence): void
  endAbsence(person: string): void
  absences(nowMs: number): readonly Absence[]
}

export interface AwayOptions {
  readonly store: Store
  readonly recorder: Recorder
  readonly clock: Clock
  readonly gateId: string
  readonly acts: ActVerifier
  /** Undefined where the gate tells nobody, or cannot. */
  readonly absences: () => Absences | undefined
}

export interface ShownAbsence {
  readonly person: string
  readonly to: string
  readonly until: string
}

/**
 * Takes one signed absence, or return. Returns every absence there is now.
 * Errors: `statement_invalid`, `signature_invalid`; `change_refused` where it makes no sense; `not_supported` where
 * the gate tells nobody.
 */
export async function takeAway(options: AwayOptions, given: GivenAct): Promise<ShownAbsence[]> {
  const { store, recorder, clock, gateId, acts } = options
  const { statement, person, act } = await acts.verify(given, AWAY_NAMESPACE, AWAY_STATEMENT)
  const { away } = statement
  const nowMs = clock.nowMs()
  if (statement.gate !== gateId) throw invalidStatement('it is for another gate')
  if (statement.signer !== person.name)
    throw invalidStatement('the key is not that of the signer named')
  if (Math.abs(nowMs - Date.parse(statement.signedAt)) > AGE_MS_MAX)
    throw invalidStatement('it was signed more than five minutes away from now')
  if (away !== null) await requirePossible(store, person.name, away, nowMs)
  const absences = kept(options)
  if (!(await store.useNonce(statement.nonce, nowMs)))
    throw invalidStatement('its nonce was used before')
  // A crash after the entry leaves somebody told who thought to be away: they sign again.
  await recorder.record({ type: 'away', signer: person.name, away, act })
  if (away === null) absences.endAbsence(person.name)
  else absences.keepAbsence({ person: person.name, to: away.to, untilMs: Date.parse(away.until) })
  return shownAbsences(options)
}

export function shownAbsences(options: Pick<AwayOptions, 'clock' | 'absences'>): ShownAbsence[] {
  return (options.absences()?.absences(options.clock.nowMs()) ?? []).map(
    ({ untilMs, ...rest }) => ({
      ...rest,
      until: new Date(untilMs).toISOString(),
    }),
  )
}

function kept({ absences }: AwayOptions): Absences {
  const found = absences()
  if (found !== undefined) return found
  throw new GatewayError(
    'not_supported',
    'this gate tells nobody of requests, so nobody can be told instead',
    'see docs/notifications.md',
  )
}

async function requirePossible(
  store: Store,
  person: string,
  { to, until }: { readonly to: string; readonly until: string },
  nowMs: number,
): Promise<void> {
  const untilMs = Date.parse(until)
  if (untilMs <= nowMs || untilMs > nowMs + AWAY_MS_MAX)
    throw impossible('its end is past, or more than 90 days away')
  if (to === person) throw impossible('nobody stands in for themselves')
  if (!(await store.people()).some(({ name }) => name === to))
    throw impossible('whoever is to be told instead is no member')
}

function impossible(why: string): GatewayError {
  return new GatewayError('change_refused', why, 'see `seconder people ls`; nothing was changed')
}

/** Who is told for this person now. */
export function standInFor(
  person: string,
  absences: readonly Absence[],
  isMember: (name: string) => boolean,
): string {
  let told = person
  for (let hop = 0; hop < HOPS_MAX; hop++) {
    const absence = absences.find((one) => one.person === told)
    if (absence === undefined) return told
    if (!isMember(absence.to) || absence.to === person) return person
    told = absence.to
  }
  return person
}
