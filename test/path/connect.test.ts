// CONNECT mode on the wire: which tunnels open, what may come through them, and what goes upstream.

import { spawn, spawnSync } from 'node:child_process'
import type { TLSSocket } from 'node:tls'
import { sign } from '@seconder/aws/sigv4/sign'
import type { WireHeader, WireRequest } from '@seconder/aws/wire-request'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { defaultScript, type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness, type Keys } from './harness.ts'
import { connect, exchange, openTunnel, readAll, type TunnelOptions } from './tunnel.ts'

const TABLES = 'dynamodb.eu-west-1.amazonaws.com'
const BUCKET = 'orders.s3.eu-west-1.amazonaws.com'

let upstream: FakeUpstream
let gate: Harness
let keys: Keys

beforeAll(async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
  keys = await gate.open('alice')
})

beforeEach(() => {
  upstream.seen.length = 0
  upstream.script = defaultScript
})

afterAll(async () => {
  await gate.stop()
  await upstream.close()
})

async function tunnel(host: string, more: Partial<TunnelOptions> = {}): Promise<TLSSocket> {
  const { awsUrl, gate: running } = gate.running
  return openTunnel({
    door: awsUrl,
    ca: (await running.facts()).caCertificate,
    target: `${host}:443`,
    ...more,
  })
}

interface Call {
  readonly host: string
  readonly service: string
  readonly region?: string
  readonly method?: string
  readonly target?: string
  readonly headers?: readonly WireHeader[]
  readonly body?: string
}

function signedFor(call: Call, agent: Keys = keys): WireRequest {
  const request = {
    method: call.method ?? 'POST',
    target: call.target ?? '/',
    headers: [['host', call.host], ...(call.headers ?? [])] as const,
    body: new TextEncoder().encode(call.body ?? ''),
  }
  const scope = { service: call.service, region: call.region ?? 'eu-west-1' }
  return { ...request, headers: sign(request, agent, scope, Date.now()) }
}

function listTables(more: Partial<Call> = {}): WireRequest {
  return signedFor({
    host: TABLES,
    service: 'dynamodb',
    headers: [
      ['content-type', 'application/x-amz-json-1.0'],
      ['x-amz-target', 'DynamoDB_20120810.ListTables'],
    ],
    body: '{}',
    ...more,
  })
}

test('a tunnel to a host of the table carries a signed call to the upstream', async () => {
  const answer = await exchange(await tunnel(TABLES), listTables())
  expect(answer.status).toBe(200)
  expect(answer.text).toContain('orders')
  expect(upstream.seen.map(({ operation }) => operation)).toEqual(['ListTables'])
})

test('M9 a tunnel to any other host or port is refused, and nothing is connected to', async () => {
  const targets = [
    'example.com:443',
    'localhost:443',
    '127.0.0.1:443',
    '169.254.169.254:443',
    'abc.execute-api.eu-west-1.amazonaws.com:443',
    'lb.eu-west-1.elb.amazonaws.com:443',
    'amazonaws.com:443',
    `${TABLES}.evil.example:443`,
    `${TABLES}.:443`,
    `${TABLES}:80`,
    `${TABLES}:22`,
    `${TABLES}:4430`,
    TABLES,
    `x@${TABLES}:443`,
    `${TABLES}:443/`,
    ':443',
  ]
  for (const target of targets) {
    const { status, text } = await connect(gate.running.awsUrl, target)
    expect([400, 403], target).toContain(status)
    if (status === 403) expect(text.split('\r\n\r\n')[1]).toMatch(/^Seconder: .+\n$/)
  }
})

test('M9 a handshake for another host than the tunnel, or for none, is refused', async () => {
  for (const sni of ['sts.eu-west-1.amazonaws.com', 'example.com', 'localhost', '']) {
    await expect(tunnel(TABLES, { sni }), sni).rejects.toThrow()
  }
  expect(upstream.seen).toEqual([])
})

test('a client that trusts other CAs only does not speak through the tunnel', async () => {
  const other = await Harness.start({ upstream: upstream.url })
  const ca = (await other.running.gate.facts()).caCertificate
  await other.stop()
  await expect(tunnel(TABLES, { ca })).rejects.toThrow()
})

test('M9 a Host other than the tunnel is refused', async () => {
  const ours = new URL(gate.running.awsUrl).host
  for (const host of ['sts.eu-west-1.amazonaws.com', BUCKET, 'example.com', ours]) {
    const answer = await exchange(await tunnel(TABLES), listTables({ host }))
    expect(answer.status, host).toBe(400)
    expect(answer.text).toContain('not the host that the tunnel was opened for')
  }
  expect(upstream.seen).toEqual([])
})

test('M9 a signature for another service or region than the tunnel is refused', async () => {
  for (const scope of [{ service: 'sts' }, { service: 's3' }, { region: 'us-east-1' }]) {
    const answer = await exchange(await tunnel(TABLES), listTables(scope))
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.text).toContain('the host is not that of the service and region signed for')
  }
  expect(upstream.seen).toEqual([])
})

test('M9 an unsigned request in a tunnel is refused', async () => {
  const unsigned = {
    method: 'GET',
    target: '/',
    headers: [['host', BUCKET]],
    body: new Uint8Array(),
  } as const
  expect((await exchange(await tunnel(BUCKET), unsigned)).status).toBe(403)
  expect(upstream.seen).toEqual([])
})

test('plain HTTP in a tunnel is refused', async () => {
  const { socket } = await connect(gate.running.awsUrl, `${TABLES}:443`)
  const answer = readAll(socket)
  socket.resume()
  socket.write(`POST / HTTP/1.1\r\nHost: ${TABLES}\r\n\r\n`)
  expect(await answer).not.toContain('HTTP/1.1')
  expect(upstream.seen).toEqual([])
})

