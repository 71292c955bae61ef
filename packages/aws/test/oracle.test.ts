// Compares the IAM actions of our tables with another project's map from SDK methods to IAM actions
// (2023), for every operation of the most used services. What differs stands with its reason in
// testdata/oracle/differences.json: a difference that is not listed fails, and so does a listed one that
// is no more. The map itself is not in the repository; where it is not found, the comparison is skipped.

import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { JsonObject } from '../src/call.ts'
import { isRowFor } from '../src/describe/main-actions.ts'
import { passedRoles } from '../src/describe/pass-role.ts'
import { meaningOf } from '../src/describe-call.ts'
import type { Shape } from '../src/index/model.ts'
import { rowsOf } from '../src/index/rows.ts'
import {
  type Operation,
  operationOf,
  resolve,
  type Service,
  serviceOf,
  signingNames,
} from '../src/index/service-index.ts'

const MAP = new URL(
  '../../../../shared/data/iam/sdk-method-to-iam-action-map.json.gz',
  import.meta.url,
)
const DATA = new URL('../testdata/oracle/', import.meta.url)
const ROLE = 'arn:aws:iam::111122223333:role/x'
const HERE = { partition: 'aws', region: 'eu-west-1', account: '111122223333' }

interface Listed {
  readonly services: readonly {
    readonly prefix: string
    /** Class names of the map to the ids of our models. */
    readonly sdk: Readonly<Record<string, string>>
  }[]
}

interface Difference {
  readonly rule: string
  readonly operations: readonly string[]
  /** In the map and not in ours, or in ours and not in the map. */
  readonly missing?: readonly string[]
  readonly extra?: readonly string[]
  /** No model has the operation any more. */
  readonly gone?: true
  /** Parameters with which our tables do name every action of `missing`. */
  readonly with?: JsonObject
}

interface Differences {
  readonly rules: Readonly<Record<string, string>>
  readonly rows: readonly Difference[]
}

function file<Data>(name: string): Data {
  return JSON.parse(readFileSync(new URL(name, DATA), 'utf8')) as Data
}

const { services } = file<Listed>('services.json')
const { rules, rows } = file<Differences>('differences.json')

interface Known {
  readonly service: Service
  readonly operation: Operation
}

/** By id; a model whose operations moved stands there twice. */
const models = Map.groupBy(
  signingNames().flatMap((name) => {
    const service = serviceOf(name)
    return service.models.map((model) => ({ service, model }))
  }),
  ({ model }) => model.id,
)

function known(modelId: string, name: string): Known | undefined {
  const found = models.get(modelId)
  if (found === undefined) throw new Error(`no model ${modelId}`)
  for (const { service, model } of found) {
    const operation = operationOf(model, name)
    if (operation !== undefined) return { service, operation }
  }
  return undefined
}

/** Every action that an operation needs with some parameters. */
function possibleActions({ service, operation }: Known): Set<string> {
  const { name, model } = operation
  const { actions, acts } = rowsOf(service, name)
  const own = actions.filter((row) => isRowFor(row, model.id, name))
  const possible = new Set(meaningOf(service, operation, {}, HERE).iamActions)
  for (const row of own) {
    // A row of a prefix that several models share speaks of members that this one may not have.
    if (!(row.when ?? []).every(({ path }) => (path.split('.')[0] ?? '') in operation.members))
      continue
    for (const action of [...(row.actions ?? []), ...(row.add ?? [])]) possible.add(action)
  }
  const input = operation.facts.input
  const sample = input === undefined ? {} : roleSample(operation, input, [])
  const passes = passedRoles(service.prefix, (sample ?? {}) as JsonObject).length > 0
  if (passes || acts.some(({ named, reads }) => named ?? reads)) possible.add('iam:PassRole')
  return possible
}

/** Parameters with a role's ARN, or its name, in every member that can hold it; null for none. */
function roleSample(operation: Operation, shape: Shape, above: readonly string[]): unknown {
  const name = shape.shape
  if (name !== undefined && above.includes(name)) return null
  const within = name === undefined ? above : [...above, name]
  const found = resolve(operation.model, shape)
  switch (found.type) {
    case 'structure': {
      const members = Object.entries(found.members ?? {}).map(
        ([member, target]) =>
          [
            member,
            member.endsWith('RoleName') ? 'x' : roleSample(operation, target, within),
          ] as const,
      )
      return Object.fromEntries(members.filter(([, value]) => value !== null))
    }
    case 'list': {
      const value = found.member ? roleSample(operation, found.member, within) : null
      return value === null ? null : [value]
    }
    case 'map': {
      const value = found.value ? roleSample(operation, found.value, within) : null
      return value === null ? null : { key: value }
    }
    case undefined:
    case 'string':
      return ROLE
    default:
      return null
  }
}

