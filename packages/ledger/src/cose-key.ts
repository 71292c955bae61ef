// Makes the public key of a passkey from its COSE bytes: ES256 or Ed25519, in the one encoding that CTAP2
// prescribes. Anything else, a second spelling of a key included, is refused. Runs in browsers.
import { concatBytes, toHex } from './bytes.ts'
import { LedgerError } from './errors.ts'

export type PasskeyAlgorithm = 'ES256' | 'Ed25519'

export interface CoseKey {
  readonly algorithm: PasskeyAlgorithm
  /** As WebCrypto takes it: the uncompressed point, or the 32 bytes of an Ed25519 key. */
  readonly raw: Uint8Array
}

/**
 * What stands before and between the coordinates. CTAP2 canonical CBOR leaves one form for each kind of key:
 * {1: kty, 3: alg, -1: crv, -2: x, -3: y}, keys in that order, 32-byte strings.
 * Source: https://www.w3.org/TR/webauthn-3/#sctn-encoded-credPubKey-examples and RFC 9053 section 2.1, 2.2;
 * CTAP 2.2 section 8, "CTAP2 canonical CBOR encoding form".
 */
const FORMS = [
  { algorithm: 'ES256', head: 'a5010203262001215820', middle: '225820', point: '04' },
  { algorithm: 'Ed25519', head: 'a4010103272006215820', middle: null, point: '' },
] as const

const COORDINATE_BYTES = 32

/** The key. Throws LedgerError `key_invalid` for bytes that are no such key. */
export function parseCoseKey(bytes: Uint8Array): CoseKey {
  const hex = toHex(bytes)
  for (const { algorithm, head, middle, point } of FORMS) {
    if (!hex.startsWith(head)) continue
    const at = head.length / 2
    const x = bytes.subarray(at, at + COORDINATE_BYTES)
    const between = toHex(bytes.subarray(at + COORDINATE_BYTES))
    if (middle === null) {
      if (x.length === COORDINATE_BYTES && between === '') return { algorithm, raw: x.slice() }
      continue
    }
    const y = bytes.subarray(at + COORDINATE_BYTES + middle.length / 2)
    if (y.length !== COORDINATE_BYTES || !between.startsWith(middle)) continue
    return { algorithm, raw: concatBytes([Uint8Array.of(Number.parseInt(point, 16)), x, y]) }
  }
  throw new LedgerError('key_invalid', 'not an ES256 or Ed25519 key in canonical COSE form')
}
