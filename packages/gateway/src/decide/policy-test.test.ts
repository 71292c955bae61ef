import { readdirSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { NO_EVIDENCE } from '../resolve/evidence.ts'
import { loadPolicySet, type PolicySet } from './policy-set.ts'
import {
  CASE_FILE_BYTES_MAX,
  CASES_MAX,
  explain,
  type PolicyCase,
  parseCases,
  runCases,
} from './policy-test.ts'
import {
  CONTEXT,
  defaultSet,
  folderSources,
  readText,
  sampleAction,
  TABLE,
} from './sample-request.ts'

let set: PolicySet

beforeAll(async () => {
  set = await defaultSet()
})

const CASE = { name: 'n', request: { effects: ['read'] }, expect: { answer: 'allow' } }

test.each(['policies', 'lab/policies'])(
  'every case beside the policies of %s passes',
  async (folder) => {
    const loaded = folder === 'policies' ? set : await loadPolicySet(folderSources(folder))
    const results = runCases(loaded, casesOf(folder))
    expect(results.filter((result) => !result.passed)).toEqual([])
    expect(results.length).toBeGreaterThan(0)
  },
)

test('every default policy decides a case, but those that code precedes or that only leave a review open', () => {
  const results = runCases(set, casesOf('policies'))
  const decided = new Set(results.flatMap(({ decision }) => decision.policies))
  const silent = [...set.policies.keys()].filter((id) => !decided.has(id)).sort()
  expect(silent).toEqual([
    'approval-without-presence',
    'credential-never',
    'outside-accounts',
    'own-limbs',
    'own-limbs-without-presence',
  ])
})

test('a case that expects another answer fails and says what differs', () => {
  const wrong = { ...CASE, expect: { answer: 'review', requirement: ['sre:1'], policies: ['x'] } }
  const [result] = runCases(set, parseCases('a.case.json', JSON.stringify(wrong)))
  expect(result).toMatchObject({ file: 'a.case.json', name: 'n', passed: false })
  expect(result?.differences).toEqual([
    'answer: expected `review`, found `allow`',
    'requirement: expected `sre:1`, found ``',
    'policies: expected `x`, found `production-look`',
  ])
})

test('a case that expects a code fails where the code is another one', () => {
  const wrong = { ...CASE, expect: { answer: 'allow', code: 'policy_error' } }
  const [result] = runCases(set, parseCases('a', JSON.stringify(wrong)))
  expect(result?.differences).toEqual(['code: expected `policy_error`, found ``'])
})

test.each([
  ['not JSON', '{'],
  ['an unknown member', JSON.stringify({ ...CASE, expected: {} })],
  ['a misspelt fact', JSON.stringify({ ...CASE, request: { effects: ['read'], reveal: 'data' } })],
  ['an effect that is not one', JSON.stringify({ ...CASE, request: { effects: ['delete'] } })],
  ['no effects', JSON.stringify({ ...CASE, request: {} })],
])('a case file with %s is refused', (_, json) => {
  expect(() => parseCases('a.case.json', json)).toThrow(
    expect.objectContaining({ code: 'case_invalid', file: 'a.case.json' }),
  )
})

test('a case file may hold the most cases and not one more', () => {
  const many = (count: number) => JSON.stringify(Array(count).fill(CASE))
  expect(parseCases('a', many(CASES_MAX))).toHaveLength(CASES_MAX)
  expect(() => parseCases('a', many(CASES_MAX + 1))).toThrow(`<=${CASES_MAX}`)
})

test('a case file may have the most bytes and not one more', () => {
  const json = JSON.stringify(CASE)
  const padded = json + ' '.repeat(CASE_FILE_BYTES_MAX - json.length)
  expect(parseCases('a', padded)).toHaveLength(1)
  expect(() => parseCases('a', `${padded} `)).toThrow('larger than')
})

test('explain says for each effect on each resource what it would take alone', () => {
  const resources = [TABLE, { ...TABLE, environment: 'staging' }]
  const action = sampleAction({ resources, effects: ['write', 'destroy'] })
  const { decision, parts } = explain(action, NO_EVIDENCE, CONTEXT, set)
  expect(decision).toMatchObject({ answer: 'review', requirement: ['sre:1'] })
  const told = parts.map(({ effect, environment, decision: { answer, policies } }) => {
    return [effect, environment, answer, ...policies].join(' ')
  })
  expect(told).toEqual([
    'destroy production review production-destroy',
    'destroy staging review staging-loss',
    'write production review production-change',
    'write staging allow nonproduction-change',
  ])
})

test('explain of a refused action gives the refusal and no parts', () => {
  const { decision, parts } = explain(sampleAction({ effects: [] }), NO_EVIDENCE, CONTEXT, set)
  expect(decision).toMatchObject({ answer: 'deny', code: 'invalid_request' })
  expect(parts).toEqual([])
})

function casesOf(folder: string): PolicyCase[] {
  const files = readdirSync(new URL(`../../../../${folder}/`, import.meta.url))
  return files
    .filter((file) => file.endsWith('.case.json'))
    .flatMap((file) => parseCases(file, readText(`${folder}/${file}`)))
}
