// Reads members of a parsed JSON body by the shapes of the model, and refuses what does not fit
// with the words that AWS's model validation uses. It knows no operation.
// Source of the words: the messages of AWS's JSON services, for example
// "1 validation error detected: Value 'X' at 'y' failed to satisfy constraint: ...".

import type { Json, JsonObject } from '@seconder/aws/call'
import { CostApiError, quoted } from './errors.ts'

export function invalid(message: string): CostApiError {
  return new CostApiError('ValidationException', message)
}

function failed(at: string, constraint: string): CostApiError {
  return invalid(
    `1 validation error detected: Value at '${at}' failed to satisfy constraint: ${constraint}`,
  )
}

/** An object with members of these names only: one that was ignored would change the question. */
export function objectAt(
  value: Json | undefined,
  at: string,
  names: readonly string[],
): JsonObject {
  if (value === undefined || value === null) throw failed(at, 'Member must not be null')
  if (typeof value !== 'object' || Array.isArray(value))
    throw failed(at, 'Member must be a structure')
  for (const name of Object.keys(value)) {
    if (!names.includes(name)) throw invalid(`${quoted(name)} is not a member of '${at}'`)
  }
  return value as JsonObject
}

/** Text of at most `charactersMax`. */
export function stringAt(value: Json | undefined, at: string, charactersMax: number): string {
  if (value === undefined || value === null) throw failed(at, 'Member must not be null')
  if (typeof value !== 'string') throw failed(at, 'Member must be a string')
  if (value.length > charactersMax) {
    throw failed(at, `Member must have length less than or equal to ${charactersMax}`)
  }
  return value
}

/** A list of at least one and at most `countMax`. */
export function listAt(value: Json | undefined, at: string, countMax: number): readonly Json[] {
  if (value === undefined || value === null) throw failed(at, 'Member must not be null')
  if (!Array.isArray(value)) throw failed(at, 'Member must be a list')
  if (value.length === 0) throw failed(at, 'Member must have length greater than or equal to 1')
  if (value.length > countMax) {
    throw failed(at, `Member must have length less than or equal to ${countMax}`)
  }
  return value as readonly Json[]
}

/** One of the names. The clients do not check enums, so this does. */
export function choiceAt<T extends string>(
  value: Json | undefined,
  at: string,
  choices: readonly T[],
): T {
  const text = stringAt(value, at, 256)
  const found = choices.find((choice) => choice === text)
  if (found === undefined) {
    throw failed(at, `Member must satisfy enum value set: [${choices.join(', ')}]`)
  }
  return found
}
