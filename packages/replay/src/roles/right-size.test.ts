// The least policy from recorded use: every recorded right passes, nothing else that matters does, access
// levels are never widened, sizes are kept, and what is for emergencies stays. The check that recorded use
// passes is made again here with a matcher of the test's own.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openTrail } from '../replay.ts'
import { actionFacts } from './action-facts.ts'
import { allow, arnOf, estateOf, type Made, NOW, role } from './estate.fixture.ts'
import { NO_GATE } from './gate.ts'
import { grantsOf } from './grants.ts'
import type { Sizing } from './report/sizing.ts'
import { sizingLines } from './report/sizing.ts'
import { sizeRole } from './size-role.ts'
import { charsOf } from './sized.ts'
import { trailUse } from './trail-use.ts'

const folder = mkdtempSync(join(tmpdir(), 'seconder-size-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Call {
  readonly source: string
  readonly name: string
  readonly parameters?: object
  readonly error?: string
  readonly time?: string
}

function event({ source, name, parameters = {}, error, time }: Call, index: number) {
  return {
    eventVersion: '1.08',
    eventType: 'AwsApiCall',
    eventID: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    eventTime: time ?? '2026-11-20T10:00:00Z',
    eventSource: `${source}.amazonaws.com`,
    eventName: name,
    awsRegion: 'eu-west-1',
    recipientAccountId: '111122223333',
    requestParameters: parameters,
    ...(error && { errorCode: error }),
    userIdentity: {
      type: 'AssumedRole',
      arn: 'arn:aws:sts::111122223333:assumed-role/app/s-1',
      sessionContext: { sessionIssuer: { arn: arnOf('role/app'), accountId: '111122223333' } },
    },
  }
}

async function sizing(
  calls: readonly Call[],
  more: Partial<Made> = {},
  as: 'managed' | 'inline' = 'managed',
  evenSeldom = false,
  without: (action: string) => boolean = () => false,
) {
  const path = join(
    folder,
    `${Math.abs(calls.length)}-${calls.map(({ name }) => name).join('').length}.json`,
  )
  writeFileSync(path, JSON.stringify({ Records: calls.map(event) }))
  const trail = await openTrail([path], { workers: 1 })
  try {
    return sizeRole({
      estate: estateOf({ roles: [role({ name: 'app', can: [allow('*')], ...more })] }),
      organization: null,
      gate: { ...NO_GATE, own: arnOf('role/gate') },
      trail: trailUse(trail.store),
      role: more.name ?? 'app',
      as,
      evenSeldom,
      without,
      now: NOW,
    })
  } finally {
    trail.close()
  }
}

function done(found: Awaited<ReturnType<typeof sizing>>): Sizing {
  if ('refused' in found) throw new Error(found.why)
  expect(found.sized.failing).toEqual([])
  for (const { kind, chars, document } of [
    ...found.sized.policies,
    found.sized.boundary,
    found.sized.scp,
  ]) {
    expect(chars).toBe(charsOf(document))
    expect(chars).toBeLessThanOrEqual(
      { managed: 6_144, inline: 10_240, boundary: 6_144, scp: 5_120 }[kind],
    )
  }
  return found
}

const delivered = (found: Sizing) =>
  found.sized.policies.flatMap(
    ({ document }) =>
      document['Statement'] as unknown as {
        Action: string | string[]
        Resource: string | string[]
      }[],
  )

const list = (value: string | string[]) => (Array.isArray(value) ? value : [value])
const matches = (pattern: string, text: string) =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  ).test(text)
const passes = (found: Sizing, action: string, resource: string) =>
  delivered(found).some(
    ({ Action, Resource }) =>
      list(Action).some((each) => matches(each, action)) &&
      list(Resource).some((each) => each === '*' || matches(each, resource)),
  )

const table = (tableName: string) => `arn:aws:dynamodb:eu-west-1:111122223333:table/${tableName}`

