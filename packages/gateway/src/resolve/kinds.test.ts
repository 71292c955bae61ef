// The tables of kinds against AWS's own API models (aws-sdk, a build-time dependency): every read, input,
// path and operation in them exists, is written as the model says, and is a read.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ASYNCHRONOUS } from '@seconder/aws/asynchronous'
import type { JsonObject } from '@seconder/aws/call'
import { describeCall } from '@seconder/aws/describe-call'
import { endpointFor } from '@seconder/aws/endpoints/endpoint'
import { operationOf, serviceOf, signingNames } from '@seconder/aws/index/service-index'
import { expect, test } from 'vitest'
import { filled, type Kind, type Where } from './kind.ts'
import { KIND_READS, KINDS, RECORDS, RECOVERY_POINTS, TAGS } from './kinds.ts'
import { modelCall, type ReadName, signingName } from './model-read.ts'
import { assertRead } from './read-call.ts'

const APIS = join(import.meta.dirname, '../../../../node_modules/aws-sdk/apis')

interface Shape {
  shape?: string
  type?: string
  members?: Record<string, Shape>
  member?: Shape
  key?: Shape
  value?: Shape
  locationName?: string
  flattened?: boolean
  payload?: string
}
interface Api {
  metadata: {
    protocol: string
    apiVersion: string
    signingName?: string
    endpointPrefix: string
    serviceId: string
  }
  operations: Record<string, { input?: Shape; output?: Shape; errors?: Shape[] }>
  shapes: Record<string, Shape>
}

const apis: Api[] = readdirSync(APIS)
  .filter((file) => file.endsWith('.min.json'))
  .map((file) => JSON.parse(readFileSync(join(APIS, file), 'utf8')) as Api)

function apiOf(read: ReadName): Api {
  const [place = '', operation = ''] = read.split(':')
  const [service, version] = place.split('@')
  const all = apis.filter(
    ({ metadata, operations }) =>
      (metadata.signingName ?? metadata.endpointPrefix) === service &&
      (version === undefined || metadata.apiVersion === version) &&
      operations[operation] !== undefined,
  )
  const newest = all.sort((a, b) => (a.metadata.apiVersion < b.metadata.apiVersion ? 1 : -1))
  // Neptune and DocumentDB answer under RDS's name.
  const api = newest.find(({ metadata }) => !/^(Neptune|DocDB)$/.test(metadata.serviceId))
  if (api === undefined) throw new Error(`no model for ${read}`)
  return api
}

function outputOf(read: ReadName): Shape {
  const output = apiOf(read).operations[read.split(':')[1] ?? '']?.output ?? {}
  // With a payload of its own that member is the whole body.
  return output.payload === undefined ? output : (output.members?.[output.payload] ?? {})
}

/** True where the answer can have something at the path of wire names. */
function reaches(api: Api, from: Shape, path: string): boolean {
  let at = [from]
  for (const step of path === '' ? [] : path.split('.'))
    at = at.flatMap((one) => inside(api, one, step))
  return at.length > 0
}

function follow(api: Api, shape: Shape): Shape {
  return shape.shape === undefined ? shape : { ...api.shapes[shape.shape], ...shape }
}

function inside(api: Api, shape: Shape, step: string): Shape[] {
  const json = api.metadata.protocol.includes('json')
  const here = follow(api, shape)
  if (here.type === 'map') return here.value === undefined ? [] : [here.value]
  if (here.type === 'list') {
    if (json || here.flattened) return inside(api, here.member ?? {}, step)
    return step === (here.member?.locationName ?? 'member') ? [here.member ?? {}] : []
  }
  return Object.entries(here.members ?? {}).flatMap(([name, member]) => {
    const whole = follow(api, member)
    const flat = whole.type === 'list' && whole.flattened && !json
    const wire = member.locationName ?? name
    if (step !== (flat ? (whole.member?.locationName ?? wire) : wire)) return []
    return [flat ? (whole.member ?? {}) : member]
  })
}

