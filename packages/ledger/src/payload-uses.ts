// Which payload beside a log is what for, from its entries alone: what an open request, plan, effect or after-review
// still needs, which epoch rests on one, and which were dropped on purpose, by whom. The gate asks it before it drops
// one; the verifier checks by the same code that it was let to. Runs in browsers.

type Members = Readonly<Record<string, unknown>>

/** How long what was decided in time may be on its way into the ledger, in milliseconds. */
const ON_ITS_WAY_MS = 10_000
const DAY_MS = 24 * 60 * 60_000
/** Others who must look at what was done under a break-glass. */
const AFTER_REVIEWERS = 2

/** Why a payload is not there any more, as the ledger says it. */
export interface PayloadEnd {
  readonly type: 'redacted' | 'retention-ended'
  readonly entry: number
  readonly at: string
  /** Who signed: the redaction, or the epoch that says how long payloads are kept; none for the first epoch. */
  readonly by: readonly string[]
  /** Of a redaction. */
  readonly reason: string | null
  /** Of retention. */
  readonly epoch: number | null
  readonly days: number | null
}

/** An entry that names a payload. */
export interface PayloadUse {
  readonly type: string
  readonly entry: number
  readonly at: string
  readonly session: string
  readonly operator: string
  readonly operation: string
  /** The request it is the document of, or null. */
  readonly request: string | null
  /** The break-glass under which the call that it describes was made, or null. */
  readonly breakGlass: string | null
}

interface Asked {
  readonly kind: 'request'
  readonly use: PayloadUse
  readonly payload: string
  pendingUntilMs: number
  grantUntilMs: number
  readonly open: Set<unknown>
}

interface Called {
  readonly kind: 'call'
  readonly use: PayloadUse
  readonly glass: Glass | undefined
  readonly open: Set<unknown>
}

interface Glass {
  readonly id: string
  readonly looked: Set<unknown>
}

interface Epoch {
  readonly number: number
  readonly days: number | null
  readonly signers: readonly string[]
  readonly atMs: number
}

/** The digest that an entry names as a payload beside the log; null where it names none. */
export function payloadNamedBy({ type, document, content }: Members): string | null {
  const digest = NAMING.has(type) ? document : type === 'epoch-activated' ? content : null
  return typeof digest === 'string' ? digest : null
}

const NAMING = new Set<unknown>(['request-opened', 'plan-opened', 'intent'])

export class PayloadUses {
  readonly #uses = new Map<string, (Asked | Called)[]>()
  readonly #requests = new Map<unknown, Asked>()
  readonly #glasses = new Map<unknown, Glass>()
  /** Whose effects have not ended. */
  readonly #effects = new Map<unknown, Asked | Called>()
  readonly #contents = new Set<string>()
  readonly #epochs: Epoch[] = []
  readonly #ended = new Map<string, PayloadEnd>()
  #index = -1

  /**
   * Why the next entry may not be believed, in words; null where it fits. `days` is what the content of the epoch
   * that it activates says of retention, null where that says nothing or cannot be read.
   */
  take(entry: Members, days: number | null = null): string | null {
    this.#index += 1
    switch (entry['type']) {
      case 'epoch-activated':
        return this.#activate(entry, days)
      case 'request-opened':
      case 'plan-opened':
        return this.#open(entry)
      case 'request-closed':
      case 'request-cancelled':
        this.#close(entry['request'])
        return null
      case 'grant-made':
      case 'plan-approved':
        return this.#grant(entry)
      case 'grant-revoked':
      case 'grant-expired':
        this.#endGrant(entry['request'])
        return null
      case 'plan-stopped':
        this.#endGrant(entry['plan'])
        return null
      case 'break-glass-opened':
        this.#glasses.set(entry['breakGlass'], { id: `${entry['breakGlass']}`, looked: new Set() })
        return null
      case 'break-glass-reviewed':
        this.#glasses.get(entry['breakGlass'])?.looked.add(entry['reviewer'])
        return null
      case 'intent':
        return this.#begin(entry)
      case 'outcome':
        this.#endEffect(entry)
        return null
      case 'redacted':
        return this.#redact(entry)
      case 'retention-ended':
        return this.#endRetention(entry)
      default:
        return null
    }
  }

  /** Why this payload was dropped; undefined where nobody let it be. */
  endOf(payload: string): PayloadEnd | undefined {
    return this.#ended.get(payload)
  }

  ends(): Iterable<[string, PayloadEnd]> {
    return this.#ended
  }

