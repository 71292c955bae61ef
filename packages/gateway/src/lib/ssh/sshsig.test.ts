// The vectors in testdata/ssh were made once by ssh-keygen of OpenSSH 9.2 and their private keys
// thrown away. Fingerprints are those that `ssh-keygen -lf` printed.

import { spawnSync } from 'node:child_process'
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SshError, type SshErrorCode } from './errors.ts'
import {
  parsePublicKey,
  parsePublicKeyBlob,
  publicKeyLine,
  type SshPublicKey,
} from './public-key.ts'
import {
  ARMOR_CHARS_MAX,
  armorSshsig,
  parseSshsig,
  SSH_MESSAGE_BYTES_MAX,
  type SshsigFields,
  type SshVerification,
  signedData,
  verifySshSignature,
} from './sshsig.ts'
import { uint32, wireString } from './wire.ts'

const NAMESPACE = 'seconder-review@v1'
const TESTDATA = new URL('../../../testdata/ssh/', import.meta.url)
const read = (name: string): string => readFileSync(new URL(name, TESTDATA), 'utf8')
const MESSAGE = read('message.json')

const FINGERPRINTS: Readonly<Record<string, string>> = {
  ed25519: 'SHA256:US6VMkHMeRso2+bkMwOXdQuSzm+YDTk/1KP7hKcryMI',
  'ed25519-sha256': 'SHA256:US6VMkHMeRso2+bkMwOXdQuSzm+YDTk/1KP7hKcryMI',
  'ecdsa-nistp256': 'SHA256:SMbhwcmwgw+T36zVtw6FVhRnkjjn6lVuV8zFiqDv0x4',
  'ecdsa-nistp384': 'SHA256:OFSBiaEvFmnyICvAdKhTM4BptJj0QT7y6QvFstKBRIc',
  'ecdsa-nistp521': 'SHA256:jyK8YluFfTMaJce7+EaXCY+Om0zLu5ISugk9Obzu6lQ',
  'rsa-2048': 'SHA256:+YQNbe9VnzAnKDIT49RtRwgAegOp0riKuYeBtJNHzgI',
  'rsa-3072': 'SHA256:UTLICgtXkJuQL5heQaJoDDydzSPNZO9ZM7xbVE7E084',
}
const VECTORS = Object.keys(FINGERPRINTS)

function vector(name: string): SshVerification {
  return {
    armored: read(`${name}.sig`),
    message: MESSAGE,
    namespace: NAMESPACE,
    publicKey: parsePublicKey(read(`${name}.pub`)),
  }
}

function codeOf(request: SshVerification): SshErrorCode {
  try {
    verifySshSignature(request)
  } catch (error) {
    if (error instanceof SshError) return error.code
    throw error
  }
  throw new Error('the signature was accepted')
}

/** The same signature with one field changed. */
function altered(
  request: SshVerification,
  change: (fields: SshsigFields) => Partial<SshsigFields>,
) {
  const fields = parseSshsig(request.armored)
  return { ...request, armored: armorSshsig({ ...fields, ...change(fields) }) }
}

function armorOf(blob: Uint8Array): string {
  const lines =
    Buffer.from(blob)
      .toString('base64')
      .match(/.{1,70}/g) ?? []
  return `-----BEGIN SSH SIGNATURE-----\n${lines.join('\n')}\n-----END SSH SIGNATURE-----\n`
}

function blobOf(armored: string): Buffer {
  return Buffer.from(armored.split('\n').slice(1, -2).join(''), 'base64')
}

test.each(VECTORS)('a signature by ssh-keygen verifies: %s', (name) => {
  const request = vector(name)
  expect(verifySshSignature(request)).toEqual({
    keyType: read(`${name}.pub`).split(' ')[0],
    fingerprint: FINGERPRINTS[name],
    strength: 'software',
    userPresent: false,
    userVerified: false,
  })
  expect(verifySshSignature({ ...request, message: Buffer.from(MESSAGE) })).toBeTruthy()
  expect(armorSshsig(parseSshsig(request.armored))).toBe(request.armored)
})

