// Every way a policy can ask for people, each at the public doors of one gate: who signs, what the gate says
// after each, and whether the call then passes. A knob that is parsed and ignored would pass too early here.
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signChange } from '@seconder/cli/changing-people'
import { signerFor } from '@seconder/cli/signing'
import { REVIEW_NAMESPACE } from '@seconder/gateway/review/statement'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { idIn, reviewStatement } from './acts.ts'
import { ACCOUNT, Harness, type Keys } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const TEAMS = {
  alice: ['sre', 'dba', 'security'],
  bob: ['sre'],
  carol: [],
  dave: ['dba'],
  erin: ['sre', 'dba'],
  frank: ['sre'],
  grace: ['security'],
}
const rule = (environment: string, effect: string, condition: string) =>
  `@id("${environment}-${effect}")
   permit (principal is Agent, action in Action::"${effect}", resource in Environment::"${environment}")
   when { ${condition} };`
const approved = (test: string) => `context.approvedBy.${test}`

/** An environment for each knob, so that all of them hold beside each other in one set. */
const POLICIES = [
  rule('two', 'destroy', approved('contains("sre:2")')),
  rule('both', 'destroy', approved('containsAll(["sre:1", "dba:1"])')),
  rule(
    'joined',
    'destroy',
    `${approved('contains("sre:1")')} && ${approved('contains("security:1")')}`,
  ),
  rule('either', 'destroy', approved('containsAny(["security:1", "dba:2"])')),
  rule(
    'or',
    'destroy',
    `${approved('contains("security:1")')} || ${approved('contains("dba:2")')}`,
  ),
  rule('ways', 'destroy', approved('contains("security:1")')),
  rule('ways', 'destroy', approved('contains("dba:2")')).replace('"ways-', '"ways-too-'),
  rule('crowd', 'destroy', approved('containsAll(["sre:1", "any:3"])')),
  rule('stricter', 'destroy', approved('contains("any:1")')),
  `@id("stricter-unless") forbid (principal, action, resource in Environment::"stricter")
   unless { ${approved('contains("security:1")')} };`,
  rule('effects', 'tag', approved('contains("any:1")')),
  rule('effects', 'destroy', approved('containsAll(["dba:1", "any:2"])')),
  rule('reach', 'change', approved('contains("sre:1")')),
  rule('beyond', 'change', approved('containsAll(["dba:1", "security:1"])')),
]
const ENVIRONMENTS = [
  ...new Set(POLICIES.map((text) => /Environment::"(\w+)"/.exec(text)?.[1] ?? '')),
]
const table = (name: string) => `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/${name}`

let folder: string
let upstream: FakeUpstream
let gate: Harness
let keys: Keys
let made = 0

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'seconder-knobs-'))
  copyFileSync(join(ROOT, 'policies', 'schema.cedarschema'), join(folder, 'schema.cedarschema'))
  writeFileSync(join(folder, 'knobs.cedar'), POLICIES.join('\n'))
  upstream = await startFakeUpstream()
  const environments = ENVIRONMENTS.map((name) => ({
    name,
    accounts: [ACCOUNT],
    arns: [table(`${name}-*`)],
    mode: 'enforce' as const,
  }))
  gate = await Harness.start({
    upstream: upstream.url,
    policies: folder,
    teams: TEAMS,
    environments,
  })
  keys = await gate.open('alice')
})