interface MapFile {
  readonly sdk_method_iam_mappings: Readonly<Record<string, readonly { readonly action: string }[]>>
}

const ALL = existsSync(MAP)
  ? (JSON.parse(gunzipSync(readFileSync(MAP)).toString('utf8')) as MapFile).sdk_method_iam_mappings
  : undefined

/** `Class.Operation` and what differs, as one line each. */
function differencesIn(methods: NonNullable<typeof ALL>): { lines: string[]; compared: number } {
  const modelOf = new Map(services.flatMap(({ sdk }) => Object.entries(sdk)))
  const lines: string[] = []
  let compared = 0
  for (const [method, mapped] of Object.entries(methods)) {
    const [sdkClass = '', name = ''] = method.split('.')
    const modelId = modelOf.get(sdkClass)
    if (modelId === undefined) continue
    compared += 1
    const here = known(modelId, name)
    if (here === undefined) {
      lines.push(`${method} gone`)
      continue
    }
    const ours = possibleActions(here)
    const ourNames = new Set([...ours].map((action) => action.toLowerCase()))
    const theirs = new Set(mapped.map(({ action }) => action))
    const theirNames = new Set([...theirs].map((action) => action.toLowerCase()))
    for (const action of theirs) {
      if (!ourNames.has(action.toLowerCase())) lines.push(`${method} missing ${action}`)
    }
    for (const action of ours) {
      if (!theirNames.has(action.toLowerCase())) lines.push(`${method} extra ${action}`)
    }
  }
  return { lines, compared }
}

function listedLines(): string[] {
  return rows.flatMap(({ operations, missing = [], extra = [], gone }) =>
    operations.flatMap((method) => [
      ...(gone ? [`${method} gone`] : []),
      ...missing.map((action) => `${method} missing ${action}`),
      ...extra.map((action) => `${method} extra ${action}`),
    ]),
  )
}

test.skipIf(ALL === undefined)(
  'every difference from the map of 2023 is listed with its reason, and every listed one is there',
  { timeout: 60_000 },
  () => {
    const { lines, compared } = differencesIn(ALL ?? {})
    const listed = listedLines()
    expect(compared).toBeGreaterThan(4_000)
    expect(lines.filter((line) => !listed.includes(line))).toEqual([])
    expect(listed.filter((line) => !lines.includes(line))).toEqual([])
  },
)

test('without the map the comparison says so', ({ skip }) => {
  if (ALL === undefined) skip('shared/data/iam is not there, so nothing was compared')
})

test('the list names at least 60 services, each with models that the index has', () => {
  expect(services.length).toBeGreaterThanOrEqual(60)
  for (const { prefix, sdk } of services) {
    for (const modelId of Object.values(sdk)) {
      expect(models.get(modelId)?.[0]?.service.prefix, modelId).toBe(prefix)
    }
  }
})

test('every listed difference has a rule in words, stands once, and every rule is used', () => {
  const lines = listedLines()
  expect(lines.filter((line, index) => lines.indexOf(line) !== index)).toEqual([])
  const used = new Set(rows.map(({ rule }) => rule))
  expect([...used].sort()).toEqual(Object.keys(rules).sort())
  for (const reason of Object.values(rules)) expect(reason.length).toBeGreaterThan(60)
})

const proved = rows.flatMap((row) =>
  row.with === undefined ? [] : row.operations.map((method) => ({ ...row, method })),
)

test.each(proved)('$method names $missing with the parameters of its row', (row) => {
  const [sdkClass = '', name = ''] = row.method.split('.')
  const modelId = services.map(({ sdk }) => sdk[sdkClass]).find((id) => id !== undefined) ?? ''
  const here = known(modelId, name)
  if (here === undefined) throw new Error(`no operation ${row.method}`)
  const { iamActions } = meaningOf(here.service, here.operation, row.with ?? {}, HERE)
  expect(iamActions).toEqual(expect.arrayContaining([...(row.missing ?? [])]))
  const bare = meaningOf(here.service, here.operation, {}, HERE).iamActions
  for (const action of row.missing ?? []) expect(bare).not.toContain(action)
})
