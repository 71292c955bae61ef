// What an update would do to a stack, before anything is done: each resource added, changed,
// removed or replaced. An update carries out exactly this list, so a change set never says less.
import { isDeepStrictEqual } from 'node:util'
import type { Json, JsonObject } from '@seconder/aws/call'
import { CloudError } from './errors.ts'
import {
  type PropertyChange,
  type ResourceChange,
  type Stack,
  type StackRequest,
  type StackResource,
  stackReferences,
  templateResource,
} from './stack.ts'
import { IAM_TYPES, type ResourceType, type ResourceTypes } from './stack-resource-types.ts'
import { type References, resolve, type Template, type TemplateResource } from './stack-template.ts'

/** What a value will be that only the update can tell. */
export const KNOWN_AFTER_APPLY = '{{changeSet:KNOWN_AFTER_APPLY}}'

/** ValidationError for a type or a property that the lab would not carry out. */
export function checkTemplate(template: Template, types: ResourceTypes): void {
  for (const resource of template.resources) {
    const type = types.get(resource.type)
    if (type === undefined) {
      const message = `Template format error: Unrecognized resource types: [${resource.type}]`
      throw new CloudError('ValidationError', message)
    }
    for (const property of Object.keys(resource.properties)) {
      if (!Object.hasOwn(type.properties, property)) {
        const message = `the lab does not implement the property ${property} of ${resource.type}`
        throw new CloudError('ValidationError', message)
      }
    }
  }
}

/** Capabilities a template needs. Source: API_CreateStack, Capabilities. */
export function neededCapabilities(template: Template): readonly string[] {
  const roles = template.resources.filter((resource) => IAM_TYPES.includes(resource.type))
  if (roles.length === 0) return []
  const isNamed = roles.some((role) => role.properties['RoleName'] !== undefined)
  return [isNamed ? 'CAPABILITY_NAMED_IAM' : 'CAPABILITY_IAM']
}

/** InsufficientCapabilitiesException where the caller did not acknowledge what is needed. */
export function checkCapabilities(request: StackRequest): void {
  for (const needed of neededCapabilities(request.template)) {
    const given =
      request.capabilities.includes(needed) || request.capabilities.includes('CAPABILITY_NAMED_IAM')
    if (given) continue
    throw new CloudError('InsufficientCapabilitiesException', `Requires capabilities : [${needed}]`)
  }
}

/** The parameters of a template with their defaults. ValidationError for one that is missing. */
export function withDefaults(
  template: Template,
  given: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const parameter of template.parameters) {
    const value = given.get(parameter.name) ?? parameter.defaultValue
    if (value === undefined) {
      const message = `Parameters: [${parameter.name}] must have values`
      throw new CloudError('ValidationError', message)
    }
    values.set(parameter.name, value)
  }
  for (const name of given.keys()) {
    if (values.has(name)) continue
    throw new CloudError('ValidationError', `Parameters: [${name}] do not exist in the template`)
  }
  return values
}

/** Every change, in the order it would be carried out; removals last. */
export function stackChanges(
  stack: Stack,
  request: StackRequest,
  types: ResourceTypes,
): readonly ResourceChange[] {
  const replaced = new Set<string>()
  const references = futureReferences(stack, request, types, replaced)
  const changes: ResourceChange[] = []
  for (const wanted of request.template.resources) {
    const existing = stack.resources.get(wanted.logicalId)
    if (existing === undefined) {
      replaced.add(wanted.logicalId)
      changes.push(added(wanted))
      continue
    }
    if (existing.type !== wanted.type) {
      const message =
        'Update of resource type is not permitted. The new template modifies ' +
        `resource type of the following resources: [${wanted.logicalId}]`
      throw new CloudError('ValidationError', message)
    }
    const change = modified(existing, wanted, references, types, replaced)
    if (change === undefined) continue
    if (change.replacement === 'True') replaced.add(wanted.logicalId)
    changes.push(change)
  }
  return [...changes, ...removed(stack, request.template)]
}

