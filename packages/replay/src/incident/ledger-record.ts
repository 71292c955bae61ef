// What a report needs of a ledger, taken entry by entry while the verifier reads them: who was who, which epoch
// was in force, each request with what became of it. Reads are folded, so that it grows with what was done.

import type { Entry } from '@seconder/gateway/record/entry'
import { endWords, signersOf } from '@seconder/ledger/payload-uses'
import { entryOf } from './forms.ts'
import type { Evidence } from './incident.ts'

type Of<Type extends Entry['type']> = Extract<Entry, { type: Type }>

/** An entry with its place in the log. */
export interface Placed<T = Entry> {
  readonly entry: T
  readonly evidence: Evidence
}

export interface Selection {
  /** ISO times; empty = from the beginning, to the end. */
  readonly since: string
  readonly until: string
  /** A part of an ARN or of an operation; empty = all. */
  readonly resource: string
  /** A session's id, or its beginning; empty = all. */
  readonly session: string
}

/** Reads of one session that follow one another. */
export interface FoldedReads {
  readonly session: string
  readonly first: Placed<Of<'read'>>
  last: Placed<Of<'read'>>
  count: number
  readonly operations: string[]
}

/** Entries kept; a ledger with more of them in one window wants a narrower one. */
export const ENTRIES_KEPT_MAX = 200_000
const OPERATIONS_NAMED_MAX = 12

export type OpenedSession = Placed<Of<'session-opened' | 'child-session-opened'>>
type Opened = Placed<Of<'request-opened' | 'plan-opened'>>

export class LedgerRecord {
  readonly sessions = new Map<string, OpenedSession>()
  readonly epochs = new Map<number, Placed<Of<'epoch-activated'>>>()
  readonly opened = new Map<string, Opened>()
  readonly reviews = new Map<string, Placed<Of<'review'>>[]>()
  readonly grants = new Map<string, Placed<Of<'grant-made' | 'plan-approved'>>>()
  readonly closed = new Map<string, Placed<Of<'request-closed' | 'request-cancelled'>>>()
  readonly intents: Placed<Of<'intent'>>[] = []
  readonly outcomes = new Map<string, Placed<Of<'outcome'>>[]>()
  readonly breakGlass = new Map<string, Placed<Of<'break-glass-opened'>>>()
  readonly breakGlassReviews = new Map<string, Placed<Of<'break-glass-reviewed'>>[]>()
  readonly denied: Placed<Of<'denied'>>[] = []
  /** Why a payload is not beside the log any more, in words, by its SHA-256. */
  readonly gone = new Map<string, string>()
  readonly reads: FoldedReads[] = []
  /** Everything else that a timeline tells. */
  readonly others: Placed[] = []
  readonly operationsOf = new Map<string, Map<string, number>>()
  /** Person to teams, as of the last entry. */
  readonly teams = new Map<string, readonly string[]>()
  readonly #selection: Selection
  #gate = ''
  #kept = 0
  #dropped = 0
  #unreadable = 0
  #first = ''
  #last = ''

  constructor(selection: Selection) {
    this.#selection = selection
  }

  get gate(): string {
    return this.#gate
  }

  get dropped(): number {
    return this.#dropped
  }

  get unreadable(): number {
    return this.#unreadable
  }

