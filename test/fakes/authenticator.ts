// A passkey authenticator in software, as bytes: COSE keys, CBOR and signatures as CTAP2 makes them, so that
// the gate is tried with real assertions and with each part of one changed.
// Source: https://www.w3.org/TR/webauthn-3/ sections 6.1, 6.5.1, 5.8.1 and 8.7; RFC 8949 section 3.
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

export type Algorithm = 'ES256' | 'Ed25519'

export interface RegistrationJson {
  readonly id: string
  readonly rawId: string
  readonly type: 'public-key'
  readonly response: { readonly attestationObject: string; readonly clientDataJSON: string }
  readonly clientExtensionResults: Record<string, never>
}

export interface AssertionJson {
  readonly id: string
  readonly rawId: string
  readonly type: 'public-key'
  readonly response: {
    readonly authenticatorData: string
    readonly clientDataJSON: string
    readonly signature: string
  }
  readonly clientExtensionResults: Record<string, never>
}

/** What a test may make wrong about one assertion. */
export interface Twist {
  readonly origin?: string
  readonly rpId?: string
  readonly type?: string
  readonly flags?: number
  readonly counter?: number
  readonly clientData?: Record<string, unknown>
}

const PRESENT_AND_VERIFIED = 0x05
const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
const sha256 = (data: Uint8Array | string) => createHash('sha256').update(data).digest()

export class Authenticator {
  readonly credentialId = base64url(randomBytes(32))
  readonly cose: Buffer
  readonly #privateKey: KeyObject
  readonly #algorithm: Algorithm
  #counter: number

  /** `counter` 0 stands for a passkey that is synced between devices: it never counts. */
  constructor(algorithm: Algorithm = 'ES256', counter = 0) {
    const pair =
      algorithm === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('ed25519')
    const { x = '', y = '' } = pair.publicKey.export({ format: 'jwk' })
    const bytes = (text: string) => cborBytes(Buffer.from(text, 'base64url'))
    this.cose =
      algorithm === 'ES256'
        ? Buffer.concat([hex('a50102032620012158'), bytes(x).subarray(1), hex('22'), bytes(y)])
        : Buffer.concat([hex('a401010327200621'), bytes(x)])
    this.#privateKey = pair.privateKey
    this.#algorithm = algorithm
    this.#counter = counter
  }

  /** The line that people give each other and sign. */
  line(rpId = 'localhost'): string {
    return `passkey ${rpId} ${this.credentialId} ${base64url(this.cose)}`
  }

  /** navigator.credentials.create() */
  create(options: { challenge: string; rpId: string; origin: string }): RegistrationJson {
    const id = Buffer.from(this.credentialId, 'base64url')
    const authData = Buffer.concat([
      sha256(options.rpId),
      Uint8Array.of(PRESENT_AND_VERIFIED | 0x40),
      uint32(this.#counter),
      Buffer.alloc(16),
      Uint8Array.of(id.length >> 8, id.length & 0xff),
      id,
      this.cose,
    ])
    const attestation = Buffer.concat([
      hex('a3'),
      ...[cborText('fmt'), cborText('none'), cborText('attStmt'), hex('a0')],
      ...[cborText('authData'), cborBytes(authData)],
    ])
    const { challenge, origin } = options
    const clientData = { type: 'webauthn.create', challenge, origin, crossOrigin: false }
    return this.#credential({
      attestationObject: base64url(attestation),
      clientDataJSON: base64url(Buffer.from(JSON.stringify(clientData))),
    })
  }

  /** navigator.credentials.get() over the SHA-256 of a statement. */
  get(statement: string, rp: { rpId: string; origin: string }, twist: Twist = {}): AssertionJson {
    if (this.#counter > 0) this.#counter += 1
    const authenticatorData = Buffer.concat([
      sha256(twist.rpId ?? rp.rpId),
      Uint8Array.of(twist.flags ?? PRESENT_AND_VERIFIED),
      uint32(twist.counter ?? this.#counter),
    ])
    const clientData = Buffer.from(
      JSON.stringify({
        type: twist.type ?? 'webauthn.get',
        challenge: base64url(sha256(statement)),
        origin: twist.origin ?? rp.origin,
        crossOrigin: false,
        ...twist.clientData,
      }),
    )
    const signed = Buffer.concat([authenticatorData, sha256(clientData)])
    const hash = this.#algorithm === 'ES256' ? 'sha256' : null
    return this.#credential({
      authenticatorData: base64url(authenticatorData),
      clientDataJSON: base64url(clientData),
      signature: base64url(sign(hash, signed, this.#privateKey)),
    })
  }

  #credential<T>(response: T) {
    const { credentialId: id } = this
    return { id, rawId: id, type: 'public-key', response, clientExtensionResults: {} } as const
  }
}

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex')
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function cborHead(major: number, length: number): Buffer {
  if (length < 24) return Buffer.of((major << 5) | length)
  if (length < 256) return Buffer.of((major << 5) | 24, length)
  return Buffer.of((major << 5) | 25, length >> 8, length & 0xff)
}

function cborBytes(bytes: Uint8Array): Buffer {
  return Buffer.concat([cborHead(2, bytes.length), bytes])
}

function cborText(text: string): Buffer {
  return Buffer.concat([cborHead(3, text.length), Buffer.from(text)])
}
