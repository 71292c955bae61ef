// Makes Ed25519 key files and reads them back, so that signing works without ssh-keygen. It knows
// no passphrases and no other key types: those are for ssh-agent and ssh-keygen.
// Source: PROTOCOL.key of openssh-portable.

import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { open, writeFile } from 'node:fs/promises'
import { SshError } from './errors.ts'
import { ed25519Blob, parsePublicKeyBlob, publicKeyLine, type SshPublicKey } from './public-key.ts'
import { decodeBase64, uint32, WireReader, wireString } from './wire.ts'

/** Longest key file read; RSA with 16,384 bits takes about 13,000 bytes. */
export const KEY_FILE_BYTES_MAX = 64 * 1024
/** Longest comment written into a key file. */
export const KEY_COMMENT_CHARS_MAX = 256

const MAGIC = Buffer.from('openssh-key-v1\0')
const BEGIN = '-----BEGIN OPENSSH PRIVATE KEY-----'
const END = '-----END OPENSSH PRIVATE KEY-----'
/** The block size that PROTOCOL.key pads to where there is no cipher. */
const BLOCK_BYTES = 8

/**
 * Writes a new Ed25519 key pair without a passphrase, as ssh-keygen would: `path`, for its owner
 * alone (0600), and `path.pub`. Gives the public key.
 *
 * Throws SshError `key_unreadable` where `path` exists or cannot be written, and `malformed_key`
 * for a comment that is not printable ASCII of at most KEY_COMMENT_CHARS_MAX.
 */
export async function generateEd25519KeyFile(path: string, comment: string): Promise<SshPublicKey> {
  if (comment.length > KEY_COMMENT_CHARS_MAX || !/^[\x20-\x7e]*$/.test(comment)) {
    throw new SshError('malformed_key', 'key comment is not short printable ASCII')
  }
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  const raw = Buffer.from(jwk.x ?? '', 'base64url')
  const blob = ed25519Blob(raw)
  const check = randomBytes(4)
  const secret = Buffer.concat([Buffer.from(jwk.d ?? '', 'base64url'), raw])
  const inner = Buffer.concat([check, check, blob, wireString(secret), wireString(comment)])
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7].slice(0, -inner.length & (BLOCK_BYTES - 1)))
  const head = ['none', 'none', ''].map((field) => wireString(field))
  const tail = [uint32(1), wireString(blob), wireString(Buffer.concat([inner, padding]))]
  const text = Buffer.concat([MAGIC, ...head, ...tail]).toString('base64')
  const lines = [BEGIN, ...(text.match(/.{1,70}/g) ?? []), END, '']
  const key = { ...parsePublicKeyBlob(blob), comment }
  try {
    await writeFile(path, lines.join('\n'), { mode: 0o600, flag: 'wx', flush: true })
    await writeFile(`${path}.pub`, `${publicKeyLine(key)} ${comment}`.trimEnd().concat('\n'))
  } catch (cause) {
    throw new SshError('key_unreadable', `cannot write the key file \`${path}\``, { cause })
  }
  return key
}

/** What an OpenSSH private key file tells without its passphrase. */
export interface PrivateKeyFile {
  readonly publicKey: SshPublicKey
  readonly encrypted: boolean
  /** The part that holds the private key, encrypted or not. */
  readonly inner: Uint8Array
}

/**
 * The outer part of an OpenSSH private key file; null for another format, such as PEM.
 *
 * Throws SshError `malformed_key`, or `unsupported_key` for the key type or more than one key.
 */
export function parsePrivateKeyFile(text: string): PrivateKeyFile | null {
  const lines = text.replaceAll('\r\n', '\n').trim().split('\n')
  if (lines[0] !== BEGIN) return null
  if (lines.at(-1) !== END) throw malformed('private key file is cut short')
  const bytes = decodeBase64(lines.slice(1, -1).join(''), 'malformed_key')
  const reader = new WireReader(bytes, 'malformed_key')
  if (!reader.take(MAGIC.length).equals(MAGIC)) throw malformed('not an OpenSSH private key')
  const cipher = reader.name()
  const kdf = reader.name()
  const kdfOptions = reader.string()
  if (cipher === 'none' && (kdf !== 'none' || kdfOptions.length > 0)) {
    throw malformed('private key derivation without a cipher')
  }
  if (reader.uint32() !== 1) throw new SshError('unsupported_key', 'file of more than one key')
  const blob = reader.string()
  const inner = reader.string(KEY_FILE_BYTES_MAX)
  // An authenticated cipher puts its tag after the last field.
  if (cipher === 'none') reader.end()
  return { publicKey: parsePublicKeyBlob(blob), encrypted: cipher !== 'none', inner }
}

/**
 * The private key of an Ed25519 file without a passphrase, which belongs to the file's public key.
 *
 * Throws SshError `key_encrypted`, `unsupported_key` or `malformed_key`.
 */
export function openEd25519(file: PrivateKeyFile): KeyObject {
  if (file.encrypted) {
    throw new SshError('key_encrypted', 'the key has a passphrase, and ssh-keygen is not there')
  }
  if (file.publicKey.type !== 'ssh-ed25519') {
    throw new SshError(
      'unsupported_key',
      'signing with this key type needs ssh-agent or ssh-keygen, and neither is there',
    )
  }
  const reader = new WireReader(file.inner, 'malformed_key')
  const check = reader.uint32()
  if (reader.uint32() !== check) throw malformed('private key check differs')
  if (reader.name() !== 'ssh-ed25519') throw malformed('file holds two key types')
  const raw = reader.string()
  const secret = reader.string()
  reader.string()
  const padding = reader.rest()
  if (padding.length >= BLOCK_BYTES || padding.some((byte, index) => byte !== index + 1)) {
    throw malformed('private key padding differs')
  }
  const blob = Buffer.from(file.publicKey.blob)
  if (secret.length !== 64 || !blob.equals(ed25519Blob(raw)) || !secret.subarray(32).equals(raw)) {
    throw malformed('private and public key differ')
  }
  return importEd25519(secret.subarray(0, 32), raw)
}

function importEd25519(seed: Buffer, raw: Buffer): KeyObject {
  const x = raw.toString('base64url')
  const jwk = { kty: 'OKP', crv: 'Ed25519', x, d: seed.toString('base64url') }
  try {
    return createPrivateKey({ key: jwk, format: 'jwk' })
  } catch (cause) {
    throw new SshError('malformed_key', 'not a valid private key', { cause })
  }
}

/**
 * The text of a key file; null where there is none.
 *
 * Throws SshError `key_unreadable`, also where it is over KEY_FILE_BYTES_MAX or, if `secret`, where
 * others than its owner may read it, as ssh refuses such keys.
 */
export async function readKeyFile(path: string, secret: boolean): Promise<string | null> {
  try {
    await using file = await open(path, 'r')
    const { mode, size } = await file.stat()
    if (size > KEY_FILE_BYTES_MAX) throw new SshError('key_unreadable', 'key file is too large')
    if (secret && process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new SshError('key_unreadable', `others may read the private key \`${path}\``)
    }
    return await file.readFile('utf8')
  } catch (cause) {
    if (cause instanceof SshError) throw cause
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null
    throw new SshError('key_unreadable', `cannot read the key file \`${path}\``, { cause })
  }
}

function malformed(message: string): SshError {
  return new SshError('malformed_key', message)
}