/** References after the update: what is new or replaced is not known yet. */
function futureReferences(
  stack: Stack,
  request: StackRequest,
  types: ResourceTypes,
  replaced: ReadonlySet<string>,
): References {
  const now = stackReferences(stack, request.parameters, (resource, name) =>
    types.get(resource.type)?.attribute(resource.physicalId, name, stack.region),
  )
  return {
    ref: (name) => (replaced.has(name) ? KNOWN_AFTER_APPLY : now.ref(name)),
    attribute: (logicalId, name) =>
      replaced.has(logicalId) ? KNOWN_AFTER_APPLY : now.attribute(logicalId, name),
  }
}

function added(wanted: TemplateResource): ResourceChange {
  return {
    action: 'Add',
    logicalId: wanted.logicalId,
    physicalId: undefined,
    type: wanted.type,
    replacement: undefined,
    policyAction: undefined,
    details: [],
  }
}

function modified(
  existing: StackResource,
  wanted: TemplateResource,
  references: References,
  types: ResourceTypes,
  replaced: ReadonlySet<string>,
): ResourceChange | undefined {
  const type = types.get(existing.type)
  const after = resolve(wanted.properties, references) as JsonObject
  const names = new Set([...Object.keys(existing.properties), ...Object.keys(after)])
  const changed = [...names].filter(
    (name) => !isDeepStrictEqual(existing.properties[name], after[name]),
  )
  if (type === undefined || changed.length === 0) return undefined
  const details = changed.map(
    (property): PropertyChange => ({
      property,
      requiresRecreation: type.properties[property] ?? 'Always',
      causedBy: causeOf(wanted.properties[property], replaced),
    }),
  )
  const replacement = replacementOf(details, type, existing.properties, after)
  const retains = wanted.updateReplacePolicy === 'Retain'
  return {
    action: 'Modify',
    logicalId: wanted.logicalId,
    physicalId: existing.physicalId,
    type: existing.type,
    replacement,
    policyAction:
      replacement === 'False' ? undefined : retains ? 'ReplaceAndRetain' : 'ReplaceAndDelete',
    details,
  }
}

function replacementOf(
  details: readonly PropertyChange[],
  type: ResourceType,
  before: JsonObject,
  after: JsonObject,
): 'True' | 'False' | 'Conditional' {
  const isReplaced = details.some(({ property, requiresRecreation }) => {
    if (requiresRecreation === 'Always') return true
    if (requiresRecreation === 'Never') return false
    return type.replaces?.(property, before[property], after[property]) ?? true
  })
  if (!isReplaced) return 'False'
  // A value that only the update can tell may turn out equal to the old one.
  const isCertain = details.some(
    ({ property, requiresRecreation }) =>
      requiresRecreation !== 'Never' &&
      !JSON.stringify(after[property] ?? null).includes(KNOWN_AFTER_APPLY),
  )
  return isCertain ? 'True' : 'Conditional'
}

function causeOf(value: Json | undefined, replaced: ReadonlySet<string>): string | undefined {
  let cause: string | undefined
  const note = (name: string) => {
    if (replaced.has(name)) cause = name
    return ''
  }
  if (value !== undefined) resolve(value, { ref: note, attribute: note })
  return cause
}

function removed(stack: Stack, template: Template): readonly ResourceChange[] {
  const kept = new Set(template.resources.map((resource) => resource.logicalId))
  const gone = [...stack.resources.values()].filter((resource) => !kept.has(resource.logicalId))
  return gone.reverse().map((resource) => ({
    action: 'Remove',
    logicalId: resource.logicalId,
    physicalId: resource.physicalId,
    type: resource.type,
    replacement: undefined,
    policyAction: templateResource(stack, resource.logicalId)?.deletionPolicy ?? 'Delete',
    details: [],
  }))
}
