// What was done under a break-glass, as whoever looks at it afterwards reads and signs it: the ledger's own
// entries in one canonical text. Pure: gate, clients and the offline verifier make and check it by the same code.
import type { Action } from '../describe/action.ts'
import { canonicalJson, parseCanonicalJson, sha256Hex } from '../lib/canonical-json.ts'
import type { Entry } from '../record/entry.ts'
import type { Evidence } from '../resolve/evidence.ts'
import { recomputeDigest } from '../review/document.ts'

type Members = Readonly<Record<string, unknown>>
export type Opened = Extract<Entry, { type: 'break-glass-opened' }>
export type Intent = Extract<Entry, { type: 'intent' }>
export type Ended = Extract<Entry, { type: 'outcome' }>

/** In the order of the ledger: its opening first, then each intent and each outcome. */
export interface GlassAccount {
  readonly type: 'seconder-break-glass-account@v1'
  readonly gate: string
  readonly breakGlass: string
  readonly entries: readonly { readonly index: number; readonly entry: Entry }[]
}

/** One call as it was made, kept beside the ledger: what a reviewer would have been shown before it. */
export interface GlassCall {
  readonly type: 'seconder-break-glass-call@v1'
  readonly breakGlass: string
  readonly session: string
  readonly roleArn: string
  readonly epoch: number
  /** That of its intent. */
  readonly digest: string
  readonly action: Action
  readonly evidence: Evidence
  readonly summary: string
}

export function accountText(account: GlassAccount): string {
  return canonicalJson(account as never)
}

export interface Deed {
  readonly index: number
  readonly intent: Intent
  /** None yet, one, or a second one where what was accepted was followed to its end. */
  readonly outcomes: readonly Ended[]
}

export interface CheckedAccount {
  readonly opened: Opened
  /** The operator's own words, from the statement that they signed. */
  readonly reason: string
  readonly deeds: readonly Deed[]
  /** SHA-256 of the text: what is signed as `account`. */
  readonly sha256: string
}

/** Parses an account. Throws where it is of something else, or holds what is not of this break-glass. */
export function checkAccount(text: string, gate: string, breakGlass: string): CheckedAccount {
  const account = parseCanonicalJson(text) as unknown as GlassAccount
  const isOf = account.type === 'seconder-break-glass-account@v1' && account.gate === gate
  if (!isOf || account.breakGlass !== breakGlass) throw notOfIt()
  const [first, ...rest] = account.entries
  const opened = first?.entry
  if (opened?.type !== 'break-glass-opened' || opened.breakGlass !== breakGlass) throw notOfIt()
  const deeds = new Map<string, { index: number; intent: Intent; outcomes: Ended[] }>()
  let last = first?.index ?? 0
  for (const { index, entry } of rest) {
    if (index <= last) throw notOfIt()
    last = index
    if (entry.type === 'intent' && entry.breakGlass === breakGlass && !deeds.has(entry.effect)) {
      deeds.set(entry.effect, { index, intent: entry, outcomes: [] })
    } else if (entry.type === 'outcome' && deeds.has(entry.effect)) {
      deeds.get(entry.effect)?.outcomes.push(entry)
    } else throw notOfIt()
  }
  const { statement } = opened.act
  const { reason } = JSON.parse(statement) as { reason: unknown }
  return { opened, reason: String(reason), deeds: [...deeds.values()], sha256: sha256Hex(text) }
}

/** Parses what was kept of a call. Throws where it is not what its intent names, or not of its own digest. */
export function checkCall(text: string, intent: Intent): GlassCall {
  const { document, digest, breakGlass, operation } = intent
  const call = parseCanonicalJson(text) as unknown as GlassCall
  const isOf =
    call.type === 'seconder-break-glass-call@v1' &&
    call.breakGlass === breakGlass &&
    sha256Hex(text) === document &&
    call.digest === digest &&
    call.action.operation === operation &&
    recomputeDigest(call) === digest
  if (!isOf) throw new Error('what was kept of a call is not what was done: do not sign it')
  return call
}

