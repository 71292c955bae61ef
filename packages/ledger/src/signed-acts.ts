// Verifies again, from the entries of a ledger alone, everything that people signed: who was a member with
// which key at that point, and that each act is theirs, of this gate, and says what the entry says. Runs in
// browsers; how an SSH signature is verified is lent by the caller.
import { type Assertion, fromBase64url, type RelyingParty, verifyAssertion } from './assertion.ts'
import { fromBase64, toBase64 } from './bytes.ts'
import { LedgerError } from './errors.ts'
import { SeenIds } from './seen-ids.ts'

/** `hardware` where the signature shows a person present and verified. Throws where it does not hold. */
export type VerifySsh = (
  act: { readonly statement: string; readonly signature: string; readonly publicKey: string },
  namespace: string,
) => 'software' | 'hardware'

type Members = Record<string, unknown>
type Act = Readonly<Record<string, unknown>>

interface Registered {
  readonly person: string
  readonly line: string
}

/** Entries that hold one act: its namespace, and the members that statement and entry must agree on. */
const ONE_ACT: Readonly<
  Record<string, { namespace: string; by: string; same: readonly string[] }>
> = {
  'session-opened': {
    namespace: 'seconder-session@v1',
    by: 'operator',
    same: ['agent', 'task', 'instigators'],
  },
  'session-resumed': {
    namespace: 'seconder-session-resume@v1',
    by: 'operator',
    same: ['session', 'operator', 'expiresAt'],
  },
  'session-closed': { namespace: 'seconder-session-close@v1', by: 'signer', same: ['session'] },
  review: {
    namespace: 'seconder-review@v1',
    by: 'reviewer',
    same: ['request', 'verdict', 'reviewer'],
  },
  'break-glass-opened': {
    namespace: 'seconder-break-glass@v1',
    by: 'signer',
    same: ['session', 'effects', 'resources', 'effectsMax'],
  },
  'break-glass-reviewed': {
    namespace: 'seconder-break-glass-review@v1',
    by: 'signer',
    same: ['breakGlass'],
  },
  'request-cancelled': {
    namespace: 'seconder-withdrawal@v1',
    by: 'signer',
    same: ['request', 'signer'],
  },
  'grant-revoked': {
    namespace: 'seconder-withdrawal@v1',
    by: 'signer',
    same: ['request', 'signer'],
  },
  away: { namespace: 'seconder-away@v1', by: 'signer', same: ['signer', 'away'] },
  'people-signed': { namespace: 'seconder-people@v1', by: 'signer', same: ['change', 'signer'] },
  'people-cancelled': { namespace: 'seconder-people-cancel@v1', by: 'signer', same: [] },
  'signed-in': { namespace: 'seconder-sign-in@v1', by: '', same: ['use'] },
}

/** The other types that say who may sign, or hold several acts. */
const WITHOUT_ONE_ACT = new Set([
  'gate-created',
  'relying-party',
  'people-changed',
  'epoch-activated',
  'redacted',
])

/** Those of ONE_ACT that nobody but a person makes: without an act they are made up. */
const ALWAYS_SIGNED = new Set([
  'session-opened',
  'session-resumed',
  'review',
  'break-glass-opened',
  'break-glass-reviewed',
  'away',
  'people-signed',
])

const EPOCH_SIGNERS = 2
const REDACTION_SIGNERS = 2
/** How long an act that was verified may be on its way into the ledger, in milliseconds. */
const ON_ITS_WAY_MS = 10_000
/** How long a change waits that one person signed, because there was nobody else. */
const ALONE_MS = 24 * 60 * 60 * 1000

export class SignedActs {
  readonly #verifySsh: VerifySsh
  readonly #gateId: string
  readonly #keys = new Map<string, Registered>()
  /** Keys that were taken away, with the moment of it. */
  readonly #ended = new Map<string, Registered & { readonly atMs: number }>()
  #atMs = 0
  readonly #nonces = new SeenIds()
  /** When each change that is not in force was first signed. */
  readonly #signedAtMs = new Map<string, number>()
  #relyingParty: RelyingParty | null = null

  /** `gateId` is the leaf hash of the first entry, in hex. */
  constructor(gateId: string, verifySsh: VerifySsh) {
    this.#gateId = gateId
    this.#verifySsh = verifySsh
  }

  /** Whether this entry is one that is to be taken; every other may be left out. */
  static mayHold({ type }: Readonly<Members>): boolean {
    const name = String(type)
    return Object.hasOwn(ONE_ACT, name) || WITHOUT_ONE_ACT.has(name)
  }

