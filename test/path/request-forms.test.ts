// The forms of a request: presigned URLs, HEAD, and SigV4A, each tried at the door of a real gate. What
// reached the upstream, and what the ledger says, are the assertions.
import { hash } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { amzDate } from '@seconder/aws/sigv4/amz-date'
import { canonicalRequest } from '@seconder/aws/sigv4/canonical-request'
import { parseQuery } from '@seconder/aws/sigv4/query-string'
import { presign } from '@seconder/aws/sigv4/sign'
import { signature, signingKey, stringToSign } from '@seconder/aws/sigv4/signature'
import type { WireHeader, WireRequest } from '@seconder/aws/wire-request'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { closeSession } from './acts.ts'
import { ecdsaSigned } from './ecdsa.ts'
import { ACCOUNT, Harness, type Keys, requestIdIn } from './harness.ts'
import { dynamodbCall, rawCall, send } from './wire.ts'

/** Reads that are held, denied, or denied by the name of the GET alone. */
const MORE_POLICIES = `
@id("held-objects")
@reason("these objects are shown after a look")
forbid (principal, action in Action::"look", resource)
when { resource.arn like "arn:aws:s3:::held-bucket*" }
unless { context.approvedBy.contains("any:1") };

@id("denied-objects")
forbid (principal, action in Action::"look", resource)
when { resource.arn like "arn:aws:s3:::denied-bucket*" };

@id("denied-get")
forbid (principal, action in Action::"look", resource)
when { context.operation == "s3:GetObject" && resource.arn like "arn:aws:s3:::get-denied*" };
`

let folder: string
let upstream: FakeUpstream
let gate: Harness
let keys: Keys

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'seconder-policies-'))
  upstream = await startFakeUpstream()
})

afterEach(async () => {
  await gate.stop()
  await upstream.close()
  rmSync(folder, { recursive: true, force: true })
})

async function start(options: Partial<Parameters<typeof Harness.start>[0]> = {}): Promise<void> {
  gate = await Harness.start({ upstream: upstream.url, ...options })
  keys = await gate.open('alice')
}

async function startWithMorePolicies(): Promise<void> {
  cpSync(join(import.meta.dirname, '..', '..', 'lab', 'policies'), folder, { recursive: true })
  writeFileSync(join(folder, 'more.cedar'), MORE_POLICIES)
  await start({ policies: folder })
}

interface Presigned {
  readonly method?: string
  readonly target?: string
  readonly body?: string
  readonly expiresSeconds?: number
  readonly signedAtMs?: number
  readonly service?: string
  readonly headers?: readonly WireHeader[]
}

function presigned(options: Presigned = {}): WireRequest {
  const { host } = new URL(keys.endpoint)
  const { method = 'GET', target = '/bucket-b/key', service = 's3' } = options
  const body = new TextEncoder().encode(options.body ?? '')
  const request = { method, target, headers: [['host', host], ...(options.headers ?? [])], body }
  const signedTarget = presign(
    request as WireRequest,
    keys,
    { service, region: 'eu-west-1' },
    options.signedAtMs ?? Date.now(),
    { expiresSeconds: options.expiresSeconds ?? 3_600 },
  )
  return { ...request, target: signedTarget } as WireRequest
}

const ecdsa = (method: string, target: string, regionSet: string) =>
  send(keys, ecdsaSigned(keys, { method, target, regionSet, service: 's3' }))

const entriesOf = async (type: string) =>
  (await gate.entries()).filter((one) => one['type'] === type)

