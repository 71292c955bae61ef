// Who may read: people who signed for it, with a passkey in a browser or an SSH key in a terminal. What they get
// is a token of the server's that lives a while, works from where it was made, and ends with its key or person.
// It reads; every act still needs a signature of its own.
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import { sha256Hex } from '../lib/canonical-json.ts'
import type { Clock } from '../lib/clock.ts'
import { Rate } from '../lib/rate.ts'
import { type ActVerifier, type GivenAct, invalidStatement } from '../lib/signed-act.ts'
import type { Recorder } from '../record/recorder.ts'
import type { SignInRow } from '../state/people-store.ts'
import type { Store } from '../state/store.ts'

export const SIGN_IN_NAMESPACE = 'seconder-sign-in@v1'

/** How long each kind of token lives, in milliseconds. */
export const SIGN_IN_MS = { browser: 8 * 3_600_000, cli: 30 * 60_000, link: 2 * 60_000 } as const
/** How long a nonce may be on its way, in milliseconds, and how many there are at once. */
const NONCE_MS = 5 * 60_000
const NONCES_MAX = 10_000
/** Tokens of one kind that one person has at once. */
export const SIGN_INS_MAX = 200
const PER_PERSON = { burst: 30, perMinute: 30 }
const PER_PEER = { burst: 120, perMinute: 120 }

export const SIGN_IN_STATEMENT = z.strictObject({
  type: z.literal(SIGN_IN_NAMESPACE),
  gate: z.string().regex(/^[0-9a-f]{64}$/),
  /** What is wanted: a browser's session, the CLI's reading, or a link that signs one browser in. */
  use: z.enum(['browser', 'cli', 'link']),
  /** One that this gate made a moment ago. */
  nonce: z.string().max(64),
})

export interface SignInOptions {
  readonly store: Store
  readonly recorder: Recorder
  readonly clock: Clock
  readonly gateId: string
  readonly acts: ActVerifier
}

export interface SignedIn {
  readonly use: SignInRow['kind']
  readonly person: string
  /** For a header, a cookie, or the end of a link. */
  readonly token: string
  readonly expiresAtMs: number
}

export interface Reader {
  readonly person: string
  readonly kind: SignInRow['kind']
  readonly expiresAtMs: number
}

export class SignIns {
  readonly #options: SignInOptions
  readonly #nonces = new Map<string, number>()
  readonly #perPerson: Rate
  readonly #perPeer: Rate

  constructor(options: SignInOptions) {
    this.#options = options
    this.#perPerson = new Rate(options.clock, PER_PERSON)
    this.#perPeer = new Rate(options.clock, PER_PEER)
  }

  /** Errors: `rate_limited`. */
  nonce(peer: string | null): string {
    this.#perPeer.take(peer ?? '')
    if (this.#nonces.size >= NONCES_MAX) {
      const [oldest] = this.#nonces.keys()
      if (oldest !== undefined) this.#nonces.delete(oldest)
    }
    const nonce = randomBytes(24).toString('base64url')
    this.#nonces.set(nonce, this.#options.clock.nowMs() + NONCE_MS)
    return nonce
  }

  /**
   * Signs somebody in by their signature. A browser signs in by passkey; a terminal by any key.
   * Errors: `statement_invalid`, `signature_invalid`, `limit_reached`, `rate_limited`.
   */
  async bySignature(given: GivenAct, peer: string | null): Promise<SignedIn> {
    const { acts, gateId, recorder } = this.#options
    this.#perPeer.take(peer ?? '')
    const verified = await acts.verify(given, SIGN_IN_NAMESPACE, SIGN_IN_STATEMENT)
    const { statement, person, key, act } = verified
    if (statement.gate !== gateId) throw invalidStatement('it is for another gate')
    if (statement.use === 'browser' && !('passkey' in act)) {
      throw invalidStatement(
        'a browser signs in by passkey, or by the link of `seconder console open`',
      )
    }
    this.#useNonce(statement.nonce)
    await this.#requireRoom(person.name, statement.use)
    await recorder.record({ type: 'signed-in', person: person.name, use: statement.use, act })
    return this.#made(statement.use, person.name, key.fingerprint, peer)
  }

