// Reads members of an awsJson input by name and type, so that a member of the wrong type, or one
// the lab would not look at, is an error and never ignored.
import type { Json, JsonObject } from '@seconder/aws/call'
import { CloudError } from './errors.ts'

export const JSON_INPUT_BYTES_MAX = 16 * 1024 * 1024

/** The object in a body. SerializationException where it is not one. */
export function parseInput(content: Uint8Array): JsonObject {
  if (content.length > JSON_INPUT_BYTES_MAX) {
    throw new CloudError(
      'RequestEntityTooLarge',
      'Request must be smaller than 16777216 bytes',
      413,
    )
  }
  const input = parseJson(Buffer.from(content).toString('utf8'))
  if (!isObject(input))
    throw new CloudError('SerializationException', 'Start of structure expected')
  return input
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new CloudError('SerializationException', 'The request body is not JSON')
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** ValidationException for a member outside `known`. */
export function onlyMembers(operation: string, input: JsonObject, known: readonly string[]): void {
  for (const name of Object.keys(input)) {
    if (!known.includes(name)) {
      const message = `the lab's cloud does not implement the member \`${name}\` of ${operation}`
      throw new CloudError('ValidationException', message)
    }
  }
}

function wrongType(name: string, wanted: string): CloudError {
  return new CloudError('SerializationException', `\`${name}\` must be ${wanted}`)
}

export function optionalString(input: JsonObject, name: string): string | undefined {
  const value = input[name]
  if (value === undefined || typeof value === 'string') return value
  throw wrongType(name, 'a string')
}

export function requiredString(input: JsonObject, name: string): string {
  const value = optionalString(input, name)
  if (value !== undefined) return value
  const message =
    `1 validation error detected: Value null at '${name}' failed to ` +
    'satisfy constraint: Member must not be null'
  throw new CloudError('ValidationException', message)
}

export function optionalBoolean(input: JsonObject, name: string): boolean | undefined {
  const value = input[name]
  if (value === undefined || typeof value === 'boolean') return value
  throw wrongType(name, 'a boolean')
}

export function optionalObject(input: JsonObject, name: string): JsonObject | undefined {
  const value = input[name]
  if (value === undefined || isObject(value)) return value
  throw wrongType(name, 'an object')
}

export function optionalList(input: JsonObject, name: string): readonly Json[] | undefined {
  const value = input[name]
  if (value === undefined || Array.isArray(value)) return value as readonly Json[] | undefined
  throw wrongType(name, 'a list')
}

/** `[{Key, Value}, ...]` as DynamoDB and CloudFormation templates write tags. */
export function tagMap(input: JsonObject, name: string): Map<string, string> {
  const tags = new Map<string, string>()
  for (const tag of optionalList(input, name) ?? []) {
    if (!isObject(tag)) throw wrongType(name, 'a list of tags')
    tags.set(requiredString(tag, 'Key'), requiredString(tag, 'Value'))
  }
  return tags
}

/** A copy without the named members. */
export function without(input: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(input).filter(([name]) => !names.includes(name)))
}