  usesOf(payload: string): readonly PayloadUse[] {
    return (this.#uses.get(payload) ?? []).map(({ use }) => use)
  }

  /** Why it must stay at this time, in words; null where it may go. */
  neededFor(payload: string, nowMs: number): string | null {
    if (this.#contents.has(payload)) return 'an epoch decides by it'
    const uses = this.#uses.get(payload)
    if (uses === undefined) return 'no request and no call names it'
    for (const one of uses) {
      const needed = one.kind === 'request' ? neededForRequest(one, nowMs) : neededForLook(one)
      if (needed !== null) return needed
      if (one.open.size > 0) return `what was begun under ${nameOf(one.use)} has not ended`
    }
    return null
  }

  /** Whether this epoch is in force at that time and says that payloads are kept for so many days. */
  endsBy(epoch: number, days: number, nowMs: number): boolean {
    return this.#epochSaying(epoch, days, nowMs) !== undefined
  }

  /** Those that nothing needs any more and that are older than this many days, the oldest first. */
  *olderThan(days: number, nowMs: number): Generator<string> {
    for (const [payload, uses] of this.#uses) {
      const [first] = uses
      if (first && Date.parse(first.use.at) > nowMs - days * DAY_MS) return
      const isDue = !this.#ended.has(payload) && ageMs(uses, nowMs) >= days * DAY_MS
      if (isDue && this.neededFor(payload, nowMs) === null) yield payload
    }
  }

  #activate(entry: Members, days: number | null): null {
    const signers = signersOf(listOf(entry['acts']))
    const number = Number(entry['epoch'])
    this.#epochs.push({ number, days, signers, atMs: timeOf(entry) })
    this.#contents.add(String(entry['content']))
    return null
  }

  #open(entry: Members): string | null {
    const payload = String(entry['document'])
    const use = useOf(entry, this.#index, { request: `${entry['request']}`, breakGlass: null })
    const pendingUntilMs = endOf(entry)
    const times = { pendingUntilMs, grantUntilMs: Number.NEGATIVE_INFINITY }
    const asked: Asked = { kind: 'request', use, payload, ...times, open: new Set() }
    this.#requests.set(entry['request'], asked)
    return this.#name(payload, asked)
  }

  #name(payload: string, use: Asked | Called): string | null {
    const uses = this.#uses.get(payload)
    // In the order of the last naming, so that the oldest come first.
    this.#uses.delete(payload)
    this.#uses.set(payload, [...(uses ?? []), use])
    return this.#ended.has(payload) ? 'it names a payload that was dropped before' : null
  }

  #close(request: unknown): void {
    const asked = this.#requests.get(request)
    if (asked) asked.pendingUntilMs = Number.NEGATIVE_INFINITY
  }

  #grant(entry: Members): string | null {
    const asked = this.#requests.get(entry['request'])
    if (!asked) return null
    this.#close(entry['request'])
    asked.grantUntilMs = endOf(entry)
    const isGone = this.#ended.has(asked.payload)
    return isGone ? 'what its reviewers were shown was dropped before' : null
  }

  #endGrant(request: unknown): void {
    const asked = this.#requests.get(request)
    if (asked) asked.grantUntilMs = Number.NEGATIVE_INFINITY
  }

  #begin(entry: Members): string | null {
    const { effect, request, plan, breakGlass, document } = entry
    const asked = this.#requests.get(request)
    if (asked) {
      asked.open.add(effect)
      this.#effects.set(effect, asked)
      // A plan's approval goes on to its end; that of one call is used up.
      if (plan === undefined) this.#endGrant(request)
      if (this.#ended.has(asked.payload)) return 'what its reviewers were shown was dropped before'
    }
    if (typeof document !== 'string') return null
    const glass = this.#glasses.get(breakGlass)
    const id = typeof breakGlass === 'string' ? breakGlass : null
    const use = useOf(entry, this.#index, { request: null, breakGlass: id })
    const called: Called = { kind: 'call', use, glass, open: new Set([effect]) }
    this.#effects.set(effect, called)
    return this.#name(document, called)
  }

  #endEffect({ effect, outcome }: Members): void {
    // What was accepted goes on until its end is known, or is given up.
    if ((outcome as Members | null)?.['result'] === 'accepted') return
    this.#effects.get(effect)?.open.delete(effect)
    this.#effects.delete(effect)
  }

  #redact(entry: Members): string | null {
    const payload = String(entry['payload'])
    const needed = this.neededFor(payload, timeOf(entry))
    if (needed !== null) return `its payload must stay: ${needed}`
    const by = listOf(entry['by']).map(String)
    const reason = String(entry['reason'])
    this.#end(payload, { ...this.#placed(entry), by, reason, epoch: null, days: null })
    return null
  }

  #endRetention(entry: Members): string | null {
    const [days, nowMs] = [Number(entry['days']), timeOf(entry)]
    const named = this.#epochSaying(entry['epoch'], days, nowMs)
    if (!named) return 'no epoch in force says that payloads are kept so long and no longer'
    for (const payload of listOf(entry['payloads']).map(String)) {
      const needed = this.neededFor(payload, nowMs)
      if (needed !== null) return `a payload of it must stay: ${needed}`
      const uses = this.#uses.get(payload) ?? []
      if (ageMs(uses, nowMs) < days * DAY_MS) return 'a payload of it was not old enough'
      const { number: epoch, signers: by } = named
      this.#end(payload, { ...this.#placed(entry), by, reason: null, epoch, days })
    }
    return null
  }

  #epochSaying(number: unknown, days: number, nowMs: number): Epoch | undefined {
    const [current, before] = this.#epochs.toReversed()
    const isLate = current && nowMs - current.atMs <= ON_ITS_WAY_MS
    const inForce = [current, isLate ? before : undefined]
    return inForce.find((one) => one?.number === number && one?.days === days)
  }

  #placed(entry: Members) {
    const type = entry['type'] as PayloadEnd['type']
    return { type, entry: this.#index, at: String(entry['at']) }
  }

  /** The first one counts: what is gone cannot go again. */
  #end(payload: string, end: PayloadEnd): void {
    if (!this.#ended.has(payload)) this.#ended.set(payload, end)
  }
}

