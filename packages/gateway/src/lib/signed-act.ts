// Makes a verified act from what a person signed: a canonical JSON statement, an SSHSIG over exactly
// those bytes, and the registered key it verifies under. Every person-only verb goes through here.
import type { Json } from '@seconder/aws/call'
import type { z } from 'zod'
import { GatewayError } from '../errors.ts'
import type { SignedAct } from '../record/entry.ts'
import type { PersonRecord, Store } from '../state/store.ts'
import { parseCanonicalJson } from './canonical-json.ts'
import { parsePublicKey } from './ssh/public-key.ts'
import { verifySshSignature } from './ssh/sshsig.ts'

/** Longest statement and signature taken, in characters. */
export const ACT_CHARS_MAX = 16 * 1024

export interface VerifiedAct<T> {
  readonly statement: T
  readonly person: PersonRecord
  /** `hardware` only where the signed flags show a person present and verified. */
  readonly strength: 'software' | 'hardware'
  readonly act: SignedAct
}

/**
 * Returns the statement and the registered person who signed it.
 * Errors: `statement_invalid` when the text is not the canonical JSON of the expected shape;
 * `signature_invalid` when the key is not registered or the signature does not verify.
 */
export function verifyAct<T>(
  act: SignedAct,
  namespace: string,
  shape: z.ZodType<T>,
  store: Store,
): VerifiedAct<T> {
  const statement = parseStatement(act.statement, shape)
  const fingerprint = fingerprintOf(act.publicKey)
  const known = store.personByKey(fingerprint)
  if (!known) {
    throw new GatewayError(
      'signature_invalid',
      `the key ${fingerprint} belongs to nobody this gate knows`,
      'sign with a key that is registered for you at this gate',
    )
  }
  try {
    const { userPresent, userVerified } = verifySshSignature({
      armored: act.signature,
      message: new TextEncoder().encode(act.statement),
      namespace,
      publicKey: parsePublicKey(known.key.publicKey),
    })
    // A security key that asked for no touch or no PIN proves as little as a key file (red team C3).
    const strength = userPresent && userVerified ? 'hardware' : 'software'
    return { statement, person: known.person, strength, act }
  } catch (cause) {
    throw new GatewayError(
      'signature_invalid',
      `the signature does not verify under the key ${fingerprint}`,
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
      {
        cause,
      },
    )
  }
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
