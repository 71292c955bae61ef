// A trail to a report, through the door that the command uses. What is expected was counted by hand or by
// jq in the trails; what the default policy answers is said in policies/README.md.

import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadRules } from './judge/load-rules.ts'
import type { Rules } from './judge/rules.ts'
import { openTrail, reportOn } from './replay.ts'
import type { Asked } from './report/replayed.ts'
import type { Report } from './report/report.ts'

const folder = mkdtempSync(join(tmpdir(), 'seconder-replay-test-'))
let rules: Rules
beforeAll(async () => {
  rules = await loadRules()
})
afterAll(() => rmSync(folder, { recursive: true }))

const ACCOUNT = '111122223333'
const AGENT_ROLE = `arn:aws:iam::${ACCOUNT}:role/agent-deploy`

interface Given {
  readonly at?: string | null
  readonly id?: string
  readonly name: string
  readonly source?: string
  readonly parameters?: unknown
  readonly session?: string
  readonly more?: object
}

let made = 0
function event({ at, id, name, source, parameters, session, more }: Given) {
  made += 1
  return {
    eventVersion: '1.11',
    ...(at !== null && { eventTime: at ?? '2025-12-15T09:00:00Z' }),
    eventID: id ?? `00000000-0000-4000-8000-${String(made).padStart(12, '0')}`,
    eventType: 'AwsApiCall',
    eventCategory: 'Management',
    eventSource: `${source ?? 'dynamodb'}.amazonaws.com`,
    eventName: name,
    awsRegion: 'eu-west-1',
    recipientAccountId: ACCOUNT,
    userAgent: 'aws-cli/2.32.0 app/kiro',
    requestParameters: parameters ?? { tableName: 'orders' },
    userIdentity: {
      type: 'AssumedRole',
      arn: `arn:aws:sts::${ACCOUNT}:assumed-role/agent-deploy/${session ?? 's1'}`,
      accountId: ACCOUNT,
      sessionContext: { sessionIssuer: { type: 'Role', arn: AGENT_ROLE, accountId: ACCOUNT } },
    },
    ...more,
  }
}

let folders = 0
async function report(
  files: Record<string, string | Buffer | readonly object[]>,
  asked: Partial<Asked> = {},
): Promise<Report> {
  folders += 1
  const at = join(folder, String(folders))
  mkdirSync(at)
  for (const [name, content] of Object.entries(files)) {
    const isBytes = typeof content === 'string' || Buffer.isBuffer(content)
    writeFileSync(join(at, name), isBytes ? content : JSON.stringify({ Records: content }))
  }
  const trail = await openTrail([at], { workers: 2 })
  try {
    return reportOn(trail, { rules, ...asked })
  } finally {
    trail.close()
  }
}

function expectWhole(one: Report): void {
  const { mapped, unmapped, notApiCalls, unique, apart } = one
  expect(mapped + unmapped + notApiCalls).toBe(unique)
  expect(one.allowed + one.denied + one.reviewed + one.failed + apart.serviceMade).toBe(mapped)
}