  get span(): { from: string; to: string } {
    return { from: this.#first, to: this.#last }
  }

  /** `text` is the entry as it stands in the log, `hash` its leaf hash in hex. */
  take(index: number, text: string, hash: string): void {
    if (index === 0) this.#gate = hash
    const entry = entryOf(text)
    if (entry === null) this.#unreadable++
    if (entry === null || entry === 'other') return
    const evidence: Evidence = { source: 'ledger', entry: index, id: hash, at: entry.at }
    this.#note({ entry, evidence })
    if (this.#isOutside(entry.at)) return
    if (this.#kept >= ENTRIES_KEPT_MAX) {
      this.#dropped++
      return
    }
    if (this.#first === '') this.#first = entry.at
    this.#last = entry.at
    this.#keep({ entry, evidence })
  }

  /** What chains rest on, whenever it was: a session opened before the window, an outcome after it. */
  #note({ entry, evidence }: Placed): void {
    switch (entry.type) {
      case 'gate-created':
        for (const person of entry.people) this.#member(person)
        return
      case 'session-opened':
      case 'child-session-opened':
        this.sessions.set(entry.session, { entry, evidence })
        return
      case 'epoch-activated':
        this.epochs.set(entry.epoch, { entry, evidence })
        return
      case 'people-changed':
        this.#changed(entry.change)
        return
      case 'request-opened':
      case 'plan-opened':
        this.opened.set(entry.request, { entry, evidence })
        return
      case 'review':
        push(this.reviews, entry.request, { entry, evidence })
        return
      case 'grant-made':
      case 'plan-approved':
        this.grants.set(entry.request, { entry, evidence })
        return
      case 'request-closed':
      case 'request-cancelled':
        this.closed.set(entry.request, { entry, evidence })
        return
      case 'break-glass-opened':
        this.breakGlass.set(entry.breakGlass, { entry, evidence })
        return
      case 'break-glass-reviewed':
        push(this.breakGlassReviews, entry.breakGlass, { entry, evidence })
        return
      case 'outcome':
        push(this.outcomes, entry.effect, { entry, evidence })
        return
      case 'redacted':
      case 'retention-ended':
        this.#drop(entry, evidence)
        return
      default:
        return
    }
  }

  #drop(entry: Of<'redacted' | 'retention-ended'>, { entry: index }: Evidence): void {
    const { type, at } = entry
    const placed = { type, at, entry: index ?? 0 }
    if (entry.type === 'redacted') {
      const { by, reason } = entry
      this.gone.set(entry.payload, endWords({ ...placed, by, reason, epoch: null, days: null }))
      return
    }
    const { epoch, days, payloads } = entry
    const by = signersOf(this.epochs.get(epoch)?.entry.acts ?? [])
    const words = endWords({ ...placed, by, reason: null, epoch, days })
    for (const payload of payloads) this.gone.set(payload, words)
  }

  #keep({ entry, evidence }: Placed): void {
    if (entry.type === 'read') {
      this.#read({ entry, evidence })
      return
    }
    this.#kept++
    if (entry.type === 'intent') this.intents.push({ entry, evidence })
    else if (entry.type === 'denied') this.denied.push({ entry, evidence })
    const isPlan = entry.type === 'plan-opened' || entry.type === 'plan-step'
    if ('operation' in entry && entry.operation !== null && !isPlan) {
      this.#used(entry.session, entry.operation)
    }
    this.others.push({ entry, evidence })
  }

  #read(read: Placed<Of<'read'>>): void {
    const { session, operation } = read.entry
    this.#used(session, operation)
    const before = this.reads.at(-1)
    const follows = before?.session === session && !this.#isBetween(before, read)
    if (before === undefined || !follows) {
      this.#kept++
      this.reads.push({ session, first: read, last: read, count: 1, operations: [operation] })
      return
    }
    before.last = read
    before.count++
    const isNew = !before.operations.includes(operation)
    if (isNew && before.operations.length < OPERATIONS_NAMED_MAX) before.operations.push(operation)
  }

  /** Whether something else that is told came between. */
  #isBetween(before: FoldedReads, read: Placed<Of<'read'>>): boolean {
    const other = this.others.at(-1)?.evidence.entry ?? -1
    return other > (before.last.evidence.entry ?? 0) && other < (read.evidence.entry ?? 0)
  }

  #used(session: string, operation: string): void {
    const used = this.operationsOf.get(session) ?? new Map<string, number>()
    used.set(operation, (used.get(operation) ?? 0) + 1)
    this.operationsOf.set(session, used)
  }

  #isOutside(at: string): boolean {
    const { since, until } = this.#selection
    return (since !== '' && at < since) || (until !== '' && at > until)
  }

  #member(person: Readonly<Record<string, unknown>>): void {
    const { name, teams } = person
    if (typeof name === 'string' && Array.isArray(teams)) this.teams.set(name, teams.map(String))
  }

  #changed(change: Of<'people-changed'>['change']): void {
    const before = this.teams.get(change.person) ?? []
    if (change.kind === 'add-person') this.teams.set(change.person, change.teams)
    if (change.kind === 'remove-person') this.teams.delete(change.person)
    if (change.kind === 'add-team') this.teams.set(change.person, [...before, change.team])
    if (change.kind === 'remove-team') {
      this.teams.set(
        change.person,
        before.filter((team) => team !== change.team),
      )
    }
  }
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, [value])
  else known.push(value)
}
