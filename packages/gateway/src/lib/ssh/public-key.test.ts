// Fingerprints are those that `ssh-keygen -lf` printed; key files were made by ssh-keygen.

import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { SshError, type SshErrorCode } from './errors.ts'
import {
  PUBLIC_KEY_LINE_CHARS_MAX,
  parsePublicKey,
  parsePublicKeyBlob,
  publicKeyLine,
} from './public-key.ts'
import { wireString } from './wire.ts'

const TESTDATA = new URL('../../../testdata/ssh/', import.meta.url)
const LINE = readFileSync(new URL('ed25519.pub', TESTDATA), 'utf8')
const BASE64 = LINE.split(' ')[1] ?? ''

function codeOf(act: () => unknown): SshErrorCode {
  try {
    act()
  } catch (error) {
    if (error instanceof SshError) return error.code
    throw error
  }
  throw new Error('the key was accepted')
}

const line = (...fields: (Uint8Array | string)[]): string =>
  `${fields[0]} ${Buffer.concat(fields.map((field) => wireString(field))).toString('base64')}`

function rsaLine(modulusLength: number): string {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength })
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' })
  const modulus = Buffer.concat([Uint8Array.of(0), Buffer.from(n, 'base64url')])
  return line('ssh-rsa', Buffer.from(e, 'base64url'), modulus)
}

test('a line of ssh-keygen is read with its comment and fingerprint', () => {
  const key = parsePublicKey(LINE)
  expect(key.type).toBe('ssh-ed25519')
  expect(key.comment).toBe('alice@example.com')
  expect(key.fingerprint).toBe('SHA256:US6VMkHMeRso2+bkMwOXdQuSzm+YDTk/1KP7hKcryMI')
  expect(key.application).toBeNull()
  expect(publicKeyLine(key)).toBe(`ssh-ed25519 ${BASE64}`)
  expect(parsePublicKey(publicKeyLine(key)).comment).toBe('')
  expect(parsePublicKey(`  ssh-ed25519\t${BASE64} a b  \n`).comment).toBe('a b')
})

test('what is not one plain line of a key is refused', () => {
  for (const text of [
    '',
    'ssh-ed25519',
    BASE64,
    `ssh-ed25519 ${BASE64}=`,
    `ssh-ed25519 ${BASE64.slice(0, -1)}`,
    `ssh-ed25519 ${BASE64.slice(0, -4)}`,
    `ssh-ed25519 ${BASE64}AAAA`,
    `ssh-rsa ${BASE64}`,
    `command="true" ssh-ed25519 ${BASE64}`,
    `${LINE}${LINE}`,
    line('ssh-ed25519', Buffer.alloc(31)),
    line('ssh-ed25519', Buffer.alloc(32), 'x'),
  ]) {
    expect(
      codeOf(() => parsePublicKey(text)),
      text,
    ).toBe('malformed_key')
  }
})

test('a line passes up to its limit and not one past it', () => {
  const start = `ssh-ed25519 ${BASE64} `
  const comment = 'c'.repeat(PUBLIC_KEY_LINE_CHARS_MAX - start.length)
  expect(parsePublicKey(start + comment).comment).toBe(comment)
  expect(codeOf(() => parsePublicKey(`${start}${comment}c`))).toBe('malformed_key')
})

test('key types whose signatures are not verified here are refused', () => {
  for (const type of ['ssh-dss', 'ssh-ed448', 'ssh-ed25519-cert-v01@openssh.com', 'constructor']) {
    expect(codeOf(() => parsePublicKey(line(type, Buffer.alloc(32))))).toBe('unsupported_key')
  }
})

test('an RSA key of 2048 bits passes and a shorter one does not', () => {
  expect(parsePublicKey(rsaLine(2048)).key.asymmetricKeyDetails?.modulusLength).toBe(2048)
  expect(codeOf(() => parsePublicKey(rsaLine(2040)))).toBe('unsupported_key')
  expect(codeOf(() => parsePublicKey(rsaLine(1024)))).toBe('unsupported_key')
})

test('an RSA exponent of 1 or an even number is refused, and so are padded integers', () => {
  const modulus = Buffer.concat([Uint8Array.of(0), Buffer.alloc(256, 0xff)])
  const withExponent = (...bytes: number[]) => line('ssh-rsa', Uint8Array.from(bytes), modulus)
  expect(parsePublicKey(withExponent(3)).type).toBe('ssh-rsa')
  for (const bytes of [[1], [2], [0], [], [0, 3], [0x80], [1, 0, 0]]) {
    expect(codeOf(() => parsePublicKey(withExponent(...bytes)))).toBe('malformed_key')
  }
})

test('an ECDSA point off its curve, compressed or of another curve is refused', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const at = [Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')] as const
  const point = Buffer.concat([Uint8Array.of(4), ...at])
  const type = 'ecdsa-sha2-nistp256'
  expect(parsePublicKey(line(type, 'nistp256', point)).type).toBe(type)
  const off = Buffer.from(point)
  off.writeUInt8(off.readUInt8(64) ^ 1, 64)
  const compressed = Buffer.concat([Uint8Array.of(2), at[0]])
  for (const bad of [
    line(type, 'nistp256', off),
    line(type, 'nistp256', compressed),
    line(type, 'nistp384', point),
    line('ecdsa-sha2-nistp384', 'nistp384', point),
    line(type, 'nistp256', Buffer.concat([Uint8Array.of(4), Buffer.alloc(64)])),
  ]) {
    expect(codeOf(() => parsePublicKey(bad))).toBe('malformed_key')
  }
})

test('a security key is one only under an SSH application', () => {
  const raw = Buffer.from(BASE64, 'base64').subarray(-32)
  const type = 'sk-ssh-ed25519@openssh.com'
  expect(parsePublicKey(line(type, raw, 'ssh:')).application).toBe('ssh:')
  expect(parsePublicKey(line(type, raw, 'ssh:prod')).application).toBe('ssh:prod')
  for (const application of ['', 'example.com', 'ssh', 'ssh: a']) {
    expect(codeOf(() => parsePublicKey(line(type, raw, application)))).toBe('malformed_key')
  }
  expect(codeOf(() => parsePublicKey(line(type, raw)))).toBe('malformed_key')
})

test('no bytes at all, or a length beyond them, are refused', () => {
  expect(codeOf(() => parsePublicKeyBlob(new Uint8Array()))).toBe('malformed_key')
  expect(codeOf(() => parsePublicKeyBlob(Uint8Array.of(255, 255, 255, 255)))).toBe('malformed_key')
})
