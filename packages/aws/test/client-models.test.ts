// What the v3 clients say against what the v2 API files say, over every operation and member that
// both know: two independent forms of AWS's models must agree on the wire, and each place where they
// do not is named here with its reason. And the pins and the compact extract belong together.

import { expect, test } from 'vitest'
import { readClientModels } from '../build/client-models.ts'
import { readPins } from '../build/client-pins.ts'
import type { RawModel } from '../build/sdk-models.ts'
import { readSdkModels } from '../build/sdk-models.ts'
import type { OperationModel, Shape } from '../src/index/model.ts'
import { INPUT_STREAMS } from '../src/recognise/input-streams.ts'

const clients = readClientModels()
const v2 = new Map(readSdkModels().models.map((model) => [model.id, model]))
const both = clients.flatMap((client) => {
  const base = v2.get(client.id)
  return base === undefined ? [] : [{ client, base }]
})

const DEPTH_MAX = 9

function resolved(model: RawModel, shape: Shape): Shape {
  return { ...(shape.shape === undefined ? {} : model.shapes[shape.shape]), ...shape }
}

/** The name a member has in the body, by protocol. */
function bodyName(base: RawModel, name: string, shape: Shape): string {
  const { locationName = name, queryName } = shape
  switch (base.protocol) {
    case 'json':
      return name
    case 'ec2':
      return queryName ?? locationName.charAt(0).toUpperCase() + locationName.slice(1)
    case 'rest-json':
      return locationName
    default:
      return shape.flattened === true && shape.type === 'list'
        ? (shape.member?.locationName ?? locationName)
        : locationName
  }
}

function kindOf({ type = '' }: Shape): string {
  return ['structure', 'list', 'map', 'blob', 'boolean'].includes(type) ? type : 'text'
}

/** Everything about a member that decides how it is written. */
function wireOf(base: RawModel, name: string, shape: Shape, isTop: boolean): string {
  const { location } = shape
  const kind = kindOf(shape)
  if (isTop && location !== undefined) {
    const key = location === 'uri' ? '' : (shape.locationName ?? name).toLowerCase()
    // Bytes in a header are text on the wire.
    return `${location} ${key} ${kind === 'blob' ? 'text' : kind}`
  }
  const isXml = base.protocol === 'rest-xml' || base.protocol === 'query'
  const element = isXml && kind === 'list' && shape.flattened !== true
  const pairs = isXml && kind === 'map' ? [shape.key, shape.value] : []
  return [
    bodyName(base, name, shape),
    kind,
    isXml && shape.flattened === true ? 'flattened' : '',
    element ? `of ${shape.member?.locationName ?? 'member'}` : '',
    ...pairs.map((each) => each?.locationName ?? ''),
    shape.xmlAttribute === true ? 'attribute' : '',
    shape.streaming === true ? 'streaming' : '',
    shape.document === true ? 'document' : '',
  ].join(' ')
}

class Comparison {
  readonly differences: string[] = []
  operations = 0
  members = 0

  compare(base: RawModel, client: RawModel): void {
    for (const [name, mine] of Object.entries(base.operations)) {
      const other = client.operations[name]
      if (other === undefined) continue
      this.operations += 1
      const at = `${base.id} ${name}`
      if (base.protocol.startsWith('rest')) this.#route(at, [base, mine], [client, other])
      if (mine.input === undefined || other.input === undefined) continue
      this.#shape([base, mine.input], [client, other.input], at, 0, new Set())
    }
  }

  #route(at: string, mine: [RawModel, OperationModel], other: [RawModel, OperationModel]): void {
    const one = routeOf(...mine)
    const two = routeOf(...other)
    if (one !== two) this.differences.push(`${at}: ${one} | ${two}`)
  }

  #shape(
    [base, one]: [RawModel, Shape],
    [client, two]: [RawModel, Shape],
    at: string,
    depth: number,
    seen: Set<string>,
  ): void {
    const pair = `${one.shape} ${two.shape}`
    if (depth > DEPTH_MAX || (one.shape !== undefined && seen.has(pair))) return
    seen.add(pair)
    const mine = resolved(base, one)
    const other = resolved(client, two)
    if (mine.payload !== other.payload) {
      this.differences.push(`${at}: payload ${mine.payload} | ${other.payload}`)
    }
    for (const [name, member] of Object.entries(mine.members ?? {})) {
      const theirs = other.members?.[name]
      if (theirs === undefined) continue
      this.members += 1
      const here = wireOf(base, name, resolved(base, member), depth === 0)
      const there = wireOf(base, name, resolved(client, theirs), depth === 0)
      if (here !== there) this.differences.push(`${at}.${name}: ${here} | ${there}`)
      this.#shape([base, member], [client, theirs], `${at}.${name}`, depth + 1, seen)
    }
    for (const field of ['member', 'value'] as const) {
      const a = mine[field]
      const b = other[field]
      if (a !== undefined && b !== undefined) {
        this.#shape([base, a], [client, b], `${at}.*`, depth + 1, seen)
      }
    }
  }
}

