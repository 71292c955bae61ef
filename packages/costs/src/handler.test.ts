// The handler without a socket, driven with requests that packages/aws signs: what it does when it
// is asked too much, too deep, by the wrong name, or when what it depends on hangs.

import { sign } from '@seconder/aws/sigv4/sign'
import type { WireHeader, WireRequest } from '@seconder/aws/wire-request'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ADJUSTMENTS_MAX, readFactors } from './adjustments.ts'
import { OPERATIONS } from './operations.ts'
import { RESULT_GROUPS_MAX } from './query.ts'
import {
  ADJUSTMENTS_TIMEOUT_MS,
  BODY_BYTES_MAX,
  BODY_DEPTH_MAX,
  type CostServerOptions,
  costHandler,
  QUESTIONS_MAX,
} from './server.ts'
import { type CostStore, openCostStore } from './store.ts'

const NOW_MS = Date.parse('2026-11-23T12:00:00Z')
const KEYS = { accessKeyId: 'AKIACOSTSTESTEXAMPLE', secretAccessKey: 'costs/test+secret/example' }
const QUESTION = {
  TimePeriod: { Start: '2026-08-01', End: '2026-09-01' },
  Granularity: 'MONTHLY',
  Metrics: ['UnblendedCost'],
}

let store: CostStore
beforeAll(async () => {
  store = await openCostStore()
  const csv = 'BilledCost,ChargePeriodStart,BillingCurrency\n1.5,2026-08-01,USD\n'
  await store.ingestFocusCsv({ name: 'bill', bytes: Buffer.from(csv) })
})
afterAll(() => store.close())

interface Asked {
  readonly body?: unknown
  readonly target?: string
  readonly service?: string
  readonly path?: string
  readonly method?: string
  readonly contentType?: string
}

function request(asked: Asked = {}): WireRequest {
  const { body = QUESTION, target = 'AWSInsightsIndexService.GetCostAndUsage' } = asked
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const plain: WireRequest = {
    method: asked.method ?? 'POST',
    target: asked.path ?? '/',
    headers: [
      ['host', 'ce.us-east-1.amazonaws.com'],
      ['content-type', asked.contentType ?? 'application/x-amz-json-1.1'],
      ['x-amz-target', target],
    ],
    body: new TextEncoder().encode(text),
  }
  const scope = { region: 'us-east-1', service: asked.service ?? 'ce' }
  return { ...plain, headers: sign(plain, KEYS, scope, NOW_MS) }
}

const handler = (options: Partial<CostServerOptions> = {}) =>
  costHandler({
    store,
    credentials: (id) => (id === KEYS.accessKeyId ? KEYS.secretAccessKey : undefined),
    now: () => NOW_MS,
    ...options,
  })

async function answer(wire: WireRequest, options: Partial<CostServerOptions> = {}) {
  const reply = await handler(options)(wire)
  const body = JSON.parse(new TextDecoder().decode(reply.body)) as Record<string, unknown>
  return { status: reply.status, body, headers: new Map(reply.headers) }
}

const withHeader = (wire: WireRequest, header: WireHeader): WireRequest => ({
  ...wire,
  headers: [...wire.headers.filter(([name]) => name !== header[0]), header],
})

