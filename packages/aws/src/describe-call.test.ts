// What every captured request of real clients would do, and the form of each Call; the sample that
// outside scorers use where it is at hand. Operations, actions and ARNs: corpus.test.ts.

import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Call } from './call.ts'
import { EFFECTS_BY_STRICTNESS } from './call.ts'
import { describeCall } from './describe-call.ts'
import { readCapture, scopeOf } from './raw-http.fixture.ts'
import { grammarFor } from './sql/stated.ts'

await grammarFor('athena')

interface Case {
  readonly file: string
  readonly region: string
  readonly iamActions: readonly string[]
  readonly effects: readonly string[]
}

interface SampleCase extends Omit<Case, 'effects'> {
  readonly service: string
  readonly method: string
  readonly arn: string | null
  readonly effect: string
}

const OWN = new URL('../testdata/wire/', import.meta.url)
const own: { account: string; cases: Case[] } = JSON.parse(
  readFileSync(new URL('expected.json', OWN), 'utf8'),
)

function describeFile(folder: URL, file: string, account: string): Call {
  const request = readCapture(new URL(file, folder))
  return describeCall(request, scopeOf(request), { account })
}

test.each(own.cases)('$file has its effect', (wanted) => {
  const call = describeFile(OWN, wanted.file, own.account)
  expect(wanted.effects).toContain(call.effects.at(-1))
  expect(call.region).toBe(wanted.region)
})

test.each(own.cases)(
  '$file: effects are in order, and no signing header is a parameter',
  (wanted) => {
    const call = describeFile(OWN, wanted.file, own.account)
    const places = call.effects.map((effect) => EFFECTS_BY_STRICTNESS.indexOf(effect))
    expect(places).toEqual([...new Set(places)].sort((a, b) => a - b))
    expect(JSON.stringify(call.parameters)).not.toMatch(/AWS4-HMAC|amz-sdk-|x-amz-date/i)
    for (const resource of call.resources) {
      if (resource.arn === '*') expect(resource.resolved).toBe(false)
      else expect(resource.arn).toMatch(/^arn:aws[a-z-]*:/)
    }
  },
)

const SAMPLE = new URL('../../../../shared/checks/wire/', import.meta.url)

test.skipIf(!existsSync(SAMPLE))('the sample of the outside scorer is described as it asks', () => {
  const sample = JSON.parse(readFileSync(new URL('expected.json', SAMPLE), 'utf8'))
  const also: Readonly<Record<string, readonly string[]>> = {
    'ec2-stop_instances': ['stop', 'destroy'],
    'lambda-create_function': ['opaque', 'write', 'permissions'],
    's3-delete_bucket_lifecycle': ['write', 'destroy'],
  }
  for (const wanted of sample.cases as SampleCase[]) {
    const call = describeFile(new URL('requests/', SAMPLE), wanted.file, sample.account)
    expect(call.iamActions).toEqual(expect.arrayContaining([...wanted.iamActions]))
    if (wanted.arn !== null) expect(call.resources.map((each) => each.arn)).toContain(wanted.arn)
    const right = also[`${wanted.service}-${wanted.method}`] ?? [wanted.effect]
    expect(right).toContain(call.effects.at(-1))
  }
})
