// Makes a public key from one line of a .pub file. It takes no options, no certificates and no key
// type whose signatures sshsig.ts cannot verify.
// Source: RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4, openssh PROTOCOL.u2f.

import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { SshError } from './errors.ts'
import { decodeBase64, WireReader, wireString } from './wire.ts'

/** Longest line taken; a 16,384-bit RSA key has about 2,800 characters. */
export const PUBLIC_KEY_LINE_CHARS_MAX = 8192
/** NIST SP 800-131A: shorter RSA keys are disallowed. */
export const RSA_BITS_MIN = 2048
/** OpenSSH takes no longer ones: SSHBUF_MAX_BIGNUM in sshbuf.h. */
export const RSA_BITS_MAX = 16_384

export type SshKeyType =
  | 'ssh-ed25519'
  | 'ecdsa-sha2-nistp256'
  | 'ecdsa-sha2-nistp384'
  | 'ecdsa-sha2-nistp521'
  | 'ssh-rsa'
  | 'sk-ssh-ed25519@openssh.com'
  | 'sk-ecdsa-sha2-nistp256@openssh.com'

export interface SshPublicKey {
  readonly type: SshKeyType
  /** The key in SSH wire form: what is compared and fingerprinted. */
  readonly blob: Uint8Array
  /** `SHA256:` and 43 characters, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string
  /** What followed the key on its line. Untrusted text. */
  readonly comment: string
  readonly key: KeyObject
  /** The relying party of a security key, such as `ssh:`; null for a key in software. */
  readonly application: string | null
}

interface KeyBody {
  readonly jwk: JsonWebKey
  readonly application: string | null
}

const BODIES: Readonly<Record<SshKeyType, (reader: WireReader) => KeyBody>> = {
  'ssh-ed25519': (reader) => ({ jwk: readEd25519(reader), application: null }),
  'ecdsa-sha2-nistp256': (reader) => ({ jwk: readEcdsa(reader, NISTP256), application: null }),
  'ecdsa-sha2-nistp384': (reader) => ({ jwk: readEcdsa(reader, NISTP384), application: null }),
  'ecdsa-sha2-nistp521': (reader) => ({ jwk: readEcdsa(reader, NISTP521), application: null }),
  'ssh-rsa': (reader) => ({ jwk: readRsa(reader), application: null }),
  'sk-ssh-ed25519@openssh.com': (reader) => {
    const jwk = readEd25519(reader)
    return { jwk, application: readApplication(reader) }
  },
  'sk-ecdsa-sha2-nistp256@openssh.com': (reader) => {
    const jwk = readEcdsa(reader, NISTP256)
    return { jwk, application: readApplication(reader) }
  },
}

interface Curve {
  readonly name: string
  readonly jwkName: string
  readonly bytes: number
}
const NISTP256: Curve = { name: 'nistp256', jwkName: 'P-256', bytes: 32 }
const NISTP384: Curve = { name: 'nistp384', jwkName: 'P-384', bytes: 48 }
const NISTP521: Curve = { name: 'nistp521', jwkName: 'P-521', bytes: 66 }

/**
 * The key that `line` says: `<type> <base64> [comment]`, one line, surrounding white space aside.
 *
 * Throws SshError `malformed_key`, or `unsupported_key` for another type or an RSA key outside
 * RSA_BITS_MIN to RSA_BITS_MAX.
 */
export function parsePublicKey(line: string): SshPublicKey {
  if (line.length > PUBLIC_KEY_LINE_CHARS_MAX) throw malformed('public key line is too long')
  const match = /^(\S+)[ \t]+([A-Za-z0-9+/=]+)(?:[ \t]+([^\r\n]*))?$/.exec(line.trim())
  if (match === null) throw malformed('not a public key line')
  const blob = decodeBase64(match[2] ?? '', 'malformed_key')
  const key = parsePublicKeyBlob(blob)
  if (key.type !== match[1]) throw malformed('the line and the key name two types')
  return { ...key, comment: match[3] ?? '' }
}

/** The key that `blob` says in SSH wire form; errors as parsePublicKey. */
export function parsePublicKeyBlob(blob: Uint8Array): SshPublicKey {
  const reader = new WireReader(blob, 'malformed_key')
  const type = reader.name()
  if (!isKeyType(type)) throw new SshError('unsupported_key', 'key type is not supported')
  const { jwk, application } = BODIES[type](reader)
  reader.end()
  return {
    type,
    blob: Uint8Array.from(blob),
    fingerprint: fingerprintOf(blob),
    comment: '',
    key: importKey(jwk),
    application,
  }
}

/** `<type> <base64>`, without comment and line end. */
export function publicKeyLine(key: Pick<SshPublicKey, 'type' | 'blob'>): string {
  return `${key.type} ${Buffer.from(key.blob).toString('base64')}`
}

/** The wire form of a raw 32-byte Ed25519 public key. */
export function ed25519Blob(raw: Uint8Array): Buffer {
  return Buffer.concat([wireString('ssh-ed25519'), wireString(raw)])
}

function isKeyType(type: string): type is SshKeyType {
  return Object.hasOwn(BODIES, type)
}

function fingerprintOf(blob: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}

/** Refuses points off the curve, which OpenSSL checks while it imports. */
function importKey(jwk: JsonWebKey): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch (cause) {
    throw new SshError('malformed_key', 'not a valid public key', { cause })
  }
}

function readEd25519(reader: WireReader): JsonWebKey {
  const raw = reader.string()
  if (raw.length !== 32) throw malformed('Ed25519 key is not 32 bytes')
  return { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }
}

function readEcdsa(reader: WireReader, curve: Curve): JsonWebKey {
  if (reader.name() !== curve.name) throw malformed('key type and curve differ')
  const point = reader.string()
  if (point.length !== 1 + 2 * curve.bytes || point[0] !== 4) {
    throw malformed('point is not in uncompressed form')
  }
  return {
    kty: 'EC',
    crv: curve.jwkName,
    x: point.subarray(1, 1 + curve.bytes).toString('base64url'),
    y: point.subarray(1 + curve.bytes).toString('base64url'),
  }
}

function readRsa(reader: WireReader): JsonWebKey {
  const exponent = reader.positiveInteger()
  const modulus = reader.positiveInteger()
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24
  if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX) {
    throw new SshError('unsupported_key', `RSA key of ${bits} bits`)
  }
  const odd = ((exponent.at(-1) ?? 0) & 1) === 1 && ((modulus.at(-1) ?? 0) & 1) === 1
  // With an exponent of 1 every message would be its own signature.
  if (!odd || exponent.length > 8 || (exponent.length === 1 && (exponent[0] ?? 0) < 3)) {
    throw malformed('RSA key has an unsound exponent or modulus')
  }
  return { kty: 'RSA', n: modulus.toString('base64url'), e: exponent.toString('base64url') }
}

function readApplication(reader: WireReader): string {
  const application = reader.name()
  // OpenSSH makes keys under `ssh:` only; a key of a web site must not sign here.
  if (!application.startsWith('ssh:')) throw malformed('security key is not one for SSH')
  return application
}

function malformed(message: string): SshError {
  return new SshError('malformed_key', message)
}
