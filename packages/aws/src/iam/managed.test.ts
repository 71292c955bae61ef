// Every managed policy that AWS publishes, against a second evaluator that knows only the guide: requests made
// from the policies' own actions, resources and conditions, so that both answers come up for each.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { Json } from '../call.ts'
import { authorize } from './authorize.ts'
import { explain } from './explain.ts'
import { keys as contextKeys, policySet, request, USER } from './iam.fixture.ts'
import { type NaiveRequest, naiveAnswer } from './naive.fixture.ts'
import { type Policy, parsePolicy } from './policy.ts'
import { type Next, pick, random } from './random.fixture.ts'

const MANAGED = join(
  import.meta.dirname,
  '../../../../../shared/data/iam/aws-managed-policies.ndjson.gz',
)

interface Managed {
  readonly name: string
  readonly document: Json
}

function managed(): Managed[] {
  const lines = gunzipSync(readFileSync(MANAGED)).toString('utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Managed)
}

const absent = !existsSync(MANAGED)

test.skipIf(absent)(
  'two evaluators say the same of every managed policy (skipped where the shared data is not there)',
  () => {
    const next = random(31)
    const told = { allow: 0, deny: 0, 'cannot say': 0 }
    for (const { name, document } of managed()) {
      const policy = parsePolicy(document, 'identity', name)
      const pool = poolOf(document)
      for (let round = 0; round < 8; round++) {
        const asked = requestFrom(next, pool)
        const expected = naiveAnswer(document, asked)
        told[expected] += 1
        const { answer } = authorize(whole(asked), policySet({ identity: [policy] }))
        if (expected === 'cannot say') continue
        if (answer !== 'unknown') {
          expect([name, asked, answer]).toEqual([name, asked, expected])
          continue
        }
        // Open only where a variable has no value, which the second did not come to.
        const { missing } = explain(whole(asked), policySet({ identity: [policy] }))
        expect(missing.every((key) => !(key in asked.keys))).toBe(true)
      }
    }
    expect(told.allow).toBeGreaterThan(2_000)
    expect(told.deny).toBeGreaterThan(2_000)
    expect(told['cannot say']).toBeLessThan(1_500)
  },
)

test.skipIf(absent)(
  'no managed policy fails on any of a set of requests, told or not (skipped where the data is not there)',
  () => {
    const policies = managed().map(({ name, document }) => parsePolicy(document, 'identity', name))
    expect(policies).toHaveLength(1_641)
    const counts = { allow: 0, deny: 0, unknown: 0 }
    for (const policy of policies) {
      for (const [action, resource] of REQUESTS) {
        for (const others of ['absent', 'unknown'] as const) {
          const isPattern = resource.includes('*')
          const asked = request({ action, resource, isPattern, others, principal: USER })
          const verdict = authorize(asked, policySet({ identity: [policy] }))
          counts[verdict.answer] += 1
          if (others === 'absent') expectNoKey(verdict.dependsOn, policy)
        }
      }
    }
    expect(Math.min(...Object.values(counts))).toBeGreaterThan(300)
  },
)

const REQUESTS = [
  ['s3:GetObject', 'arn:aws:s3:::data/key'],
  ['s3:DeleteBucket', 'arn:aws:s3:::data'],
  ['s3:DeleteObject', 'arn:aws:s3:::*'],
  ['ec2:TerminateInstances', 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0'],
  ['rds:DeleteDBInstance', 'arn:aws:rds:eu-west-1:111122223333:db:orders'],
  ['dynamodb:DeleteTable', 'arn:aws:dynamodb:eu-west-1:111122223333:table/*'],
  ['iam:PassRole', 'arn:aws:iam::111122223333:role/deploy'],
  ['iam:CreateAccessKey', 'arn:aws:iam::111122223333:user/carlos'],
  ['kms:ScheduleKeyDeletion', 'arn:aws:kms:eu-west-1:111122223333:key/1'],
  ['cloudformation:DeleteStack', 'arn:aws:cloudformation:eu-west-1:111122223333:stack/a/1'],
  ['logs:DeleteLogGroup', 'arn:aws:logs:eu-west-1:111122223333:log-group:a'],
  ['sts:GetCallerIdentity', '*'],
] as const

/** With every key told, what is left open is the resource, or a variable without a value. */
function expectNoKey(dependsOn: readonly string[], policy: Policy): void {
  const variables = new Set(
    policy.statements.flatMap(({ resources, conditions }) =>
      [...(resources?.patterns ?? []), ...conditions.flatMap(({ values }) => values)].flatMap(
        ({ parts }) => parts.flatMap((part) => ('key' in part ? [part.key] : [])),
      ),
    ),
  )
  expect(dependsOn.filter((key) => key !== 'resource' && !variables.has(key))).toEqual([])
}

interface Pool {
  readonly actions: readonly string[]
  readonly resources: readonly string[]
  readonly conditions: readonly (readonly [string, readonly string[]])[]
}

/** What the policy itself speaks of. */
function poolOf(document: Json): Pool {
  const list = (value: unknown): string[] =>
    value === undefined ? [] : Array.isArray(value) ? value.map(String) : [String(value)]
  const { Statement } = document as unknown as { Statement: Record<string, unknown>[] }
  const statements = Array.isArray(Statement) ? Statement : [Statement]
  const conditions = statements.flatMap((one) =>
    Object.values((one['Condition'] ?? {}) as Record<string, Record<string, unknown>>).flatMap(
      (block) => Object.entries(block).map(([key, values]) => [key, list(values)] as const),
    ),
  )
  return {
    actions: statements.flatMap((one) => [...list(one['Action']), ...list(one['NotAction'])]),
    resources: statements.flatMap((one) => [...list(one['Resource']), ...list(one['NotResource'])]),
    conditions,
  }
}

const VALUE = 'value-1'

function requestFrom(next: Next, pool: Pool): NaiveRequest {
  const concrete = (text: string) =>
    text
      .replace(/\$\{([*?$])\}/g, '$1')
      .replace(/\$\{[^}]*\}/g, VALUE)
      .replaceAll('*', () => pick(next, ['', 'a', 'a/b', 'x:y']))
      .replaceAll('?', 'q')
  const keys: Record<string, readonly string[]> = {}
  for (const [key, values] of pool.conditions) {
    if (next(3) === 0) continue
    const one = () => concrete(next(4) === 0 ? 'other' : pick(next, [...values, 'true']))
    keys[key.toLowerCase()] = next(4) === 0 ? [one(), one()] : [one()]
  }
  const variables = [...JSON.stringify(pool).matchAll(/\$\{([^}*?$]+)\}/g)]
  for (const [, name = ''] of variables) {
    if (next(6) > 0) keys[name.toLowerCase()] = [pick(next, [VALUE, VALUE, 'elsewhere'])]
  }
  const word = concrete(pick(next, pool.actions)).replace(/[/:]?[^A-Za-z0-9:-]/g, 'a')
  return {
    action: next(5) === 0 ? 's3:GetObject' : word.includes(':') ? word : `s3:${word}`,
    resource: next(6) === 0 ? 'arn:aws:s3:::data/key' : concrete(pick(next, pool.resources)),
    keys,
  }
}

function whole({ action, resource, keys }: NaiveRequest) {
  const asked = request({ action, resource })
  const told = contextKeys(keys as Record<string, string[]>)
  return { ...asked, context: { keys: told, others: 'absent' as const } }
}
