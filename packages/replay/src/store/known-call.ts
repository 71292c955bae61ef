// What is kept of a recorded call: its meaning without parameters, unless a rule of the gate reads them.
// Secrets are masked under a key that is thrown away, so what is kept is no dictionary of them.

import type { JsonObject } from '@seconder/aws/call'
import { partiesOf } from '@seconder/aws/describe/parties'
import type { Meaning } from '@seconder/aws/describe-call'
import { partitionOf } from '@seconder/aws/endpoints/endpoint'
import { mask } from '@seconder/gateway/describe/mask'
import { type RecordedCall, recordedCall } from '../event/recorded-call.ts'

export type KnownCall =
  | {
      readonly is: 'call'
      readonly meaning: Meaning
      /** False where the trail does not tell the parameters: what was read of them may be missing. */
      readonly parametersKnown: boolean
      /** The region is one that no partition has. */
      readonly oddRegion?: true
    }
  | { readonly is: 'not-an-api-call'; readonly source: string; readonly name: string }
  | {
      readonly is: 'unmapped'
      readonly source: string
      readonly name: string
      readonly why: string
    }

/** Characters of a name of the trail's that are kept. */
const NAME_MAX = 256

export function knownCall(
  recorded: RecordedCall,
  maskKey: string,
  watch?: (parameters: JsonObject) => JsonObject,
): KnownCall {
  const source = recorded.eventSource.slice(0, NAME_MAX)
  const name = recorded.eventName.slice(0, NAME_MAX)
  const found = described(recorded, watch)
  if (found === null) return { is: 'unmapped', source, name, why: 'could not be described' }
  if (found.is === 'unmapped') return { is: 'unmapped', source, name, why: found.why }
  if (found.is === 'not-an-api-call') return { is: 'not-an-api-call', source, name }
  const { meaning, parametersKnown } = found
  return {
    is: 'call',
    meaning: bare(meaning, recorded.parameters, maskKey),
    parametersKnown,
    ...(partitionOf(recorded.region) === undefined && { oddRegion: true as const }),
  }
}

/** Null for what makes the description itself fail: it is then counted as not mapped. */
function described(recorded: RecordedCall, watch?: (parameters: JsonObject) => JsonObject) {
  try {
    return recordedCall(recorded, watch)
  } catch {
    return null // whatever it is: an event that cannot be described is named, and never an allow
  }
}

function bare(meaning: Meaning, raw: string, maskKey: string): Meaning {
  const kept = needsParameters(meaning, raw)
    ? mask(meaning.parameters, meaning.maskedPointers, maskKey)
    : {}
  const inner = meaning.innerCalls?.map((call) => ({
    ...call,
    parameters: mask(call.parameters, call.maskedPointers, maskKey),
    maskedPointers: [],
  }))
  return {
    ...meaning,
    parameters: kept,
    maskedPointers: [],
    ...(inner !== undefined && { innerCalls: inner }),
  }
}

/** The gate reads parameters for accounts outside, and refuses two reserved names in them. */
function needsParameters({ operation, parameters, effects }: Meaning, raw: string): boolean {
  if (raw.includes('__') || raw.includes('\\u')) return true
  // Whom a look reaches is not asked; it reaches nobody.
  if (isLook(effects)) return false
  return !sameParties(partiesOf(operation, parameters), partiesOf(operation, {} as JsonObject))
}

export function isLook(effects: readonly string[]): boolean {
  return effects.every((effect) => effect === 'read' || effect === 'list')
}

function sameParties(left: readonly object[], right: readonly object[]): boolean {
  return JSON.stringify(left) === JSON.stringify(right)
}

/** The same call with each name of a resource widened: for what is one too many to be kept apart. */
export function widened(known: KnownCall): KnownCall {
  if (known.is !== 'call') return known
  const { meaning } = known
  const resources = meaning.resources.map((resource) => ({
    ...resource,
    arn: resource.arn.replace(/[^/:]*$/, '*'),
    resolved: false,
  }))
  const distinct = [...new Map(resources.map((one) => [JSON.stringify(one), one])).values()]
  return { ...known, meaning: { ...meaning, resources: distinct } }
}