  /**
   * Signs the browser in that opens the link first; to any other it is worth nothing from then on.
   * Errors: `sign_in_needed` where it was used, is old, or is opened from elsewhere.
   */
  async byLink(code: string, peer: string | null): Promise<SignedIn> {
    this.#perPeer.take(peer ?? '')
    const row = await this.#row(code, 'link', peer)
    if (!row || !(await this.#options.store.endSignIn(row.tokenSha256))) {
      throw new GatewayError(
        'sign_in_needed',
        'this link was used, is older than two minutes, or is opened as another user',
        'make a new one: seconder console open',
      )
    }
    await this.#requireRoom(row.person, 'browser')
    return this.#made('browser', row.person, row.key, peer)
  }

  /** Signs in whom an identity provider vouched for; the caller has recorded it. */
  async byProvider(person: string, peer: string | null): Promise<SignedIn> {
    await this.#requireRoom(person, 'browser')
    return this.#made('browser', person, null, peer)
  }

  /** Who reads with this token from here; null where nobody may. */
  async reader(
    token: string,
    kind: 'browser' | 'cli',
    peer: string | null,
  ): Promise<Reader | null> {
    const row = await this.#row(token, kind, peer)
    return row && { person: row.person, kind: row.kind, expiresAtMs: row.expiresAtMs }
  }

  async end(token: string): Promise<void> {
    await this.#options.store.endSignIn(sha256Hex(token))
  }

  async #row(
    token: string,
    kind: SignInRow['kind'],
    peer: string | null,
  ): Promise<SignInRow | null> {
    if (!/^[A-Za-z0-9_-]{43}$/.test(token)) return null
    const { store, clock } = this.#options
    const row = await store.signIn(sha256Hex(token))
    if (row?.kind !== kind || row.expiresAtMs <= clock.nowMs()) return null
    // On this host: cookies know no ports, so another user's page could be given this one's.
    if (row.peer !== null && row.peer !== peer) return null
    // Rows of removed people and keys are gone with them; this says so again.
    const isKnown =
      row.key === null || (await store.personByKey(row.key))?.person.name === row.person
    return isKnown && (await store.people()).some(({ name }) => name === row.person) ? row : null
  }

  async #made(
    use: SignInRow['kind'],
    person: string,
    key: string | null,
    peer: string | null,
  ): Promise<SignedIn> {
    const { store, clock } = this.#options
    const token = randomBytes(32).toString('base64url')
    const expiresAtMs = clock.nowMs() + SIGN_IN_MS[use]
    const row = { tokenSha256: sha256Hex(token), kind: use, person, key, peer, expiresAtMs }
    if (!(await store.addSignIn(row, SIGN_INS_MAX, clock.nowMs()))) throw tooMany(person)
    return { use, person, token, expiresAtMs }
  }

  #useNonce(nonce: string): void {
    const untilMs = this.#nonces.get(nonce)
    this.#nonces.delete(nonce)
    if (untilMs !== undefined && untilMs > this.#options.clock.nowMs()) return
    throw invalidStatement('its nonce is not one that this gate made in the last five minutes')
  }

  async #requireRoom(person: string, use: SignInRow['kind']): Promise<void> {
    const { store, clock } = this.#options
    this.#perPerson.take(person)
    if ((await store.signInCount(person, use, clock.nowMs())) >= SIGN_INS_MAX) throw tooMany(person)
  }
}

function tooMany(person: string): GatewayError {
  return new GatewayError(
    'limit_reached',
    `\`${person}\` is signed in ${SIGN_INS_MAX} times`,
    'sign out elsewhere, or wait until some have expired',
  )
}
