// What is said about the binding half of an Evidence: whether all of it was read, and whether two are
// the same. Pure.
import type { Json, JsonObject } from '@seconder/aws/call'
import { canonicalJson } from '../lib/canonical-json.ts'
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
  if (canonicalJson(a.binding) !== canonicalJson(b.binding)) return false
  return canonicalJson([...a.addedEffects].sort()) === canonicalJson([...b.addedEffects].sort())
}

function holdsUnread(value: Json): boolean {
  if (Array.isArray(value)) return value.some(holdsUnread)
  if (value === null || typeof value !== 'object') return false
  const object = value as JsonObject
  return Object.hasOwn(object, 'unread') || Object.values(object).some(holdsUnread)
}