function pathsOf(where: Where | undefined): string[] {
  return where === undefined ? [] : [where.path, ...pathsOf(where.and)]
}

const under = (base: string, path: string) => [base, path].filter((one) => one !== '').join('.')

test.each(KINDS.map((kind) => [kind.noun, kind] as const))(
  '%s: every path is in the model',
  (_, kind) => {
    const described = [
      ...kind.id,
      ...(kind.bound ?? []),
      ...(kind.holds ?? []).map(([path]) => path),
      ...(kind.uses ?? []).map(([, path]) => path),
      ...(Array.isArray(kind.data) ? (kind.data as string[]) : []),
      ...pathsOf(kind.guard),
      ...pathsOf(kind.gone),
      ...Object.values(kind.touches).flatMap(({ rules = [] }) => rules.map(({ now }) => now)),
      ...(kind.arn?.startsWith('@') ? [kind.arn.slice(1)] : []),
      ...(kind.tags === undefined ? [] : [kind.tags]),
      ...(kind.is === undefined ? [] : [kind.is]),
      ...(kind.continuous === undefined ? [] : [kind.continuous]),
    ].map((path) => [kind.read, under(kind.at, path)] as const)
    const beside = [
      ...(kind.more ?? []).flatMap(({ read, at, tells }) =>
        tells.flatMap((tell) =>
          [
            ...pathsOf(tell.where),
            ...(tell.sum ? [tell.sum[0]] : []),
            ...(tell.uses ? [tell.uses[1]] : []),
          ].map((path) => [read, under(at, path)] as const),
        ),
      ),
      ...(kind.backups ?? []).flatMap(({ read, at, time, where }) =>
        [time, ...pathsOf(where)].map((path) => [read, under(at, path)] as const),
      ),
    ]
    const missing = [...described, ...beside].filter(
      ([read, path]) =>
        !reaches(apiOf(read), outputOf(read), path) && !NEWER.has(`${read} ${path}`),
    )
    expect(missing).toEqual([])
  },
)

/** Members that came after the models of this aws-sdk; each is on the page of the kind's `source`. */
const NEWER = new Set<string>([
  'eks:DescribeCluster cluster.deletionProtection',
  'logs:DescribeLogGroups logGroups.deletionProtectionEnabled',
])

const place = { name: 'NAME', parent: 'PARENT' }
const inputs: (readonly [ReadName, JsonObject])[] = [
  ...KINDS.flatMap((kind): (readonly [ReadName, JsonObject])[] => [
    [kind.read, kind.input],
    ...(kind.more ?? []).map(({ read, input }) => [read, input] as const),
    ...(kind.backups ?? []).map(({ read, input }) => [read, input] as const),
  ]),
  [RECOVERY_POINTS, { ResourceArn: 'arn:aws:rds:eu-west-1:123456789012:db:a/b c' }],
  [TAGS, { ResourceARNList: ['$'] }],
  [RECORDS, { HostedZoneId: '$', StartRecordName: 'a.', StartRecordType: 'A', MaxItems: '1' }],
]

test.each(inputs)('%s is written as its model says, and is a read', (read, input) => {
  const text = JSON.stringify(input).replaceAll(/"@[^"]+"/g, '"$"')
  const asked = filled(JSON.parse(text) as JsonObject, place, null) as JsonObject
  const call = modelCall('eu-west-1', read, asked)
  expect(() => assertRead(call)).not.toThrow()
  const { service, region, endpointPrefix = '' } = call
  expect(
    endpointFor(service, region, endpointPrefix === '' ? {} : { endpointPrefix }),
  ).toBeDefined()
  const described = describeCall(call, { service, region }, { account: '123456789012' })
  expect(described.operationName).toBe(read.split(':')[1])
  expect(described.parameters).toEqual(asked)
  if (!SETTINGS_ALONE.has(read)) expect(described.reveals).toMatch(/^(nothing|data)$/)
})

/** Its answer may hold settings; look-ups keep nothing of them (execute/credentials.ts). */
const SETTINGS_ALONE = new Set<string>(['lambda:GetFunctionConfiguration'])

