// Names the resources a call touches. An ARN variable is filled only from a member that our table
// lists, or by a full ARN that fits a resource type of the action; anything else is `*`,
// unresolved. A wrong ARN would be worse than a wide one, so nothing here is guessed. Pure.

import type { CallResource, Json, JsonObject } from '../call.ts'
import type { ArnRow } from '../index/model.ts'
import { rowsOf } from '../index/rows.ts'
import type { Operation, Service } from '../index/service-index.ts'
import { apiGatewayResource } from './api-gateway.ts'
import { fitsFormat } from './arn.ts'
import { allHold, valuesAt } from './condition.ts'
import { normalise, type Surroundings, takesArns } from './normalise.ts'

/** Most ARNs one call may name; DeleteObjects takes 1,000 keys, BatchWriteItem 25. */
export const RESOURCES_MAX = 2_000

const NOTHING_CERTAIN: CallResource = { arn: '*', type: '*', resolved: false }

export function resourcesOf(
  service: Service,
  operation: Operation,
  actions: readonly string[],
  parameters: JsonObject,
  here: Surroundings,
): CallResource[] {
  if (service.prefix === 'apigateway') return [apiGatewayResource(operation, parameters, here)]
  const types = typesOf(service, actions)
  const found = new Map<string, CallResource>()
  const consumed = new Set<string>()
  const add = (resource: CallResource): void => {
    if (found.size < RESOURCES_MAX) found.set(`${resource.type} ${resource.arn}`, resource)
    else found.set('* *', NOTHING_CERTAIN)
  }
  for (const row of rowsOf(service, operation.name).arns) {
    if (!appliesTo(row, types) || !allHold(row.when, parameters)) continue
    for (const member of membersOf(row)) consumed.add(member)
    for (const resource of fill(service, row, parameters, here)) add(resource)
  }
  for (const resource of sentArns(service, types, parameters, consumed)) add(resource)
  for (const type of types.keys()) {
    const isNamed = [...found.values()].some((resource) => resource.type === type)
    if (types.get(type) === true && !isNamed) add({ arn: '*', type, resolved: false })
  }
  return found.size === 0 ? [NOTHING_CERTAIN] : [...found.values()].sort(resolvedFirst)
}

function resolvedFirst(a: CallResource, b: CallResource): number {
  return Number(b.resolved) - Number(a.resolved)
}

const keptTypes = new WeakMap<Service, Map<string, ReadonlyMap<string, boolean>>>()

/** The resource types of the actions, and whether the action cannot be without one. */
function typesOf(service: Service, actions: readonly string[]): ReadonlyMap<string, boolean> {
  let byActions = keptTypes.get(service)
  if (byActions === undefined) {
    byActions = new Map()
    keptTypes.set(service, byActions)
  }
  const key = actions.join()
  const kept = byActions.get(key)
  if (kept !== undefined) return kept
  const types = collectTypes(service, actions)
  byActions.set(key, types)
  return types
}

function collectTypes(service: Service, actions: readonly string[]): Map<string, boolean> {
  const types = new Map<string, boolean>()
  for (const action of actions) {
    const [prefix = '', name = ''] = action.split(':')
    if (prefix !== service.prefix || !Object.hasOwn(service.iam.actions, name)) continue
    for (const type of service.iam.actions[name]?.types ?? []) {
      const required = type.endsWith('*')
      const plain = required ? type.slice(0, -1) : type
      types.set(plain, required || types.get(plain) === true)
    }
  }
  return types
}

function appliesTo(row: ArnRow, types: ReadonlyMap<string, boolean>): boolean {
  return row.operations !== undefined || types.has(row.type)
}

interface Filled {
  readonly text: string
  /** A full ARN stands for the whole resource, not for one variable. */
  readonly isArn: boolean
}

