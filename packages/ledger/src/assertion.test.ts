// The offline verifier of passkeys, from bytes alone, signed here by keys of node:crypto;
// each thing that must hold has a twin in which it does not.
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { expect, test } from 'vitest'
import { type Assertion, toBase64url, verifyAssertion } from './assertion.ts'
import { parseCoseKey } from './cose-key.ts'
import { LedgerError } from './errors.ts'

const STATEMENT = '{"type":"seconder-review@v1","verdict":"approve"}'
const RP = { rpId: 'localhost', origins: ['http://localhost:8788'] }
const sha256 = (data: Uint8Array | string) => createHash('sha256').update(data).digest()

type Kind = 'ES256' | 'Ed25519'

function keyOf(kind: Kind) {
  const pair =
    kind === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('ed25519')
  const { x = '', y = '' } = pair.publicKey.export({ format: 'jwk' })
  const coordinate = (text: string) => Buffer.from(text, 'base64url').toString('hex')
  const text =
    kind === 'ES256'
      ? `a5010203262001215820${coordinate(x)}225820${coordinate(y)}`
      : `a4010103272006215820${coordinate(x)}`
  return { privateKey: pair.privateKey, coseKey: new Uint8Array(Buffer.from(text, 'hex')) }
}

interface Changed {
  readonly client?: Record<string, unknown>
  readonly flags?: number
  readonly rpId?: string
  readonly more?: Uint8Array
  readonly signature?: (bytes: Buffer) => Uint8Array
}

async function verified(kind: Kind, changed: Changed = {}, statement = STATEMENT) {
  const { privateKey, coseKey } = keyOf(kind)
  const counter = Buffer.from([0, 0, 1, 2])
  const head = [sha256(changed.rpId ?? RP.rpId), Buffer.of(changed.flags ?? 0x05), counter]
  const authenticatorData = Buffer.concat([...head, changed.more ?? Buffer.alloc(0)])
  const client = {
    type: 'webauthn.get',
    challenge: sha256(STATEMENT).toString('base64url'),
    origin: RP.origins[0],
    crossOrigin: false,
    ...changed.client,
  }
  const clientDataJSON = Buffer.from(JSON.stringify(client))
  const signed = Buffer.concat([authenticatorData, sha256(clientDataJSON)])
  const bytes = sign(kind === 'ES256' ? 'sha256' : null, signed, privateKey)
  const assertion: Assertion = {
    authenticatorData: toBase64url(authenticatorData),
    clientDataJSON: toBase64url(clientDataJSON),
    signature: toBase64url(changed.signature?.(bytes) ?? bytes),
  }
  return verifyAssertion({ statement, assertion, coseKey, relyingParty: RP })
}

test.each(['ES256', 'Ed25519'] as const)(
  '%s: what a person present and verified signed holds',
  async (kind) => {
    expect(await verified(kind)).toEqual({ origin: 'http://localhost:8788', counter: 258 })
  },
)

test.each([
  ['another statement', {}, `${STATEMENT} `],
  ['another origin', { client: { origin: 'http://localhost:3000' } }],
  ['an origin that only begins so', { client: { origin: 'http://localhost:8788.evil.example' } }],
  ['a registration', { client: { type: 'webauthn.create' } }],
  ['a frame in another page', { client: { crossOrigin: true } }],
  ['a page above it', { client: { topOrigin: 'https://evil.example' } }],
  ['another relying party', { rpId: 'evil.example' }],
  ['nobody present', { flags: 0x04 }],
  ['nobody verified', { flags: 0x01 }],
  ['a key inside', { flags: 0x45 }],
  ['bytes more than it says', { more: Buffer.from([0]) }],
  ['a changed signature', { signature: (bytes: Buffer) => bytes.fill(bytes[20] ?? 0, 20, 22) }],
  ['a signature cut short', { signature: (bytes: Buffer) => bytes.subarray(0, -1) }],
  [
    'a signature with more after it',
    { signature: (bytes: Buffer) => Buffer.concat([bytes, Buffer.of(0)]) },
  ],
] as [string, Changed, string?][])(
  '%s is refused, for both algorithms',
  async (_, changed, statement) => {
    for (const kind of ['ES256', 'Ed25519'] as const) {
      await expect(verified(kind, changed, statement)).rejects.toBeInstanceOf(LedgerError)
    }
  },
)

// https://www.w3.org/TR/webauthn-3/#sctn-encoded-credPubKey-examples gives the form; a second spelling is none.
test('a key has one spelling', () => {
  const x = '65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d'
  const y = '1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c'
  const good = `a5010203262001215820${x}225820${y}`
  const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))
  expect(parseCoseKey(bytes(good))).toMatchObject({ algorithm: 'ES256' })
  for (const other of [
    `${good}00`,
    good.slice(0, -2),
    `a5032601022001215820${x}225820${y}`,
    `a501020326200121580020${x}225820${y}`,
    `a4010103262006215820${x}`,
    '',
  ]) {
    expect(() => parseCoseKey(bytes(other))).toThrow(LedgerError)
  }
})

test('a point that is not on the curve is no key', async () => {
  const off = `a5010203262001215820${'11'.repeat(32)}225820${'22'.repeat(32)}`
  const assertion = { authenticatorData: 'AA', clientDataJSON: 'AA', signature: 'AA' }
  const coseKey = new Uint8Array(Buffer.from(off, 'hex'))
  await expect(
    verifyAssertion({ statement: STATEMENT, assertion, coseKey, relyingParty: RP }),
  ).rejects.toBeInstanceOf(LedgerError)
})
