// The endpoint as AWS's own JavaScript client sees it, over loopback, with real signatures.

import {
  DataUnavailableException,
  type GetCostAndUsageCommandInput,
  type GetCostAndUsageCommandOutput,
  GetTagsCommand,
  RequestChangedException,
} from '@aws-sdk/client-cost-explorer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CostEndpoint, NOW_MS, SAMPLE, startCostEndpoint } from './cost-endpoint.fixture.ts'
import { csvRows, sumBy, sumOf, units } from './focus-sum.fixture.ts'
import { BODY_BYTES_MAX } from './server.ts'

const ROWS = csvRows(SAMPLE)
const QUESTION: GetCostAndUsageCommandInput = {
  TimePeriod: { Start: '2026-05-01', End: '2026-11-01' },
  Granularity: 'MONTHLY',
  Metrics: ['UnblendedCost'],
}

let endpoint: CostEndpoint
beforeAll(async () => {
  endpoint = await startCostEndpoint()
})
afterAll(() => endpoint.close())

function inTime(start: string, end: string) {
  return ROWS.filter((row) => {
    const day = (row['ChargePeriodStart'] ?? '').slice(0, 10)
    return day >= start && day < end
  })
}

/** `<period start>|<keys>` to the amount of one metric in 10^-18. */
function amounts(answer: GetCostAndUsageCommandOutput, metric = 'UnblendedCost') {
  const found = new Map<string, bigint>()
  for (const result of answer.ResultsByTime ?? []) {
    const start = result.TimePeriod?.Start
    const total = result.Total?.[metric]?.Amount
    if (total !== undefined) found.set(`${start}`, units(total))
    for (const group of result.Groups ?? []) {
      found.set(
        [start, ...(group.Keys ?? [])].join('|'),
        units(group.Metrics?.[metric]?.Amount ?? ''),
      )
    }
  }
  return found
}

describe('sums', () => {
  test('monthly totals are the sums of the file, to the last digit', async () => {
    const answer = await endpoint.ask(QUESTION)
    const expected = sumBy(ROWS, 'BilledCost', (row) =>
      (row['ChargePeriodStart'] ?? '').slice(0, 10),
    )
    const byMonth = new Map<string, bigint>()
    for (const [day, sum] of expected) {
      const month = `${day.slice(0, 7)}-01`
      byMonth.set(month, (byMonth.get(month) ?? 0n) + sum)
    }
    expect(amounts(answer)).toEqual(byMonth)
    expect(answer.ResultsByTime).toHaveLength(6)
    expect(answer.ResultsByTime?.[0]?.Groups).toEqual([])
  })

  test('daily costs by service and region are the sums of the file', async () => {
    const answer = await endpoint.ask({
      ...QUESTION,
      TimePeriod: { Start: '2026-08-03', End: '2026-08-20' },
      Granularity: 'DAILY',
      GroupBy: [
        { Type: 'DIMENSION', Key: 'SERVICE' },
        { Type: 'DIMENSION', Key: 'REGION' },
      ],
    })
    const expected = sumBy(inTime('2026-08-03', '2026-08-20'), 'BilledCost', (row) =>
      [
        (row['ChargePeriodStart'] ?? '').slice(0, 10),
        row['ServiceName'],
        row['RegionId'] || 'NoRegion',
      ].join('|'),
    )
    expect(amounts(answer)).toEqual(expected)
    expect(answer.ResultsByTime).toHaveLength(17)
    expect(answer.ResultsByTime?.[0]?.Total).toEqual({})
    expect(answer.GroupDefinitions).toHaveLength(2)
  })

  test('tag groups read key$value, and key$ for what has no such tag', async () => {
    const answer = await endpoint.ask({ ...QUESTION, GroupBy: [{ Type: 'TAG', Key: 'team' }] })
    const expected = sumBy(ROWS, 'BilledCost', (row) => {
      const tags = JSON.parse(row['Tags'] || '{}') as Record<string, string>
      return `${(row['ChargePeriodStart'] ?? '').slice(0, 7)}-01|team$${tags['team'] ?? ''}`
    })
    expect(amounts(answer)).toEqual(expected)
  })

  test('a filter tree keeps exactly the rows it says', async () => {
    const answer = await endpoint.ask({
      ...QUESTION,
      GroupBy: [{ Type: 'DIMENSION', Key: 'LINKED_ACCOUNT' }],
      Filter: {
        And: [
          { Dimensions: { Key: 'REGION', Values: ['cn-north-1', 'eu-west-1'] } },
          { Not: { Tags: { Key: 'team', Values: ['checkout'] } } },
          {
            Or: [
              { Dimensions: { Key: 'RECORD_TYPE', Values: ['Usage'] } },
              { Dimensions: { Key: 'USAGE_TYPE', Values: ['none'] } },
            ],
          },
        ],
      },
    })
    const kept = ROWS.filter((row) => {
      const isThere = ['cn-north-1', 'eu-west-1'].includes(row['RegionId'] ?? '')
      return isThere && !(row['Tags'] ?? '').includes('"checkout"')
    })
    const expected = sumBy(
      kept,
      'BilledCost',
      (row) => `${(row['ChargePeriodStart'] ?? '').slice(0, 7)}-01|${row['SubAccountId']}`,
    )
    expect(amounts(answer)).toEqual(expected)
  })

  test.each([
    ['a tag that is absent', { Tags: { Key: 'team' } }],
    ['a tag that is ABSENT by match option', { Tags: { Key: 'team', MatchOptions: ['ABSENT'] } }],
    ['no tag at all', { Tags: {} }],
  ] as const)('%s keeps the untagged rows', async (_, filter) => {
    const Filter = JSON.parse(JSON.stringify(filter)) as GetCostAndUsageCommandInput['Filter']
    const answer = await endpoint.ask({ ...QUESTION, Filter })
    const total = [...amounts(answer).values()].reduce((sum, amount) => sum + amount, 0n)
    expect(total).toBe(
      sumOf(
        ROWS.filter((row) => row['Tags'] === ''),
        'BilledCost',
      ),
    )
  })

  test('a quantity has its unit where all rows share it, and N/A where they do not', async () => {
    const ask = async (Filter: GetCostAndUsageCommandInput['Filter']) => {
      const input = { ...QUESTION, Metrics: ['UsageQuantity'], Filter }
      return (await endpoint.ask(input)).ResultsByTime?.[0]?.Total?.['UsageQuantity']
    }
    const hours = await ask({ Dimensions: { Key: 'USAGE_TYPE', Values: ['BoxUsage:m7g.large'] } })
    expect(hours?.Unit).toBe('Hrs')
    const rows = inTime('2026-05-01', '2026-06-01').filter(
      (row) => row['x_UsageType'] === 'BoxUsage:m7g.large',
    )
    expect(units(hours?.Amount ?? '')).toBe(sumOf(rows, 'ConsumedQuantity'))
    expect((await ask(undefined))?.Unit).toBe('N/A')
  })

  test('an unknown filter value gives zeros for every period, with a currency', async () => {
    const Filter = { Dimensions: { Key: 'SERVICE' as const, Values: ['No Such Service'] } }
    const answer = await endpoint.ask({ ...QUESTION, Filter })
    expect(answer.ResultsByTime).toHaveLength(6)
    for (const result of answer.ResultsByTime ?? []) {
      expect(result.Total).toEqual({ UnblendedCost: { Amount: '0', Unit: 'USD' } })
    }
  })

  test('a month that is not over is estimated, one that is over is not', async () => {
    const TimePeriod = { Start: '2026-10-01', End: '2026-12-01' }
    const answer = await endpoint.ask({ ...QUESTION, TimePeriod })
    expect(answer.ResultsByTime?.map((result) => result.Estimated)).toEqual([false, true])
  })
})

