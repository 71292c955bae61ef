// The store of billing exports: what is taken, what is refused, what is replaced, and that every
// digit is still there afterwards. Sums are checked against focus-sum.fixture.ts.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { COLUMNS_MAX, HEADER_BYTES_MAX } from './csv-header.ts'
import { csvRows, sumBy, sumOf, units } from './focus-sum.fixture.ts'
import { sampleFocusCsv } from './sample.ts'
import { type CostStore, openCostStore } from './store.ts'

const HEADER = 'BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,BillingPeriodStart,Tags'
const FOCUS_SAMPLE = fileURLToPath(
  new URL('../../../../shared/data/focus/focus_sample.csv', import.meta.url),
)

let store: CostStore
beforeEach(async () => {
  store = await openCostStore()
})
afterEach(() => store.close())

function row(billed: string, day = '2026-08-01', rest = 'USD'): string {
  return `${billed},${billed},${rest},${day}T00:00:00Z,${day.slice(0, 7)}-01T00:00:00Z,`
}
const csv = (...rows: string[]) => Buffer.from(`${[HEADER, ...rows].join('\n')}\n`)
const ingest = (bytes: Uint8Array | string, name = 'bill') => store.ingestFocusCsv({ name, bytes })
const billed = () =>
  store.snapshot(async (read) => {
    const [sum] = await read('SELECT coalesce(sum(billed), 0)::VARCHAR AS sum FROM fact')
    return units(String(sum?.['sum']))
  })
const refused = (bytes: Uint8Array | string, name?: string) =>
  expect(ingest(bytes, name)).rejects.toMatchObject

