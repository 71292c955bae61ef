// Makes a verified act from what a person signed: a canonical JSON statement and a signature over exactly
// those bytes, by a registered SSH key (SSHSIG) or a registered passkey (the challenge is the statement's
// SHA-256). Every person-only verb goes through here.
import type { Json } from '@seconder/aws/call'
import type { Assertion } from '@seconder/ledger/assertion'
import type { z } from 'zod'
import { GatewayError } from '../errors.ts'
import type { PasskeyAct, SignedAct, SshAct } from '../record/entry.ts'
import type { KeyRecord, PersonRecord, Store } from '../state/store.ts'
import { parseCanonicalJson } from './canonical-json.ts'
import { type Clock, requireGoingOn } from './clock.ts'
import { type Passkey, parsePasskey, type RelyingParty, verifyPasskey } from './passkey.ts'
import { Rate } from './rate.ts'
import { parseRegisteredKey } from './registered-key.ts'
import { parsePublicKey } from './ssh/public-key.ts'
import { verifySshSignature } from './ssh/sshsig.ts'

/** Longest statement and signature taken, in characters. */
export const ACT_CHARS_MAX = 16 * 1024

/** How far from now an act that says when it was signed may be at most, in milliseconds. */
const SIGNED_MS_MAX = 5 * 60_000

/** How often one person may sign something. */
export const ACTS_PER_PERSON = { burst: 2_000, perMinute: 2_000 }

/** A signature that proves nobody's presence is weaker than one that does (red team C3). */
export type Strength = 'software' | 'hardware'

/** As a browser sends it: the credential is named, its public key is what the gate knows of it. */
export interface AssertedAct {
  readonly statement: string
  readonly credentialId: string
  readonly assertion: Assertion
}

export type GivenAct = SshAct | AssertedAct

export interface VerifiedAct<T> {
  readonly statement: T
  readonly person: PersonRecord
  readonly key: KeyRecord
  readonly strength: Strength
  /** As it goes into the ledger. */
  readonly act: SignedAct
}

/** Who may be believed to have signed what, at this gate. */
export class ActVerifier {
  readonly #store: Store
  readonly #relyingParty: () => RelyingParty
  readonly #perPerson: Rate
  readonly #clock: Clock

  constructor(store: Store, clock: Clock, relyingParty: () => RelyingParty) {
    this.#store = store
    this.#clock = clock
    this.#perPerson = new Rate(clock, ACTS_PER_PERSON)
    this.#relyingParty = relyingParty
  }