describe('what was used and nothing else', () => {
  test('exact actions on exact resources; refusals are no use, other failures are', async () => {
    const found = done(
      await sizing([
        { source: 'dynamodb', name: 'DescribeTable', parameters: { tableName: 'orders' } },
        { source: 'dynamodb', name: 'DeleteTable', parameters: { tableName: 'old' } },
        {
          source: 'dynamodb',
          name: 'CreateTable',
          parameters: { tableName: 'x' },
          error: 'ResourceInUseException',
        },
        {
          source: 'dynamodb',
          name: 'UpdateTable',
          parameters: { tableName: 'y' },
          error: 'AccessDenied',
        },
      ]),
    )
    expect(delivered(found)).toEqual([
      { Effect: 'Allow', Action: 'dynamodb:CreateTable', Resource: table('x') },
      { Effect: 'Allow', Action: 'dynamodb:DeleteTable', Resource: table('old') },
      { Effect: 'Allow', Action: 'dynamodb:DescribeTable', Resource: table('orders') },
    ])
    expect(found.sized.collapses).toEqual([])
    expect(passes(found, 'dynamodb:DeleteTable', table('orders'))).toBe(false)
    expect(found.removed.map(({ action }) => action)).toContain('dynamodb:UpdateTable')
    expect(found.removed.map(({ action }) => action)).not.toContain('dynamodb:DeleteTable')
  })

  test('a passed role is used, on that role', async () => {
    const parameters = { functionName: 'f', role: arnOf('role/exec') }
    const found = done(
      await sizing([{ source: 'lambda', name: 'CreateFunction20150331', parameters }]),
    )
    expect(passes(found, 'iam:PassRole', arnOf('role/exec'))).toBe(true)
    expect(passes(found, 'iam:PassRole', arnOf('role/admin'))).toBe(false)
    // What was used stays open in the guards; the other ways up are closed.
    const closed = JSON.stringify(found.sized.boundary.document)
    expect(closed).not.toContain('iam:PassRole')
    expect(closed).toContain('iam:CreatePolicyVersion')
  })

  test('many names become their start, which is said; what destroys keeps its names', async () => {
    const names = Array.from({ length: 12 }, (_, at) => `job-${at}`)
    const calls = names.flatMap((tableName) => [
      { source: 'dynamodb', name: 'DescribeTable', parameters: { tableName } },
      { source: 'dynamodb', name: 'DeleteTable', parameters: { tableName } },
    ])
    const found = done(await sizing(calls))
    expect(found.sized.collapses).toMatchObject([{ kind: 'resources', pattern: table('job-*') }])
    expect(passes(found, 'dynamodb:DescribeTable', table('job-99'))).toBe(true)
    expect(passes(found, 'dynamodb:DeleteTable', table('job-99'))).toBe(false)
    const words = sizingLines(found, { toned: (_, text) => text }).join('\n')
    expect(words).toContain(`everything else that ${table('job-*')} stands for`)
  })
})

test('a policy that is too long is made shorter without widening an access level', async () => {
  const services = ['ec2', 'rds', 'iam', 'lambda', 'ssm']
  const { signingNames, serviceOf } = await import('@seconder/aws/index/service-index')
  const calls = signingNames()
    .filter((name) => services.includes(name))
    .flatMap((name) =>
      serviceOf(name).models.flatMap((model) =>
        Object.keys(model.operations)
          .filter((_, index) => index % 2 === 0)
          .map((operation) => ({ source: name, name: operation })),
      ),
    )
  const found = done(await sizing(calls))
  const collapses = found.sized.collapses.filter(({ kind }) => kind === 'actions')
  expect(collapses.length).toBeGreaterThan(3)
  for (const { instead, adds, pattern } of collapses) {
    const levels = new Set([...instead, ...adds].map((action) => actionFacts(action)?.level))
    expect([pattern, levels.size]).toEqual([pattern, 1])
    expect(adds.length).toBeGreaterThan(0)
  }
  for (const { action, resource } of found.sized.needs)
    expect([action, passes(found, action, resource)]).toEqual([action, true])
})

