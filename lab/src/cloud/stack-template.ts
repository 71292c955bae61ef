// Reads a CloudFormation template (JSON) into resources in the order of their dependencies, and
// resolves its references. What the lab does not read (conditions, macros, ...) is a
// ValidationError. Source:
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
import type { Json, JsonObject } from '@seconder/aws/call'
import { CloudError } from './errors.ts'
import { isObject } from './json-input.ts'

/**
 * Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
 */
export const TEMPLATE_BYTES_MAX = 51_200
export const RESOURCES_MAX = 500
export const TEMPLATE_DEPTH_MAX = 32

export type DeletionPolicy = 'Delete' | 'Retain'

export interface TemplateResource {
  readonly logicalId: string
  readonly type: string
  readonly properties: JsonObject
  readonly dependsOn: readonly string[]
  readonly deletionPolicy: DeletionPolicy
  readonly updateReplacePolicy: DeletionPolicy
}

export interface TemplateParameter {
  readonly name: string
  readonly defaultValue: string | undefined
  readonly noEcho: boolean
}

export interface Template {
  readonly body: string
  readonly description: string | undefined
  readonly parameters: readonly TemplateParameter[]
  /** Each after the ones it refers to. */
  readonly resources: readonly TemplateResource[]
  readonly outputs: ReadonlyMap<string, Json>
}

/** What references resolve to. */
export interface References {
  /** `Ref` of a parameter, a pseudo parameter or a resource. */
  ref(name: string): string | undefined
  attribute(logicalId: string, attribute: string): string | undefined
}

function formatError(message: string): CloudError {
  return new CloudError('ValidationError', `Template format error: ${message}`)
}

const TOP_LEVEL: readonly string[] = [
  'AWSTemplateFormatVersion',
  'Description',
  'Metadata',
  'Outputs',
  'Parameters',
  'Resources',
]

const RESOURCE_ATTRIBUTES: readonly string[] = [
  'DeletionPolicy',
  'DependsOn',
  'Metadata',
  'Properties',
  'Type',
  'UpdateReplacePolicy',
]

/** ValidationError for whatever is not a template the lab can carry out as it stands. */
export function parseTemplate(body: string): Template {
  if (Buffer.byteLength(body) > TEMPLATE_BYTES_MAX) {
    throw new CloudError('ValidationError', 'templateBody is longer than 51200 bytes')
  }
  const document = parseDocument(body)
  checkDepth(document, 0)
  const odd = Object.keys(document).find((name) => !TOP_LEVEL.includes(name))
  if (odd !== undefined) throw formatError(`the lab does not implement the section \`${odd}\``)
  const resources = section(document, 'Resources')
  const entries = Object.entries(resources)
  if (entries.length === 0) {
    throw formatError('At least one Resources member must be defined.')
  }
  if (entries.length > RESOURCES_MAX) throw formatError('more than 500 resources')
  const parameters = Object.entries(section(document, 'Parameters')).map(readParameter)
  const outputs = new Map<string, Json>()
  for (const [name, output] of Object.entries(section(document, 'Outputs'))) {
    if (!isObject(output) || output['Value'] === undefined) throw formatError(`output ${name}`)
    outputs.set(name, output['Value'])
  }
  const description = document['Description']
  return {
    body,
    description: typeof description === 'string' ? description : undefined,
    parameters,
    resources: inOrder(entries.map(readResource), parameters),
    outputs,
  }
}

function parseDocument(body: string): JsonObject {
  try {
    const document: unknown = JSON.parse(body)
    if (isObject(document)) return document
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
  }
  throw formatError("JSON not well-formed (the lab's cloud reads JSON templates alone)")
}

function checkDepth(value: Json, depth: number): void {
  if (depth > TEMPLATE_DEPTH_MAX) throw formatError('the template is too deep')
  if (typeof value !== 'object' || value === null) return
  for (const inner of Object.values(value)) checkDepth(inner, depth + 1)
}

function section(document: JsonObject, name: string): JsonObject {
  const value = document[name] ?? {}
  if (!isObject(value)) throw formatError(`${name} must be an object`)
  return value
}

function readParameter([name, value]: readonly [string, Json]): TemplateParameter {
  if (!isObject(value) || (value['Type'] !== 'String' && value['Type'] !== 'Number')) {
    throw formatError(`parameter ${name} must be of type String or Number`)
  }
  const known = ['Type', 'Default', 'Description', 'NoEcho']
  const odd = Object.keys(value).find((key) => !known.includes(key))
  if (odd !== undefined) throw formatError(`the lab does not implement ${odd} of a parameter`)
  const defaultValue = value['Default']
  return {
    name,
    defaultValue: defaultValue === undefined ? undefined : String(defaultValue),
    noEcho: value['NoEcho'] === true || value['NoEcho'] === 'true',
  }
}