test('a write in the dress of a read of the tables does not pass', () => {
  for (const read of KIND_READS) {
    const call = modelCall('eu-west-1', read, {})
    const text = Buffer.from(call.body).toString()
    const operation = read.split(':')[1] ?? ''
    const other = operation.replace(/^(Describe|List|Get)/, 'Delete')
    const dressed =
      call.method === 'GET'
        ? { ...call, method: 'POST' as const }
        : {
            ...call,
            headers: call.headers.map(([k, v]) => [k, v.replace(operation, other)] as const),
            body: Buffer.from(text.replace(`Action=${operation}`, `Action=${other}`)),
          }
    expect([read, refused(dressed)]).toEqual([read, true])
  }
})

function refused(call: Parameters<typeof assertRead>[0]): boolean {
  try {
    assertRead(call)
    return false
  } catch {
    return true
  }
}

const prefixes = new Map(signingNames().map((name) => [serviceOf(name).prefix, name]))

test.each(touches())(
  '%s is an operation, and has the members that its row names',
  (operation, kind) => {
    const [prefix = '', name = ''] = operation.split(':')
    const models = serviceOf(prefixes.get(prefix) ?? '').models
    const candidates = models.flatMap((model) => operationOf(model, name) ?? [])
    expect(candidates.length).toBeGreaterThan(0)
    const touch = kind.touches[operation]
    const paths = [
      ...(touch?.name ?? []),
      ...(touch?.parent === undefined ? [] : [touch.parent.path]),
      ...(touch?.rules ?? []).map(({ wants }) => wants),
      ...(touch?.notes ?? []).flatMap(({ when }) => (when === undefined ? [] : [when.path])),
      ...(touch?.losesContinuous === undefined ? [] : [touch.losesContinuous.path]),
    ]
    const has = (path: string) =>
      candidates.some(({ members }) => Object.hasOwn(members, path.split('.')[0] ?? ''))
    expect(paths.filter((path) => !has(path))).toEqual([])
  },
)

function touches(): [string, Kind][] {
  return KINDS.flatMap((kind) =>
    Object.keys(kind.touches).map((operation): [string, Kind] => [operation, kind]),
  )
}

test.each(Object.entries(ASYNCHRONOUS))(
  '%s and the read that tells its end are in the models',
  (operation, ending) => {
    const [prefix = '', name = ''] = operation.split(':')
    const models = serviceOf(prefixes.get(prefix) ?? '').models
    const candidates = models.flatMap((model) => operationOf(model, name) ?? [])
    expect(candidates.length).toBeGreaterThan(0)
    const read = ending.read as ReadName
    const api = apiOf(read)
    for (const path of [ending.state, ...(ending.pending === undefined ? [] : [ending.pending])]) {
      expect([path, reaches(api, outputOf(read), path)]).toEqual([path, true])
    }
    const origins = Object.values(ending.input).flatMap((one) => ('list' in one ? one.list : one))
    const named = origins
      .filter((origin) => origin.startsWith('$'))
      .map((origin) => origin.slice(1))
    const has = (member: string) => candidates.some(({ members }) => Object.hasOwn(members, member))
    // A row that is shared names the members of all its operations, the first present wins.
    expect(named.length === 0 || named.some(has)).toBe(true)
    const asked = Object.fromEntries(
      Object.entries(ending.input).map(([key, one]) => [
        key,
        'list' in one || key.endsWith('Ids') ? ['n'] : 'n',
      ]),
    )
    const call = modelCall('eu-west-1', read, asked)
    expect(() => assertRead(call)).not.toThrow()
    const { service, region } = call
    const described = describeCall(call, { service, region }, { account: '123456789012' })
    expect(described.parameters).toEqual(asked)
  },
)

test('every read stands under its own signing name', () => {
  const names = new Set(signingNames())
  expect([...KIND_READS].map(signingName).filter((name) => !names.has(name))).toEqual([])
})
