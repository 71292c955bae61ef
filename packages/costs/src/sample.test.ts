import { expect, test } from 'vitest'
import { csvRows } from './focus-sum.fixture.ts'
import { SAMPLE_ACCOUNTS, SAMPLE_MONTHS, SAMPLE_MONTHS_MAX, sampleFocusCsv } from './sample.ts'

test('the sample is the same text every time, and another with another seed', () => {
  const months = ['2026-08']
  expect(sampleFocusCsv({ months })).toBe(sampleFocusCsv({ months, seed: 1 }))
  expect(sampleFocusCsv({ months })).not.toBe(sampleFocusCsv({ months, seed: 2 }))
})

test('the sample has six months, several services, two partitions, all accounts', () => {
  const rows = csvRows(sampleFocusCsv({ months: SAMPLE_MONTHS }))
  const distinct = (column: string) => new Set(rows.map((row) => row[column]))
  expect(rows.length).toBeGreaterThan(3_000)
  expect(distinct('BillingPeriodStart').size).toBe(6)
  expect(distinct('ServiceName').size).toBeGreaterThan(5)
  expect(distinct('RegionId')).toContain('cn-north-1')
  expect(distinct('RegionId')).toContain('us-east-1')
  expect(distinct('SubAccountId')).toEqual(new Set(SAMPLE_ACCOUNTS))
  expect(distinct('ChargeCategory')).toEqual(new Set(['Usage', 'Tax', 'Credit']))
})

test('every row has the columns that FOCUS 1.0 never leaves empty', () => {
  for (const row of csvRows(sampleFocusCsv({ months: ['2026-02'] }))) {
    for (const column of [
      'BilledCost',
      'EffectiveCost',
      'ListCost',
      'ContractedCost',
      'BillingAccountId',
      'BillingCurrency',
      'BillingPeriodStart',
      'BillingPeriodEnd',
      'ChargePeriodStart',
      'ChargePeriodEnd',
      'ChargeCategory',
      'ServiceName',
      'ServiceCategory',
      'ProviderName',
      'PublisherName',
      'InvoiceIssuerName',
    ]) {
      expect(row[column]).not.toBe('')
    }
  }
})

test('a month is YYYY-MM, and there are as many as there may be', () => {
  for (const month of ['2026-13', '2026-1', 'August']) {
    expect(() => sampleFocusCsv({ months: [month] })).toThrow(RangeError)
  }
  const months = (count: number) => Array.from({ length: count }, () => '2026-02')
  const accounts = ['1']
  expect(() => sampleFocusCsv({ months: months(SAMPLE_MONTHS_MAX + 1), accounts })).toThrow(
    RangeError,
  )
  expect(sampleFocusCsv({ months: months(SAMPLE_MONTHS_MAX), accounts })).toContain('2026-02')
})