describe('hostile values', () => {
  const HOSTILE = [
    "x' OR '1'='1",
    "'; DROP TABLE fact; --",
    '$1',
    '\\',
    '%',
    '" UNION SELECT * FROM fact',
    "read_csv('/etc/passwd')",
  ]
  test.each(HOSTILE)('%s as a filter value matches nothing', async (value) => {
    for (const Filter of [
      { Dimensions: { Key: 'SERVICE' as const, Values: [value] } },
      { Tags: { Key: value, Values: [value] } },
      { Tags: { Key: 'team', Values: [value] } },
    ]) {
      const answer = await endpoint.ask({ ...QUESTION, Filter })
      expect([...amounts(answer).values()]).toEqual([0n, 0n, 0n, 0n, 0n, 0n])
    }
  })
  test.each(HOSTILE)('%s as a tag to group by is a tag that nothing has', async (value) => {
    const answer = await endpoint.ask({ ...QUESTION, GroupBy: [{ Type: 'TAG', Key: value }] })
    expect(answer.ResultsByTime?.[0]?.Groups?.map((group) => group.Keys)).toEqual([[`${value}$`]])
  })
  test('the costs are all there afterwards', async () => {
    const total = [...amounts(await endpoint.ask(QUESTION)).values()].reduce((a, b) => a + b, 0n)
    expect(total).toBe(sumOf(ROWS, 'BilledCost'))
  })
})

describe('pages', () => {
  const GROUPED: GetCostAndUsageCommandInput = {
    ...QUESTION,
    GroupBy: [{ Type: 'DIMENSION', Key: 'SERVICE' }],
  }

  test('all pages together are the whole answer, and a token fits one question', async () => {
    const paged = await startCostEndpoint({ pageGroups: 5 })
    try {
      const found = new Map<string, bigint>()
      let token: string | undefined
      let pages = 0
      do {
        const input = token === undefined ? GROUPED : { ...GROUPED, NextPageToken: token }
        const answer = await paged.ask(input)
        for (const [key, amount] of amounts(answer)) {
          expect(found.has(key)).toBe(false)
          found.set(key, amount)
        }
        token = answer.NextPageToken
        pages += 1
      } while (token !== undefined)
      expect(found).toEqual(amounts(await endpoint.ask(GROUPED)))
      expect(pages).toBe(Math.ceil(found.size / 5))

      const { NextPageToken } = await paged.ask(GROUPED)
      const changed = { ...GROUPED, Metrics: ['AmortizedCost'], NextPageToken }
      await expect(paged.ask(changed)).rejects.toBeInstanceOf(RequestChangedException)
      const forged = { ...GROUPED, NextPageToken: NextPageToken?.replace('p1.5.', 'p1.6.') }
      await expect(paged.ask(forged)).rejects.toMatchObject({ name: 'InvalidNextTokenException' })
      await paged.store.removeExport('sample')
      await paged.store.ingestFocusCsv({ name: 'other', bytes: Buffer.from(SAMPLE) })
      const later = paged.ask({ ...GROUPED, NextPageToken })
      await expect(later).rejects.toMatchObject({ name: 'InvalidNextTokenException' })
    } finally {
      await paged.close()
    }
  })
})

