// Traces of calls as a collector gets them: what they say, what an agent cannot forge in them, and that a collector
// that fails costs spans and nothing else. The form is that of the OTLP specification.
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { GateMetrics } from '@seconder/gateway/telemetry/gate-metrics'
import { Log } from '@seconder/gateway/telemetry/log'
import type { Span } from '@seconder/gateway/telemetry/otlp'
import { SPANS_MAX, TraceExporter } from '@seconder/gateway/telemetry/trace-exporter'
import { afterEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { ACCOUNT, Harness, type Keys, requestIdIn } from './harness.ts'

type Attributes = readonly { key: string; value: Record<string, string> }[]
interface Got {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: Attributes
  readonly links?: readonly { traceId: string; spanId: string; attributes: Attributes }[]
}

let upstream: FakeUpstream | undefined
let gate: Harness | undefined
let collector: http.Server | undefined

afterEach(async () => {
  await gate?.stop()
  await upstream?.close()
  collector?.closeAllConnections()
  collector?.close()
  gate = undefined
  upstream = undefined
  collector = undefined
})

/** A collector that answers as told; `null` never answers. */
async function collecting(answer: () => { status: number; body?: string } | null) {
  const bodies: string[] = []
  collector = http.createServer((incoming, outgoing) => {
    let body = ''
    incoming.setEncoding('utf8').on('data', (piece: string) => {
      body += piece
    })
    incoming.on('end', () => {
      bodies.push(body)
      const said = answer()
      if (said !== null) outgoing.writeHead(said.status).end(said.body ?? '{}')
    })
  })
  collector.listen(0, '127.0.0.1')
  await new Promise((resolve) => collector?.once('listening', resolve))
  const { port } = collector.address() as AddressInfo
  return { endpoint: `http://127.0.0.1:${port}/v1/traces`, bodies }
}

function spansIn(bodies: readonly string[]): Got[] {
  return bodies.flatMap((body) => {
    const { resourceSpans } = JSON.parse(body) as {
      resourceSpans: { resource: { attributes: Attributes }; scopeSpans: { spans: Got[] }[] }[]
    }
    for (const { resource } of resourceSpans) {
      expect(valueIn(resource.attributes, 'service.name')).toBe('seconder')
    }
    return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
  })
}

const valueIn = (attributes: Attributes, key: string) =>
  Object.values(attributes.find((one) => one.key === key)?.value ?? {})[0]

/** What every span must be by the specification: ids of so many hex digits, times in order. */
function requireForm(spans: readonly Got[]): void {
  const ids = new Set(spans.map(({ spanId }) => spanId))
  expect(ids.size).toBe(spans.length)
  for (const span of spans) {
    expect(span.traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/)
    expect(span.spanId).toMatch(/^(?!0{16})[0-9a-f]{16}$/)
    expect(span.startTimeUnixNano).toMatch(/^\d{19}$/)
    expect(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano)).toBe(true)
    if (span.parentSpanId !== undefined) expect(ids).toContain(span.parentSpanId)
  }
}

/** A client that sends `traceparent` with each call, as one under another tracer does. */
function tracedClient({ endpoint, accessKeyId, secretAccessKey }: Keys, traceparent: string) {
  const credentials = { accessKeyId, secretAccessKey }
  const client = new DynamoDBClient({ endpoint, region: 'eu-west-1', credentials })
  client.middlewareStack.add(
    (next) => (given) => {
      Object.assign((given.request as { headers: object }).headers, { traceparent })
      return next(given)
    },
    { step: 'finalizeRequest', priority: 'low' },
  )
  return client
}

test('a call is one span with its stages below it; an agent can claim a trace and cannot join one', async () => {
  upstream = await startFakeUpstream()
  const { endpoint, bodies } = await collecting(() => ({ status: 200 }))
  gate = await Harness.start({
    upstream: upstream.url,
    traces: { endpoint, ratio: 1, everyMs: 50 },
  })
  const keys = await gate.open('alice', 'agent-of-many-words')
  const [claimedTrace, claimedSpan] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7']
  // Not sampled, it says: that is not the caller's to say.
  const client = tracedClient(keys, `00-${claimedTrace}-${claimedSpan}-00`)
  const Key = { id: { S: 'body-of-a-call' } }
  await client.send(new GetItemCommand({ TableName: 'orders', Key }))
  const put = new PutItemCommand({ TableName: 'orders', Item: Key })
  const request = requestIdIn(await client.send(put).catch((cause: unknown) => cause))
  const forged = tracedClient(keys, `00-${'0'.repeat(32)}-${claimedSpan}-01`)
  await forged.send(new GetItemCommand({ TableName: 'orders', Key }))
  const roots = () => spansIn(bodies).filter(({ parentSpanId }) => parentSpanId === undefined)
  await expect.poll(() => roots().length, { timeout: 60_000 }).toBe(3)

  const spans = spansIn(bodies)
  requireForm(spans)
  const [read, held, other] = roots()
  expect(new Set(roots().map(({ traceId }) => traceId)).size).toBe(3)
  expect(spans.map(({ traceId }) => traceId)).not.toContain(claimedTrace)
  expect(read).toMatchObject({ name: 'dynamodb/GetItem', kind: 2 })
  expect(read?.links).toMatchObject([{ traceId: claimedTrace, spanId: claimedSpan }])
  expect(other?.links).toBeUndefined()
  const shown = (span: Got | undefined, key: string) => valueIn(span?.attributes ?? [], key)
  expect(shown(read, 'rpc.system.name')).toBe('aws-api')
  expect(shown(read, 'rpc.service')).toBe('dynamodb')
  expect(shown(read, 'rpc.method')).toBe('GetItem')
  expect(shown(read, 'cloud.region')).toBe('eu-west-1')
  expect(shown(read, 'seconder.decision')).toBe('allow')
  expect(shown(read, 'http.response.status_code')).toBe('200')
  expect(shown(held, 'seconder.decision')).toBe('review')
  expect(shown(held, 'seconder.request')).toBe(request)
  const stages = (root: Got | undefined) =>
    spans.filter(({ parentSpanId }) => parentSpanId === root?.spanId).map(({ name }) => name)
  const begun = ['seconder.receive', 'seconder.identify', 'seconder.describe']
  expect(stages(read)).toEqual([...begun, 'seconder.decide', 'seconder.execute'])
  const asked = ['seconder.resolve', 'seconder.decide', 'seconder.review']
  expect(stages(held)).toEqual([...begun, ...asked])
  const words = ['orders', 'body-of-a-call', 'agent-of-many-words', 'alice', ACCOUNT, 'arn:']
  for (const word of [...words, keys.accessKeyId, keys.secretAccessKey, keys.sessionId]) {
    expect(bodies.join('\n'), word).not.toContain(word)
  }
})