/** Method and path with each label as its member, without the slash at the end. */
function routeOf(model: RawModel, { method = 'POST', uri = '/', input }: OperationModel): string {
  const members = Object.entries(resolved(model, input ?? {}).members ?? {})
  const labels = new Map(
    members
      .filter(([, member]) => member.location === 'uri')
      .map(([name, { locationName = name }]) => [locationName, name] as const),
  )
  const path = uri.replace(/\{([^}+]+)(\+?)\}/g, (_, label: string, greedy: string) => {
    return `{${labels.get(label) ?? label}${greedy}}`
  })
  return `${method} ${path.replace(/\/$/, '')}`
}

/** Each with why: which side the index takes, and what that means for a request of the other kind. */
const NAMED: readonly (readonly [RegExp, string])[] = [
  [/^DataZone PostLineageEvent\.clientToken: /, 'an unread token in either place'],
  [/^(?:OpenSearch|Elasticsearch Service) DescribeDomainAutoTunes\./, 'v2 reads it in the body'],
  [/^SESv2 (?:ListConfigurationSets|ListEmailIdentities)[.:]/, 'moved; both paths are read'],
  [/^SESv2 PutEmailIdentityDkimSigningAttributes:/, 'moved; both paths are read'],
  [/^SageMaker Runtime InvokeEndpointAsync: payload/, 'new; taken from v3 by the merge'],
]

test('v2 and v3 agree on the wire over every operation and member both know', () => {
  const comparison = new Comparison()
  for (const { base, client } of both) comparison.compare(base, client)
  const unnamed = comparison.differences.filter((row) => !NAMED.some(([at]) => at.test(row)))
  expect(unnamed).toEqual([])
  const stale = NAMED.filter(([at]) => !comparison.differences.some((row) => at.test(row)))
  expect(stale).toEqual([])
  // So that an extract that lost its operations does not pass by comparing nothing.
  expect(comparison.operations).toBeGreaterThan(11_000)
  expect(comparison.members).toBeGreaterThan(60_000)
})

test('v2 and v3 agree on signing name, version, protocol and target of a service', () => {
  const facts = both.flatMap(({ base, client }) =>
    (['signingName', 'version', 'protocol', 'targetPrefix'] as const)
      .filter((field) => base[field] !== client[field])
      .map((field) => `${base.id} ${field}: ${base[field]} | ${client[field]}`),
  )
  expect(facts.sort()).toEqual([
    // Newer clients send the short name; the index reads both (otherTargets).
    'CloudTrail targetPrefix: com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101 | CloudTrail_20131101',
    // It speaks query, AWS JSON and CBOR; the index has the names of all three.
    'CloudWatch protocol: query | json',
    'CloudWatch targetPrefix: undefined | GraniteServiceVersion20100801',
  ])
})

test('every operation whose input is an event stream is among those refused by name', () => {
  const streams = clients.flatMap(({ operations }) =>
    Object.entries(operations).flatMap(([name, { eventInput }]) => (eventInput ? [name] : [])),
  )
  expect(streams.length).toBeGreaterThan(5)
  const refused = new Set(INPUT_STREAMS.map(({ operation }) => operation.split(':')[1]))
  expect(streams.filter((name) => !refused.has(name))).toEqual([])
})

test('at least 60 clients are pinned, each exactly, and the extract is the one they name', () => {
  const { clients: pins } = readPins()
  expect(pins.length).toBe(clients.length)
  expect(pins.length).toBeGreaterThanOrEqual(60)
  expect(new Set(pins.map(({ name }) => name)).size).toBe(pins.length)
})