function neededForRequest(asked: Asked, nowMs: number): string | null {
  const { use, pendingUntilMs, grantUntilMs } = asked
  if (nowMs <= pendingUntilMs + ON_ITS_WAY_MS) return `${nameOf(use)} is open`
  if (nowMs <= grantUntilMs + ON_ITS_WAY_MS)
    return `what was approved of ${nameOf(use)} can be used`
  return null
}

function neededForLook({ use, glass }: Called): string | null {
  const isLookedAt = glass !== undefined && glass.looked.size >= AFTER_REVIEWERS
  return isLookedAt ? null : `the after-review of ${nameOf(use)} is open`
}

function nameOf({ request, breakGlass }: PayloadUse): string {
  return request === null ? `break-glass ${breakGlass}` : `request ${request}`
}

function useOf(
  entry: Members,
  index: number,
  about: Pick<PayloadUse, 'request' | 'breakGlass'>,
): PayloadUse {
  const text = (name: string) => String(entry[name] ?? '')
  const who = { session: text('session'), operator: text('operator') }
  return {
    type: text('type'),
    entry: index,
    at: text('at'),
    ...who,
    operation: text('operation'),
    ...about,
  }
}

/** Since it was named last. */
function ageMs(uses: readonly (Asked | Called)[], nowMs: number): number {
  const [last] = uses.slice(-1)
  const ageMs = last === undefined ? 0 : nowMs - Date.parse(last.use.at)
  return Number.isNaN(ageMs) ? 0 : ageMs
}

function timeOf(entry: Members): number {
  return Date.parse(String(entry['at']))
}

/** What does not say when it ends goes on: nothing is dropped for want of a date. */
function endOf({ expiresAt }: Members): number {
  const endMs = Date.parse(String(expiresAt))
  return Number.isNaN(endMs) ? Number.POSITIVE_INFINITY : endMs
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** Who signed each of these acts, as its statement says. */
export function signersOf(acts: readonly unknown[]): string[] {
  return acts.map((act) => String(signedIn(act)['signer']))
}

function signedIn(act: unknown): Members {
  try {
    return JSON.parse(String((act as Members | null)?.['statement'])) as Members
  } catch {
    return {}
  }
}

/**
 * What readers see in place of the content: `redacted by alice and bob on 2026-11-26 21:40 UTC: REASON`. The reason
 * is a person's words, as they signed them.
 */
export function endWords({ type, at, by, reason, epoch, days }: PayloadEnd): string {
  const on = `${at.slice(0, 16).replace('T', ' ')} UTC`
  if (type === 'redacted') return `redacted by ${by.join(' and ')} on ${on}: ${reason}`
  const who = by.length === 0 ? 'the files of the first start' : by.join(' and ')
  return `dropped on ${on}: payloads are kept for ${days} days by epoch ${epoch}, signed by ${who}`
}

/** What `retention` of an epoch's content says, in days; null where it says nothing, or is no content. */
export function retentionOf(content: string | null): number | null {
  try {
    const parsed = JSON.parse(content ?? 'null') as Members | null
    const days = (parsed?.['retention'] as Members | undefined)?.['payloadDays']
    return typeof days === 'number' && Number.isInteger(days) && days >= 1 ? days : null
  } catch {
    return null
  }
}