afterAll(async () => {
  await gate.stop()
  await upstream.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A call that waits, for a table of its own in this environment. */
async function waiting(environment: string, effect = 'destroy') {
  const name = `${environment}-${made++}`
  const call = () =>
    rawCall(
      keys,
      effect === 'tag'
        ? dynamodbCall('TagResource', {
            ResourceArn: table(name),
            Tags: [{ Key: 'a', Value: 'b' }],
          })
        : dynamodbCall('DeleteTable', { TableName: name }),
    )
  const id = idIn(await call())
  const { request } = await gate.client.get<{ request: { requirement: string[] } }>(
    `/api/requests/${id}`,
  )
  return { id, call, requirement: request.requirement }
}

/** The environment, what it is shown to need, and the people whose last approval is the one that opens it. */
const KNOBS: readonly (readonly [string, string, string, readonly (readonly string[])[]])[] = [
  [
    'N of a team',
    'two',
    'sre:2',
    [
      ['dave', 'carol', 'bob', 'frank'],
      ['erin', 'bob'],
    ],
  ],
  [
    'an AND of teams in one test',
    'both',
    'dba:1 sre:1',
    [
      ['erin', 'bob'],
      ['bob', 'frank', 'dave'],
    ],
  ],
  ['an AND of teams by `&&`', 'joined', 'security:1 sre:1', [['grace', 'dave', 'erin']]],
  ['an OR of teams in one test', 'either', 'security:1', [['grace'], ['dave', 'bob', 'erin']]],
  ['an OR of teams by `||`', 'or', 'security:1', [['grace'], ['erin', 'frank', 'dave']]],
  [
    'an OR of teams by a second permit',
    'ways',
    'security:1',
    [
      ['bob', 'grace'],
      ['dave', 'erin'],
    ],
  ],
  ['one of a team and so many in all', 'crowd', 'any:3 sre:1', [['carol', 'dave', 'grace', 'bob']]],
  ['a forbid unless', 'stricter', 'security:1', [['bob', 'dave', 'erin', 'grace']]],
]

test.each(KNOBS)('the quorum of %s holds', async (_, environment, requirement, ways) => {
  for (const people of ways) {
    const asked = await waiting(environment)
    expect(asked.requirement.join(' ')).toBe(requirement)
    for (const [index, person] of people.entries()) {
      expect((await asked.call()).status, `before ${person}`).toBe(400)
      const state = index === people.length - 1 ? 'approved' : 'pending'
      expect(await gate.review(person, asked.id), person).toMatchObject({ state })
    }
    expect((await asked.call()).status).toBe(200)
  }
})

test('different numbers by effect: a tag takes anybody, a deletion of the same two people', async () => {
  const tag = await waiting('effects', 'tag')
  expect(tag.requirement).toEqual(['any:1'])
  expect(await gate.review('carol', tag.id)).toMatchObject({ state: 'approved' })
  const deletion = await waiting('effects')
  expect(deletion.requirement).toEqual(['any:2', 'dba:1'])
  expect(await gate.review('carol', deletion.id)).toMatchObject({ state: 'pending' })
  expect(await gate.review('bob', deletion.id)).toMatchObject({ state: 'pending' })
  expect((await deletion.call()).status).toBe(400)
  expect(await gate.review('dave', deletion.id)).toMatchObject({ state: 'approved' })
  expect((await deletion.call()).status).toBe(200)
})

test('different numbers by environment: a call that reaches two of them needs the people of both', async () => {
  const remove = [{ DeleteRequest: { Key: { id: { S: 'a' } } } }]
  const call = () =>
    rawCall(
      keys,
      dynamodbCall('BatchWriteItem', { RequestItems: { 'reach-1': remove, 'beyond-1': remove } }),
    )
  const id = idIn(await call())
  for (const person of ['bob', 'dave']) {
    expect(await gate.review(person, id)).toMatchObject({ state: 'pending' })
    expect((await call()).status).toBe(400)
  }
  expect(await gate.review('grace', id)).toMatchObject({ state: 'approved' })
  expect((await call()).status).toBe(200)
})

test('C10 a team taken away, or a person removed, while a verdict is being read does not count in it', async () => {
  const signs = async (change: Parameters<typeof signChange>[2]) => {
    for (const name of ['bob', 'dave']) {
      await signChange(gate.client, await signerFor(gate.client, gate.keys.get(name)), change)
    }
  }
  const { recorder } = gate.running.gate
  const { payload } = recorder
  /** The change happens between the first look at the verdict and the decision on it. */
  const meanwhile = (change: () => Promise<void>, armed: () => boolean) => {
    let isDone = false
    recorder.payload = async (sha256) => {
      if (!isDone && armed()) {
        isDone = true
        await change()
      }
      return payload(sha256)
    }
  }
  const reviewing = async (person: string, id: string, change: () => Promise<void>) => {
    let isArmed = false
    const sent = reviewed(person, id, () => (isArmed = true))
    meanwhile(change, () => isArmed)
    return sent.finally(() => Object.assign(recorder, { payload }))
  }
  const grace = await waiting('ways')
  const left = { kind: 'remove-team', person: 'grace', team: 'security' } as const
  expect(await reviewing('grace', grace.id, () => signs(left))).toMatchObject({ state: 'pending' })
  expect((await grace.call()).status).toBe(400)

  const frank = await waiting('reach')
  const gone = { kind: 'remove-person', person: 'frank' } as const
  await expect(reviewing('frank', frank.id, () => signs(gone))).rejects.toMatchObject({
    code: 'not_a_reviewer',
  })
  expect((await frank.call()).status).toBe(400)
})

/** A verdict whose document was read by the client already when `ready` is called. */
async function reviewed(person: string, id: string, ready: () => void) {
  const statement = await reviewStatement(gate, id, {}, person)
  const act = await gate.act(person, statement, REVIEW_NAMESPACE)
  ready()
  return gate.client.post('/api/reviews', act)
}