test('H17 a presigned read passes, and nothing of its signature goes on', async () => {
  await start()
  const url = presigned({ target: '/bucket-b/key?versionId=7' })
  expect((await send(keys, url)).status).toBe(200)
  expect(
    (await send(keys, { ...url, headers: [...url.headers, ['user-agent', 'curl/8']] })).status,
  ).toBe(200)
  expect(upstream.seen).toHaveLength(2)
  for (const { request } of upstream.seen) {
    expect(request.target).toBe('/bucket-b/key?versionId=7')
    expect(JSON.stringify(request)).not.toContain(keys.accessKeyId)
  }
  const [read, again] = await entriesOf('read')
  expect(read).toMatchObject({ operation: 's3:GetObject' })
  // Two runs are one Action: the digest knows nothing of a signature.
  const later = presigned({ target: '/bucket-b/key?versionId=7', signedAtMs: Date.now() - 60_000 })
  await send(keys, later)
  const digests = (await entriesOf('read')).map(({ digest }) => digest)
  expect(new Set([read?.['digest'], again?.['digest'], ...digests]).size).toBe(1)
})

test('H17 a presigned URL ends after fifteen minutes, or sooner where it asks, and with its session', async () => {
  await start()
  const at = (minutes: number, expiresSeconds = 604_800) =>
    send(keys, presigned({ signedAtMs: Date.now() - minutes * 60_000, expiresSeconds }))
  expect((await at(14)).status).toBe(200)
  const late = await at(16)
  expect([late.status, late.body]).toEqual([403, expect.stringContaining('has expired')])
  expect((await at(2, 60)).body).toContain('has expired')
  const url = presigned()
  expect((await send(keys, url)).status).toBe(200)
  await closeSession(gate, keys)
  expect((await send(keys, url)).status).toBe(403)
  expect(upstream.seen).toHaveLength(2)
})

test('H17 a presigned write reaches nothing: not with an open body, and not where a person would look', async () => {
  await start()
  const open = await send(keys, presigned({ method: 'PUT', body: 'x' }))
  expect(open.body).toContain('make the call itself')
  expect((await send(keys, presigned({ method: 'DELETE' }))).body).toContain('make the call itself')
  const bound = await send(keys, boundPut('x'))
  expect(bound.body).toContain('needs review, and a presigned URL is never reviewed')
  expect(await entriesOf('request-opened')).toEqual([])
  expect(upstream.seen.filter(({ request }) => /PUT|DELETE/.test(request.method))).toEqual([])
})

/** A presigned PUT whose signature binds its body: no SDK makes one, and any agent can. */
function boundPut(body: string): WireRequest {
  const call = { method: 'PUT', target: '/bucket-b/key', service: 's3', body }
  return declaring(hash('sha256', body, 'hex'), call)
}

/** A presigned request whose query says what of its body is signed. */
function declaring(
  payloadHash: string,
  call: { method: string; target: string; service: string; body: string },
): WireRequest {
  const { method, target, service, body } = call
  const { host } = new URL(keys.endpoint)
  const time = amzDate(Date.now())
  const scope = { date: time.slice(0, 8), region: 'eu-west-1', service }
  const query = Object.entries({
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Content-Sha256': payloadHash,
    'X-Amz-Credential': `${keys.accessKeyId}/${scope.date}/eu-west-1/${service}/aws4_request`,
    'X-Amz-Date': time,
    'X-Amz-Expires': '600',
    'X-Amz-SignedHeaders': 'host',
  })
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')
  const canonical = canonicalRequest({
    method,
    path: target,
    query: parseQuery(query),
    headers: new Map([['host', [host]]]),
    signedHeaders: ['host'],
    payloadHash,
    service,
  })
  const key = signingKey(keys.secretAccessKey, scope)
  const signed = signature(key, stringToSign(canonical, time, scope))
  return {
    method,
    target: `${target}?${query}&X-Amz-Signature=${signed}`,
    headers: [
      ['host', host],
      ['content-length', String(body.length)],
    ],
    body: new TextEncoder().encode(body),
  }
}

