// Signed requests with one random edit: verify throws SigV4Error and nothing else, or the edit was
// to a header outside the signature, or it left the canonical request as it was.

import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { WireHeader, WireRequest } from '../wire-request.ts'
import { parseAmzDate } from './amz-date.ts'
import { canonicalPath, canonicalValue, splitTarget } from './canonical-request.ts'
import { SigV4Error } from './errors.ts'
import { canonicalQuery, parseQuery } from './query-string.ts'
import { parseRawRequest } from './raw-request.fixture.ts'
import { type VerifiedSignature, verify } from './verify.ts'

const MUTATIONS = 4_000
const FOLDER = new URL('../../testdata/sigv4/captured/', import.meta.url)
const KEYS: ReadonlyMap<string, string> = new Map([
  ['AKIAIOSFODNN7EXAMPLE', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'],
  ['AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'],
])
const lookup = (id: string) => KEYS.get(id)

// mulberry32: small, seeded, and good enough to choose places. Public domain.
function randomSource(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

type Random = (below: number) => number

function mutatedText(text: string, random: Random): string {
  const at = random(text.length + 1)
  const character = String.fromCharCode(random(256))
  const kind = random(3)
  if (kind === 0) return text.slice(0, at) + character + text.slice(at)
  if (kind === 1 && text.length > 0) return text.slice(0, at) + text.slice(at + 1)
  const flipped = String.fromCharCode((text.charCodeAt(at) || 0) ^ (1 << random(7)))
  return text.slice(0, at) + flipped + text.slice(at + 1)
}

function mutated(request: WireRequest, random: Random): WireRequest {
  const part = random(5)
  if (part === 0) return { ...request, target: mutatedText(request.target, random) }
  if (part === 1) return { ...request, method: mutatedText(request.method, random) }
  if (part === 2) {
    const text = Buffer.from(request.body).toString('latin1')
    return { ...request, body: Buffer.from(mutatedText(text, random), 'latin1') }
  }
  const headers = request.headers.slice()
  const at = random(headers.length)
  const [name, value] = headers[at] ?? ['', '']
  const kind = random(6)
  if (kind === 0) headers.splice(at, 1)
  else if (kind === 1) headers.push([name, mutatedText(value, random)])
  else if (kind === 2) headers[at] = [mutatedText(name, random), value]
  else headers[at] = [name, mutatedText(value, random)]
  return { ...request, headers }
}

/** Everything of a request that a signature covers, in one text; unsigned headers left out. */
function covered(request: WireRequest, verified: VerifiedSignature): string {
  const { path, query } = splitTarget(request.target)
  const signed = new Set(verified.signedHeaders)
  const headers = request.headers
    .map(([name, value]): WireHeader => [name.toLowerCase(), canonicalValue(value)])
    .filter(([name]) => signed.has(name) || name.startsWith('x-amz-'))
    .sort(([a], [b]) => (a < b ? -1 : Number(a > b)))
  const body = verified.payloadKind === 'signed' ? Buffer.from(request.body).toString('hex') : ''
  return JSON.stringify([
    request.method,
    canonicalPath(path, verified.service),
    canonicalQuery(parseQuery(query)),
    headers,
    body,
  ])
}

const CAPTURED = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.http'))
  .map((name) => {
    const bytes = readFileSync(new URL(name, FOLDER))
    const date = /x-amz-date[:=] ?(\d{8}T\d{6}Z)/i.exec(bytes.toString('latin1'))?.[1] ?? ''
    return { name, request: parseRawRequest(bytes), nowMs: parseAmzDate(date) }
  })

interface Sample extends Omit<WireRequest, 'body'> {
  readonly name: string
  readonly region: string
  readonly body: string
}

/** Those of SigV4A that verify; the others are refused before and after any edit. */
const ECDSA = (JSON.parse(readFileSync(new URL('../sigv4a.json', FOLDER), 'utf8')) as Sample[])
  .filter(({ region }) => region === 'eu-west-1')
  .map(({ name, body, ...request }) => ({
    name,
    request: { ...request, body: new TextEncoder().encode(body) },
    nowMs: parseAmzDate('20261123T120000Z'),
  }))

const CAPTURES = [...CAPTURED, ...ECDSA]

test(`${MUTATIONS} edits of signed requests are refused, or change nothing signed`, () => {
  const random = randomSource(20_261_123)
  const counts = { refused: 0, accepted: 0 }
  const codes = new Set<string>()
  for (let round = 0; round < MUTATIONS; round++) {
    const capture = CAPTURES[round % CAPTURES.length]
    if (capture === undefined) throw new Error('there is no capture')
    const request = mutated(capture.request, random)
    const shown = `${capture.name}, round ${round}: ${JSON.stringify(request)}`
    try {
      const verified = verify(request, lookup, capture.nowMs)
      counts.accepted++
      const original = verify(capture.request, lookup, capture.nowMs)
      expect(covered(request, verified), shown).toBe(covered(capture.request, original))
    } catch (error) {
      if (!(error instanceof SigV4Error)) throw error
      counts.refused++
      codes.add(error.code)
      expect(error.message).toMatch(/^[\x20-\x7e]+$/)
    }
  }
  expect(counts.refused).toBeGreaterThan(MUTATIONS / 2)
  expect(counts.accepted).toBeGreaterThan(0)
  expect(codes.size).toBeGreaterThan(8)
})
