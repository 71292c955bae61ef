// Reads members out of parsed JSON: the value when it is there and of the asked kind, else null.
// Nothing is converted and nothing defaulted.
import type { Json, JsonObject } from '@seconder/aws/call'
import { isDecimal } from '@seconder/aws/strict-json'

export function asObject(value: Json | undefined): JsonObject | null {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return null
  return value as JsonObject
}

export function memberAt(object: JsonObject | null, name: string): Json | undefined {
  return object !== null && Object.hasOwn(object, name) ? object[name] : undefined
}

export function objectAt(object: JsonObject | null, name: string): JsonObject | null {
  return asObject(memberAt(object, name))
}

export function listAt(object: JsonObject | null, name: string): readonly Json[] | null {
  const value = memberAt(object, name)
  return Array.isArray(value) ? value : null
}

export function textAt(object: JsonObject | null, name: string): string | null {
  const value = memberAt(object, name)
  return typeof value === 'string' ? value : null
}

export function countAt(object: JsonObject | null, name: string): number | null {
  const value = memberAt(object, name)
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null
}

export function flagAt(object: JsonObject | null, name: string): boolean | null {
  const value = memberAt(object, name)
  return typeof value === 'boolean' ? value : null
}

/** Seconds since the epoch as AWS wrote them (`1421866952.062`), digits untouched. */
export function secondsAt(object: JsonObject | null, name: string): string | null {
  const value = memberAt(object, name)
  if (typeof value === 'number') return String(value)
  return isDecimal(value) ? value.decimal : null
}

/** Fractions as their bare letters, so that the value can be written out as JSON and read again. */
export function withPlainFractions(value: Json): Json {
  if (Array.isArray(value)) return value.map(withPlainFractions)
  if (isDecimal(value)) return value.decimal
  const object = asObject(value)
  if (object === null) return value
  return Object.fromEntries(
    Object.keys(object).map((name) => [name, withPlainFractions(object[name] ?? null)]),
  )
}

/** Arrays and objects inside each other; a value without either has none. */
export function depthOf(value: Json): number {
  if (value === null || typeof value !== 'object') return 0
  const inner: readonly Json[] = Array.isArray(value) ? value : Object.values(value)
  return 1 + inner.reduce((most: number, one) => Math.max(most, depthOf(one)), 0)
}