describe('adjustments', () => {
  test('a factor changes the money of its month alone, exactly', async () => {
    const adjustments = async () => new Map([['2026-08', { factor: '1.0825' }]])
    const other = await startCostEndpoint({ adjustments })
    try {
      const plain = amounts(await endpoint.ask(QUESTION))
      const changed = amounts(await other.ask(QUESTION))
      const expected = new Map(plain)
      // Ten decimals times four: the product has at most 14, so nothing is cut here.
      expected.set('2026-08-01', ((plain.get('2026-08-01') ?? 0n) * 10_825n) / 10_000n)
      expect(changed).toEqual(expected)
      const quantity = { ...QUESTION, Metrics: ['UsageQuantity'] }
      expect(amounts(await other.ask(quantity), 'UsageQuantity')).toEqual(
        amounts(await endpoint.ask(quantity), 'UsageQuantity'),
      )
    } finally {
      await other.close()
    }
  })

  test.each([
    ['the settings cannot be read', async () => Promise.reject(new Error('table is gone'))],
    ['a factor is no number', async () => new Map([['2026-08', { factor: 'NaN' }]])],
    ['a month is none', async () => new Map([['2026-13', { factor: '1' }]])],
  ])('where %s the answer is an outage, not a number', async (_, adjustments) => {
    const other = await startCostEndpoint({ adjustments })
    try {
      await expect(other.ask(QUESTION)).rejects.toMatchObject({
        name: 'InternalFailure',
        $metadata: { httpStatusCode: 500 },
      })
      expect(other.reported).toHaveLength(1)
    } finally {
      await other.close()
    }
  })
})

describe('what cannot be told', () => {
  test('without any export the costs are unavailable, not zero', async () => {
    const empty = await startCostEndpoint({ csv: null })
    try {
      await expect(empty.ask(QUESTION)).rejects.toBeInstanceOf(DataUnavailableException)
    } finally {
      await empty.close()
    }
  })

  test('a missing month between two delivered ones is unavailable, not zero', async () => {
    const august = SAMPLE.split('\n').filter((line) => !line.includes('2026-08-01T00:00:00Z'))
    const holed = await startCostEndpoint({ csv: august.join('\n') })
    try {
      const TimePeriod = { Start: '2026-08-01', End: '2026-09-01' }
      await expect(holed.ask({ ...QUESTION, TimePeriod })).rejects.toBeInstanceOf(
        DataUnavailableException,
      )
      const before = { Start: '2026-09-01', End: '2026-10-01' }
      expect((await holed.ask({ ...QUESTION, TimePeriod: before })).ResultsByTime).toHaveLength(1)
    } finally {
      await holed.close()
    }
  })

  test('a store that fails is an outage, not a number', async () => {
    const broken = await startCostEndpoint()
    try {
      await broken.store.close()
      await expect(broken.ask(QUESTION)).rejects.toMatchObject({ name: 'InternalFailure' })
    } finally {
      await broken.close()
    }
  })
})

describe('the door', () => {
  test('a wrong secret key is refused, the right one is not', async () => {
    const send = (secret?: string) =>
      endpoint.client(secret).send(new GetTagsCommand({ TimePeriod: QUESTION.TimePeriod }))
    await expect(send('wrong')).rejects.toMatchObject({ name: 'InvalidSignatureException' })
    await expect(send()).rejects.toMatchObject({ name: 'NotImplementedException' })
  })

  test('an unsigned request is refused', async () => {
    const answer = await fetch(endpoint.url, { method: 'POST', body: '{}' })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ __type: 'MissingAuthenticationTokenException' })
  })

  test('a body past the limit is refused first, one at the limit is not', async () => {
    const send = async (bytes: number) => {
      const answer = await fetch(endpoint.url, { method: 'POST', body: ' '.repeat(bytes) })
      return answer.status
    }
    expect(await send(BODY_BYTES_MAX + 1)).toBe(413)
    expect(await send(BODY_BYTES_MAX)).toBe(400)
  })

  test('a clock that is off by more than 15 minutes is refused', async () => {
    const other = await startCostEndpoint({ now: () => NOW_MS + 16 * 60_000 })
    try {
      await expect(other.ask(QUESTION)).rejects.toMatchObject({ name: 'InvalidSignatureException' })
    } finally {
      await other.close()
    }
  })
})
