// The steps of SigV4A that differ from SigV4: a P-256 key derived from the access key, a string to
// sign without a region, and an ECDSA signature, which is random and so is checked by verifying.
// Sources: awslabs/aws-c-auth source/key_derivation.c (derivation) and source/aws_signing.c (string
// to sign); NIST SP 800-108 section 5.1 (counter mode), FIPS 186-4 appendix B.4.2 (range of the key).

import {
  createECDH,
  createHmac,
  createPublicKey,
  hash,
  type KeyObject,
  verify as verifySignature,
} from 'node:crypto'
import type { CredentialScope } from './credential-scope.ts'
import { SigV4Error } from './errors.ts'

export const ECDSA_ALGORITHM = 'AWS4-ECDSA-P256-SHA256'

/** Public keys kept; a session has one, for every region and day. */
export const PUBLIC_KEYS_MAX = 1_024

/** n - 2 of P-256. Source: FIPS 186-4 appendix D.1.2.3. */
const ORDER_MINUS_TWO = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254fn
const COUNTER_MAX = 254
const BITS = 256

/** `AWS4-ECDSA-P256-SHA256`, time, scope without region, and the hash of the canonical request. */
export function ecdsaStringToSign(
  canonicalRequest: string,
  amzDate: string,
  scope: Pick<CredentialScope, 'date' | 'service'>,
): string {
  const digest = hash('sha256', Buffer.from(canonicalRequest, 'latin1'), 'hex')
  return `${ECDSA_ALGORITHM}\n${amzDate}\n${scope.date}/${scope.service}/aws4_request\n${digest}`
}

/** The private scalar of an access key: 32 bytes, big-endian. */
export function ecdsaPrivateKey(accessKeyId: string, secretAccessKey: string): Buffer {
  const key = `AWS4A${secretAccessKey}`
  for (let counter = 1; counter <= COUNTER_MAX; counter++) {
    const input = Buffer.concat([
      uint32(1),
      Buffer.from(`${ECDSA_ALGORITHM}\0${accessKeyId}`, 'latin1'),
      Uint8Array.of(counter),
      uint32(BITS),
    ])
    const candidate = BigInt(`0x${createHmac('sha256', key).update(input).digest('hex')}`)
    if (candidate <= ORDER_MINUS_TWO) {
      return Buffer.from((candidate + 1n).toString(16).padStart(64, '0'), 'hex')
    }
  }
  // One key in 2^8128; still not a key to go on without.
  throw new SigV4Error('unsupported_algorithm', 'no SigV4A key can be derived from this access key')
}

/** The public key that the signatures of an access key verify under. */
export function ecdsaPublicKey(accessKeyId: string, secretAccessKey: string): KeyObject {
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(ecdsaPrivateKey(accessKeyId, secretAccessKey))
  const point = curve.getPublicKey()
  const x = point.subarray(1, 33).toString('base64url')
  const y = point.subarray(33).toString('base64url')
  return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
}

const recentKeys = new Map<string, KeyObject>()

/** As `ecdsaPublicKey`, remembering the last PUBLIC_KEYS_MAX of them: a derivation costs a curve product. */
export function rememberedPublicKey(accessKeyId: string, secretAccessKey: string): KeyObject {
  const name = `${accessKeyId}\n${secretAccessKey}`
  const known = recentKeys.get(name)
  if (known !== undefined) return known
  const key = ecdsaPublicKey(accessKeyId, secretAccessKey)
  if (recentKeys.size >= PUBLIC_KEYS_MAX) recentKeys.clear()
  recentKeys.set(name, key)
  return key
}

/** True where `signature` (hex of DER) is one of `text` under the key. Never throws. */
export function isEcdsaSignature(key: KeyObject, text: string, signature: string): boolean {
  try {
    return verifySignature(
      'sha256',
      Buffer.from(text, 'latin1'),
      { key, dsaEncoding: 'der' },
      Buffer.from(signature, 'hex'),
    )
  } catch {
    return false // what OpenSSL cannot read as a signature is none
  }
}

/**
 * What tells one SigV4A signature from another: 64 hex digits, as SigV4 has them. Of an ECDSA
 * signature anybody can make a second one that verifies (s and n - s), so the signature itself would
 * let a recorded request run twice; who signed and what was signed cannot be changed.
 */
export function ecdsaSignatureId(accessKeyId: string, text: string): string {
  return hash('sha256', Buffer.from(`${accessKeyId}\n${text}`, 'latin1'), 'hex')
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