describe('sums', () => {
  test('the sample is taken whole and reconciled with a sum made elsewhere', async () => {
    const text = sampleFocusCsv({ months: ['2026-08', '2026-09'] })
    const rows = csvRows(text)
    const report = await ingest(Buffer.from(text))
    expect(report).toMatchObject({ rows: rows.length, taken: rows.length, refused: 0 })
    expect(units(report.fileBilled)).toBe(sumOf(rows, 'BilledCost'))
    expect(report.storedBilled).toBe(report.fileBilled)
    expect(await billed()).toBe(sumOf(rows, 'BilledCost'))
    const byMonth = sumBy(
      rows,
      'BilledCost',
      (each) => each['BillingPeriodStart']?.slice(0, 7) ?? '',
    )
    const found = report.periods.map((each) => [each.period, units(each.billed)] as const)
    expect(new Map(found)).toEqual(byMonth)
  })

  test.skipIf(!existsSync(FOCUS_SAMPLE))(
    'the FOCUS project sample (skipped where it is absent) is taken whole and reconciled',
    async () => {
      const rows = csvRows(readFileSync(FOCUS_SAMPLE, 'utf8'))
      const report = await ingest(FOCUS_SAMPLE)
      expect(rows).toHaveLength(1_000)
      expect(report).toMatchObject({ rows: 1_000, taken: 1_000, refused: 0, unreadableLines: 0 })
      expect(units(report.storedBilled)).toBe(sumOf(rows, 'BilledCost'))
      const providers = await store.snapshot((read) =>
        read(
          `SELECT t.value AS provider, sum(f.billed)::VARCHAR AS billed,
             sum(f.effective)::VARCHAR AS effective, sum(f.quantity)::VARCHAR AS quantity
           FROM fact AS f JOIN resource AS r USING (rid)
           JOIN term AS t ON t.kind = 9 AND t.code = r.provider GROUP BY t.value`,
        ),
      )
      for (const [name, column] of [
        ['billed', 'BilledCost'],
        ['effective', 'EffectiveCost'],
      ] as const) {
        const found = providers.map(
          (each) => [each['provider'], units(String(each[name]))] as const,
        )
        expect(new Map(found)).toEqual(sumBy(rows, column, (each) => each['ProviderName'] ?? ''))
      }
      expect(rows.filter((each) => each['ProviderName'] === 'AWS')).toHaveLength(942)
    },
  )

  test('eighteen decimals, exponents and fifteen digits keep every digit', async () => {
    const report = await ingest(
      csv(row('0.000000000000000001'), row('123456789012345.5'), row('-1.5e-7'), row('.25')),
    )
    expect(report.storedBilled).toBe('123456789012345.749999850000000001')
  })

  test('a number of any width that fits is stored digit for digit', async () => {
    const texts: string[] = []
    for (let whole = 1; whole <= 15; whole += 1) {
      for (let decimals = 0; decimals <= 18; decimals += 1) {
        // Nines carry into every wider form if one is rounded; the rest shows a digit out of place.
        for (const digits of ['9'.repeat(38), '12345678901234567890123456789012345678']) {
          const fraction = decimals === 0 ? '' : `.${digits.slice(whole, whole + decimals)}`
          const text = `${digits.slice(0, whole)}${fraction}`
          texts.push(text, `-${text}`)
        }
      }
    }
    const lines = texts.map((text, n) => `${text},2026-08-01,s${n}`)
    const file = ['BilledCost,ChargePeriodStart,ServiceName', ...lines].join('\n')
    expect(await ingest(Buffer.from(file))).toMatchObject({ taken: texts.length, refused: 0 })
    const stored = await store.snapshot((read) =>
      read(
        `SELECT t.value AS service, f.billed::VARCHAR AS billed FROM fact AS f
         JOIN resource AS r USING (rid) JOIN term AS t ON t.kind = 3 AND t.code = r.service`,
      ),
    )
    const found = stored.map((each) => [each['service'], units(String(each['billed']))] as const)
    expect(new Map(found)).toEqual(new Map(texts.map((text, n) => [`s${n}`, units(text)])))
  })

  test('a sum that does not fit is refused and leaves what was there', async () => {
    await ingest(csv(row('1')))
    const lines = Array.from({ length: 200_000 }, () => '999999999999999,2026-08-01')
    const file = ['BilledCost,ChargePeriodStart', ...lines].join('\n')
    await refused(Buffer.from(file))({ code: 'database_failed' })
    expect(await billed()).toBe(units('1'))
  })

  test('one digit more than fits is refused with its reason and stays in no sum', async () => {
    const report = await ingest(
      csv(row('1'), row('0.0000000000000000001'), row('1e-19'), row('1000000000000000')),
    )
    expect(report).toMatchObject({ rows: 4, taken: 1, refused: 3, storedBilled: '1' })
    expect(report.refusals).toEqual([
      {
        reason: 'BilledCost is not a number of at most 15 digits and 18 decimals',
        rows: 3,
        examples: [2, 3, 4],
      },
    ])
  })
})

describe('lenience', () => {
  test('absent columns are named and do no harm', async () => {
    const report = await ingest(Buffer.from('BilledCost,ChargePeriodStart\n2.5,2026-08-03\n'))
    expect(report.storedBilled).toBe('2.5')
    expect(report.absentColumns).toContain('EffectiveCost')
    expect(report.absentColumns).toContain('ServiceName')
    expect(report.currencies).toEqual(['XXX'])
  })

  test('NULL, a stray column, a byte order mark and CRLF are taken', async () => {
    const text =
      '\ufeffId,BilledCost,ChargePeriodStart,RegionId,Tags\r\n11,1,2026-08-03,NULL,NULL\r\n'
    expect(await ingest(Buffer.from(text))).toMatchObject({ taken: 1, warnings: [] })
  })

  test('each reason to refuse a row is told with its rows; the others are taken', async () => {
    const report = await ingest(
      csv(
        row('1'),
        row(''),
        row('1_000'),
        row('NaN'),
        row('2', '2026-13-01'),
        '4,4,USD,2026-08-01T00:00:00+02:00,2026-08-01T00:00:00Z,',
        '8,8,USD,2026-08-01T00:00:00Z,August,',
      ),
    )
    expect(report).toMatchObject({ taken: 1, refused: 6, storedBilled: '1', refusedBilled: '14' })
    expect(report.fileBilled).toBe('15')
    expect(report.refusals.map((each) => [each.reason, each.examples])).toEqual([
      ['BilledCost is empty', [2]],
      ['BilledCost is not a number of at most 15 digits and 18 decimals', [3, 4]],
      ['BillingPeriodStart is not a time in UTC', [7]],
      ['ChargePeriodStart is not a time in UTC', [5, 6]],
    ])
  })

  test('a line of another width is counted and the rest is taken', async () => {
    const report = await ingest(csv(row('1'), 'a,b', row('2')))
    expect(report).toMatchObject({ taken: 2, unreadableLines: 1, storedBilled: '3' })
  })

  test('tags that are not JSON are told and the row is taken', async () => {
    const report = await ingest(csv(`${row('1')}team=x`, `${row('1')}"{""team"":""x""}"`))
    expect(report).toMatchObject({ taken: 2 })
    expect(report.warnings).toEqual([{ reason: 'Tags is not JSON', rows: 1, examples: [1] }])
  })
})

