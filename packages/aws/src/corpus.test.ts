// The corpus of real clients' requests measured: which operation, which IAM actions, which ARNs each is
// said to be, against what AWS's documentation says. The figures are printed; one wrong ARN is too
// many, for it names what the call does not touch.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readIamData } from '../build/iam-facts.ts'
import type { Call, Protocol } from './call.ts'
import { partitionOf } from './describe/arn.ts'
import { describeCall } from './describe-call.ts'
import { readCapture, scopeOf } from './raw-http.fixture.ts'
import { grammarFor } from './sql/stated.ts'

await grammarFor('athena')

interface Case {
  readonly file: string
  readonly region: string
  readonly service: string
  readonly operation: string
  readonly protocol: Exclude<Protocol, 's3'>
  readonly iamActions: readonly string[]
  readonly alsoActions?: readonly string[]
  readonly arns: readonly string[]
  readonly client: string
  readonly source: string
}

const WIRE = new URL('../testdata/wire/', import.meta.url)
const { account, cases } = JSON.parse(readFileSync(new URL('expected.json', WIRE), 'utf8')) as {
  account: string
  cases: Case[]
}

/** What the caller itself needs and touches; what others then do for it is theirs. */
function described({ file }: Case): Call {
  const request = readCapture(new URL(file, WIRE))
  return describeCall(request, scopeOf(request), { account })
}

const measured = cases.map((wanted) => {
  const call = described(wanted)
  const also = new Set(wanted.alsoActions)
  return {
    wanted,
    call,
    actions: (call.ownActions ?? call.iamActions).filter((action) => !also.has(action)),
    arns: call.resources.filter(({ inner }) => inner !== true).map(({ arn }) => arn),
  }
})

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return new Set(a).size === new Set(b).size && a.every((each) => b.includes(each))
}

/** True where the pattern is wider than an expected ARN, which is a false alarm and no hole. */
function covers(pattern: string, arns: readonly string[]): boolean {
  const parts = pattern.split(/([*?])/)
  const source = parts.map((part) =>
    part === '*' ? '.*' : part === '?' ? '.' : part.replace(/[.+^${}()|[\]\\]/g, '\\$&'),
  )
  const matching = new RegExp(`^${source.join('')}$`)
  return arns.some((arn) => matching.test(arn))
}

function list(rows: readonly { wanted: Case }[]): string[] {
  return rows.map(({ wanted }) => wanted.file)
}

test('at least 320 requests of real clients over 60 services, every protocol and three partitions', () => {
  expect(cases.length).toBeGreaterThanOrEqual(320)
  expect(new Set(cases.map(({ file }) => file)).size).toBe(cases.length)
  expect(new Set(cases.map(({ service }) => service)).size).toBeGreaterThanOrEqual(60)
  const of = (partition: string) => cases.filter(({ region }) => partitionOf(region) === partition)
  for (const partition of ['aws-cn', 'aws-us-gov']) {
    const rows = of(partition)
    expect(rows.length, partition).toBeGreaterThanOrEqual(12)
    expect(new Set(rows.map(({ service }) => service)).size, partition).toBeGreaterThanOrEqual(12)
  }
  expect([...new Set(cases.map(({ protocol }) => protocol))].sort()).toEqual([
    ...['awsJson1_0', 'awsJson1_1', 'awsQuery', 'ec2Query', 'restJson1', 'restXml', 'rpcv2Cbor'],
  ])
})

test('no capture holds a key but the made-up one', () => {
  for (const { file } of cases) {
    const text = readFileSync(new URL(file, WIRE), 'latin1')
    const keys = text.match(/\b(?:AKID|AKIA|ASIA)[A-Z0-9]{12,}/g) ?? []
    expect(new Set(keys), file).toEqual(new Set(['AKIDSAMPLEEXAMPLE000']))
  }
})

test('every expected action is one of the reference, and every ARN has the form of a type there', () => {
  const { facts } = readIamData()
  const unknown: string[] = []
  for (const { file, iamActions, alsoActions = [], arns } of cases) {
    const prefixes = new Set<string>()
    for (const action of [...iamActions, ...alsoActions]) {
      const [prefix = '', name = ''] = action.split(':')
      prefixes.add(prefix)
      if (facts.get(prefix)?.actions[name] === undefined) unknown.push(`${file}: ${action}`)
    }
    const types = [...prefixes].flatMap((each) =>
      Object.values(facts.get(each)?.resourceTypes ?? {}),
    )
    // Another service's resource may be the caller's to name: an instance for SSM.
    const formats = [...types, ...Object.values(facts.get('ec2')?.resourceTypes ?? {})]
    const patterns = formats.map((format) => format.replace(/\$\{\w+\}/g, '*'))
    for (const arn of arns) {
      const fits = patterns.some((pattern) => covers(pattern, [arn]))
      if (arn !== '*' && !fits) unknown.push(`${file}: ${arn}`)
    }
  }
  expect(unknown).toEqual([])
})

test('service, operation, protocol and region of every request are right', () => {
  const wrong = measured.filter(({ wanted, call }) => {
    const protocol = call.protocol === 's3' ? 'restXml' : call.protocol
    return (
      call.service !== wanted.service ||
      call.operationName !== wanted.operation ||
      call.region !== wanted.region ||
      protocol !== wanted.protocol
    )
  })
  console.log(`corpus: service and operation ${cases.length - wrong.length}/${cases.length}`)
  expect(list(wrong)).toEqual([])
})

test('IAM actions are exactly those needed in at least 99 of 100 requests, and none is missing', () => {
  const missing = measured.filter(
    ({ wanted, actions }) => !wanted.iamActions.every((action) => actions.includes(action)),
  )
  const other = measured.filter(({ wanted, actions }) => !isSame(actions, wanted.iamActions))
  console.log(`corpus: IAM actions ${cases.length - other.length}/${cases.length}`, list(other))
  expect(list(missing)).toEqual([])
  expect(other.length).toBeLessThanOrEqual(cases.length * 0.01)
})

test('ARNs are exact in at least 95 of 100 requests, and none is wrong', () => {
  const other = measured.filter(({ wanted, arns }) => !isSame(arns, wanted.arns))
  const wrong = measured.filter(({ wanted, arns }) =>
    arns.some((arn) => !wanted.arns.includes(arn) && !covers(arn, wanted.arns)),
  )
  const exact = cases.length - other.length
  console.log(`corpus: ARN exact ${exact}/${cases.length}, wrong ${wrong.length}`, list(other))
  expect(list(wrong)).toEqual([])
  expect(exact).toBeGreaterThanOrEqual(cases.length * 0.95)
})
