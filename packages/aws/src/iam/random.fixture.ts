// Random policies, principals and requests from a seed, for what must hold of any: every operator with and
// without its qualifiers, variables, negated elements, principals of every kind and policies of every level.
import type { Json, JsonObject } from '../call.ts'
import type { PolicySet } from './authorize.ts'
import { ACCOUNT, OTHER, SESSION, USER, variable } from './iam.fixture.ts'
import { type Policy, type PolicyKind, parsePolicy } from './policy.ts'
import type { ContextValue, IamRequest, Principal } from './request.ts'

export type Next = (below: number) => number

/** Numbers from a seed, so that a failure can be run again. Source: mulberry32, public domain. */
export function random(seed: number): Next {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below)
  }
}

export const pick = <T>(next: Next, list: readonly T[]): T => list[next(list.length)] as T

export function shuffled<T>(next: Next, list: readonly T[]): T[] {
  const left = [...list]
  return list.map(() => left.splice(next(left.length), 1)[0] as T)
}

/** Keys of the context, and for each what it may be: values near those that policies ask for. */
export const DOMAIN: Readonly<Record<string, readonly ContextValue[]>> = {
  'aws:a': [null, ['x'], ['X'], ['y'], ['data'], ['']],
  'aws:n': [null, ['4'], ['5'], ['6']],
  'aws:ip': [null, ['10.0.0.1'], ['192.0.2.1'], ['2001:db8::1']],
  'aws:arn': [null, ['arn:aws:s3:::data'], ['arn:aws:s3:::other']],
  'aws:time': [null, ['2025-12-31T23:59:59Z'], ['2026-01-01T00:00:00Z'], ['1767225601']],
  'aws:list': [null, [], [''], ['x'], ['x', 'y'], ['z', 'y'], ['z']],
}

const CONDITIONS: readonly {
  key: string
  operators: readonly string[]
  values: readonly Json[]
}[] = [
  {
    key: 'aws:a',
    operators: [
      ...['StringEquals', 'StringNotEquals', 'StringEqualsIgnoreCase', 'StringLike'],
      ...['StringNotLike', 'StringEqualsIfExists', 'StringNotEqualsIfExists'],
    ],
    values: ['x', 'y*', 'data', ['x', 'y'], variable('aws:list'), `${variable('aws:a')}*`],
  },
  {
    key: 'aws:n',
    operators: ['NumericEquals', 'NumericNotEquals', 'NumericLessThan', 'NumericLessThanIfExists'],
    values: ['5', 5, ['4', '6']],
  },
  {
    key: 'aws:ip',
    operators: ['IpAddress', 'NotIpAddress', 'IpAddressIfExists'],
    values: ['10.0.0.0/8', ['2001:db8::/32', '192.0.2.1']],
  },
  {
    key: 'aws:arn',
    operators: ['ArnLike', 'ArnNotEquals', 'ArnEqualsIfExists'],
    values: ['arn:aws:s3:::d*', `arn:aws:s3:::${variable('aws:a')}`, 'arn:*:*:*:*:*'],
  },
  {
    key: 'aws:time',
    operators: ['DateLessThan', 'DateGreaterThanEquals', 'DateNotEquals'],
    values: ['2026-01-01T00:00:00Z'],
  },
  {
    key: 'aws:list',
    operators: ['ForAllValues', 'ForAnyValue'].flatMap((set) =>
      ['StringEquals', 'StringNotEquals', 'StringLike', 'StringEqualsIfExists'].map(
        (operator) => `${set}:${operator}`,
      ),
    ),
    values: ['x', ['x', 'y'], variable('aws:a')],
  },
]

const ACTIONS = ['s3:GetObject', 's3:DeleteObject', 's3:*', '*', 's3:Get*', 'iam:*', 'S3:GETOBJECT']
const RESOURCES = [
  '*',
  'arn:aws:s3:::data/*',
  'arn:aws:s3:::data/key',
  'arn:aws:sqs:*:*:*',
  'arn:aws:s3:::?ata/*',
  `arn:aws:s3:::${variable('aws:a')}/*`,
  `arn:aws:s3:::${variable("aws:a, 'data'")}/key`,
]

export const PRINCIPALS: readonly Principal[] = [
  USER,
  SESSION,
  { kind: 'role', arn: SESSION.arn, account: ACCOUNT },
  {
    kind: 'federated-user',
    arn: USER.arn,
    sessionArn: `arn:aws:sts::${ACCOUNT}:federated-user/carlos`,
    account: ACCOUNT,
  },
  { kind: 'root', arn: `arn:aws:iam::${ACCOUNT}:root`, account: ACCOUNT },
  { kind: 'service', arn: 'ec2.amazonaws.com', account: '' },
  { kind: 'anonymous', arn: '', account: '' },
  { ...SESSION, serviceLinked: true },
]

