// Takes signed changes of people: each needs two of them, never the one who would gain by it, and is in force
// from its ledger entry on. What rested on somebody who was removed ends in the same transaction.
import type { z } from 'zod'
import type { JsonObject } from '../describe/action.ts'
import { canonicalJson, sha256Hex } from '../lib/canonical-json.ts'
import type { Clock } from '../lib/clock.ts'
import { addsPower, type PeopleChange } from '../lib/people-change.ts'
import { changeWords } from '../lib/people-words.ts'
import { parseRegisteredKey } from '../lib/registered-key.ts'
import {
  type ActVerifier,
  type GivenAct,
  invalidStatement,
  type VerifiedAct,
} from '../lib/signed-act.ts'
import { endedByPeople } from '../record/ended-by.ts'
import type { Entry, SignedAct } from '../record/entry.ts'
import type { Recorder } from '../record/recorder.ts'
import type { AppliedChange, OpenChange, PersonRecord } from '../state/people-store.ts'
import type { Store } from '../state/store.ts'
import { ALONE_MS, changeRefused, counts, requirePossible, standingOf } from './roster.ts'
import {
  CANCEL_NAMESPACE,
  CANCEL_STATEMENT,
  PEOPLE_NAMESPACE,
  PEOPLE_STATEMENT,
  PEOPLE_STATEMENT_MS_MAX,
} from './statement.ts'

/** How long a change waits for its second signature, in milliseconds. */
export const CHANGE_LIFETIME_MS = 7 * 24 * 60 * 60 * 1000
/** Changes that give power and wait at once; those that take it away are as many as there is to take. */
export const OPEN_CHANGES_MAX = 200

export interface PeopleDeskOptions {
  readonly store: Store
  readonly recorder: Recorder
  readonly clock: Clock
  readonly gateId: string
  readonly acts: ActVerifier
  /** The rule of the epoch in force for who must sign; absent = any two. */
  readonly signedBy: () => readonly string[] | undefined
  /** Whether people come from an identity provider alone. */
  readonly namesIdentities: boolean
  /** Hears what ended with a change, once that is in the state. */
  readonly ended: (applied: AppliedChange) => Promise<void>
}

/** A change as everybody is told of it. */
export interface ShownChange {
  readonly changeId: string
  readonly change: PeopleChange
  readonly words: string
  readonly state: 'in force' | 'waiting'
  readonly signers: readonly string[]
  /** What it still needs, in words; null when it is in force. */
  readonly needs: string | null
  readonly openedAt: string
  readonly takesEffectAt: string | null
}

export class PeopleDesk {
  readonly #options: PeopleDeskOptions

  constructor(options: PeopleDeskOptions) {
    this.#options = options
  }

  /**
   * Takes one member's signature for a change. Returns where it stands then.
   * Errors: `statement_invalid`, `signature_invalid`, `change_refused`, `limit_reached`.
   */
  async sign(given: GivenAct): Promise<ShownChange> {
    const verified = await this.#options.acts.verify(given, PEOPLE_NAMESPACE, PEOPLE_STATEMENT)
    return this.#options.store.alone('people', () => this.#take(verified))
  }

  async #take(verified: VerifiedAct<z.infer<typeof PEOPLE_STATEMENT>>): Promise<ShownChange> {
    const { store, recorder, clock, namesIdentities } = this.#options
    const { statement, person, act } = verified
    const { change } = statement
    const nowMs = clock.nowMs()
    await this.#requireCounts(verified, nowMs)
    if (!counts(change, person.name, await store.people())) {
      throw changeRefused('it gives its signer power; two others must sign it')
    }
    await requirePossible(store, change, namesIdentities)
    const before = await this.#opened(change, nowMs)
    if (
      verified.person.addedAtMs > before.openedAtMs ||
      verified.key.addedAtMs > before.openedAtMs
    ) {
      throw changeRefused('its signer, or the key signed with, was added after it was proposed')
    }
    if (!(await store.useNonce(statement.nonce, nowMs)))
      throw invalidStatement('its nonce was used before')
    await recorder.record({ type: 'people-signed', change, signer: person.name, act })
    const acts = { ...(await this.#counting(before)), [person.name]: act }
    const standing = await this.#standing(change, acts)
    if (standing.state === 'enough') {
      await this.#apply(change, 'two-people', Object.values(acts))
      return shown({ ...before, acts }, null)
    }
    const dueAtMs = standing.state === 'alone' ? (before.dueAtMs ?? nowMs + ALONE_MS) : null
    const open = { ...before, acts, dueAtMs }
    await store.keepChange(open)
    return shown(open, standing.state === 'alone' ? ALONE_WORDS : standing.words)
  }

  /** Errors: where the statement, or who signed it, may not be heard at all. */
  async #requireCounts(
    { statement, person, key, strength }: VerifiedAct<SignedByMember>,
    nowMs: number,
  ): Promise<void> {
    const { store, gateId, acts } = this.#options
    const expiresAtMs = Date.parse(statement.expiresAt)
    if (statement.gate !== gateId) throw invalidStatement('it is for another gate')
    if (statement.signer !== person.name) {
      throw invalidStatement('the key is not that of the signer named')
    }
    if (expiresAtMs <= nowMs || expiresAtMs > nowMs + PEOPLE_STATEMENT_MS_MAX) {
      throw invalidStatement('it has expired, or expires too late')
    }
    if ((await store.personByKey(key.fingerprint))?.person.name !== person.name) {
      throw changeRefused('its signer was removed meanwhile')
    }
    if (await acts.isWeaker({ person, strength })) {
      throw changeRefused('its signer has a passkey or security key, and must sign with that')
    }
  }

