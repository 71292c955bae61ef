// Makes the one line of a new passkey from what a browser gives at its creation. The line is no secret and no
// right: it counts for somebody only when two members have signed it, as an SSH key does.
import { randomBytes } from 'node:crypto'
import { parseCoseKey } from '@seconder/ledger/cose-key'
import { LedgerError } from '@seconder/ledger/errors'
import {
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { parsePasskey, passkeyLine, type RelyingParty } from '../lib/passkey.ts'

/** How long a browser may take to make a passkey, in milliseconds. */
const CHALLENGE_MS = 5 * 60 * 1000
/** Challenges that are open at once; the oldest gives way. */
export const CHALLENGES_MAX = 1_000
/** COSE: EdDSA and ES256. Source: https://www.iana.org/assignments/cose/cose.xhtml#algorithms */
const ALGORITHMS = [-8, -7]

const BASE64URL = z
  .string()
  .max(8_192)
  .regex(/^[A-Za-z0-9_-]+$/)

/** Source: https://www.w3.org/TR/webauthn-3/#dictdef-registrationresponsejson; the rest is not needed. */
export const REGISTRATION = z.object({
  id: BASE64URL,
  response: z.object({ clientDataJSON: BASE64URL, attestationObject: BASE64URL }),
})

export interface MadePasskey {
  readonly passkey: string
  readonly fingerprint: string
}

export class Enrolment {
  readonly #clock: Clock
  readonly #relyingParty: () => RelyingParty
  readonly #challenges = new Map<string, number>()

  constructor(clock: Clock, relyingParty: () => RelyingParty) {
    this.#clock = clock
    this.#relyingParty = relyingParty
  }

  /** What a browser is asked to make: discoverable, and never without its owner's finger, face or PIN. */
  async options(name: string): Promise<PublicKeyCredentialCreationOptionsJSON> {
    const challenge = new Uint8Array(randomBytes(32))
    const oldest = this.#challenges.keys().next().value
    if (this.#challenges.size >= CHALLENGES_MAX && oldest) this.#challenges.delete(oldest)
    const untilMs = this.#clock.nowMs() + CHALLENGE_MS
    this.#challenges.set(Buffer.from(challenge).toString('base64url'), untilMs)
    return generateRegistrationOptions({
      rpName: 'Seconder',
      rpID: this.#relyingParty().rpId,
      userName: name,
      challenge,
      timeout: CHALLENGE_MS,
      attestationType: 'none',
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      supportedAlgorithmIDs: ALGORITHMS,
    })
  }

  /** Errors: `statement_invalid`, in words of what is wrong. */
  async made({ id, response }: z.infer<typeof REGISTRATION>): Promise<MadePasskey> {
    const { rpId, origins } = this.#relyingParty()
    const answer = { id, rawId: id, type: 'public-key', clientExtensionResults: {} } as const
    try {
      const { verified, registrationInfo } = await verifyRegistrationResponse({
        response: { ...answer, response },
        expectedChallenge: (challenge) => this.#used(challenge),
        expectedOrigin: [...origins],
        expectedRPID: rpId,
        requireUserVerification: true,
        supportedAlgorithmIDs: ALGORITHMS,
      })
      if (!verified || !registrationInfo) throw refused()
      const { credential } = registrationInfo
      parseCoseKey(credential.publicKey)
      const passkey = passkeyLine(rpId, credential.id, credential.publicKey)
      return { passkey, fingerprint: parsePasskey(passkey).fingerprint }
    } catch (cause) {
      if (cause instanceof GatewayError) throw cause
      throw refused(cause instanceof LedgerError ? cause.message : undefined, cause)
    }
  }

  /** True once for a challenge of this gate that is still open. */
  #used(challenge: string): boolean {
    const untilMs = this.#challenges.get(challenge)
    this.#challenges.delete(challenge)
    return untilMs !== undefined && untilMs > this.#clock.nowMs()
  }
}

function refused(
  why = 'it was not made on a page of this gate just now, by its owner',
  cause?: unknown,
) {
  return new GatewayError(
    'statement_invalid',
    `the new passkey is refused: ${why}`,
    'make it again on the page of this gate',
    cause === undefined ? undefined : { cause },
  )
}