describe('replacing', () => {
  test('a later delivery replaces its months and no others', async () => {
    await ingest(csv(row('1', '2026-07-01'), row('10', '2026-08-01'), row('100', '2026-08-02')))
    await ingest(csv(row('5', '2026-08-01')))
    expect(await billed()).toBe(units('6'))
    await ingest(csv(row('1000', '2026-08-01')), 'other')
    expect(await billed()).toBe(units('1006'))
  })

  test('the same file again is not stored again, and a changed one is', async () => {
    const first = await ingest(csv(row('1')))
    expect(first.unchanged).toBe(false)
    expect(await ingest(gzipSync(csv(row('1'))))).toEqual({ ...first, unchanged: true })
    expect((await ingest(csv(row('2')))).unchanged).toBe(false)
    expect((await ingest(csv(row('1')))).unchanged).toBe(false)
    expect(await billed()).toBe(units('1'))
  })

  test('a file that is refused leaves what was there', async () => {
    await ingest(csv(row('1')))
    await refused(csv(row('nonsense')))({ code: 'no_rows' })
    await refused(csv())({ code: 'no_rows' })
    expect(await billed()).toBe(units('1'))
    await ingest(csv(row('2')))
    expect(await billed()).toBe(units('2'))
  })

  test('a reader sees one moment while a month is replaced', async () => {
    await ingest(csv(row('1')))
    await store.snapshot(async (read) => {
      const sum = async () =>
        (await read('SELECT sum(billed)::VARCHAR AS sum FROM fact'))[0]?.['sum']
      const before = await sum()
      await ingest(csv(row('2')))
      expect(await sum()).toBe(before)
    })
    expect(await billed()).toBe(units('2'))
  })

  test('files that come at once are taken one after another', async () => {
    const days = ['2026-05-01', '2026-06-01', '2026-07-01', '2026-08-01']
    await Promise.all(days.map((day) => ingest(csv(row('1', day)))))
    expect(await billed()).toBe(units('4'))
  })

  test('a removed export is gone, another is not', async () => {
    await ingest(csv(row('1', '2026-07-01'), row('2')))
    await ingest(csv(row('4')), 'other')
    expect(await store.removeExport('bill')).toBe(2)
    expect(await store.removeExport('bill')).toBe(0)
    expect(await billed()).toBe(units('4'))
  })

  test('a store with a path keeps its costs, and is as locked', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'costs-test-'))
    try {
      const path = join(folder, 'costs.duckdb')
      const first = await openCostStore({ path })
      await first.ingestFocusCsv({ name: 'bill', bytes: csv(row('1')) })
      await first.close()
      const second = await openCostStore({ path })
      const again = await second.ingestFocusCsv({ name: 'bill', bytes: csv(row('1')) })
      expect(again.unchanged).toBe(true)
      await second.close()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('the lock', () => {
  test.each([
    ["SELECT * FROM read_csv('/etc/passwd')", /Cannot access file/],
    ["SELECT * FROM read_text('/etc/hostname')", /Cannot access file/],
    ['INSTALL httpfs', /Permission Error/],
    ['LOAD httpfs', /Loading external extensions is disabled/],
    ["ATTACH '/tmp/other.duckdb'", /Cannot access file/],
    ["COPY (SELECT 1) TO '/tmp/out.csv'", /Cannot access file|read-only/],
    ['SET enable_external_access = true', /locked/],
    ['SET autoinstall_known_extensions = true', /locked/],
    ["SET allowed_directories = ['/']", /locked/],
    ['DELETE FROM fact', /read-only/],
  ])('%s fails', async (sql, words) => {
    const failing = store.snapshot((read) => read(sql))
    await expect(failing).rejects.toMatchObject({
      code: 'database_failed',
      cause: expect.objectContaining({ message: expect.stringMatching(words) }),
    })
  })

  test('a fixed question of the same form succeeds', async () => {
    expect(await store.snapshot((read) => read('SELECT count(*) AS n FROM fact'))).toEqual([
      { n: '0' },
    ])
  })

  test('a question past its time is stopped', async () => {
    const slow = 'SELECT sum(a.range * b.range) FROM range(10000000) AS a, range(100000) AS b'
    await expect(store.snapshot((read) => read(slow), 50)).rejects.toMatchObject({
      code: 'too_slow',
    })
  })

  test('a closed store says so', async () => {
    await store.close()
    await refused(csv(row('1')))({ code: 'closed' })
    await expect(store.snapshot(async () => 1)).rejects.toMatchObject({ code: 'closed' })
  })
})

describe('limits and refusals', () => {
  const columns = (count: number) => {
    const stray = Array.from({ length: count - 2 }, (_, n) => `x_${n}`)
    const line = ['1', '2026-08-01', ...stray.map(() => '')]
    return Buffer.from(`${['BilledCost', 'ChargePeriodStart', ...stray].join(',')}\n${line}\n`)
  }

  test(`a file has at most ${COLUMNS_MAX} columns`, async () => {
    expect((await ingest(columns(COLUMNS_MAX))).taken).toBe(1)
    await refused(columns(COLUMNS_MAX + 1))({ code: 'too_large' })
  })

  test(`a header has at most ${HEADER_BYTES_MAX} bytes`, async () => {
    await refused(Buffer.from('x'.repeat(HEADER_BYTES_MAX + 1)))({ code: 'too_large' })
    await refused(Buffer.from('x'.repeat(HEADER_BYTES_MAX)))({ code: 'malformed_header' })
  })

  test('a file has at most the bytes it may have, counted after gunzip', async () => {
    const bytes = csv(row('1'))
    const bytesMax = bytes.byteLength
    const send = (max: number) =>
      store.ingestFocusCsv({ name: 'bill', bytes: gzipSync(bytes), bytesMax: max })
    expect((await send(bytesMax)).taken).toBe(1)
    await expect(send(bytesMax - 1)).rejects.toMatchObject({ code: 'too_large' })
  })

  test.each([
    ['missing_column', 'ChargePeriodStart,ServiceName\n2026-08-01,x\n'],
    ['missing_column', 'BilledCost,ServiceName\n1,x\n'],
    ['malformed_header', 'BilledCost,BilledCost,ChargePeriodStart\n1,1,2026-08-01\n'],
    ['malformed_header', '"BilledCost,ChargePeriodStart\n1,2026-08-01\n'],
    ['malformed_header', ''],
  ])('%s: %s', async (code, text) => {
    await refused(Buffer.from(text))({ code })
  })

  test('a missing file and broken gzip cannot be read', async () => {
    await refused('/nonexistent/export.csv')({ code: 'unreadable_file' })
    await refused(gzipSync(csv(row('1'))).subarray(0, 30))({ code: 'unreadable_file' })
  })

  test('a path is taken as its bytes are', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'costs-test-'))
    try {
      writeFileSync(join(folder, "a'b.csv"), csv(row('1')))
      expect((await ingest(join(folder, "a'b.csv"))).taken).toBe(1)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('a name of an export has 1 to 128 plain characters', async () => {
    expect((await ingest(csv(row('1')), 'a'.repeat(128))).taken).toBe(1)
    for (const name of ['', 'a'.repeat(129), "a'b", 'a b']) {
      await refused(csv(row('1')), name)({ code: 'export_name_invalid' })
    }
  })
})