test('H17 a presigned write whose query names no hash of a body is refused, however it says so', async () => {
  await start({ environments: [{ name: 'development', accounts: [ACCOUNT], mode: 'enforce' }] })
  const call = { method: 'DELETE', target: '/2015-03-31/functions/f', service: 'lambda', body: '' }
  for (const literal of [
    'UNSIGNED-PAYLOAD',
    'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
    'STREAMING-AWS4-HMAC-SHA256-EVENTS',
    'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD',
  ]) {
    for (const body of ['', '0\r\n\r\n']) {
      const answer = await send(keys, declaring(literal, { ...call, body }))
      expect(answer.status, literal).toBeGreaterThanOrEqual(400)
    }
  }
  expect(upstream.seen).toEqual([])
  expect((await send(keys, declaring(hash('sha256', '', 'hex'), call))).status).toBe(200)
})

test('H17 a presigned write passes only where nobody needs to look and its body is bound', async () => {
  await start({ environments: [{ name: 'development', accounts: [ACCOUNT], mode: 'enforce' }] })
  const call = dynamodbCall('DeleteTable', { TableName: 'orders' })
  const url = presigned({
    method: 'POST',
    target: '/',
    service: 'dynamodb',
    headers: call.headers ?? [],
    body: call.body ?? '',
  })
  const other = new TextEncoder().encode('{"TableName":"other"}')
  expect((await send(keys, { ...url, body: other })).status).toBe(400)
  expect(upstream.seen).toEqual([])
  expect((await send(keys, url)).status).toBe(200)
  expect(upstream.seen.filter(({ operation }) => operation === 'DeleteTable')).toHaveLength(1)
})

test('H17 a presigned URL never uses an approval of the same call', async () => {
  await start()
  const put = { method: 'PUT', target: '/bucket-b/key', service: 's3', body: 'x' }
  const id = requestIdIn(new Error((await rawCall(keys, put)).body))
  await gate.review('bob', id)
  expect((await send(keys, boundPut('x'))).body).toContain('never reviewed')
  expect(upstream.seen.filter(({ request }) => request.method === 'PUT')).toEqual([])
  expect((await rawCall(keys, put)).status).toBe(200)
})

test('H1 a presigned request with a second signature, or parameters of one, acts for nobody', async () => {
  await start()
  const url = presigned()
  const { host } = new URL(keys.endpoint)
  const tries: WireRequest[] = [
    { ...url, headers: [...url.headers, ['authorization', 'AWS4-HMAC-SHA256 Credential=a']] },
    { ...url, target: `${url.target}&X-Amz-Signature=${'0'.repeat(64)}` },
    { ...url, target: `${url.target}&x-amz-signature=${'0'.repeat(64)}` },
    { ...url, target: url.target.replace('X-Amz-Expires=3600', 'X-Amz-Expires=3601') },
    { ...url, target: url.target.replace('X-Amz-Expires=3600', 'X-Amz-Expires=999999999') },
    { ...url, target: `${url.target}&acl` },
    { ...url, target: url.target.replace('/bucket-b/key', '/bucket-b/other') },
    { ...url, target: `${url.target}&AWSAccessKeyId=${keys.accessKeyId}&Signature=x` },
    { ...url, method: 'DELETE' },
    {
      ...url,
      headers: [
        ['host', host],
        ['x-amz-copy-source', '/other/key'],
      ],
    },
  ]
  for (const one of tries) {
    const answer = await send(keys, one)
    expect(answer.status, one.target).toBeGreaterThanOrEqual(400)
  }
  expect(upstream.seen).toEqual([])
})

test('M14 a HEAD passes where its GET would be held, and its entry names what was softened', async () => {
  await startWithMorePolicies()
  const call = { target: '/held-bucket/key', service: 's3' }
  const head = await rawCall(keys, { ...call, method: 'HEAD' })
  expect(head.status).toBe(200)
  expect(await entriesOf('read')).toMatchObject([
    { operation: 's3:HeadObject', softened: 'review' },
  ])
  const get = await rawCall(keys, { ...call, method: 'GET' })
  expect(get.body).toContain('needs review by one other person')
  expect(get.headers['x-seconder-url']).toContain(requestIdIn(new Error(get.body)))
  expect(upstream.seen.map(({ request }) => request.method)).toEqual(['HEAD'])
  const plain = await rawCall(keys, { ...call, method: 'HEAD', target: '/bucket-b/key' })
  expect(plain.status).toBe(200)
  expect((await entriesOf('read')).at(-1)).not.toHaveProperty('softened')
})

