// The published rules of IAM as cases in files: each line has the page it was read from, what is asked and
// what AWS answers, at which level. The files are under testdata/iam; its README says how to add one.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Json, JsonObject } from '../call.ts'
import type { PolicySet, Verdict } from './authorize.ts'
import { explain } from './explain.ts'
import { type Asked, allow, asks, deny, policySet, request } from './iam.fixture.ts'
import { type Policy, type PolicyKind, parsePolicy } from './policy.ts'

type Statements = readonly JsonObject[]

interface Case extends Asked {
  readonly name: string
  readonly source: string
  readonly expect: string
}

interface ConditionCase extends Case {
  readonly condition: JsonObject
}

interface PolicyCase extends Case {
  readonly level?: Verdict['step']
  readonly version?: string | null
  readonly resourceIsPattern?: boolean
  readonly policies: {
    readonly identity?: Statements
    readonly boundary?: Statements
    readonly session?: Statements
    readonly scps?: readonly Statements[]
    readonly rcps?: readonly Statements[]
    readonly resource?: Statements | 'unknown'
    readonly trust?: Statements
    readonly resourceKind?: PolicySet['resourceKind']
  }
}

interface GrammarCase extends Case {
  readonly kind: PolicyKind
  readonly document: Json
}

function casesIn<T extends Case>(file: string): T[] {
  const path = join(import.meta.dirname, '../../testdata/iam', `${file}.ndjson`)
  const lines = readFileSync(path, 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as T)
}

const WORDS: Readonly<Record<Verdict['answer'], string>> = {
  allow: 'yes',
  deny: 'no',
  unknown: 'depends on ',
}

function said({ answer, dependsOn }: Pick<Verdict, 'answer' | 'dependsOn'>): string {
  return `${WORDS[answer]}${dependsOn.join(', ')}`
}

function policiesOf({ policies, version }: PolicyCase): Partial<PolicySet> {
  const made = (kind: PolicyKind, statements: Statements): Policy => {
    const Version = version === undefined ? '2012-10-17' : version
    const document = { ...(Version !== null && { Version }), Statement: statements }
    return parsePolicy(document as Json, kind, kind)
  }
  const { identity, boundary, session, scps, rcps, resource, trust, resourceKind } = policies
  const owned =
    resource === 'unknown' ? resource : resource === undefined ? null : made('resource', resource)
  return {
    identity: identity ? [made('identity', identity)] : [],
    boundary: boundary ? made('boundary', boundary) : null,
    session: session ? [made('session', session)] : null,
    scps: (scps ?? []).map((level) => [made('scp', level)]),
    rcps: (rcps ?? []).map((level) => [made('rcp', level)]),
    resource: trust ? made('trust', trust) : owned,
    ...(resourceKind && { resourceKind }),
  }
}

const POLICY_FILES = ['actions-and-resources', 'variables', 'principals', 'levels'] as const

describe.each(POLICY_FILES)('%s', (file) => {
  test.each(casesIn<PolicyCase>(file))('$name: $expect', (one) => {
    const asked = { ...one, isPattern: one.resourceIsPattern ?? false }
    const policies = policiesOf(one)
    const verdict = asks(asked, policies)
    expect(said(verdict)).toBe(one.expect)
    if (one.level !== undefined) expect(verdict.step).toBe(one.level)
    const told = explain(request(asked), policySet(policies))
    expect([told.answer, told.step, told.missing]).toEqual([
      verdict.answer,
      verdict.step,
      verdict.dependsOn,
    ])
    expect(told.words).toMatch(/^(allowed: |denied: |depends on `)/)
  })
})

describe('conditions', () => {
  test.each(casesIn<ConditionCase>('conditions'))('$name: $expect', (one) => {
    const more = { Condition: one.condition }
    const made = (...statements: JsonObject[]) => ({
      identity: [
        parsePolicy({ Version: '2012-10-17', Statement: statements } as Json, 'identity', 'p'),
      ],
    })
    expect(said(asks(one, made(allow('*', '*', more))))).toBe(one.expect)
    const denied = said(asks(one, made(allow('*'), deny('*', '*', more))))
    const twin: Readonly<Record<string, string>> = { yes: 'no', no: 'yes' }
    expect(denied).toBe(twin[one.expect] ?? one.expect)
  })
})

describe('grammar', () => {
  test.each(casesIn<GrammarCase>('grammar'))('$name: $expect', (one) => {
    const read = () => parsePolicy(one.document, one.kind, 'p')
    const asText = () => parsePolicy(JSON.stringify(one.document), one.kind, 'p')
    if (one.expect === 'read') {
      expect(read().statements.length).toBe(asText().statements.length)
      return
    }
    expect(read).toThrow(expect.objectContaining({ code: one.expect }))
    expect(asText).toThrow(expect.objectContaining({ code: one.expect }))
  })
})

test('there are five hundred cases and more, each once and from a page of AWS', () => {
  const all = [...POLICY_FILES, 'conditions', 'grammar'].flatMap((file) => casesIn(file))
  expect(all.length).toBeGreaterThan(500)
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length)
  const elsewhere = all.filter(({ source }) => !/^https:\/\/docs\.aws\.amazon\.com\//.test(source))
  expect(elsewhere).toEqual([])
})

test('each of the ten things that implementations get wrong has its cases', () => {
  const all = [...POLICY_FILES, 'conditions', 'grammar'].flatMap((file) => casesIn(file))
  const numbers = all.map(
    ({ name }) => /^3\.(\d+) /.exec(name)?.[1] ?? /^3\.(\d+):/.exec(name)?.[1],
  )
  const found = new Set(numbers.filter((number) => number !== undefined).map(Number))
  expect([...found].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
})
