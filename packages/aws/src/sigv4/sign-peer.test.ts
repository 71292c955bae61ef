// The signer against an independent one: what `sign` and `presign` make is what AWS's own
// JavaScript signer makes of the same request, over random paths, queries and header values.

import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import { expect, test } from 'vitest'
import type { WireHeader, WireRequest } from '../wire-request.ts'
import { splitTarget } from './canonical-request.ts'
import { parseQuery } from './query-string.ts'
import { presign, sign } from './sign.ts'
import { verify } from './verify.ts'

const CASES = 200
const NOW_MS = Date.UTC(2026, 10, 23, 12, 34, 56)
const KEYS = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'a/secret+key',
  sessionToken: 'token/with+signs==',
}
// Characters that signers treat differently: reserved, unreserved, blanks, non-ASCII.
const CHARACTERS = ['a', 'Z', '0', '-', '.', '_', '~', '!', '*', "'", '(', ')', ' ', '+', '/', '=']
CHARACTERS.push('&', '%', ':', '@', ',', ';', '$', 'é', '東', '😀')

class Sha256 {
  readonly #digest: Hash | Hmac

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    if (secret === undefined) this.#digest = createHash('sha256')
    else this.#digest = createHmac('sha256', secret as string)
  }

  update(data: string | Uint8Array): void {
    this.#digest.update(data)
  }

  async digest(): Promise<Uint8Array> {
    return this.#digest.digest()
  }

  reset(): void {
    throw new Error('not used by the signer')
  }
}

function randomSource(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >>> 8) % below
  }
}

function randomText(random: (below: number) => number, lengthMax: number): string {
  const length = 1 + random(lengthMax)
  return Array.from({ length }, () => CHARACTERS[random(CHARACTERS.length)]).join('')
}

function strictEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function randomRequest(random: (below: number) => number): WireRequest {
  const segments = Array.from({ length: 1 + random(3) }, () => strictEncode(randomText(random, 6)))
  const query = Array.from({ length: random(4) }, () => {
    // The JavaScript signer takes a map: names are made different here.
    const name = `${strictEncode(randomText(random, 3))}${random(1_000_000)}`
    return `${name}=${strictEncode(randomText(random, 5))}`
  })
  const value = randomText(random, 12).replace(/[^\x20-\x7e]/g, 'x')
  const headers: WireHeader[] = [
    ['host', 'sts.us-east-1.amazonaws.com'],
    ['x-amz-meta-a', `a  ${value}  b`],
    ['content-type', 'application/json'],
  ]
  const target = `/${segments.join('/')}${query.length === 0 ? '' : `?${query.join('&')}`}`
  return { method: 'POST', target, headers, body: Buffer.from(randomText(random, 30)) }
}

function peerRequest(request: WireRequest, headers: readonly WireHeader[]) {
  const { path, query } = splitTarget(request.target)
  return {
    method: request.method,
    protocol: 'https:',
    hostname: 'sts.us-east-1.amazonaws.com',
    path,
    query: Object.fromEntries(parseQuery(query).map(({ name, value }) => [name, value])),
    headers: Object.fromEntries(headers),
    body: Buffer.from(request.body),
  }
}

function peerSigner(service: string): SignatureV4 {
  return new SignatureV4({
    service,
    region: 'us-east-1',
    credentials: KEYS,
    sha256: Sha256,
    uriEscapePath: service !== 's3',
  })
}

for (const service of ['s3', 'sts']) {
  test(`${CASES} random requests for ${service} are signed as the SDK signs them`, async () => {
    const random = randomSource(7)
    const signer = peerSigner(service)
    const signingDate = new Date(NOW_MS)
    for (let round = 0; round < CASES; round++) {
      const request = randomRequest(random)
      const ours = sign(request, KEYS, { region: 'us-east-1', service }, NOW_MS)
      const added = ours.filter(([name]) => name === 'content-length')
      const peer = await signer.sign(peerRequest(request, [...request.headers, ...added]), {
        signingDate,
      })
      const authorization = ours.find(([name]) => name === 'authorization')?.[1]
      expect(authorization, request.target).toBe(peer.headers['authorization'])
      const received = { ...request, headers: ours }
      expect(verify(received, () => KEYS.secretAccessKey, NOW_MS).service).toBe(service)
    }
  })
}

test(`${CASES} random targets are presigned as the SDK presigns them`, async () => {
  const random = randomSource(11)
  const signer = peerSigner('sts')
  const signingDate = new Date(NOW_MS)
  for (let round = 0; round < CASES; round++) {
    const headers: WireHeader[] = [['host', 'sts.us-east-1.amazonaws.com']]
    const request = { ...randomRequest(random), method: 'GET', headers, body: new Uint8Array(0) }
    const scope = { region: 'us-east-1', service: 'sts' }
    const target = presign(request, KEYS, scope, NOW_MS, { expiresSeconds: 60 })
    const peer = await signer.presign(peerRequest(request, headers), { signingDate, expiresIn: 60 })
    const ours = new URLSearchParams(splitTarget(target).query)
    expect(ours.get('X-Amz-Signature'), request.target).toBe(peer.query?.['X-Amz-Signature'])
    expect(verify({ ...request, target }, () => KEYS.secretAccessKey, NOW_MS).form).toBe(
      'presigned',
    )
  }
})
