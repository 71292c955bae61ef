// The noun of what was looked up about a stored thing that acts, and how it says what was not learned:
// always under `*`, which is production.
import type { InnerCall, Json, JsonObject } from '@seconder/aws/call'
import { partitionOf } from '@seconder/aws/endpoints/endpoint'
import type { Look, Looked } from './look.ts'

export interface HolderLook {
  readonly binding: JsonObject
  /** Role ARNs; `*` where a role acts that could not be told. */
  readonly roles: readonly string[]
  readonly innerCalls: readonly InnerCall[]
}

export interface Placed {
  readonly region: string
  readonly account: string
}

export function unread(look: Look, what: string, looked: Looked<unknown>): HolderLook {
  const why = looked.found === 'unknown' ? looked.why : 'unreadable'
  return { binding: look.missedBecause(what, why), roles: ['*'], innerCalls: [] }
}

/** The thing is not there: the call would fail, or meet whatever is made there until then. */
export function absent(name: string): HolderLook {
  return { binding: { name, absent: true }, roles: ['*'], innerCalls: [] }
}

export function unnamed(look: Look): HolderLook {
  look.missed('the call does not say which stored thing would run')
  return { binding: { unread: 'not named' }, roles: ['*'], innerCalls: [] }
}

/** A role by its ARN as it was read; a bare name may lie under any path, so it is not certain. */
export function roleOf(value: Json | undefined): string {
  return typeof value === 'string' && /^arn:[a-z-]+:iam::\d{12}:role\/[^\s*?]+$/.test(value)
    ? value
    : '*'
}

export function regionIn(name: string, here: Placed): string {
  const named = /^arn:[^:]*:[^:]*:([a-z0-9-]+):/.exec(name)?.[1]
  return named !== undefined && partitionOf(named) !== undefined ? named : here.region
}
