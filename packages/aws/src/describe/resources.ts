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
  const untouched = new Set<string>()
  for (const row of rowsOf(service, operation.name).arns) {
    if (!appliesTo(row, types) || !allHold(row.when, parameters)) continue
    if (row.none === true) {
      untouched.add(row.type)
      continue
    }
    for (const member of membersOf(row)) consumed.add(member)
    const format = row.format ?? service.iam.resourceTypes[row.type]
    for (const resource of filledArns(row, format, parameters, here, RESOURCES_MAX)) add(resource)
  }
  const sent = sentArns(service, types, parameters, consumed)
  for (const resource of sent.resources) add(resource)
  if (sent.hasStrangers && isTagging(service, actions)) add(NOTHING_CERTAIN)
  const isOneNamed = found.size > 0
  for (const [type, need] of types) {
    const isNamed = [...found.values()].some((resource) => resource.type === type)
    const isNeeded = need === 'always' || (need === 'one of them' && !isOneNamed)
    if (isNeeded && !isNamed && !untouched.has(type)) add({ arn: '*', type, resolved: false })
  }
  return found.size === 0 ? [NOTHING_CERTAIN] : [...found.values()].sort(resolvedFirst)
}

function resolvedFirst(a: CallResource, b: CallResource): number {
  return Number(b.resolved) - Number(a.resolved)
}

/**
 * Whether a call cannot be without a resource of the type. The reference marks every type that a
 * tagging action takes as required, though one call tags what it names and nothing else.
 * Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TagResource.html
 */
type Need = 'always' | 'one of them' | 'no'
type Types = ReadonlyMap<string, Need>

const keptTypes = new WeakMap<Service, Map<string, Types>>()

function typesOf(service: Service, actions: readonly string[]): Types {
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

function collectTypes(service: Service, actions: readonly string[]): Types {
  const types = new Map<string, Need>()
  for (const action of actions) {
    const [prefix = '', name = ''] = action.split(':')
    if (prefix !== service.prefix || !Object.hasOwn(service.iam.actions, name)) continue
    const { types: listed = [], level } = service.iam.actions[name] ?? {}
    const need = level === 'Tagging' ? 'one of them' : 'always'
    for (const type of listed) {
      const isRequired = type.endsWith('*')
      const plain = isRequired ? type.slice(0, -1) : type
      const known = types.get(plain)
      if (isRequired && known !== 'always') types.set(plain, need)
      else if (known === undefined) types.set(plain, 'no')
    }
  }
  return types
}

/** True for a call that only tags: then every ARN in it is a thing to tag, known or not. */
function isTagging(service: Service, actions: readonly string[]): boolean {
  return actions.every((action) => {
    const [prefix = '', name = ''] = action.split(':')
    return prefix === service.prefix && service.iam.actions[name]?.level === 'Tagging'
  })
}

function appliesTo(row: ArnRow, types: Types): boolean {
  return row.operations !== undefined || types.has(row.type)
}

/**
 * Top-level members that are ARNs of a type of the action, whatever they are called; strangers are
 * ARNs that fit none.
 */
function sentArns(
  service: Service,
  types: Types,
  parameters: JsonObject,
  consumed: ReadonlySet<string>,
): { readonly resources: readonly CallResource[]; readonly hasStrangers: boolean } {
  const resources: CallResource[] = []
  let hasStrangers = false
  for (const member of Object.keys(parameters)) {
    const sent = parameters[member] as Json
    if (typeof sent !== 'string' && !Array.isArray(sent)) continue
    if (consumed.has(member)) continue
    for (const value of Array.isArray(sent) ? sent : [sent]) {
      if (typeof value !== 'string' || !value.startsWith('arn:')) continue
      const type = closestType(service, types, value)
      if (type === undefined) hasStrangers = true
      else resources.push({ arn: value, type, resolved: true })
    }
  }
  return { resources, hasStrangers }
}

/** The top-level members a row reads; what it made of them stands. */
export function membersOf(row: ArnRow): readonly string[] {
  return membersRead(row)
}

/** The type whose format says most about the ARN; two that say as much give none. */
function closestType(service: Service, types: Types, arn: string): string | undefined {
  const fitting = [...types.keys()]
    .map((type) => ({ type, format: service.iam.resourceTypes[type] }))
    .filter(({ format }) => format !== undefined && fitsFormat(arn, format))
    .map(({ type, format = '' }) => ({ type, said: format.replace(/\$\{\w+\}/g, '').length }))
    .sort((a, b) => b.said - a.said)
  return fitting[0]?.type
}
