// "What would it take?" at the people's API: what it says of a call is what the gate then asks for when an agent
// makes that call; asking changes nothing; what cannot be read is said in words.
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { WhatItTakes } from '@seconder/gateway/hypothetical/what-it-takes'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { idIn } from './acts.ts'
import { ACCOUNT, Harness } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const rule = (environment: string, condition: string) =>
  `@id("${environment}-destroy") @reason("${environment} wants it")
   permit (principal is Agent, action in Action::"destroy", resource in Environment::"${environment}")
   when { ${condition} };`
const POLICIES = [
  rule('both', 'context.approvedBy.containsAll(["sre:1", "dba:1"])'),
  rule('either', 'context.approvedBy.containsAny(["security:1", "dba:2"])'),
  rule('crowd', 'context.approvedBy.containsAll(["sre:1", "any:3"])'),
  rule('free', 'true'),
  `@id("look") permit (principal is Agent, action in Action::"look", resource);`,
]
const NAMES = ['both', 'either', 'crowd', 'free', 'closed']
const table = (name: string) => `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/${name}`

let folder: string
let upstream: FakeUpstream
let gate: Harness

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'seconder-takes-'))
  copyFileSync(join(ROOT, 'policies', 'schema.cedarschema'), join(folder, 'schema.cedarschema'))
  writeFileSync(join(folder, 'takes.cedar'), POLICIES.join('\n'))
  upstream = await startFakeUpstream()
  gate = await Harness.start({
    upstream: upstream.url,
    policies: folder,
    teams: { alice: ['sre'], bob: ['sre', 'dba'], carol: ['security'] },
    environments: NAMES.map((name) => ({
      name,
      accounts: [ACCOUNT],
      arns: [table(name)],
      mode: 'enforce' as const,
    })),
  })
})

afterAll(async () => {
  await gate?.stop()
  await upstream?.close()
  rmSync(folder, { recursive: true })
})

function ask(query: Record<string, string | readonly string[]>): Promise<WhatItTakes> {
  const given = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => [name, one]),
  )
  return gate.client.get(`/api/policies/inquiry?${new URLSearchParams(given)}`)
}

/** Code and words of what is refused. */
function refusal(query: Record<string, string | readonly string[]>): Promise<string> {
  return ask(query).then(
    () => 'it was answered',
    ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
  )
}

test('it says what the gate asks for when the call is made: all of, any of, more than a team', async () => {
  const expected: Record<string, readonly (readonly string[])[]> = {
    both: [['dba:1', 'sre:1']],
    either: [['security:1'], ['dba:2']],
    crowd: [['any:3', 'sre:1']],
  }
  const keys = await gate.open('alice')
  for (const [name, ways] of Object.entries(expected)) {
    const said = await ask({ operation: 'dynamodb:DeleteTable', resource: table(name) })
    expect(said.ways).toEqual(ways)
    expect(said.policies).toEqual([
      expect.objectContaining({ id: `${name}-destroy`, file: 'takes.cedar', effect: 'permit' }),
    ])
    expect(said.policies[0]?.reason).toBe(`${name} wants it`)
    const held = await rawCall(keys, dynamodbCall('DeleteTable', { TableName: name }))
    const { request } = await gate.client.get<{ request: { requirement: string[] } }>(
      `/api/requests/${idIn(held)}`,
    )
    expect(said.decision).toMatchObject({ answer: 'review', requirement: request.requirement })
    expect(said.ways[0]).toEqual(request.requirement)
  }
})

test('an allow has its deny; a credential passes for nobody; the parameters name the thing', async () => {
  const free = await ask({
    operation: 'dynamodb:DeleteTable',
    parameters: '{"TableName": "free"}',
    region: 'eu-west-1',
  })
  expect(free.action.resources).toMatchObject([{ arn: table('free'), environment: 'free' }])
  expect(free.decision).toEqual({ answer: 'allow', policies: ['free-destroy'] })
  const closed = await ask({ operation: 'dynamodb:DeleteTable', resource: table('closed') })
  expect(closed.decision).toMatchObject({ answer: 'deny', code: 'denied_by_policy' })
  expect(closed.ways).toEqual([])
  const lent = await ask({ operation: 'sts:AssumeRole' })
  expect(lent.decision).toMatchObject({ answer: 'deny', code: 'credential_answer' })
})