test.each(VECTORS)('another namespace, key or message refuses: %s', (name) => {
  const request = vector(name)
  expect(codeOf({ ...request, namespace: 'file' })).toBe('wrong_namespace')
  expect(codeOf({ ...request, namespace: `${NAMESPACE} ` })).toBe('wrong_namespace')
  const other = VECTORS.find((at) => FINGERPRINTS[at] !== FINGERPRINTS[name]) ?? ''
  expect(codeOf({ ...request, publicKey: vector(other).publicKey })).toBe('wrong_key')
  expect(codeOf({ ...request, message: `${MESSAGE} ` })).toBe('bad_signature')
  expect(codeOf({ ...request, message: MESSAGE.replace('approve', 'approvE') })).toBe(
    'bad_signature',
  )
})

test.each(VECTORS)('one bit changed anywhere in the signature refuses: %s', (name) => {
  const request = vector(name)
  const blob = blobOf(request.armored)
  const step = blob.length > 400 ? 7 : 1
  for (let at = 0; at < blob.length; at += step) {
    const flipped = Buffer.from(blob)
    flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << (at % 8)), at)
    expect(() => verifySshSignature({ ...request, armored: armorOf(flipped) })).toThrow(SshError)
  }
})

test.each(VECTORS)('a signature cut short or with bytes after it refuses: %s', (name) => {
  const request = vector(name)
  const blob = blobOf(request.armored)
  for (let length = 0; length < blob.length; length += 5) {
    const armored = armorOf(blob.subarray(0, length))
    expect(codeOf({ ...request, armored })).toBe('malformed_signature')
  }
  const longer = armorOf(Buffer.concat([blob, Buffer.alloc(1)]))
  expect(codeOf({ ...request, armored: longer })).toBe('malformed_signature')
  const inner = altered(request, ({ signature }) => ({
    signature: Buffer.concat([signature, Buffer.alloc(1)]),
  }))
  expect(codeOf(inner)).toBe('malformed_signature')
})

test('nobody was present at a key in software', () => {
  const request = vector('ed25519')
  expect(codeOf({ ...request, require: { userPresence: true } })).toBe('presence_missing')
  expect(codeOf({ ...request, require: { userVerification: true } })).toBe('verification_missing')
})

test('armor in any other spelling refuses', () => {
  const request = vector('ed25519')
  const { armored } = request
  expect(verifySshSignature({ ...request, armored: armored.trimEnd() })).toBeTruthy()
  for (const spelling of [
    '',
    ` ${armored}`,
    `${armored}\n`,
    `${armored}${armored}`,
    armored.replaceAll('\n', '\r\n'),
    armored.replace('\nU1NI', '\n U1NI'),
    armored.replace('\nU1NI', '\nU1NI='),
    armored.replace('=\n', '\n'),
    armored.replace('I=\n', 'J=\n'),
    armored.replace('BEGIN SSH', 'BEGIN PGP'),
    armored.replaceAll('+', '-').replaceAll('/', '_').replace('AAAA', 'AA-A'),
    '-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n',
  ]) {
    expect(codeOf({ ...request, armored: spelling })).toBe('malformed_signature')
  }
})

test('an armored text passes up to its limit and not one past it', () => {
  const length = (count: number): string => armorOf(Buffer.alloc(count))
  let count = ARMOR_CHARS_MAX
  while (length(count).length > ARMOR_CHARS_MAX) count -= 1
  expect(() => parseSshsig(length(count))).toThrow('not an SSH signature')
  expect(() => parseSshsig(length(count + 3))).toThrow('not an armored SSH signature')
})

test('a message passes up to its limit and not one past it', () => {
  expect(() => signedData(Buffer.alloc(SSH_MESSAGE_BYTES_MAX), NAMESPACE, 'sha512')).not.toThrow()
  const request = { ...vector('ed25519'), message: Buffer.alloc(SSH_MESSAGE_BYTES_MAX + 1) }
  expect(codeOf(request)).toBe('message_too_large')
})

test('an empty namespace never matches', () => {
  const request = altered(vector('ed25519'), () => ({ namespace: '' }))
  expect(codeOf({ ...request, namespace: '' })).toBe('wrong_namespace')
})