test('a read that was held passes once approved, once, and stands in the ledger as what it was', async () => {
  await startWithMorePolicies()
  const get = () => rawCall(keys, { method: 'GET', target: '/held-bucket/key', service: 's3' })
  const id = requestIdIn(new Error((await get()).body))
  expect(requestIdIn(new Error((await get()).body))).toBe(id)
  await gate.review('bob', id)
  expect((await get()).status).toBe(200)
  expect(await entriesOf('intent')).toMatchObject([{ request: id, operation: 's3:GetObject' }])
  expect(await entriesOf('outcome')).toHaveLength(1)
  expect(requestIdIn(new Error((await get()).body))).not.toBe(id)
  expect(upstream.seen).toHaveLength(1)
})

test('M14 a HEAD whose GET is denied is denied, without a body, by whichever name the policy has it', async () => {
  await startWithMorePolicies()
  for (const bucket of ['denied-bucket', 'get-denied']) {
    const head = await rawCall(keys, { method: 'HEAD', target: `/${bucket}/key`, service: 's3' })
    expect([head.status, head.body]).toEqual([403, ''])
    expect(head.headers['x-amz-error-message']).toContain('Seconder denied s3:HeadObject')
    expect(head.headers['x-amzn-requestid']).toMatch(/^x-/)
    expect((await entriesOf('denied')).at(-1)).toMatchObject({ operation: 's3:HeadObject' })
  }
  expect(upstream.seen).toEqual([])
})

test('SigV4A for one region is verified and re-signed as SigV4; for more it is refused by name', async () => {
  await start()
  expect((await ecdsa('GET', '/bucket-b/key', 'eu-west-1')).status).toBe(200)
  const [seen] = upstream.seen
  const names = seen?.request.headers.map(([name]) => name.toLowerCase())
  expect(names).not.toContain('x-amz-region-set')
  for (const region of ['*', 'eu-west-1,us-east-1', 'mars-central-1', 'x@evil.example']) {
    expect((await ecdsa('GET', '/bucket-b/key', region)).status, region).toBe(403)
  }
  expect((await ecdsa('GET', '/bucket-b/key', '*')).body).toContain('names more than one region')
  expect((await ecdsa('DELETE', '/bucket-b/key', 'eu-west-1')).body).toContain('needs review')
  expect(upstream.seen.filter(({ request }) => request.method === 'DELETE')).toEqual([])
})

test('H11 a SigV4A request runs once, whatever other signature of it is found', async () => {
  await start({ environments: [{ name: 'development', accounts: [ACCOUNT], mode: 'enforce' }] })
  const call = {
    method: 'DELETE',
    target: '/2015-03-31/functions/f',
    regionSet: 'eu-west-1',
    service: 'lambda',
    nowMs: Date.now(),
  }
  const [first, second] = [ecdsaSigned(keys, call), ecdsaSigned(keys, call)]
  expect(second).not.toEqual(first)
  expect((await send(keys, first)).status).toBe(200)
  await send(keys, second)
  await gate.restartSame()
  expect((await send(keys, second)).body).toContain('already made once')
  expect(upstream.seen.filter(({ request }) => request.method === 'DELETE')).toHaveLength(1)
})

test('a presigned read that policy would hold is refused by name, and opens no request', async () => {
  await startWithMorePolicies()
  const answer = await send(keys, presigned({ target: '/held-bucket/key' }))
  expect(answer.body).toContain('needs review, and a presigned URL is never reviewed')
  expect(await entriesOf('request-opened')).toEqual([])
  expect((await entriesOf('refused')).at(-1)).toMatchObject({ code: 'not_supported' })
  expect((await rawCall(keys, dynamodbCall('ListTables', {}))).status).toBe(200)
})