test('what is named beside the parameters hides nothing that those name', async () => {
  const both = await ask({
    operation: 'dynamodb:DeleteTable',
    resource: table('free'),
    parameters: '{"TableName": "orders"}',
    region: 'eu-west-1',
  })
  expect(both.action.resources.map(({ arn }) => arn).sort()).toEqual(
    [table('free'), table('orders')].sort(),
  )
  expect(both.decision.answer).not.toBe('allow')
})

test('nothing named is everything, in production; an environment may be supposed, one that is known', async () => {
  const bare = await ask({ operation: 'dynamodb:DeleteTable' })
  expect(bare.action.resources).toMatchObject([{ resolved: false, environment: 'production' }])
  expect(bare.notes.join()).toContain('Not everything it touches is named')
  const supposed = await ask({ operation: 'dynamodb:DeleteTable', environment: 'free' })
  expect(supposed.decision.answer).toBe('allow')
  expect(supposed.notes.join()).toContain('all it touches lies in free')
  const two = await ask({
    operation: 'dynamodb:DeleteTable',
    resource: [table('free'), table('both')],
  })
  expect(two.parts.map(({ decision }) => decision.answer)).toEqual(['allow', 'review'])
  expect(two.decision.answer).toBe('review')
})

test('what cannot be read is refused in words, at a limit and one past it', async () => {
  const operation = 'dynamodb:DeleteTable'
  const many = (count: number) => Array.from({ length: count }, (_, at) => table(`t${at}`))
  const long = (length: number) => `{"TableName": "${'x'.repeat(length - 17)}"}`
  expect((await ask({ operation, resource: many(20) })).action.resources).toHaveLength(20)
  expect((await ask({ operation, parameters: long(8_000) })).operation).toBe(operation)
  const cases: [Record<string, string | readonly string[]>, string][] = [
    [{}, '`operation`: no call is named'],
    [{ operation: 'DeleteTable' }, '`operation`: not a call as service:Operation'],
    [{ operation: 'nothing:DeleteTable' }, 'there is no service `nothing`'],
    [{ operation: 'dynamodb:Nothing' }, '`dynamodb` has no operation `Nothing`'],
    [{ operation, resource: 'orders' }, '`resource`: not an ARN'],
    [{ operation, resource: many(21) }, '`resource`: more than 20 things'],
    [{ operation, parameters: long(8_001) }, '`parameters`: too long'],
    [{ operation, parameters: '{"a": 1, "a": 2}' }, '`parameters`: not JSON'],
    [{ operation, parameters: '[]' }, '`parameters`: not a JSON object'],
    [{ operation, environment: 'mars' }, 'neither configuration nor policies know `mars`'],
    [{ operation, role: 'toString' }, 'there is no role `toString`'],
    [{ operation, isolation: 'near' }, '`isolation`'],
    [{ operation, role: ['deploy', 'deploy'] }, '`role` is said twice'],
    [{ operation, approvedBy: 'sre:9' }, 'question_invalid'],
  ]
  for (const [query, words] of cases) expect(await refusal(query)).toContain(words)
})

test('only who reads may ask, not too often, and asking leaves nothing behind', async () => {
  const entries = (await gate.entries()).length
  const address = `${gate.running.consoleUrl}/api/policies/inquiry?operation=dynamodb:DeleteTable`
  expect((await fetch(address)).status).toBe(401)
  const { operations } = await gate.client.get<{ operations: string[] }>(
    '/api/policies/operations?service=dynamodb',
  )
  expect(operations).toContain('DeleteTable')
  let last = ''
  for (let asked = 0; asked < 200 && !last.startsWith('rate_limited'); asked++) {
    last = await refusal({ operation: 'none' })
  }
  expect(last).toContain('asked too often within a minute')
  expect(await gate.entries()).toHaveLength(entries)
})