describe('what happens seldom is kept', () => {
  const calls = [{ source: 's3', name: 'ListBuckets' }]
  test.each([
    ['its name', { name: 'break-glass' }],
    ['its tag', { tags: { purpose: 'disaster-recovery' } }],
    ['the key of its tag', { tags: { 'quarterly-close': 'yes' } }],
  ])('a role that says so by %s is not trimmed unless asked', async (_, more) => {
    expect(await sizing(calls, more)).toMatchObject({ refused: 'seldom' })
    const asked = await sizing(calls, more, 'managed', true)
    expect('refused' in asked && asked.refused).not.toBe('seldom')
  })
  test('a statement that says so by its Sid stays as it is, and passes', async () => {
    const restore = { Sid: 'QuarterlyRestore', ...allow('rds:RestoreDBInstanceFromDBSnapshot') }
    const found = done(await sizing(calls, { can: [restore, allow('ec2:*')] }))
    expect(found.sized.kept).toMatchObject([
      { policy: 'own', because: 'its Sid, QuarterlyRestore, says so' },
    ])
    expect(passes(found, 'rds:RestoreDBInstanceFromDBSnapshot', 'x')).toBe(true)
    expect(JSON.stringify(found.sized.boundary.document)).toContain('rds:*')
  })
})

test('a role that the trail does not have, and a name that two bear, are refused in words', async () => {
  expect(
    await sizing([{ source: 's3', name: 'ListBuckets', error: 'AccessDenied' }]),
  ).toMatchObject({ refused: 'not_in_trail' })
  expect(await sizing([{ source: 's3', name: 'ListBuckets' }], { name: 'other' })).toMatchObject({
    refused: 'not_in_trail',
  })
})

test('what destroyed is named, and left out where the operator says so', async () => {
  const calls = [
    { source: 'dynamodb', name: 'DeleteTable', parameters: { tableName: 'old' } },
    { source: 's3', name: 'ListBuckets' },
  ]
  const before = done(await sizing(calls))
  expect(before.destroyed).toEqual(['dynamodb:DeleteTable'])
  const found = done(
    await sizing(calls, {}, 'managed', false, (action) => action.includes('Delete')),
  )
  expect(found.sized.leftOut).toEqual([{ action: 'dynamodb:DeleteTable', resource: table('old') }])
  expect(passes(found, 'dynamodb:DeleteTable', table('old'))).toBe(false)
  expect(found.destroyed).toEqual([])
})

test('the window is said, and that it is shorter than a quarter', async () => {
  const found = done(
    await sizing([
      { source: 's3', name: 'ListBuckets' },
      { source: 'ec2', name: 'DescribeInstances', time: '2026-11-22T00:00:00Z' },
    ]),
  )
  const words = sizingLines(found, { toned: (_, text) => text }).join('\n')
  expect(words).toContain('2026-11-20 to 2026-11-22, 2 days')
  expect(words).toContain('shorter than a quarter')
  expect(words).toContain('2026-11-20  s3:ListAllMyBuckets')
})

test('needs with everything take in needs with names', () => {
  expect(
    grantsOf([
      { action: 's3:GetObject', resource: '*' },
      { action: 's3:GetObject', resource: 'arn:aws:s3:::a/b' },
    ]),
  ).toEqual([{ actions: ['s3:GetObject'], resources: ['*'] }])
})

const TRAIL = join(
  import.meta.dirname,
  '../../../../../shared/data/cloudtrail/invictus-2900.ndjson.gz',
)
test.skipIf(!existsSync(TRAIL))(
  'the published trail: right-sized policies of its principals pass all that they did (skipped without the shared data)',
  async () => {
    const trail = await openTrail([TRAIL], { workers: 1 })
    const use = trailUse(trail.store)
    trail.close()
    const roles = [...use.principals].filter(
      ([arn, { calls }]) => /:role\/stratus/.test(arn) && calls.length > 0,
    )
    expect(roles.length).toBeGreaterThan(3)
    const estate = estateOf({
      roles: roles.map(([arn]) =>
        role({
          name: arn.split('/').at(-1) ?? '',
          account: arn.split(':')[4] ?? '',
          can: [allow('*')],
        }),
      ),
    })
    for (const [arn] of roles) {
      const found = sizeRole({
        estate,
        organization: null,
        gate: NO_GATE,
        trail: use,
        role: arn,
        as: 'managed',
        evenSeldom: false,
        now: NOW,
      })
      if ('refused' in found) throw new Error(found.why)
      expect(found.sized.failing).toEqual([])
      for (const { action, resource } of found.sized.needs)
        expect(passes(found, action, resource)).toBe(true)
    }
  },
)
