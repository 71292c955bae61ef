// What is kept from one request to the next (row plans, shapes, formats) is knowledge alone: nothing
// of one caller, region or parameter shows in the Call of another.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Call } from './call.ts'
import { put } from './describe/arn-fill.ts'
import { describeCall } from './describe-call.ts'
import { serviceOf, signingNames } from './index/service-index.ts'
import { readCapture, scopeOf } from './raw-http.fixture.ts'

const WIRE = new URL('../testdata/wire/', import.meta.url)
const { cases } = JSON.parse(readFileSync(new URL('expected.json', WIRE), 'utf8')) as {
  cases: { file: string }[]
}
const requests = cases.map(({ file }) => {
  const request = readCapture(new URL(file, WIRE))
  return { file, request, scope: scopeOf(request) }
})

const ACCOUNTS = ['111111111111', '222222222222', '111111111111']
const REGIONS = ['eu-west-1', 'us-gov-west-1', 'eu-west-1']

test('every captured request, for two callers in turn: each Call is of its own caller', () => {
  for (const { file, request, scope } of requests) {
    const calls = ACCOUNTS.map((account, turn): Call => {
      const region = REGIONS[turn] ?? ''
      return describeCall(request, { ...scope, region }, { account })
    })
    expect(calls[2], file).toEqual(calls[0])
    const made = JSON.stringify(calls[1]?.resources)
    // An ARN in the request itself may name any account; what was filled in may not.
    const sent = JSON.stringify(calls[1]?.parameters)
    if (!sent.includes('111111111111')) expect(made, file).not.toContain('111111111111')
  }
})

test('what a caller does to a Call changes no later one', () => {
  for (const { file, request, scope } of requests) {
    const context = { account: '111111111111' }
    const first = describeCall(request, scope, context)
    const text = JSON.stringify(first)
    for (const list of [first.resources, first.effects, first.iamActions, first.maskedPointers]) {
      if (!Object.isFrozen(list)) (list as unknown[]).length = 0
    }
    expect(JSON.stringify(describeCall(request, scope, context)), file).toBe(text)
  }
})

test('every format of the index is filled as a replacement of its first placeholders fills it', () => {
  const here = { Partition: 'aws', Region: 'eu-west-1', Account: '111111111111' }
  let count = 0
  for (const name of signingNames().filter((_, index) => index % 7 === 0)) {
    for (const format of Object.values(serviceOf(name).iam.resourceTypes)) {
      let expected = format
      let filled = format
      for (const [variable, value] of Object.entries(here)) {
        expected = expected.replace(`\${${variable}}`, () => value)
        filled = put(filled, `\${${variable}}`, value)
      }
      expect(filled).toBe(expected)
      count += 1
    }
  }
  expect(count).toBeGreaterThan(100)
})