  /**
   * Returns the statement and the registered person who signed it.
   * Errors: `statement_invalid` when the text is not the canonical JSON of the expected shape;
   * `signature_invalid` when the key is not registered or the signature does not verify; `clock_behind`.
   */
  async verify<T>(act: GivenAct, namespace: string, shape: z.ZodType<T>): Promise<VerifiedAct<T>> {
    requireGoingOn(this.#clock)
    const statement = parseStatement(act.statement, shape)
    const signed =
      'credentialId' in act ? await this.#byPasskey(act) : await this.#bySsh(act, namespace)
    if (await this.#isFresh(act.statement)) this.#perPerson.take(signed.person.name)
    return { statement, ...signed }
  }

  /**
   * True where whoever signed has a key that proves their presence and signed with one that does not: an agent with
   * an inherited ssh-agent could have (red team C3).
   */
  async isWeaker({
    person,
    strength,
  }: Pick<VerifiedAct<unknown>, 'person' | 'strength'>): Promise<boolean> {
    if (strength === 'hardware') return false
    const keys = await this.#store.keysOf(person.name)
    return keys.some(({ publicKey }) => parseRegisteredKey(publicKey).showsPresence)
  }

  /** Errors: `signature_invalid` where it is weaker than its signer can sign. */
  async requireStrongest(verified: Pick<VerifiedAct<unknown>, 'person' | 'strength'>) {
    if (await this.isWeaker(verified)) throw tooWeak()
  }

  /**
   * False where it counts for nothing any more, as each act in the ledger: whoever sends those again uses up nothing
   * of what their signers may still sign.
   */
  async #isFresh(statement: string): Promise<boolean> {
    const { nonce, signedAt, expiresAt } = JSON.parse(statement) as Readonly<
      Record<string, unknown>
    >
    const nowMs = this.#clock.nowMs()
    const isOld = signedAt !== undefined && Date.parse(String(signedAt)) < nowMs - SIGNED_MS_MAX
    const isOver = expiresAt !== undefined && Date.parse(String(expiresAt)) <= nowMs
    if (isOld || isOver || (signedAt ?? expiresAt) === undefined) return false
    return !(await this.#store.hasNonce(String(nonce)))
  }

  async #bySsh(act: SshAct, namespace: string) {
    const fingerprint = fingerprintOf(act.publicKey)
    const known = await this.#store.personByKey(fingerprint)
    if (!known) throw unknownKey(`the key ${fingerprint}`)
    const strength = verifySsh(act, namespace, known.key.publicKey)
    return { ...known, strength, act }
  }

  /** The same for a key that nobody has yet: `keyLine` is what the statement itself says it is. */
  async verifyUnregistered<T>(
    act: GivenAct,
    namespace: string,
    shape: z.ZodType<T>,
    keyLine: (statement: T) => string,
  ): Promise<{ readonly statement: T; readonly act: SignedAct }> {
    requireGoingOn(this.#clock)
    const statement = parseStatement(act.statement, shape)
    const line = keyLine(statement)
    if ('credentialId' in act) {
      const passkey = parsePasskey(line)
      if (passkey.credentialId !== act.credentialId) throw unknownKey('this passkey')
      await this.#verifyPasskey(passkey, 0, act)
      return { statement, act: asPasskeyAct(act, line) }
    }
    verifySsh(act, namespace, line)
    return { statement, act }
  }

  async #byPasskey(act: AssertedAct) {
    const known = await this.#store.personByCredential(act.credentialId)
    if (!known) throw unknownKey('this passkey')
    const { key } = known
    const counter = await this.#verifyPasskey(parsePasskey(key.publicKey), key.counter, act)
    // In one statement with the comparison: of two assertions with one counter, one counts.
    if (!(await this.#store.advanceCounter(key.fingerprint, counter))) throw wentBack()
    return { ...known, strength: 'hardware', act: asPasskeyAct(act, key.publicKey) } as const
  }

  #verifyPasskey(passkey: Passkey, counter: number, act: AssertedAct): Promise<number> {
    const { statement, assertion } = act
    return verifyPasskey(passkey, counter, statement, assertion, this.#relyingParty())
  }
}

function asPasskeyAct({ statement, assertion }: AssertedAct, passkey: string): PasskeyAct {
  return { statement, passkey, assertion }
}

/** Errors: `signature_invalid`. */
export function verifySsh(act: SshAct, namespace: string, keyLine: string): Strength {
  try {
    const { userPresent, userVerified } = verifySshSignature({
      armored: act.signature,
      message: new TextEncoder().encode(act.statement),
      namespace,
      publicKey: parsePublicKey(keyLine),
    })
    // A security key that asked for no touch or no PIN proves as little as a key file (red team C3).
    return userPresent && userVerified ? 'hardware' : 'software'
  } catch (cause) {
    throw new GatewayError(
      'signature_invalid',
      'the signature does not verify under the key',
      `sign the statement as it is, with namespace ${namespace}`,
      { cause },
    )
  }
}

function fingerprintOf(publicKey: string): string {
  try {
    return parsePublicKey(publicKey).fingerprint
  } catch (cause) {
    throw new GatewayError(
      'signature_invalid',
      'the public key cannot be read',
      'send one line of a .pub file',
      { cause },
    )
  }
}

function tooWeak(): GatewayError {
  return new GatewayError(
    'signature_invalid',
    'its signer has a passkey or security key, and must sign this with that',
    'sign on the page of this gate, or with the sk- SSH key; nothing was recorded',
  )
}

function unknownKey(which: string): GatewayError {
  return new GatewayError(
    'signature_invalid',
    `${which} belongs to nobody this gate knows`,
    'sign with a key that is registered for you at this gate',
  )
}

function wentBack(): GatewayError {
  return new GatewayError(
    'signature_invalid',
    "this assertion was used before, or the passkey's counter went back",
    'sign again; if it happens again, somebody has a copy of this passkey: let two people remove it',
  )
}

function parseStatement<T>(text: string, shape: z.ZodType<T>): T {
  if (text.length > ACT_CHARS_MAX) throw invalidStatement('it is over the size limit')
  let value: Json
  try {
    value = parseCanonicalJson(text)
  } catch (cause) {
    throw invalidStatement('it is not canonical JSON (RFC 8785)', cause)
  }
  const parsed = shape.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw invalidStatement(`\`${issue?.path.join('.') ?? ''}\`: ${issue?.message ?? 'is wrong'}`)
  }
  return parsed.data
}

/** The error for a statement that may not be acted on; `why` holds no text of the statement. */
export function invalidStatement(why: string, cause?: unknown): GatewayError {
  return new GatewayError(
    'statement_invalid',
    `the signed statement is not valid: ${why}`,
    'let the seconder command make and sign a fresh one',
    cause === undefined ? undefined : { cause },
  )
}