describe('answers', () => {
  test('reads pass, changes are asked for, credentials are refused, what failed and what services made stand apart', async () => {
    const one = await report({
      'a.json': [
        event({ name: 'DescribeTable' }),
        event({ name: 'DeleteTable' }),
        event({ name: 'CreateAccessKey', source: 'iam', parameters: { userName: 'u' } }),
        event({ name: 'DeleteTable', more: { errorCode: 'AccessDenied' } }),
        event({
          name: 'DeleteTable',
          more: { userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
        }),
        event({ name: 'ConsoleLogin', source: 'signin', more: { eventType: 'AwsConsoleSignIn' } }),
        event({ name: 'ReadMinds', source: 'nothing' }),
      ],
    })
    expect(one).toMatchObject({
      events: 7,
      unique: 7,
      mapped: 5,
      unmapped: 1,
      notApiCalls: 1,
      failed: 1,
      allowed: 1,
      denied: 1,
      reviewed: 1,
      apart: { serviceMade: 1, failedWouldBe: { reviewed: 1 }, refusedByAws: 1 },
    })
    expect(one.unmappedCalls).toEqual([
      { source: 'nothing.amazonaws.com', name: 'ReadMinds', why: 'unknown service', count: 1 },
    ])
    expect(one.denials).toMatchObject([
      { operation: 'iam:CreateAccessKey', code: 'credential_answer' },
    ])
    expectWhole(one)
  })
  test('the JSON begins with the ten figures, in their order', async () => {
    const one = await report({ 'a.json': [event({ name: 'DeleteTable' })] })
    expect(Object.keys(one).slice(0, 10)).toEqual([
      'events',
      'unique',
      'mapped',
      'unmapped',
      'notApiCalls',
      'failed',
      'allowed',
      'denied',
      'reviewed',
      'reviewsPerWeek',
    ])
  })
  test('a read whose parameters the trail does not tell is not mapped, never allowed; its twin that has them is', async () => {
    const read = { name: 'GetParameter', source: 'ssm' }
    const hidden = event({ ...read, more: { requestParameters: 'HIDDEN_DUE_TO_SECURITY_REASONS' } })
    const one = await report({ 'a.json': [hidden, event({ ...read, parameters: { name: 'p' } })] })
    expect(one).toMatchObject({ unmapped: 1, allowed: 1, mapped: 1 })
    expect(one.unmappedCalls).toMatchObject([{ name: 'GetParameter', count: 1 }])
  })
})

describe('the deed of December', () => {
  const stack = { source: 'cloudformation', parameters: { stackName: 'cost-explorer' } }
  test('a stack deleted and made again is found, with the answer and the seats at its deletion', async () => {
    const one = await report({
      'a.json': [
        event({
          ...stack,
          name: 'DeleteStack',
          at: '2025-12-15T09:31:00Z',
          id: 'aaaaaaaa-0000-4000-8000-000000000001',
        }),
        event({ ...stack, name: 'CreateStack', at: '2025-12-15T09:41:00Z' }),
      ],
    })
    expect(one.recreated).toMatchObject([
      {
        thing: `arn:aws:cloudformation:eu-west-1:${ACCOUNT}:stack/cost-explorer`,
        deleted: {
          at: '2025-12-15T09:31:00Z',
          eventId: 'aaaaaaaa-0000-4000-8000-000000000001',
          answer: 'reviewed',
          requirement: ['sre:1'],
          principal: AGENT_ROLE,
          agent: 'Kiro',
        },
        secondsBetween: 600,
      },
    ])
  })
  test('not one that failed, came before, is of another name, or came weeks later', async () => {
    const at = (day: string) => `2025-12-${day}T09:00:00Z`
    const other = { ...stack, parameters: { stackName: 'other' } }
    const late = { ...stack, parameters: { stackName: 'late' } }
    const failed = { ...stack, parameters: { stackName: 'failed' } }
    const one = await report({
      'a.json': [
        event({ ...other, name: 'CreateStack', at: at('01') }),
        event({ ...other, name: 'DeleteStack', at: at('02') }),
        event({ ...stack, name: 'CreateStack', at: at('03') }),
        event({ ...late, name: 'DeleteStack', at: at('04') }),
        event({ ...late, name: 'CreateStack', at: at('20') }),
        event({
          ...failed,
          name: 'DeleteStack',
          at: at('05'),
          more: { errorCode: 'ValidationError' },
        }),
        event({ ...failed, name: 'CreateStack', at: at('06') }),
      ],
    })
    expect(one.recreated).toEqual([])
  })
})

describe('order, copies, weeks and groups', () => {
  test('copies of one event ID count once, in whatever file; what has no ID is nobody’s copy', async () => {
    const twice = event({ name: 'DeleteTable', id: 'bbbbbbbb-0000-4000-8000-000000000001' })
    const none = { ...event({ name: 'DeleteTable' }), eventID: undefined }
    const one = await report({ 'a.json': [twice, none], 'b.json': [none, twice] })
    expect(one).toMatchObject({ events: 4, unique: 3, reviewed: 3 })
    expect(one.trail.withoutId).toBe(2)
  })
  test('reviews of one session within ten minutes are one; another session and the eleventh minute are others', async () => {
    const at = (minute: string) => `2025-12-15T09:${minute}:00Z`
    const one = await report({
      // Out of order, and in two files.
      'b.json': [
        event({ name: 'DeleteTable', at: at('00') }),
        event({ name: 'PutItem', at: at('10') }),
      ],
      'a.json': [
        event({ name: 'PutItem', at: at('09') }),
        event({ name: 'PutItem', at: at('05'), session: 's2' }),
      ],
    })
    expect(one.reviewsPerWeek).toEqual({ raw: 4, grouped: 3 })
    expect(one.weeks).toMatchObject([{ week: '2025-12-15', reviewed: 4, groups: 3 }])
    expect(one.reviewGroups[0]).toMatchObject({ calls: 2, requirement: ['sre:1'] })
  })
  test('events without a time are judged, stand in no week and are said', async () => {
    const one = await report({
      'a.json': [
        event({ name: 'DeleteTable', at: null }),
        event({ name: 'DescribeTable', at: 'soon' }),
      ],
    })
    expect(one).toMatchObject({ reviewed: 1, allowed: 1, window: { from: '', to: '' } })
    expect(one.weeks).toMatchObject([{ week: '' }])
    expect(one.cannotProve).toContainEqual({
      what: 'events without a time: in no week and in no window',
      count: 2,
    })
  })
  test('--since and --principal leave out, and say how many', async () => {
    const events = [
      event({ name: 'DeleteTable', at: '2025-11-15T09:00:00Z' }),
      event({ name: 'DeleteTable', at: '2025-12-15T09:00:00Z' }),
      event({
        name: 'DeleteTable',
        more: { userIdentity: { type: 'IAMUser', arn: 'arn:aws:iam::1:user/ann' } },
      }),
    ]
    const since = Date.parse('2025-12-01') / 1000
    const some = await report({ 'a.json': events }, { since, principal: '*role/agent-*' })
    expect(some).toMatchObject({ events: 3, unique: 1, reviewed: 1, apart: { leftOut: 2 } })
    const ann = await report({ 'a.json': events }, { principal: 'user/ann' })
    expect(ann).toMatchObject({ unique: 1 })
  })
})

describe('bad input is counted and named, never an allow', () => {
  const good = [event({ name: 'DescribeTable' })]
  test('cut gzip, broken JSON, a digest, insights, and a trail that is whole beside them', async () => {
    const many = Array.from({ length: 500 }, () => event({ name: 'DescribeTable' }))
    const packed = gzipSync(JSON.stringify({ Records: many }))
    const one = await report({
      'a.json': good,
      'cut.json.gz': packed.subarray(0, Math.floor(packed.length * 0.7)),
      'half.json': JSON.stringify({ Records: many }).slice(0, 5_000),
      'broken.json': '{"Records": [}',
      'digest.json': JSON.stringify({ digestStartTime: '2025-12-01T00:00:00Z', logFiles: [] }),
      '111122223333_CloudTrail-Digest_eu-west-1.json.gz': gzipSync('{}'),
      'events.parquet': Buffer.from('PAR1'),
      'insight.json': [
        { eventVersion: '1.07', eventType: 'AwsCloudTrailInsight', insightDetails: {} },
      ],
    })
    expect(
      Object.fromEntries(
        one.trail.faults.map(({ path, fault }) => [path.split('/').at(-1), fault]),
      ),
    ).toEqual({
      'cut.json.gz': 'gzip',
      'half.json': 'cut',
      'broken.json': 'broken',
      'digest.json': 'no_events',
    })
    expect(one.trail).toMatchObject({ otherRecords: 1, leftOut: 2 })
    expect(one.unique).toBe(one.allowed)
    expect(one.events).toBeGreaterThan(one.unique)
    expectWhole(one)
  })
  test('an invented region, an event of 1 MB, no identity, strange types', async () => {
    const one = await report({
      'a.json': [
        event({ name: 'DeleteTable', more: { awsRegion: 'sa-central-3r' } }),
        event({ name: 'DeleteTable', parameters: { tableName: 'x'.repeat(1_000_000) } }),
        event({ name: 'DeleteTable', more: { userIdentity: null } }),
        event({ name: 'DeleteTable', more: { userIdentity: [1], awsRegion: 7, userAgent: {} } }),
        { eventName: 7, eventSource: [] },
      ],
    })
    expect(one.allowed).toBe(0)
    expect(one.unmapped).toBe(1)
    expect(one.reviewed + one.denied).toBe(4)
    expect(one.cannotProve.map(({ what }) => what).join('\n')).toContain(
      'a region that no partition',
    )
    expectWhole(one)
  })
})

describe('two policies', () => {
  test('what changes from one to the other is said by answer and seats; of the same nothing changes', async () => {
    const strict = join(folder, 'strict')
    mkdirSync(strict)
    const schema = 'schema.cedarschema'
    copyFileSync(join(import.meta.dirname, '../../../policies', schema), join(strict, schema))
    writeFileSync(
      join(strict, 'a.cedar'),
      '@id("looks") permit (principal is Agent, action in Action::"look", resource);',
    )
    const events = { 'a.json': [event({ name: 'DeleteTable' }), event({ name: 'DescribeTable' })] }
    const one = await report(events, { rules: await loadRules(strict), against: rules })
    expect(one.changes).toEqual([
      {
        from: 'reviewed by sre:1',
        to: 'denied',
        operation: 'dynamodb:DeleteTable',
        environment: 'production',
        principal: AGENT_ROLE,
        count: 1,
      },
    ])
    expect((await report(events, { against: rules })).changedCount).toBe(0)
  })
})