  /** What is open for exactly this change, or a new one. */
  async #opened(change: PeopleChange, nowMs: number): Promise<OpenChange> {
    const { store } = this.#options
    const id = idOf(change)
    // What was proposed to an older build waits under its old id until it ends.
    const open = (await store.openChange(id)) ?? (await store.openChange(oldIdOf(change)))
    if (open && open.expiresAtMs > nowMs) return open
    // Never in the way of taking somebody's power away, whoever filled the rest.
    const adding = (await store.openChanges()).filter((one) => addsPower(one.change))
    if (addsPower(change) && adding.length >= OPEN_CHANGES_MAX) {
      throw changeRefused('too many changes wait for a second signature')
    }
    if (open) await store.endChange(open.id)
    const expiresAtMs = nowMs + CHANGE_LIFETIME_MS
    return { id, change, acts: {}, openedAtMs: nowMs, expiresAtMs, dueAtMs: null }
  }

  /** The signatures whose keys and signers are still here, and count with the members there are now. */
  async #counting({ change, acts }: OpenChange): Promise<Record<string, SignedAct>> {
    const { store } = this.#options
    const members = await store.people()
    const counting: [string, SignedAct][] = []
    for (const [name, act] of Object.entries(acts)) {
      const isHere = (await store.personByKey(keyOf(act)))?.person.name === name
      if (isHere && counts(change, name, members)) counting.push([name, act])
    }
    return Object.fromEntries(counting)
  }

  async #standing(change: PeopleChange, acts: Readonly<Record<string, SignedAct>>) {
    const members = await this.#options.store.people()
    const signers = members.filter(({ name }) => Object.hasOwn(acts, name))
    return standingOf(change, signers, members, this.#options.signedBy())
  }

  async #apply(
    change: PeopleChange,
    by: Extract<Entry, { type: 'people-changed' }>['by'],
    acts: readonly SignedAct[],
  ): Promise<void> {
    await applyChange(this.#options, change, by, acts)
  }

  /**
   * Ends an open change by one member's signature; nobody can stop their own removal.
   * Errors: as `sign`, and `change_refused` where nothing is open under this id.
   */
  async cancel(given: GivenAct): Promise<ShownChange> {
    const verified = await this.#options.acts.verify(given, CANCEL_NAMESPACE, CANCEL_STATEMENT)
    return this.#options.store.alone('people', async () => {
      const { store, recorder, clock } = this.#options
      const { statement, person, act } = verified
      const nowMs = clock.nowMs()
      await this.#requireCounts(verified, nowMs)
      const open = await store.openChange(statement.changeId)
      if (!open) throw changeRefused('no change with this id is open')
      if (!addsPower(open.change) && open.change.person === person.name) {
        throw changeRefused('nobody can stop what is taken away from themselves')
      }
      if (!(await store.useNonce(statement.nonce, nowMs))) {
        throw invalidStatement('its nonce was used before')
      }
      const { change, id } = open
      await recorder.record({ type: 'people-cancelled', change, by: person.name, act })
      await store.endChange(id)
      return shown(open, `nothing: ${person.name} cancelled it`)
    })
  }

  /** Puts in force what has waited its day, and ends what nobody seconded. */
  async due(): Promise<void> {
    const { store, clock } = this.#options
    const nowMs = clock.nowMs()
    const isDue = ({ dueAtMs, expiresAtMs }: OpenChange) =>
      expiresAtMs <= nowMs || (dueAtMs !== null && dueAtMs <= nowMs)
    if (!(await store.openChanges()).some(isDue)) return
    await this.#options.store.alone('people', async () => {
      for (const open of (await store.openChanges()).filter(isDue)) await this.#settle(open)
    })
  }

  async #settle(open: OpenChange): Promise<void> {
    const { store, recorder, namesIdentities } = this.#options
    const { id, change, dueAtMs } = open
    const acts = await this.#counting(open)
    if (dueAtMs !== null && (await this.#standing(change, acts)).state === 'alone') {
      if (await isPossible(() => requirePossible(store, change, namesIdentities))) {
        return this.#apply(change, 'all-others-and-a-day', Object.values(acts))
      }
    } else if (dueAtMs !== null && open.expiresAtMs > this.#options.clock.nowMs()) {
      // Somebody joined meanwhile: now there is a second person to ask.
      return store.keepChange({ ...open, acts, dueAtMs: null })
    }
    await recorder.record({ type: 'people-cancelled', change, by: null, act: null })
    await store.endChange(id)
  }

  /** Changes that wait, oldest first. */
  async open(): Promise<ShownChange[]> {
    const all: ShownChange[] = []
    for (const open of await this.#options.store.openChanges()) {
      const acts = await this.#counting(open)
      const standing = await this.#standing(open.change, acts)
      const needs = standing.state === 'missing' ? standing.words : ALONE_WORDS
      all.push(shown({ ...open, acts }, needs))
    }
    return all
  }
}

