// Makes a verified signer from an armored SSH signature, the message and the key it must be by. It
// throws or returns the verified thing; it never says "not verified" in any other way.
// Source: PROTOCOL.sshsig and PROTOCOL.u2f of openssh-portable.

import { createHash, verify } from 'node:crypto'
import { SshError } from './errors.ts'
import type { SshKeyType, SshPublicKey } from './public-key.ts'
import { decodeBase64, uint32, WireReader, wireString } from './wire.ts'

/** Longest armored signature; RSA with 16,384 bits takes about 6,000 characters. */
export const ARMOR_CHARS_MAX = 16_384
/** Longest message signed or verified. */
export const SSH_MESSAGE_BYTES_MAX = 1024 * 1024

const MAGIC = Buffer.from('SSHSIG')
const VERSION = 1
const BEGIN = '-----BEGIN SSH SIGNATURE-----'
const END = '-----END SSH SIGNATURE-----'
const ARMOR = new RegExp(`^${BEGIN}\n((?:[A-Za-z0-9+/=]{1,76}\n)+)${END}\n?$`)
/** ssh-keygen breaks its armor here: sshbuf_dtob64 in sshbuf-misc.c. */
const ARMOR_COLUMNS = 70

/** The two hashes PROTOCOL.sshsig allows for the message. */
export type SshsigHash = 'sha256' | 'sha512'

/** SSH_SK_USER_PRESENCE_REQD and SSH_SK_USER_VERIFICATION_REQD in sk-api.h of OpenSSH. */
const FLAG_PRESENT = 0x01
const FLAG_VERIFIED = 0x04

export interface SshVerification {
  readonly armored: string
  readonly message: Uint8Array | string
  readonly namespace: string
  /** The one key the signature must be by. */
  readonly publicKey: SshPublicKey
  readonly require?: { readonly userPresence?: boolean; readonly userVerification?: boolean }
}

export interface VerifiedSshSignature {
  readonly keyType: SshKeyType
  readonly fingerprint: string
  /** `hardware` for a security key. It says where the key is, not that a person was asked. */
  readonly strength: 'software' | 'hardware'
  /** Signed by a security key that somebody touched; always false in software. */
  readonly userPresent: boolean
  /** Signed by a security key that checked a PIN or a finger; always false in software. */
  readonly userVerified: boolean
}

/**
 * Who signed `message`, once the signature holds for this namespace and this key.
 *
 * Throws SshError `malformed_signature`, `wrong_namespace`, `wrong_key`, `unsupported_hash`,
 * `bad_signature`, `presence_missing`, `verification_missing` or `message_too_large`.
 */
export function verifySshSignature(request: SshVerification): VerifiedSshSignature {
  const { publicKey } = request
  const signature = parseSshsig(request.armored)
  if (request.namespace === '' || signature.namespace !== request.namespace) {
    throw new SshError('wrong_namespace', 'signed for another namespace')
  }
  if (!Buffer.from(publicKey.blob).equals(signature.keyBlob)) {
    throw new SshError('wrong_key', `not signed by the key ${publicKey.fingerprint}`)
  }
  const signed = signedData(request.message, signature.namespace, signature.hash)
  const flags = FORMATS[publicKey.type](publicKey, signature.signature, signed)
  const userPresent = (flags & FLAG_PRESENT) !== 0
  const userVerified = (flags & FLAG_VERIFIED) !== 0
  if (request.require?.userPresence && !userPresent) {
    throw new SshError('presence_missing', 'the signature shows nobody present')
  }
  if (request.require?.userVerification && !userVerified) {
    throw new SshError('verification_missing', 'the signature shows nobody verified')
  }
  return {
    keyType: publicKey.type,
    fingerprint: publicKey.fingerprint,
    strength: publicKey.application === null ? 'software' : 'hardware',
    userPresent,
    userVerified,
  }
}