  /** Why the next entry may not be believed, in words; null where all its acts hold. */
  async take(entry: Readonly<Members>): Promise<string | null> {
    try {
      this.#atMs = Date.parse(String(entry['at']))
      await this.#take(entry)
      return null
    } catch (cause) {
      if (cause instanceof LedgerError) return cause.message
      return 'a signed act in it cannot be read'
    }
  }

  async #take(entry: Readonly<Members>): Promise<void> {
    const type = String(entry['type'])
    if (type === 'gate-created') return this.#found(entry)
    if (type === 'relying-party') {
      const { rpId, origins } = entry as unknown as RelyingParty
      this.#relyingParty = { rpId, origins }
      return
    }
    if (type === 'people-changed') return this.#changed(entry)
    if (type === 'epoch-activated') return this.#activated(entry)
    if (type === 'redacted') return this.#redacted(entry)
    const rule = ONE_ACT[type]
    const act = entry['act'] as Act | null | undefined
    if (!rule) return
    if (!act) {
      if (ALWAYS_SIGNED.has(type)) throw untrue('nobody signed it')
      return
    }
    const { statement, person, strength } = await this.#verified(act, rule.namespace)
    this.#useNonce(statement)
    if (rule.by !== '' && statement[rule.by] !== person) throw untrue('somebody else signed it')
    for (const name of rule.same) requireSame(statement, entry, name)
    if (type === 'session-opened' || type === 'break-glass-opened') {
      requireEqual(person, entry['operator'])
    }
    if (type === 'signed-in') requireEqual(person, entry['person'])
    if (type === 'review') requireEqual(strength, entry['strength'])
    if (type === 'people-signed') {
      const change = JSON.stringify(entry['change'])
      const atMs = Date.parse(String(entry['at']))
      this.#signedAtMs.set(change, this.#signedAtMs.get(change) ?? atMs)
    }
  }

  async #found(entry: Readonly<Members>): Promise<void> {
    for (const { name, keys } of entry['people'] as { name: string; keys: string[] }[]) {
      for (const line of keys) await this.#register(name, line)
    }
  }

  async #activated(entry: Readonly<Members>): Promise<void> {
    // The first epoch is the files of the first start; nobody signs it.
    if (entry['epoch'] === 1) return
    const signers = new Set<string>()
    for (const act of entry['acts'] as Act[]) {
      const { statement, person } = await this.#verified(act, 'seconder-epoch@v1')
      this.#useNonce(statement)
      requireSame(statement, entry, 'version')
      requireEqual(statement['signer'], person)
      signers.add(person)
    }
    if (signers.size < EPOCH_SIGNERS) throw untrue('fewer than two people signed it')
  }

  /** What was there is gone: two people said so, of this very payload and for this reason. */
  async #redacted(entry: Readonly<Members>): Promise<void> {
    const signers: string[] = []
    for (const act of entry['acts'] as Act[]) {
      const { statement, person } = await this.#verified(act, 'seconder-redaction@v1')
      this.#useNonce(statement)
      for (const name of ['payload', 'reason']) requireSame(statement, entry, name)
      requireEqual(statement['signer'], person)
      signers.push(person)
    }
    requireEqual(JSON.stringify(signers), JSON.stringify(entry['by']))
    if (new Set(signers).size < REDACTION_SIGNERS) throw untrue('fewer than two people signed it')
  }

  /** Who may have made this change, by the people there were right before it. */
  async #changed(entry: Readonly<Members>): Promise<void> {
    const change = entry['change'] as Members & { kind: string; person: string }
    const by = entry['by']
    const acts = entry['acts'] as Act[]
    if (by === 'first-member-link') {
      if (this.#keys.size > 0) throw untrue('there were members before the first one')
      await this.#apply(change)
      for (const act of acts) {
        const { statement } = await this.#verified(act, 'seconder-first-member@v1')
        requireSame(statement, entry, 'change')
      }
      if (acts.length !== 1) throw untrue('the first member did not sign')
      return
    }
    const signers = new Set<string>()
    const members = new Set([...this.#keys.values()].map(({ person }) => person))
    for (const act of acts) {
      const { statement, person } = await this.#verified(act, 'seconder-people@v1')
      requireSame(statement, entry, 'change')
      requireEqual(statement['signer'], person)
      // Of two members both sign for what gives one of them power; of more, two others do.
      if (change.kind.startsWith('add-') && person === change.person && members.size !== 2) {
        throw untrue('its subject signed for it')
      }
      signers.add(person)
    }
    const isSecond = change.kind === 'add-person' && members.size === 1
    const isShort = by === 'all-others-and-a-day' && isSecond
    if (signers.size < (isShort ? 1 : 2)) throw untrue('fewer than two people signed it')
    const signedAtMs = this.#signedAtMs.get(JSON.stringify(change)) ?? Number.POSITIVE_INFINITY
    const waitedMs = Date.parse(String(entry['at'])) - signedAtMs
    if (signers.size < 2 && !(waitedMs >= ALONE_MS)) throw untrue('it did not wait its day')
    this.#signedAtMs.delete(JSON.stringify(change))
    await this.#apply(change)
  }

  async #apply(change: Members & { kind: string; person: string }): Promise<void> {
    const { kind, person } = change
    if (kind === 'add-person') {
      for (const line of change['keys'] as string[]) await this.#register(person, line)
    } else if (kind === 'add-key') await this.#register(person, String(change['key']))
    else if (kind === 'remove-key') this.#end(String(change['fingerprint']))
    else if (kind === 'remove-person') {
      for (const [fingerprint, key] of this.#keys) {
        if (key.person === person) this.#end(fingerprint)
      }
    }
  }

  #end(fingerprint: string): void {
    const key = this.#keys.get(fingerprint)
    if (key) this.#ended.set(fingerprint, { ...key, atMs: this.#atMs })
    this.#keys.delete(fingerprint)
  }

  /** What was verified right before its key ended may be written right after; it counts for nothing there. */
  #known(fingerprint: string): Registered | undefined {
    const ended = this.#ended.get(fingerprint)
    const isOnItsWay = ended !== undefined && this.#atMs - ended.atMs <= ON_ITS_WAY_MS
    return this.#keys.get(fingerprint) ?? (isOnItsWay ? ended : undefined)
  }

  async #register(person: string, line: string): Promise<void> {
    this.#keys.set(await fingerprintOf(line), { person, line })
  }

  async #verified(act: Act, namespace: string) {
    const statement = String(act['statement'])
    const members = JSON.parse(statement) as Members
    requireEqual(members['type'], namespace)
    requireEqual(members['gate'], this.#gateId)
    const line = String(act['passkey'] ?? act['publicKey'])
    const known = this.#known(await fingerprintOf(line))
    if (!known) throw untrue("it is signed by a key that was no member's then")
    const strength = await this.#strength(act, statement, namespace, known.line)
    return { statement: members, person: known.person, strength }
  }

  async #strength(act: Act, statement: string, namespace: string, line: string) {
    if (act['passkey'] === undefined) {
      return this.#verifySsh(
        { statement, signature: String(act['signature']), publicKey: line },
        namespace,
      )
    }
    const relyingParty = this.#relyingParty
    const [, rpId, , key = ''] = line.split(' ')
    const coseKey = fromBase64url(key)
    if (relyingParty === null || rpId !== relyingParty.rpId || coseKey === null) {
      throw untrue('its passkey is of another relying party')
    }
    const assertion = act['assertion'] as Assertion
    await verifyAssertion({ statement, assertion, coseKey, relyingParty })
    return 'hardware' as const
  }

  #useNonce({ nonce }: Members): void {
    if (!this.#nonces.add(String(nonce))) throw untrue('its statement was used before')
  }
}

/** `SHA256:...` of an SSH key's wire form, or of a passkey's COSE form. */
async function fingerprintOf(line: string): Promise<string> {
  const words = line.split(' ')
  const bytes = words[0] === 'passkey' ? fromBase64url(words[3] ?? '') : fromBase64(words[1] ?? '')
  if (bytes === null) throw untrue('a public key in it cannot be read')
  const digest = await crypto.subtle.digest('SHA-256', new Uint8Array(bytes))
  return `SHA256:${toBase64(new Uint8Array(digest)).replaceAll('=', '')}`
}

function requireSame(statement: Members, entry: Readonly<Members>, name: string): void {
  requireEqual(JSON.stringify(statement[name]), JSON.stringify(entry[name]))
}

function requireEqual(signed: unknown, recorded: unknown): void {
  if (signed !== recorded) throw untrue('what was signed is not what the entry says')
}

function untrue(why: string): LedgerError {
  return new LedgerError('act_invalid', `a signed act in it does not hold: ${why}`)
}
