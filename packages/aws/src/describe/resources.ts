// Names the resources a call touches. An ARN variable is filled only from a member that our table
// lists, or by a full ARN that fits a resource type of the action; anything else is `*`,
// unresolved. A wrong ARN would be worse than a wide one, so nothing here is guessed. Pure.

import type { CallResource, Json, JsonObject } from '../call.ts'
import type { ArnRow } from '../index/model.ts'
import { rowsOf } from '../index/rows.ts'
import type { Operation, Service } from '../index/service-index.ts'
import { apiGatewayResource } from './api-gateway.ts'
import { fitsFormat } from './arn.ts'
import { filledArns, membersRead } from './arn-fill.ts'
import { allHold } from './condition.ts'
import type { Surroundings } from './normalise.ts'

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
    const format = row.format ?? service.iam.resourceTypes[row.type]
    for (const resource of filledArns(row, format, parameters, here, RESOURCES_MAX)) add(resource)
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

/** Top-level members that are ARNs of a type of the action, whatever they are called. */
function sentArns(
  service: Service,
  types: ReadonlyMap<string, boolean>,
  parameters: JsonObject,
  consumed: ReadonlySet<string>,
): CallResource[] {
  const resources: CallResource[] = []
  for (const member of Object.keys(parameters)) {
    const sent = parameters[member] as Json
    if (typeof sent !== 'string' && !Array.isArray(sent)) continue
    if (consumed.has(member)) continue
    for (const value of Array.isArray(sent) ? sent : [sent]) {
      if (typeof value !== 'string' || !value.startsWith('arn:')) continue
      const type = closestType(service, types, value)
      if (type !== undefined) resources.push({ arn: value, type, resolved: true })
    }
  }
  return resources
}

/** The top-level members a row reads; what it made of them stands. */
export function membersOf(row: ArnRow): readonly string[] {
  return membersRead(row)
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