/** What the key signs for `message`: PROTOCOL.sshsig section 3. Throws `message_too_large`. */
export function signedData(
  message: Uint8Array | string,
  namespace: string,
  hash: SshsigHash,
): Buffer {
  const bytes = typeof message === 'string' ? Buffer.from(message) : message
  if (bytes.length > SSH_MESSAGE_BYTES_MAX) {
    throw new SshError('message_too_large', `more than ${SSH_MESSAGE_BYTES_MAX} bytes to sign`)
  }
  const digest = createHash(hash).update(bytes).digest()
  const fields = [namespace, '', hash, digest].map((field) => wireString(field))
  return Buffer.concat([MAGIC, ...fields])
}

export interface SshsigFields {
  readonly keyBlob: Uint8Array
  readonly namespace: string
  readonly hash: SshsigHash
  /** The signature in SSH wire form: its format name, then what that format holds. */
  readonly signature: Uint8Array
}

/** The armored text of a signature, as `ssh-keygen -Y sign` prints it. */
export function armorSshsig(fields: SshsigFields): string {
  const { keyBlob, namespace, hash, signature } = fields
  const strings = [keyBlob, namespace, '', hash, signature].map((field) => wireString(field))
  const text = Buffer.concat([MAGIC, uint32(VERSION), ...strings]).toString('base64')
  const lines = text.match(new RegExp(`.{1,${ARMOR_COLUMNS}}`, 'g')) ?? []
  return `${[BEGIN, ...lines, END].join('\n')}\n`
}

/** What an armored text claims, not verified. Throws `malformed_signature`, `unsupported_hash`. */
export function parseSshsig(armored: string): SshsigFields {
  const armor = armored.length > ARMOR_CHARS_MAX ? null : ARMOR.exec(armored)
  if (armor === null) throw malformed('not an armored SSH signature')
  const bytes = decodeBase64((armor[1] ?? '').replaceAll('\n', ''), 'malformed_signature')
  const reader = new WireReader(bytes, 'malformed_signature')
  if (!reader.take(MAGIC.length).equals(MAGIC)) throw malformed('not an SSH signature')
  if (reader.uint32() !== VERSION) throw malformed('SSH signature of another version')
  const keyBlob = reader.string()
  const namespaceBytes = reader.string(256)
  const namespace = namespaceBytes.toString('utf8')
  if (!Buffer.from(namespace).equals(namespaceBytes)) throw malformed('namespace is not UTF-8')
  if (reader.string().length !== 0) throw malformed('reserved field is not empty')
  const hash = reader.name()
  const signature = reader.string()
  reader.end()
  if (hash !== 'sha256' && hash !== 'sha512') {
    throw new SshError('unsupported_hash', 'message hash is neither SHA-256 nor SHA-512')
  }
  return { keyBlob, namespace, hash, signature }
}

/** Verifies one signature over `signed` and gives the flags of a security key, 0 in software. */
type Format = (key: SshPublicKey, signature: Uint8Array, signed: Buffer) => number

const FORMATS: Readonly<Record<SshKeyType, Format>> = {
  'ssh-ed25519': verifyEd25519,
  'ecdsa-sha2-nistp256': (key, signature, signed) => verifyEcdsa(key, signature, signed, 'sha256'),
  'ecdsa-sha2-nistp384': (key, signature, signed) => verifyEcdsa(key, signature, signed, 'sha384'),
  'ecdsa-sha2-nistp521': (key, signature, signed) => verifyEcdsa(key, signature, signed, 'sha512'),
  'ssh-rsa': verifyRsa,
  'sk-ssh-ed25519@openssh.com': verifySecurityKey,
  'sk-ecdsa-sha2-nistp256@openssh.com': verifySecurityKey,
}

function verifyEd25519(key: SshPublicKey, signature: Uint8Array, signed: Buffer): number {
  const reader = open(signature, key.type)
  const raw = reader.string()
  reader.end()
  if (raw.length !== 64) throw malformed('Ed25519 signature is not 64 bytes')
  if (!verify(null, signed, key.key, raw)) throw bad()
  return 0
}

