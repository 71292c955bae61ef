// What is said about the binding half of an Evidence: whether all of it was read, whether two are the
// same, and the hash of something too long to be held in it. Pure.
import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '@seconder/aws/call'
import type { Evidence } from './evidence.ts'

/**
 * True when every part of the binding was read. A part that was not is `{"unread": "<why>"}`, at any
 * depth; policy treats such an action as unresolved.
 */
export function bindingRead(evidence: Evidence): boolean {
  return !holdsUnread(evidence.binding)
}

/**
 * True when `b`, read again right before the effect, is what was reviewed as `a`: the same binding and
 * no effect that was not there. Two bindings that both could not be read for the same reason are the
 * same: the reviewer signed having seen that it could not be read.
 */
export function sameBinding(a: Evidence, b: Evidence): boolean {
  if (canonical(a.binding) !== canonical(b.binding)) return false
  return canonical([...a.addedEffects].sort()) === canonical([...b.addedEffects].sort())
}

/** SHA-256, hex, of the canonical JSON of a value. */
export function hashOf(value: Json): string {
  return createHash('sha256').update(canonical(value), 'utf8').digest('hex')
}

/**
 * Canonical JSON. Source: RFC 8785; numbers here are safe integers only (fractions are decimal
 * strings), whose ECMAScript form is the canonical one.
 */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const object = value as JsonObject
  // The default sort compares UTF-16 code units, as RFC 8785 section 3.2.3 wants.
  const members = Object.keys(object)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(object[key] ?? null)}`)
  return `{${members.join(',')}}`
}

function holdsUnread(value: Json): boolean {
  if (Array.isArray(value)) return value.some(holdsUnread)
  if (value === null || typeof value !== 'object') return false
  const object = value as JsonObject
  return Object.hasOwn(object, 'unread') || Object.values(object).some(holdsUnread)
}