function fill(
  service: Service,
  row: ArnRow,
  parameters: JsonObject,
  here: Surroundings,
): CallResource[] {
  const format = row.format ?? service.iam.resourceTypes[row.type]
  if (format === undefined) return []
  const owned = ownedBy(row, parameters, here)
  let partial: string[] = [based(format, owned)]
  for (const [variable, sources] of Object.entries(row.fill)) {
    const values = variableValues(sources, parameters, here)
    if (values.length === 0) return []
    if (values.some((value) => value === undefined)) {
      return [{ arn: '*', type: row.type, resolved: false }]
    }
    const sure = values.filter((value) => value !== undefined)
    if (sure.some((value) => value.isArn)) return wholeArns(row, format, sure, owned)
    const placeholder = `\${${variable}}`
    partial = partial.flatMap((arn) =>
      sure.map((value) => arn.replace(placeholder, () => value.text)),
    )
    if (partial.length > RESOURCES_MAX) return [{ arn: '*', type: row.type, resolved: false }]
  }
  return partial.map((arn) =>
    /\$\{/.test(arn)
      ? { arn: '*', type: row.type, resolved: false }
      : { arn, type: row.type, resolved: row.wide !== true },
  )
}

/** The surroundings with the account that the row's member names, where it names one. */
function ownedBy(row: ArnRow, parameters: JsonObject, here: Surroundings): Surroundings {
  const owner = row.account === undefined ? undefined : parameters[row.account]
  return typeof owner === 'string' && /^\d{12}$/.test(owner) ? { ...here, account: owner } : here
}

/** Full ARNs beside names: each ARN must fit the type, each name must fill the only variable. */
function wholeArns(
  row: ArnRow,
  format: string,
  values: readonly Filled[],
  here: Surroundings,
): CallResource[] {
  return values.map((value) => {
    if (value.isArn && fitsFormat(value.text, format)) {
      return { arn: value.text, type: row.type, resolved: true }
    }
    const [only, second] = Object.keys(row.fill)
    if (value.isArn || only === undefined || second !== undefined) {
      return { arn: '*', type: row.type, resolved: false }
    }
    const arn = based(format, here).replace(`\${${only}}`, () => value.text)
    return { arn, type: row.type, resolved: true }
  })
}

/**
 * The values of one variable by the first source that is there: `=text` is itself, `path|form` is
 * the
 * member at the path under that form. Undefined stands for a value that the form does not take.
 */
function variableValues(
  sources: readonly string[],
  parameters: JsonObject,
  here: Surroundings,
): (Filled | undefined)[] {
  for (const source of sources) {
    if (source.startsWith('=')) return [{ text: source.slice(1), isArn: false }]
    const [place = '', form = 'plain'] = source.split('|')
    const [path = '', under = ''] = place.split('@')
    const values = valuesAt(parameters, path).flatMap(flat).map(below(parameters, under))
    if (values.length > 0) return values.map((value) => variableValue(value, form, here))
  }
  return []
}

/** `A@B`: the name A under the IAM path in member B, as in `role/team/ci`. */
function below(parameters: JsonObject, member: string): (value: Json) => Json {
  const path = member === '' ? undefined : parameters[member]
  if (typeof path !== 'string') return (value) => value
  return (value) => (typeof value === 'string' ? `${path.replace(/^\//, '')}${value}` : value)
}

function flat(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : [value]
}

function variableValue(value: Json, form: string, here: Surroundings): Filled | undefined {
  if (typeof value === 'number') return { text: String(value), isArn: false }
  if (typeof value !== 'string' || value === '') return undefined
  if (value.startsWith('arn:') && !takesArns(form)) return { text: value, isArn: true }
  const text = normalise(form, value, here)
  return text === undefined ? undefined : { text, isArn: false }
}

function based(format: string, here: Surroundings): string {
  return format
    .replace(/\$\{Partition\}/, here.partition)
    .replace(/\$\{Region\}/, here.region)
    .replace(/\$\{Account\}/, here.account)
}

/** Top-level members that are ARNs of a type of the action, whatever they are called. */
function sentArns(
  service: Service,
  types: ReadonlyMap<string, boolean>,
  parameters: JsonObject,
  consumed: ReadonlySet<string>,
): CallResource[] {
  const resources: CallResource[] = []
  for (const [member, sent] of Object.entries(parameters)) {
    if (consumed.has(member)) continue
    for (const value of flat(sent)) {
      if (typeof value !== 'string' || !value.startsWith('arn:')) continue
      const type = closestType(service, types, value)
      if (type !== undefined) resources.push({ arn: value, type, resolved: true })
    }
  }
  return resources
}

const keptMembers = new WeakMap<ArnRow, readonly string[]>()

/** The top-level members a row reads; what it made of them stands. */
export function membersOf(row: ArnRow): readonly string[] {
  const kept = keptMembers.get(row)
  if (kept !== undefined) return kept
  const sources = Object.values(row.fill).flat()
  const members = sources.map((source) => source.split(/[.|@]/)[0] ?? '')
  keptMembers.set(row, members)
  return members
}

/** The type whose format says most about the ARN; two that say as much give none. */
function closestType(
  service: Service,
  types: ReadonlyMap<string, boolean>,
  arn: string,
): string | undefined {
  const fitting = [...types.keys()]
    .map((type) => ({ type, format: service.iam.resourceTypes[type] }))
    .filter(({ format }) => format !== undefined && fitsFormat(arn, format))
    .map(({ type, format = '' }) => ({ type, said: format.replace(/\$\{\w+\}/g, '').length }))
    .sort((a, b) => b.said - a.said)
  return fitting[0]?.type
}