function verifyEcdsa(key: SshPublicKey, bytes: Uint8Array, signed: Buffer, hash: string): number {
  const reader = open(bytes, key.type)
  const raw = readEcdsaSignature(reader.string(), key.key.asymmetricKeyDetails?.namedCurve)
  reader.end()
  if (!verify(hash, signed, { key: key.key, dsaEncoding: 'ieee-p1363' }, raw)) throw bad()
  return 0
}

/** RFC 8332 section 3. The SHA-1 format, also called `ssh-rsa`, is not among them. */
const RSA_HASHES: Readonly<Record<string, string>> = {
  'rsa-sha2-256': 'sha256',
  'rsa-sha2-512': 'sha512',
}

function verifyRsa(key: SshPublicKey, signature: Uint8Array, signed: Buffer): number {
  const reader = new WireReader(signature, 'malformed_signature')
  const format = reader.name()
  const raw = reader.string()
  reader.end()
  const hash = Object.hasOwn(RSA_HASHES, format) ? RSA_HASHES[format] : undefined
  if (hash === undefined) throw new SshError('unsupported_hash', 'RSA signature is not SHA-2')
  const modulusBits = key.key.asymmetricKeyDetails?.modulusLength ?? 0
  if (raw.length !== Math.ceil(modulusBits / 8)) throw malformed('RSA signature of odd length')
  if (!verify(hash, signed, key.key, raw)) throw bad()
  return 0
}

/** PROTOCOL.u2f, section on signatures: the flags and the counter are part of what is signed. */
function verifySecurityKey(key: SshPublicKey, signature: Uint8Array, signed: Buffer): number {
  const reader = open(signature, key.type)
  const inner = reader.string()
  const flags = reader.byte()
  const counter = reader.uint32()
  reader.end()
  const data = Buffer.concat([
    createHash('sha256')
      .update(key.application ?? '')
      .digest(),
    Uint8Array.of(flags),
    uint32(counter),
    createHash('sha256').update(signed).digest(),
  ])
  if (key.type === 'sk-ssh-ed25519@openssh.com') {
    if (inner.length !== 64) throw malformed('Ed25519 signature is not 64 bytes')
    if (!verify(null, data, key.key, inner)) throw bad()
    return flags
  }
  const raw = readEcdsaSignature(inner, key.key.asymmetricKeyDetails?.namedCurve)
  if (!verify('sha256', data, { key: key.key, dsaEncoding: 'ieee-p1363' }, raw)) throw bad()
  return flags
}

/** A reader past the format name, which must be the key type. */
function open(signature: Uint8Array, type: SshKeyType): WireReader {
  const reader = new WireReader(signature, 'malformed_signature')
  if (reader.name() !== type) throw malformed('signature of another format than the key')
  return reader
}

/** Bytes of a coordinate, by OpenSSL's names of the curves. */
const CURVE_BYTES: Readonly<Record<string, number>> = {
  prime256v1: 32,
  secp384r1: 48,
  secp521r1: 66,
}

/** Two mpints (RFC 5656 section 3.1.2) as two numbers of fixed width. */
function readEcdsaSignature(bytes: Uint8Array, curve: string | undefined): Buffer {
  const width = CURVE_BYTES[curve ?? '']
  if (width === undefined) throw malformed('signature on an unknown curve')
  const reader = new WireReader(bytes, 'malformed_signature')
  const numbers = [reader.positiveInteger(), reader.positiveInteger()]
  reader.end()
  const fixed = Buffer.alloc(2 * width)
  for (const [index, number] of numbers.entries()) {
    if (number.length > width) throw malformed('ECDSA number beyond its curve')
    fixed.set(number, (index + 1) * width - number.length)
  }
  return fixed
}

function malformed(message: string): SshError {
  return new SshError('malformed_signature', message)
}

function bad(): SshError {
  return new SshError('bad_signature', 'the signature does not verify')
}