function readResource([logicalId, value]: readonly [string, Json]): TemplateResource {
  if (!/^[A-Za-z0-9]{1,255}$/.test(logicalId)) {
    throw formatError(`Resource name ${logicalId} is non alphanumeric.`)
  }
  if (!isObject(value) || typeof value['Type'] !== 'string') {
    throw formatError(
      `[/Resources/${logicalId}] Every Resources object must contain a Type member.`,
    )
  }
  const odd = Object.keys(value).find((name) => !RESOURCE_ATTRIBUTES.includes(name))
  if (odd !== undefined) throw formatError(`the lab does not implement ${odd} of a resource`)
  const dependsOn = value['DependsOn'] ?? []
  return {
    logicalId,
    type: value['Type'],
    properties: section(value, 'Properties'),
    dependsOn: (Array.isArray(dependsOn) ? dependsOn : [dependsOn]).map(String),
    deletionPolicy: policy(value['DeletionPolicy']),
    updateReplacePolicy: policy(value['UpdateReplacePolicy']),
  }
}

function policy(value: Json | undefined): DeletionPolicy {
  if (value === undefined || value === 'Delete') return 'Delete'
  if (value === 'Retain') return 'Retain'
  throw formatError('the lab implements the deletion policies Delete and Retain')
}

/** Every resource after those it needs. ValidationError for a cycle or an unknown name. */
function inOrder(
  resources: readonly TemplateResource[],
  parameters: readonly TemplateParameter[],
): readonly TemplateResource[] {
  const byId = new Map(resources.map((resource) => [resource.logicalId, resource]))
  const parameterNames = new Set(parameters.map((parameter) => parameter.name))
  const ordered: TemplateResource[] = []
  const open = new Set<string>()
  const visit = (resource: TemplateResource): void => {
    if (ordered.includes(resource)) return
    if (open.has(resource.logicalId)) {
      throw formatError(`Circular dependency between resources: [${[...open].join(', ')}]`)
    }
    open.add(resource.logicalId)
    for (const name of dependencies(resource)) {
      const needed = byId.get(name)
      if (needed !== undefined) visit(needed)
      else if (!parameterNames.has(name) && !name.startsWith('AWS::')) {
        throw formatError(`Unresolved resource dependencies [${name}] in the Resources block`)
      }
    }
    open.delete(resource.logicalId)
    ordered.push(resource)
  }
  for (const resource of resources) visit(resource)
  return ordered
}

/** Names a resource refers to: resources, parameters and pseudo parameters. */
export function dependencies(resource: TemplateResource): readonly string[] {
  const names = new Set(resource.dependsOn)
  resolve(resource.properties, {
    ref: (name) => {
      names.add(name)
      return ''
    },
    attribute: (logicalId) => {
      names.add(logicalId)
      return ''
    },
  })
  return [...names]
}

/**
 * A value with every intrinsic function replaced by its result.
 * ValidationError for a function the lab lacks, and for a reference that leads nowhere.
 */
export function resolve(value: Json, references: References): Json {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item: Json) => resolve(item, references))
  const entries = Object.entries(value)
  const [first] = entries
  if (first !== undefined && (first[0] === 'Ref' || first[0].startsWith('Fn::'))) {
    if (entries.length > 1) throw formatError(`${first[0]} must stand alone`)
    return callFunction(first[0], first[1], references)
  }
  return Object.fromEntries(entries.map(([name, inner]) => [name, resolve(inner, references)]))
}

function callFunction(name: string, argument: Json, references: References): string {
  if (name === 'Ref' && typeof argument === 'string')
    return found(references.ref(argument), argument)
  if (name === 'Fn::GetAtt') {
    const path = typeof argument === 'string' ? argument.split('.') : argument
    if (Array.isArray(path) && path.length >= 2) {
      const [logicalId = '', ...attribute] = path.map(String)
      return found(references.attribute(logicalId, attribute.join('.')), path.join('.'))
    }
  }
  if (name === 'Fn::Sub' && typeof argument === 'string') {
    return argument.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, inner: string) => {
      if (literal === '!') return `\${${inner}}`
      const [logicalId = '', ...attribute] = inner.split('.')
      return attribute.length === 0
        ? found(references.ref(inner), inner)
        : found(references.attribute(logicalId, attribute.join('.')), inner)
    })
  }
  if (name === 'Fn::Join' && Array.isArray(argument) && argument.length === 2) {
    const [separator, list] = argument as readonly Json[]
    const items = resolve(list ?? [], references)
    if (typeof separator === 'string' && Array.isArray(items))
      return items.map(String).join(separator)
  }
  throw formatError(`the lab does not implement this use of ${name}`)
}

function found(value: string | undefined, name: string): string {
  if (value !== undefined) return value
  throw formatError(`Unresolved dependency [${name}]`)
}