/** Both, as the API gives them. Throws where any part does not hold. */
export function checkGlass(
  { id, account: text, calls: kept, gone, state }: GivenGlass,
  gate: string,
): { readonly account: CheckedAccount; readonly calls: ReadonlyMap<string, GlassCall> } {
  const account = checkAccount(text, gate, id)
  const calls = new Map<string, GlassCall>()
  for (const { intent } of account.deeds) {
    const document = intent.document ?? ''
    const call = kept[document]
    // Of a closed one nothing is left to sign, and two people may have dropped what was kept.
    if (call === undefined && state === 'closed' && gone[document] !== undefined) continue
    if (call === undefined) throw new Error('a call that was made is not shown: do not sign it')
    calls.set(intent.effect, checkCall(call, intent))
  }
  return { account, calls }
}

interface GivenGlass {
  readonly id: string
  readonly account: string
  readonly calls: Readonly<Record<string, string>>
  readonly gone: Readonly<Record<string, string>>
  readonly state: string
}

function notOfIt(): Error {
  return new Error('the account of what was done is of something else: do not sign it')
}

/** Which entries of a ledger are about which break-glass. */
export class GlassEntries {
  readonly #indices = new Map<string, number[]>()
  readonly #glassOf = new Map<string, string>()

  /** Takes every entry, in order; true where it is about one. What others signed afterwards is not what was done. */
  take(index: number, { type, breakGlass, effect }: Members): boolean {
    if (type === 'break-glass-opened') this.#indices.set(String(breakGlass), [])
    const isIntent = type === 'intent' && typeof breakGlass === 'string'
    if (isIntent) this.#glassOf.set(String(effect), breakGlass)
    const isAbout = type === 'break-glass-opened' || isIntent
    const glass = isAbout
      ? breakGlass
      : type === 'outcome'
        ? this.#glassOf.get(String(effect))
        : null
    const indices = this.#indices.get(String(glass))
    indices?.push(index)
    return indices !== undefined
  }

  of(breakGlass: string): readonly number[] {
    return this.#indices.get(breakGlass) ?? []
  }
}

/** Checks again, from the entries of a ledger alone, that who signed an after-review signed what was done. */
export class AfterReviews {
  readonly #gate: string
  readonly #of = new GlassEntries()
  readonly #kept = new Map<number, Entry>()
  #index = -1

  constructor(gate: string) {
    this.#gate = gate
  }

  /** Why the next entry may not be believed, in words; null where it fits. */
  take(entry: Members): string | null {
    this.#index += 1
    if (this.#of.take(this.#index, entry)) this.#kept.set(this.#index, entry as unknown as Entry)
    if (entry['type'] !== 'break-glass-reviewed') return null
    const breakGlass = String(entry['breakGlass'])
    const { account, size } = signedIn(entry)
    const all = this.#of
      .of(breakGlass)
      .map((index) => ({ index, entry: this.#kept.get(index) as Entry }))
    const entries = all.filter(({ index }) => index < size)
    // An end may come to be known between the signature and its entry; a deed may not.
    const isLate = all.some(({ index, entry }) => index >= size && entry.type !== 'outcome')
    const type = 'seconder-break-glass-account@v1'
    const text = accountText({ type, gate: this.#gate, breakGlass, entries })
    const isSame = size <= this.#index && !isLate && sha256Hex(text) === account
    return isSame ? null : 'an after-review in it is not over what was done'
  }
}

/** What the statement of an after-review says it is over; of no entry where it cannot be read. */
function signedIn(entry: Members): { readonly account: unknown; readonly size: number } {
  try {
    const { statement } = entry['act'] as { readonly statement: string }
    const { account, checkpoint } = JSON.parse(statement) as {
      readonly account: unknown
      readonly checkpoint: { readonly size: unknown }
    }
    return { account, size: Number(checkpoint.size) }
  } catch {
    return { account: null, size: 0 }
  }
}
