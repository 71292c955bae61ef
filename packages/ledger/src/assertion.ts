// Verifies what a passkey signed, from what a ledger holds and nothing else: the statement, the assertion and
// the public key. Needs no node: import and no library, so that a stranger or a browser can do it again.
// Source: https://www.w3.org/TR/webauthn-3/#sctn-verifying-assertion
import { fromBase64, fromUtf8, sameBytes, toBase64, toUtf8 } from './bytes.ts'
import { parseCoseKey } from './cose-key.ts'
import { LedgerError } from './errors.ts'

/** Longest authenticator data and client data taken, in bytes. */
export const ASSERTION_BYTES_MAX = 4_096

export interface Assertion {
  /** All base64url without padding, as a browser gives them. */
  readonly authenticatorData: string
  readonly clientDataJSON: string
  readonly signature: string
}

/** Whose passkeys count, and on which pages: scheme, host and port, exactly. */
export interface RelyingParty {
  readonly rpId: string
  readonly origins: readonly string[]
}

export interface AssertedStatement {
  readonly statement: string
  readonly assertion: Assertion
  /** The passkey's public key, COSE. */
  readonly coseKey: Uint8Array
  readonly relyingParty: RelyingParty
}

export interface VerifiedAssertion {
  readonly origin: string
  /** 0 for passkeys that are synced between devices. */
  readonly counter: number
}

const FLAG_PRESENT = 0x01
const FLAG_VERIFIED = 0x04
const FLAG_ATTESTED = 0x40
const FLAG_EXTENSIONS = 0x80
const HEAD_BYTES = 37

/**
 * What the assertion says, once it holds for this statement: a person present and verified, on a page of the
 * relying party, over the SHA-256 of exactly these bytes.
 *
 * Throws LedgerError `assertion_invalid` with the reason in words, `key_invalid`.
 */
export async function verifyAssertion(asserted: AssertedStatement): Promise<VerifiedAssertion> {
  const { statement, assertion, coseKey, relyingParty } = asserted
  const authenticatorData = bytesOf(assertion.authenticatorData)
  const clientData = bytesOf(assertion.clientDataJSON)
  const challenge = toBase64url(await sha256(toUtf8(statement)))
  const origin = requireClientData(clientData, challenge, relyingParty)
  const counter = await requireAuthenticatorData(authenticatorData, relyingParty.rpId)
  const signed = joined(authenticatorData, await sha256(clientData))
  if (!(await verifies(coseKey, signed, bytesOf(assertion.signature)))) {
    throw refused('its signature does not verify under the key')
  }
  return { origin, counter }
}

/** Source: https://www.w3.org/TR/webauthn-3/#dictionary-client-data */
function requireClientData(
  bytes: Uint8Array,
  challenge: string,
  { origins }: RelyingParty,
): string {
  const data = objectOf(bytes)
  if (data['type'] !== 'webauthn.get') throw refused('it was made for another purpose')
  if (data['challenge'] !== challenge) throw refused('it is over another statement')
  const { origin, crossOrigin, topOrigin } = data
  if (typeof origin !== 'string' || !origins.includes(origin)) {
    throw refused('it was made on a page of another origin')
  }
  if ((crossOrigin !== undefined && crossOrigin !== false) || topOrigin !== undefined) {
    throw refused('it was made inside a page of another origin')
  }
  return origin
}

function objectOf(bytes: Uint8Array): Record<string, unknown> {
  const text = fromUtf8(bytes)
  let value: unknown = null
  try {
    value = JSON.parse(text ?? '')
  } catch {
    throw refused('its client data is not JSON')
  }
  if (typeof value !== 'object' || value === null) throw refused('its client data is no object')
  return value as Record<string, unknown>
}

/** Source: https://www.w3.org/TR/webauthn-3/#sctn-authenticator-data */
async function requireAuthenticatorData(bytes: Uint8Array, rpId: string): Promise<number> {
  if (bytes.length < HEAD_BYTES) throw refused('its authenticator data is too short')
  if (!sameBytes(bytes.subarray(0, 32), await sha256(toUtf8(rpId)))) {
    throw refused('it was made for another relying party')
  }
  const flags = bytes[32] ?? 0
  if ((flags & FLAG_PRESENT) === 0) throw refused('it shows nobody present')
  if ((flags & FLAG_VERIFIED) === 0) throw refused('it shows nobody verified')
  if ((flags & FLAG_ATTESTED) !== 0) throw refused('it carries a key, which an assertion does not')
  if ((flags & FLAG_EXTENSIONS) === 0 && bytes.length !== HEAD_BYTES) {
    throw refused('its authenticator data is too long')
  }
  return new DataView(bytes.buffer, bytes.byteOffset + 33, 4).getUint32(0)
}

async function verifies(
  coseKey: Uint8Array,
  signed: Uint8Array<ArrayBuffer>,
  signature: Uint8Array,
): Promise<boolean> {
  const { algorithm, raw } = parseCoseKey(coseKey)
  const key = new Uint8Array(raw)
  if (algorithm === 'Ed25519') {
    const imported = await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify'])
    return crypto.subtle.verify('Ed25519', imported, new Uint8Array(signature), signed)
  }
  const curve = { name: 'ECDSA', namedCurve: 'P-256' }
  const imported = await imports(key, curve)
  const hash = { name: 'ECDSA', hash: 'SHA-256' }
  return crypto.subtle.verify(hash, imported, rawEcdsa(signature), signed)
}

async function imports(key: Uint8Array<ArrayBuffer>, curve: { name: string; namedCurve: string }) {
  try {
    return await crypto.subtle.importKey('raw', key, curve, false, ['verify'])
  } catch (cause) {
    throw new LedgerError('key_invalid', 'the point is not on the curve', { cause })
  }
}

/** r and s of 32 bytes each from the DER that WebAuthn prescribes. Source: RFC 3279 section 2.2.3 */
function rawEcdsa(der: Uint8Array): Uint8Array<ArrayBuffer> {
  const raw = new Uint8Array(64)
  let at = 2
  if (der[0] !== 0x30 || der[1] !== der.length - 2) throw refused('its signature is not DER')
  for (const end of [32, 64]) {
    const length = der[at + 1] ?? 0
    const number = der.subarray(at + 2, at + 2 + length)
    const isTag = der[at] === 0x02 && number.length === length && length > 0
    const digits = number[0] === 0 && length > 1 ? number.subarray(1) : number
    // One spelling for each number: no sign, no zero more than it needs.
    const isShortest = digits === number ? (number[0] ?? 0) < 0x80 : (digits[0] ?? 0) >= 0x80
    if (!isTag || !isShortest || digits.length > 32) throw refused('its signature is not DER')
    raw.set(digits, end - digits.length)
    at += 2 + length
  }
  if (at !== der.length) throw refused('its signature is not DER')
  return raw
}

/** Base64url without padding, in its one spelling. */
export function fromBase64url(text: string): Uint8Array | null {
  if (/[+/=]/.test(text)) return null
  const standard = text.replaceAll('-', '+').replaceAll('_', '/')
  return fromBase64(standard + '='.repeat((4 - (standard.length % 4)) % 4))
}

export function toBase64url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function bytesOf(text: string): Uint8Array {
  const bytes = text.length > 2 * ASSERTION_BYTES_MAX ? null : fromBase64url(text)
  if (bytes === null) throw refused('a member of it is not base64url')
  return bytes
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(left.length + right.length)
  all.set(left)
  all.set(right, left.length)
  return all
}

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes)))
}

function refused(why: string): LedgerError {
  return new LedgerError('assertion_invalid', `the passkey's assertion is refused: ${why}`)
}