interface SignedByMember {
  readonly gate: string
  readonly signer: string
  readonly expiresAt: string
}

const ALONE_WORDS = 'nothing but a day: there is nobody else to ask, and its signer can cancel it'

/** The same change has the same id, whoever proposes it; `p-` is of plans. */
const idOf = (change: PeopleChange) => `c-${hashOf(change)}`
const oldIdOf = (change: PeopleChange) => `p-${hashOf(change)}`
const hashOf = (change: PeopleChange) =>
  sha256Hex(canonicalJson(change as unknown as JsonObject)).slice(0, 26)

/** The entry comes first; the next start applies it where a crash came between. */
export async function applyChange(
  { store, recorder, clock, ended }: Omit<PeopleDeskOptions, 'acts'>,
  change: PeopleChange,
  by: Extract<Entry, { type: 'people-changed' }>['by'],
  acts: readonly SignedAct[],
): Promise<void> {
  const owedOf = endedByPeople(clock.nowMs())
  const applied = await recorder.recordThen({ type: 'people-changed', change, by, acts }, (index) =>
    store.applyPeopleChange(change, clock.nowMs(), index, owedOf),
  )
  for (const id of [idOf(change), oldIdOf(change)]) await store.endChange(id)
  if (applied === undefined) throw changeRefused('something else changed meanwhile')
  await ended(applied)
  await recorder.recordOwed(owedOf(applied))
}

async function isPossible(require: () => Promise<void>): Promise<boolean> {
  try {
    await require()
    return true
  } catch {
    return false // something else changed meanwhile: it ends, and says so in the ledger
  }
}

function keyOf(act: SignedAct): string {
  return parseRegisteredKey('passkey' in act ? act.passkey : act.publicKey).fingerprint
}

function shown(open: OpenChange, needs: string | null): ShownChange {
  const { id, change, acts, openedAtMs, dueAtMs } = open
  return {
    changeId: id,
    change,
    words: changeWords(change, keysIn(change)),
    state: needs === null ? 'in force' : 'waiting',
    signers: Object.keys(acts).sort(),
    needs,
    openedAt: new Date(openedAtMs).toISOString(),
    takesEffectAt: dueAtMs === null ? null : new Date(dueAtMs).toISOString(),
  }
}

/** Fingerprints of the keys that a change brings. */
export function keysIn(change: PeopleChange): string[] {
  const lines =
    change.kind === 'add-person' ? change.keys : change.kind === 'add-key' ? [change.key] : []
  return lines.map((line) => parseRegisteredKey(line).fingerprint)
}

/** Somebody as everybody is told of them. */
export async function shownPerson(store: Store, { name, teams, addedAtMs }: PersonRecord) {
  const keys = (await store.keysOf(name)).map((key) => {
    const { kind, showsPresence } = parseRegisteredKey(key.publicKey)
    const addedAt = new Date(key.addedAtMs).toISOString()
    return { fingerprint: key.fingerprint, kind, showsPresence, addedAt }
  })
  const identities = await store.identitiesOf(name)
  return { name, teams, keys, identities, addedAt: new Date(addedAtMs).toISOString() }
}