test('another message hash, version or reserved field refuses', () => {
  const request = vector('ed25519')
  const weak = altered(request, () => ({ hash: 'sha1' as 'sha256' }))
  expect(codeOf(weak)).toBe('unsupported_hash')
  expect(codeOf(altered(request, () => ({ hash: 'sha256' })))).toBe('bad_signature')
  const blob = blobOf(request.armored)
  const version = Buffer.from(blob)
  version.writeUInt32BE(2, 6)
  expect(codeOf({ ...request, armored: armorOf(version) })).toBe('malformed_signature')
  const at = blob.indexOf(NAMESPACE) + NAMESPACE.length
  const tail = blob.subarray(at + 4)
  const reserved = Buffer.concat([blob.subarray(0, at), wireString('x'), tail])
  expect(codeOf({ ...request, armored: armorOf(reserved) })).toBe('malformed_signature')
})

test('an RSA signature over SHA-1 refuses', () => {
  const request = vector('rsa-2048')
  for (const format of ['ssh-rsa', 'rsa-sha1', 'constructor']) {
    const old = altered(request, ({ signature }) => ({
      signature: Buffer.concat([wireString(format), signature.slice(4 + 12)]),
    }))
    expect(codeOf(old)).toBe('unsupported_hash')
  }
})

test('an ECDSA number that is padded, zero or beyond the curve refuses', () => {
  const request = vector('ecdsa-nistp256')
  const one = wireString(Uint8Array.of(1))
  for (const number of [
    wireString(Uint8Array.of(0, 1)),
    wireString(Uint8Array.of(0)),
    wireString(''),
    wireString(Uint8Array.of(0x80)),
    wireString(Buffer.alloc(33, 1)),
  ]) {
    for (const inner of [Buffer.concat([number, one]), Buffer.concat([one, number])]) {
      const signature = Buffer.concat([wireString('ecdsa-sha2-nistp256'), wireString(inner)])
      expect(codeOf(altered(request, () => ({ signature })))).toBe('malformed_signature')
    }
  }
})

interface SecurityKey {
  readonly publicKey: SshPublicKey
  readonly sign: (flags: number, overrides?: { application?: string; counter?: number }) => string
}

/** A security key in software, built from PROTOCOL.u2f and not from the code under test. */
function securityKey(kind: 'ed25519' | 'p256'): SecurityKey {
  const isEd25519 = kind === 'ed25519'
  const pair: { publicKey: KeyObject; privateKey: KeyObject } = isEd25519
    ? generateKeyPairSync('ed25519')
    : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = pair.publicKey.export({ format: 'jwk' })
  const x = Buffer.from(jwk.x ?? '', 'base64url')
  const y = Buffer.from(jwk.y ?? '', 'base64url')
  const type = isEd25519 ? 'sk-ssh-ed25519@openssh.com' : 'sk-ecdsa-sha2-nistp256@openssh.com'
  const point = Buffer.concat([Uint8Array.of(4), x, y])
  const body = isEd25519 ? [wireString(x)] : [wireString('nistp256'), wireString(point)]
  const blob = Buffer.concat([wireString(type), ...body, wireString('ssh:')])
  const sha256 = (data: Uint8Array | string) => createHash('sha256').update(data).digest()
  const mpint = (raw: Buffer): Buffer => {
    const start = raw.findIndex((byte) => byte !== 0)
    const magnitude = raw.subarray(start)
    const sign = (magnitude[0] ?? 0) >= 0x80 ? Uint8Array.of(0) : Uint8Array.of()
    return wireString(Buffer.concat([sign, magnitude]))
  }
  return {
    publicKey: parsePublicKeyBlob(blob),
    sign: (flags, { application = 'ssh:', counter = 7 } = {}) => {
      const hashed = createHash('sha512').update(MESSAGE).digest()
      const toSign = Buffer.concat([
        Buffer.from('SSHSIG'),
        ...[NAMESPACE, '', 'sha512', hashed].map((field) => wireString(field)),
      ])
      const flagsAndCounter = Buffer.concat([Uint8Array.of(flags), uint32(counter)])
      const data = Buffer.concat([sha256(application), flagsAndCounter, sha256(toSign)])
      const raw = isEd25519
        ? sign(null, data, pair.privateKey)
        : sign('sha256', data, { key: pair.privateKey, dsaEncoding: 'ieee-p1363' })
      const numbers = Buffer.concat([mpint(raw.subarray(0, 32)), mpint(raw.subarray(32))])
      const inner = wireString(isEd25519 ? raw : numbers)
      const signature = Buffer.concat([wireString(type), inner, flagsAndCounter])
      return armorSshsig({ keyBlob: blob, namespace: NAMESPACE, hash: 'sha512', signature })
    },
  }
}

