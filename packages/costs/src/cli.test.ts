// The endpoint as the AWS CLI sees it, every version that is on the PATH, unmodified.

import { execFile, execFileSync } from 'node:child_process'
import { accessSync, constants, realpathSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ACCESS_KEY_ID,
  type CostEndpoint,
  SECRET_ACCESS_KEY,
  startCostEndpoint,
} from './cost-endpoint.fixture.ts'
import { csvRows, sumBy, units } from './focus-sum.fixture.ts'
import { dayOf, monthStart } from './period.ts'
import { sampleFocusCsv } from './sample.ts'

const CLIS = findClis()

/** `aws-cli/1.x` and `aws-cli/2.x` to their paths. */
function findClis(): [version: string, path: string][] {
  const found = new Map<string, string>()
  const seen = new Set<string>()
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'aws')
    try {
      accessSync(path, constants.X_OK)
      if (seen.has(realpathSync(path))) continue
      seen.add(realpathSync(path))
      const version = execFileSync(path, ['--version'], { encoding: 'utf8', timeout: 20_000 })
      found.set(version.split(' ')[0] ?? path, path)
    } catch (error) {
      // Most folders of a PATH have no `aws`; one that does not start is reported by its absence.
      if (!(error instanceof Error)) throw error
    }
  }
  return [...found]
}

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function run(path: string, url: string, secret: string, parameters: string[]): Promise<Ran> {
  const environment = {
    ...process.env,
    AWS_ACCESS_KEY_ID: ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY: secret,
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_MAX_ATTEMPTS: '1',
    AWS_PAGER: '',
  }
  const words = ['--endpoint-url', url, '--output', 'json', 'ce', ...parameters]
  return new Promise((resolve) => {
    execFile(path, words, { env: environment, timeout: 50_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}

describe.skipIf(CLIS.length === 0)('AWS CLI (skipped where no `aws` is on the PATH)', () => {
  // The CLI signs with the machine's clock, so the sample is of the months before today.
  const today = dayOf(Date.now())
  const months = [-3, -2, -1].map((before) => monthStart(today, before).slice(0, 7))
  const csv = sampleFocusCsv({ months, seed: 7 })
  let endpoint: CostEndpoint
  beforeAll(async () => {
    endpoint = await startCostEndpoint({ csv, now: Date.now })
  })
  afterAll(() => endpoint.close())
  const question = [
    'get-cost-and-usage',
    '--time-period',
    `Start=${months[0]}-01,End=${monthStart(today)}`,
    '--metrics',
    'UnblendedCost',
    '--group-by',
    'Type=DIMENSION,Key=REGION',
  ]

  test.each(CLIS)('%s prints the sums of the file', async (_, path) => {
    const ran = await run(path, endpoint.url, SECRET_ACCESS_KEY, [
      ...question,
      '--granularity',
      'MONTHLY',
      '--filter',
      '{"Not":{"Dimensions":{"Key":"RECORD_TYPE","Values":["Credit","Tax"]}}}',
    ])
    expect(ran.stderr).toBe('')
    expect(ran.code).toBe(0)
    const printed = JSON.parse(ran.stdout) as {
      ResultsByTime: {
        TimePeriod: { Start: string }
        Groups: { Keys: string[]; Metrics: { UnblendedCost: { Amount: string } } }[]
      }[]
    }
    const found = new Map(
      printed.ResultsByTime.flatMap((result) =>
        result.Groups.map((group) => [
          `${result.TimePeriod.Start}|${group.Keys.join('|')}`,
          units(group.Metrics.UnblendedCost.Amount),
        ]),
      ),
    )
    const usage = csvRows(csv).filter((row) => row['ChargeCategory'] === 'Usage')
    const expected = sumBy(
      usage,
      'BilledCost',
      (row) => `${row['ChargePeriodStart']?.slice(0, 7)}-01|${row['RegionId']}`,
    )
    expect(found).toEqual(expected)
  })

  test.each(CLIS)('%s prints the name and words of a refusal', async (_, path) => {
    const weekly = [...question, '--granularity', 'WEEKLY']
    const refused = await run(path, endpoint.url, SECRET_ACCESS_KEY, weekly)
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toContain('(ValidationException)')
    expect(refused.stderr).toContain('[DAILY, MONTHLY, HOURLY]')
    const unsigned = await run(path, endpoint.url, 'wrong', [...question, '--granularity', 'DAILY'])
    expect(unsigned.stderr).toContain('(InvalidSignatureException)')
    const tags = ['get-tags', '--time-period', `Start=${months[0]}-01,End=${months[1]}-01`]
    const other = await run(path, endpoint.url, SECRET_ACCESS_KEY, tags)
    expect(other.stderr).toContain('(NotImplementedException)')
  })
})