test('there is no tunnel within a tunnel', async () => {
  const inner = await tunnel(TABLES)
  const answer = readAll(inner)
  inner.write(`CONNECT ${TABLES}:443 HTTP/1.1\r\nHost: ${TABLES}\r\n\r\n`)
  expect(await answer).toMatch(/^HTTP\/1\.1 403/)
})

test('what is sent right behind the CONNECT line is read after the handshake only', async () => {
  const { socket, text } = await connect(
    gate.running.awsUrl,
    `${TABLES}:443`,
    'GET / HTTP/1.1\r\n\r\n',
  )
  socket.resume()
  expect(text + (await readAll(socket))).not.toContain('HTTP/1.1 4')
})

test('a bucket in the host is a path upstream, the key byte for byte as it was signed', async () => {
  upstream.script = () => ({ status: 200, body: 'data' })
  const answer = await exchange(
    await tunnel(BUCKET),
    signedFor({
      host: BUCKET,
      service: 's3',
      method: 'GET',
      target: '/a%20b/%C3%A9?versionId=x%2B',
    }),
  )
  expect(answer.text).toContain('200 OK')
  const [one] = upstream.seen
  expect(one?.request.target).toBe('/orders/a%20b/%C3%A9?versionId=x%2B')
  const entry = (await gate.entries()).at(-1)
  expect(entry).toMatchObject({
    type: 'read',
    operation: 's3:GetObject',
    resources: ['arn:aws:s3:::orders/a b/é'],
  })
})

test('isolation is measured on the connection to the gate, not on what is in the tunnel', async () => {
  const claim = { headers: [['x-seconder-isolation', 'host']] } as const
  await exchange(await tunnel(TABLES), deleteTable(keys, claim))
  expect(await isolationShownBy(gate)).toBe('none')
})

const NOBODY = 65_534
const canRunAsNobody =
  process.getuid?.() === 0 &&
  spawnSync(process.execPath, ['-e', ''], { uid: NOBODY, cwd: '/' }).status === 0

/** A client in a process of its own: CONNECT, handshake, the request's bytes, and the end. */
const CLIENT = `
  const [port, host, ca, request] = process.argv.slice(1)
  const socket = require('node:net').connect(Number(port), '127.0.0.1')
  socket.write('CONNECT ' + host + ':443 HTTP/1.1\\r\\nHost: ' + host + '\\r\\n\\r\\n')
  socket.once('data', () => {
    const inner = require('node:tls').connect({ socket, ca, servername: host })
    inner.write(Buffer.from(request, 'base64'))
    inner.once('data', () => process.exit(0))
  })
`

test.skipIf(!canRunAsNobody)(
  'an agent on another user is measured as user through a tunnel too (needs root to try)',
  async () => {
    const fresh = await Harness.start({ upstream: upstream.url })
    const agent = await fresh.open('alice')
    const { headers, body } = deleteTable(agent)
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    const head = `POST / HTTP/1.1\r\n${lines}\r\n`
    const bytes = Buffer.concat([Buffer.from(head), body]).toString('base64')
    const { port } = new URL(fresh.running.awsUrl)
    const ca = (await fresh.running.gate.facts()).caCertificate
    const args = ['-e', CLIENT, port, TABLES, ca, bytes]
    const child = spawn(process.execPath, args, { uid: NOBODY, cwd: '/' })
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0)
    expect(await isolationShownBy(fresh)).toBe('user')
    await fresh.stop()
  },
)

function deleteTable(agent: Keys, { headers = [] }: Partial<Call> = {}): WireRequest {
  return signedFor(
    {
      host: TABLES,
      service: 'dynamodb',
      headers: [
        ['content-type', 'application/x-amz-json-1.0'],
        ['x-amz-target', 'DynamoDB_20120810.DeleteTable'],
        ...headers,
      ],
      body: '{"TableName":"orders"}',
    },
    agent,
  )
}

/** What the one open request's document says of the agent's isolation. */
async function isolationShownBy({ client }: Harness): Promise<unknown> {
  const { requests } = await client.get<{ requests: { requestId: string }[] }>('/api/requests')
  const path = `/api/requests/${requests[0]?.requestId}`
  const { document } = await client.get<{ document: string }>(path)
  return (JSON.parse(document) as { context: { isolation: unknown } }).context.isolation
}

test('several calls go through one tunnel, each with its own signature', async () => {
  const socket = await tunnel(TABLES)
  const { headers, body } = listTables()
  const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const text = Buffer.from(body).toString()
  const answers = readAll(socket)
  socket.write(`POST / HTTP/1.1\r\n${head}\r\n${text}POST / HTTP/1.1\r\n${head}`)
  socket.write(`connection: close\r\n\r\n${text}`)
  expect((await answers).match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
})

const CHINA_AND_GOVCLOUD = [
  ['dynamodb.cn-north-1.amazonaws.com.cn', 'dynamodb', 'cn-north-1'],
  ['dynamodb.us-gov-west-1.amazonaws.com', 'dynamodb', 'us-gov-west-1'],
  ['dynamodb.eusc-de-east-1.amazonaws.eu', 'dynamodb', 'eusc-de-east-1'],
] as const

for (const [host, service, region] of CHINA_AND_GOVCLOUD) {
  test(`a tunnel to ${host} carries calls signed for ${region}, and for no other region`, async () => {
    const call = { host, service, region }
    expect((await exchange(await tunnel(host), listTables(call))).status).toBe(200)
    const other = { ...call, region: 'eu-west-1' }
    const refused = await exchange(await tunnel(host), listTables(other))
    expect(refused.text).toContain('the host is not that of the service and region')
  })
}
