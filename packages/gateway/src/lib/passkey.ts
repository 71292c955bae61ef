// Passkeys as the gate keeps them: one line of text each, as SSH keys are, and the verification of what
// they sign. Two implementations must agree: the library that knows browsers, and the ledger's own code
// that will verify the same bytes again offline.
import { createHash } from 'node:crypto'
import {
  type Assertion,
  fromBase64url,
  type RelyingParty,
  toBase64url,
  verifyAssertion,
} from '@seconder/ledger/assertion'
import { parseCoseKey } from '@seconder/ledger/cose-key'
import { LedgerError } from '@seconder/ledger/errors'
import { verifyAuthenticationResponse } from '@simplewebauthn/server'
import { GatewayError } from '../errors.ts'

export type { RelyingParty } from '@seconder/ledger/assertion'

/** Source: https://www.w3.org/TR/webauthn-3/#credential-id (at most 1,023 bytes). */
const CREDENTIAL_ID_BYTES_MAX = 1_023

export interface Passkey {
  readonly rpId: string
  /** Base64url, as browsers give it. */
  readonly credentialId: string
  readonly coseKey: Uint8Array
  /** `SHA256:` and the base64 of the hash of the COSE key: one public key, one fingerprint. */
  readonly fingerprint: string
  readonly line: string
}

const LINE = /^passkey ([a-z0-9.-]{1,253}) ([A-Za-z0-9_-]{16,1364}) ([A-Za-z0-9_-]{50,120})$/

export function isPasskeyLine(line: string): boolean {
  return line.startsWith('passkey ')
}

/** Reads `passkey RPID CREDENTIAL COSE`. Errors: `statement_invalid`. */
export function parsePasskey(line: string): Passkey {
  const [, rpId = '', credentialId = '', key = ''] = LINE.exec(line) ?? []
  const coseKey = fromBase64url(key)
  const id = fromBase64url(credentialId)
  if (coseKey === null || id === null || id.length > CREDENTIAL_ID_BYTES_MAX) throw unreadable()
  try {
    parseCoseKey(coseKey)
  } catch (cause) {
    throw unreadable(cause)
  }
  const fingerprint = `SHA256:${createHash('sha256').update(coseKey).digest('base64').replace(/=+$/, '')}`
  return { rpId, credentialId, coseKey, fingerprint, line }
}

export function passkeyLine(rpId: string, credentialId: string, coseKey: Uint8Array): string {
  return `passkey ${rpId} ${credentialId} ${toBase64url(coseKey)}`
}

/**
 * The counter that came with the assertion, once it holds for the statement.
 * Errors: `signature_invalid`, in words of what is wrong with it.
 */
export async function verifyPasskey(
  passkey: Passkey,
  counter: number,
  statement: string,
  assertion: Assertion,
  relyingParty: RelyingParty,
): Promise<number> {
  if (passkey.rpId !== relyingParty.rpId) throw refused('it belongs to another relying party')
  const { coseKey, credentialId } = passkey
  try {
    const own = await verifyAssertion({ statement, assertion, coseKey, relyingParty })
    const challenge = createHash('sha256').update(statement).digest('base64url')
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        id: credentialId,
        rawId: credentialId,
        type: 'public-key',
        response: { ...assertion },
        clientExtensionResults: {},
      },
      expectedChallenge: challenge,
      expectedOrigin: [...relyingParty.origins],
      expectedRPID: relyingParty.rpId,
      credential: { id: credentialId, publicKey: new Uint8Array(coseKey), counter },
      requireUserVerification: true,
    })
    if (!verified || authenticationInfo.newCounter !== own.counter) {
      throw refused('its signature does not verify')
    }
    return own.counter
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause
    if (cause instanceof LedgerError) throw refused(cause.message, cause)
    throw refused('the assertion does not verify, or was used before', cause)
  }
}

function refused(why: string, cause?: unknown): GatewayError {
  return new GatewayError(
    'signature_invalid',
    `the passkey does not sign for this statement: ${why}`,
    'sign the statement again on the page of this gate, with your own passkey',
    cause === undefined ? undefined : { cause },
  )
}

function unreadable(cause?: unknown): GatewayError {
  return new GatewayError(
    'statement_invalid',
    'the passkey cannot be read: it is not an ES256 or Ed25519 key as the console shows it',
    'make it on the page of this gate, and copy its whole line',
    cause === undefined ? undefined : { cause },
  )
}