describe('the door', () => {
  test('a signed question is answered, with a request id', async () => {
    const { status, body, headers } = await answer(request())
    expect(status).toBe(200)
    expect(body).toMatchObject({
      ResultsByTime: [{ Total: { UnblendedCost: { Amount: '1.5', Unit: 'USD' } } }],
    })
    expect(headers.get('content-type')).toBe('application/x-amz-json-1.1')
    expect(headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/)
  })

  test.each([
    ['one byte of the body', { ...request(), body: request({ body: '{} ' }).body }],
    ['the operation', withHeader(request(), ['x-amz-target', 'AWSInsightsIndexService.GetTags'])],
    ['the service of the scope', request({ service: 's3' })],
  ])('a signature over another value of %s is refused', async (_, wire) => {
    const { status, body } = await answer(wire)
    expect(status).toBe(400)
    expect(body['__type']).toBe('InvalidSignatureException')
  })

  test('an unknown key is refused by AWS’s name for it', async () => {
    const { body } = await answer(request(), { credentials: () => undefined })
    expect(body['__type']).toBe('UnrecognizedClientException')
  })

  test.each([
    ['another service', { target: 'DynamoDB_20120810.GetItem' }],
    ['no operation of Cost Explorer', { target: 'AWSInsightsIndexService.GetEverything' }],
    ['a name from Object', { target: 'AWSInsightsIndexService.constructor' }],
    ['a path', { path: '/costs' }],
    ['a method', { method: 'PUT' }],
  ])('%s is an unknown operation', async (_, asked) => {
    const { status, body } = await answer(request(asked))
    expect([status, body['__type']]).toEqual([400, 'UnknownOperationException'])
  })

  test('each of the other 46 operations is refused by name, not answered empty', async () => {
    expect(new Set(OPERATIONS).size).toBe(47)
    for (const name of OPERATIONS.filter((each) => each !== 'GetCostAndUsage')) {
      const { status, body } = await answer(
        request({ target: `AWSInsightsIndexService.${name}`, body: {} }),
      )
      expect([status, body['__type']]).toEqual([501, 'NotImplementedException'])
      expect(body['Message']).toContain(name)
    }
  })

  test.each([
    ['no JSON', { body: '{' }],
    ['a key twice', { body: '{"Granularity":"DAILY","Granularity":"MONTHLY"}' }],
    ['another content type', { contentType: 'application/cbor' }],
  ])('%s cannot be read', async (_, asked) => {
    expect((await answer(request(asked))).body['__type']).toBe('SerializationException')
  })
})