test.each(['ed25519', 'p256'] as const)('the flags of a security key are told: %s', (kind) => {
  const { publicKey, sign: signWith } = securityKey(kind)
  const require = { userPresence: true, userVerification: true }
  const base = { message: MESSAGE, namespace: NAMESPACE, publicKey }
  expect(verifySshSignature({ ...base, armored: signWith(5), require })).toEqual({
    keyType: publicKey.type,
    fingerprint: publicKey.fingerprint,
    strength: 'hardware',
    userPresent: true,
    userVerified: true,
  })
  expect(codeOf({ ...base, armored: signWith(1), require })).toBe('verification_missing')
  expect(codeOf({ ...base, armored: signWith(4), require })).toBe('presence_missing')
  expect(codeOf({ ...base, armored: signWith(0), require })).toBe('presence_missing')
  const unasked = verifySshSignature({ ...base, armored: signWith(0) })
  expect([unasked.userPresent, unasked.userVerified]).toEqual([false, false])
})

test.each(['ed25519', 'p256'] as const)(
  'a flag, counter or application not signed by the security key refuses: %s',
  (kind) => {
    const { publicKey, sign: signWith } = securityKey(kind)
    const base = { message: MESSAGE, namespace: NAMESPACE, publicKey, armored: signWith(1) }
    const withTail = (change: (tail: Buffer) => void): SshVerification =>
      altered(base, ({ signature }) => {
        const copy = Buffer.from(signature)
        change(copy.subarray(-5))
        return { signature: copy }
      })
    expect(codeOf(withTail((tail) => tail.writeUInt8(5, 0)))).toBe('bad_signature')
    expect(codeOf(withTail((tail) => tail.writeUInt32BE(8, 1)))).toBe('bad_signature')
    const elsewhere = signWith(5, { application: 'ssh:other' })
    expect(codeOf({ ...base, armored: elsewhere })).toBe('bad_signature')
    const plain = altered(base, ({ signature }) => ({ signature: signature.slice(0, -5) }))
    expect(codeOf(plain)).toBe('malformed_signature')
  },
)

test('a plain signature by the key inside a security key refuses', () => {
  const { publicKey, sign: signWith } = securityKey('ed25519')
  const base = { message: MESSAGE, namespace: NAMESPACE, publicKey, armored: signWith(5) }
  const plain = altered(base, () => ({
    signature: Buffer.concat([wireString('ssh-ed25519'), wireString(Buffer.alloc(64, 1))]),
  }))
  expect(codeOf(plain)).toBe('malformed_signature')
})

const HAS_KEYGEN = spawnSync('ssh-keygen', ['-?']).error === undefined

test.skipIf(!HAS_KEYGEN).each(['ed25519', 'p256'] as const)(
  'ssh-keygen verifies the security key of these tests (skipped without ssh-keygen): %s',
  (kind) => {
    const folder = mkdtempSync(join(tmpdir(), 'ssh-'))
    try {
      const { publicKey, sign: signWith } = securityKey(kind)
      const check = (armored: string): number | null => {
        const [signers, signature] = [join(folder, 'signers'), join(folder, 'message.sig')]
        writeFileSync(signers, `alice ${publicKeyLine(publicKey)}\n`)
        writeFileSync(signature, armored)
        const files = ['-f', signers, '-s', signature]
        const args = ['-Y', 'verify', '-I', 'alice', '-n', NAMESPACE, ...files]
        return spawnSync('ssh-keygen', args, { input: MESSAGE }).status
      }
      expect(check(signWith(5))).toBe(0)
      expect(check(signWith(5, { application: 'ssh:other' }))).not.toBe(0)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)
