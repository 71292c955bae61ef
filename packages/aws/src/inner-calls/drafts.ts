// What the readers of this folder make: drafts of the calls that a stored thing would make, and whether
// that is all of it. Bounded: what does not fit is not whole, and then the outer call is opaque.

import type { Json, JsonObject } from '../call.ts'
import { isObject } from '../describe/decode-json.ts'
import { parseStrictJson, StrictJsonError } from '../strict-json.ts'

/** Inner calls that one call may have; a longer list is cut and counts as not read whole. */
export const INNER_CALLS_MAX = 250
/** Bytes of one definition, document or input. A state machine's has at most 1 MB.
 * Source: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
export const DEFINITION_BYTES_MAX = 1024 * 1024

export interface Draft {
  /** The service as the SDKs name it, in small letters and without spaces: `rds`, `cloudwatchlogs`. */
  readonly sdk: string
  /** The API operation, in any case of its first letter: `deleteDBCluster`. */
  readonly api: string
  readonly parameters: JsonObject
  /** The role it would run under, as written; null where none is named. */
  readonly role: string | null
  /** Where it stands: `Target`, `States.Drop`, `AlarmActions.0`. */
  readonly at: string
}

export class Drafts {
  readonly found: Draft[] = []
  #whole = true

  /** Whether `found` is all that would happen. */
  get whole(): boolean {
    return this.#whole
  }

  add(draft: Draft): void {
    if (this.found.length < INNER_CALLS_MAX) this.found.push(draft)
    else this.hide()
  }

  /** Says that something would happen which cannot be read here. */
  hide(): void {
    this.#whole = false
  }
}

/** Reads the inner calls out of the parameters of one kind of call. Never throws. */
export type Reader = (parameters: JsonObject, drafts: Drafts) => void

/** The object that `text` is as strict JSON; undefined where it is none, or too large, or has two readings. */
export function objectIn(text: Json | undefined): JsonObject | undefined {
  if (typeof text !== 'string') return undefined
  try {
    const value = parseStrictJson(text, { maxBytes: DEFINITION_BYTES_MAX })
    return isObject(value) ? value : undefined
  } catch (cause) {
    if (cause instanceof StrictJsonError) return undefined
    throw cause
  }
}

export function textIn(object: JsonObject | undefined, name: string): string | undefined {
  const value = memberIn(object, name)
  return typeof value === 'string' ? value : undefined
}

export function objectAt(object: JsonObject | undefined, name: string): JsonObject | undefined {
  const value = memberIn(object, name)
  return value !== undefined && isObject(value) ? value : undefined
}

export function listAt(object: JsonObject | undefined, name: string): readonly Json[] {
  const value = memberIn(object, name)
  return Array.isArray(value) ? value : []
}

export function memberIn(object: JsonObject | undefined, name: string): Json | undefined {
  return object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined
}