describe('limits', () => {
  test('a body at the limit is read and one past it is not', async () => {
    const padded = (bytes: number) => JSON.stringify(QUESTION).padEnd(bytes, ' ')
    expect((await answer(request({ body: padded(BODY_BYTES_MAX) }))).status).toBe(200)
    const { status, body } = await answer(request({ body: padded(BODY_BYTES_MAX + 1) }))
    expect([status, body['__type']]).toEqual([413, 'RequestEntityTooLargeException'])
  })

  test('a body nests as deep as it may and no deeper', async () => {
    const deep = (depth: number) => `{"Filter":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
    const type = async (depth: number) =>
      (await answer(request({ body: deep(depth) }))).body['__type']
    expect(await type(BODY_DEPTH_MAX)).toBe('ValidationException')
    expect(await type(BODY_DEPTH_MAX + 1)).toBe('SerializationException')
  })

  test('as many questions as may come at once are answered, the next must wait', async () => {
    const gate = Promise.withResolvers<ReadonlyMap<string, { factor: string }>>()
    const handle = handler({ adjustments: () => gate.promise })
    const asked = Array.from({ length: QUESTIONS_MAX }, () => handle(request()))
    const next = await handle(request())
    expect(new TextDecoder().decode(next.body)).toContain('LimitExceededException')
    gate.resolve(new Map())
    for (const reply of await Promise.all(asked)) expect(reply.status).toBe(200)
    expect((await handle(request())).status).toBe(200)
  })

  test('settings that hang become an outage', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const reported: unknown[] = []
      const options = {
        adjustments: () => new Promise<never>(() => undefined),
        report: (error: unknown) => reported.push(error),
      }
      const waiting = answer(request(), options)
      await vi.advanceTimersByTimeAsync(ADJUSTMENTS_TIMEOUT_MS)
      const { status, body } = await waiting
      expect([status, body['__type']]).toEqual([500, 'InternalFailure'])
      expect(String(reported[0])).toContain('did not come')
    } finally {
      vi.useRealTimers()
    }
  })

  test('as many adjustments as there may be are read, one more is not', () => {
    const months = (count: number) =>
      new Map(
        Array.from({ length: count }, (_, n) => {
          const month = `${1900 + Math.floor(n / 12)}-${String((n % 12) + 1).padStart(2, '0')}`
          return [month, { factor: '1' }] as const
        }),
      )
    expect(readFactors(months(ADJUSTMENTS_MAX)).size).toBe(ADJUSTMENTS_MAX)
    expect(() => readFactors(months(ADJUSTMENTS_MAX + 1))).toThrow(RangeError)
  })

  test('an answer has as many groups as it may and no more', async () => {
    const large = await openCostStore()
    try {
      const lines = ['BilledCost,ChargePeriodStart,BillingCurrency,ServiceName']
      for (let n = 0; n <= RESULT_GROUPS_MAX; n += 1) lines.push(`1,2026-08-01,USD,s${n}`)
      await large.ingestFocusCsv({ name: 'bill', bytes: Buffer.from(lines.join('\n')) })
      const GroupBy = [{ Type: 'DIMENSION', Key: 'SERVICE' }]
      const Filter = { Not: { Dimensions: { Key: 'SERVICE', Values: ['s0'] } } }
      const ask = (body: object) => answer(request({ body }), { store: large })
      expect((await ask({ ...QUESTION, GroupBy, Filter })).status).toBe(200)
      const past = await ask({ ...QUESTION, GroupBy })
      expect([past.status, past.body['__type']]).toEqual([400, 'ValidationException'])
    } finally {
      await large.close()
    }
  })
})

describe('rows that cannot be summed', () => {
  const asking = async (csv: string, body: object) => {
    const other = await openCostStore()
    try {
      await other.ingestFocusCsv({ name: 'bill', bytes: Buffer.from(csv) })
      return (await answer(request({ body }), { store: other })).body
    } finally {
      await other.close()
    }
  }

  test('two currencies are not added up, and each alone is told', async () => {
    const csv =
      'BilledCost,ChargePeriodStart,BillingCurrency,SubAccountId\n' +
      '1,2026-08-01,USD,1\n2,2026-08-01,CNY,2\n'
    expect((await asking(csv, QUESTION))['__type']).toBe('DataUnavailableException')
    const GroupBy = [{ Type: 'DIMENSION', Key: 'LINKED_ACCOUNT' }]
    expect(await asking(csv, { ...QUESTION, GroupBy })).toMatchObject({
      ResultsByTime: [
        {
          Groups: [
            { Keys: ['1'], Metrics: { UnblendedCost: { Amount: '1', Unit: 'USD' } } },
            { Keys: ['2'], Metrics: { UnblendedCost: { Amount: '2', Unit: 'CNY' } } },
          ],
        },
      ],
    })
  })

  test('amortized costs are not told where a row has none, unblended ones are', async () => {
    const csv =
      'BilledCost,EffectiveCost,ChargePeriodStart,BillingCurrency\n' +
      '1,0.5,2026-08-01,USD\n2,,2026-08-01,USD\n'
    const amortized = { ...QUESTION, Metrics: ['AmortizedCost'] }
    expect((await asking(csv, amortized))['__type']).toBe('DataUnavailableException')
    expect(await asking(csv, QUESTION)).toMatchObject({
      ResultsByTime: [{ Total: { UnblendedCost: { Amount: '3' } } }],
    })
    const whole = csv.replace('2,,', '2,1.25,')
    expect(await asking(whole, amortized)).toMatchObject({
      ResultsByTime: [{ Total: { AmortizedCost: { Amount: '1.75' } } }],
    })
  })

  test('a month is final once every charge is invoiced, where the export says so', async () => {
    const csv = (invoice: string) =>
      `BilledCost,ChargePeriodStart,InvoiceId\n1,2026-08-01,INV-1\n1,2026-08-02,${invoice}\n`
    const estimated = async (text: string) => {
      const body = (await asking(text, QUESTION)) as { ResultsByTime: { Estimated: boolean }[] }
      return body.ResultsByTime[0]?.Estimated
    }
    expect(await estimated(csv('INV-1'))).toBe(false)
    expect(await estimated(csv(''))).toBe(true)
  })
})