test('a collector that never answers, refuses or is gone neither holds up a call nor breaks one', async () => {
  upstream = await startFakeUpstream()
  const { endpoint, bodies } = await collecting(() => null)
  gate = await Harness.start({
    upstream: upstream.url,
    traces: { endpoint, ratio: 1, everyMs: 10 },
  })
  const client = gate.dynamodb(await gate.open('alice'))
  const read = () => client.send(new GetItemCommand({ TableName: 't', Key: { id: { S: '1' } } }))
  await read()
  await expect.poll(() => bodies.length, { timeout: 60_000 }).toBe(1)
  for (let count = 0; count < 5; count++) await read()
  // The first batch waits for its answer; what came since waits for that, within the limit.
  expect(bodies.length).toBe(1)
  expect(gate.running.gate.telemetry.spansWaiting).toBeGreaterThan(0)
  collector?.closeAllConnections()
  collector?.close()
  await read()
})

function measured(endpoint: string) {
  const metrics = new GateMetrics()
  const said: string[] = []
  const log = new Log({ format: 'text', level: 'info' }, Date.now, (bytes, done) => {
    said.push(Buffer.from(bytes).toString())
    done(null, bytes.byteLength)
  })
  const exporter = new TraceExporter({ endpoint, metrics, log, everyMs: 5 })
  const counts = () =>
    Object.fromEntries(
      metrics.spans.samples().map(({ labels, value }) => [labels[0]?.[1] ?? '', value]),
    )
  return { exporter, counts, said }
}

const some = (count: number): Span[] =>
  Array.from({ length: count }, (_, index) => ({
    ...{ traceId: '1'.repeat(32), spanId: String(index).padStart(16, '1'), name: 'x', kind: 1 },
    ...{ startTimeUnixNano: '1', endTimeUnixNano: '2', attributes: [] },
  }))

test('the queue takes so many spans and not one more; each span is counted once, whatever became of it', async () => {
  let isUp = false
  const { endpoint } = await collecting(() => (isUp ? { status: 200 } : { status: 400 }))
  const { exporter, counts, said } = measured(endpoint)
  exporter.add(some(SPANS_MAX - 1))
  // The first batch is on its way at once, and does not wait in the queue any more.
  const waiting = exporter.depth
  expect(waiting).toBe(SPANS_MAX - 1 - 512)
  exporter.add(some(SPANS_MAX - waiting))
  expect(exporter.depth).toBe(SPANS_MAX)
  exporter.add(some(1))
  expect(counts()['dropped_queue']).toBe(1)
  await expect.poll(() => counts()['dropped_failed'], { timeout: 60_000 }).toBe(SPANS_MAX + 512)
  expect(said.filter((line) => line.includes('traces_failing code=http_400'))).toHaveLength(1)
  isUp = true
  exporter.add(some(3))
  await expect.poll(() => counts()['exported'], { timeout: 60_000 }).toBe(3)
  expect(said.at(-1)).toContain('traces_recovered')
  await exporter.close()
})

test('what a collector says it did not take is not called exported; a lying answer breaks nothing', async () => {
  const answers = ['{"partialSuccess":{"rejectedSpans":"2"}}', '<html>', '', '[]', 'null']
  const lying = '{"partialSuccess":{"rejectedSpans":99999999}}'
  let body = answers[0] ?? ''
  const { endpoint } = await collecting(() => ({ status: 200, body }))
  const { exporter, counts } = measured(endpoint)
  let sum = 0
  for (const answer of [...answers, lying]) {
    body = answer
    exporter.add(some(5))
    sum += 5
    const done = () => (counts()['exported'] ?? 0) + (counts()['dropped_rejected'] ?? 0)
    await expect.poll(done, { timeout: 60_000 }).toBe(sum)
  }
  expect(counts()).toMatchObject({ exported: 3 + 4 * 5, dropped_rejected: 2 + 5 })
  await exporter.close()
})