const NAMES: readonly Json[] = [
  '*',
  { AWS: USER.arn },
  { AWS: [SESSION.arn, SESSION.sessionArn ?? ''] },
  { AWS: [`arn:aws:iam::${ACCOUNT}:root`, USER.arn] },
  { AWS: ACCOUNT },
  { AWS: OTHER },
  { Service: 'ec2.amazonaws.com' },
  { CanonicalUser: 'c0ffee' },
]

function condition(next: Next): JsonObject {
  const made: Record<string, Record<string, Json>> = {}
  for (let count = 1 + next(2); count > 0; count--) {
    const { key, operators, values } = pick(next, CONDITIONS)
    if (next(8) === 0) made['Null'] = { ...made['Null'], [key]: pick(next, ['true', 'false']) }
    else {
      const operator = pick(next, operators)
      made[operator] = { ...made[operator], [key]: pick(next, values) }
    }
  }
  return made
}

/** One value, or several as a list. */
function some(next: Next, list: readonly string[]): Json {
  return next(3) === 0 ? [pick(next, list), pick(next, list)] : pick(next, list)
}

export function statement(next: Next, kind: PolicyKind, effect?: 'Allow' | 'Deny'): JsonObject {
  const named = kind === 'resource' || kind === 'trust' || kind === 'rcp'
  return {
    Effect: effect ?? pick(next, ['Allow', 'Allow', 'Deny']),
    [pick(next, ['Action', 'Action', 'NotAction'])]: some(next, ACTIONS),
    ...(kind !== 'trust' && {
      [pick(next, ['Resource', 'Resource', 'NotResource'])]: some(next, RESOURCES),
    }),
    ...(named && { [pick(next, ['Principal', 'Principal', 'NotPrincipal'])]: pick(next, NAMES) }),
    ...(next(2) === 0 && { Condition: condition(next) }),
  }
}

export function made(kind: PolicyKind, statements: readonly JsonObject[]): Policy {
  const document = { Version: '2012-10-17', Statement: statements } as unknown as Json
  return parsePolicy(document, kind, kind)
}

/** The statements of every level, before they are compiled; null = the level is not there. */
export interface Written {
  readonly identity: readonly (readonly JsonObject[])[]
  readonly boundary: readonly JsonObject[] | null
  readonly session: readonly (readonly JsonObject[])[] | null
  readonly scps: readonly (readonly (readonly JsonObject[])[])[]
  readonly rcps: readonly (readonly (readonly JsonObject[])[])[]
  readonly resource: readonly JsonObject[] | null
  readonly resourceKind: PolicySet['resourceKind']
}

export function statements(next: Next, kind: PolicyKind): JsonObject[] {
  return Array.from({ length: 1 + next(3) }, () => statement(next, kind))
}

export function written(next: Next): Written {
  const maybe = <T>(of: () => T): T | null => (next(3) === 0 ? of() : null)
  const level = (kind: PolicyKind) => [
    [{ ...wide(kind), ...(next(2) === 0 && { Action: 's3:*' }) }],
    ...(next(3) === 0 ? [statements(next, kind)] : []),
  ]
  return {
    identity: Array.from({ length: 1 + next(2) }, () => statements(next, 'identity')),
    boundary: maybe(() => statements(next, 'boundary')),
    session: maybe(() => [statements(next, 'session')]),
    scps: maybe(() => [level('scp'), level('scp')]) ?? [],
    rcps: maybe(() => [level('rcp')]) ?? [],
    resource: next(2) === 0 ? statements(next, 'resource') : null,
    resourceKind: pick(next, ['ordinary', 'ordinary', 'kms-key'] as const),
  }
}

function wide(kind: PolicyKind): JsonObject {
  const all = { Effect: 'Allow', Action: '*', Resource: '*' }
  return kind === 'rcp' ? { ...all, Principal: '*' } : all
}

export function compiledSet(set: Written): PolicySet {
  const level = (kind: PolicyKind) => (policies: readonly (readonly JsonObject[])[]) =>
    policies.map((one) => made(kind, one))
  return {
    identity: level('identity')(set.identity),
    boundary: set.boundary && made('boundary', set.boundary),
    session: set.session && level('session')(set.session),
    scps: set.scps.map(level('scp')),
    rcps: set.rcps.map(level('rcp')),
    resource: set.resource && made('resource', set.resource),
    resourceKind: set.resourceKind,
  }
}

/** A request of which some keys are told; the others are unknown, or absent where `whole`. */
export function requestOf(next: Next, whole: boolean): IamRequest {
  const told = Object.keys(DOMAIN).filter(() => whole || next(2) === 0)
  return {
    principal: pick(next, PRINCIPALS),
    action: pick(next, ['s3:GetObject', 's3:DeleteObject', 'iam:PassRole']),
    resource: pick(next, ['arn:aws:s3:::data/key', 'arn:aws:s3:::other/key', 'arn:aws:s3:::x/*']),
    resourceIsPattern: false,
    resourceAccount: pick(next, [ACCOUNT, ACCOUNT, OTHER, null]),
    context: {
      keys: new Map(told.map((key) => [key, pick(next, DOMAIN[key] ?? [null])])),
      others: whole ? 'absent' : 'unknown',
    },
  }
}
