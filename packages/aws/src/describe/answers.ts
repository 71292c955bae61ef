// Says what the answer of a call gives away, whether the effect can be undone, and where its
// parameters hold secrets. From our tables and the compiled output rule (redteam C4, C9). Pure.

import type { Effect, Json, JsonObject, Recoverable, Reveals } from '../call.ts'
import { rowsOf } from '../index/rows.ts'
import type { Operation, Service } from '../index/service-index.ts'
import { allHold } from './condition.ts'
import { isObject } from './decode-json.ts'

const REVEALS_BY_STRICTNESS: readonly Reveals[] = ['nothing', 'data', 'secret', 'credential']

/**
 * The strictest of the rows that hold. An operation without any row is `credential` where its
 * output
 * model is named like one, `data` for reads, else `nothing`.
 */
export function revealsOf(
  service: Service,
  operation: Operation,
  effects: readonly Effect[],
  parameters: JsonObject,
): Reveals {
  const listed = rowsOf(service, operation.name).reveals
  const rows = listed.filter((row) => allHold(row.when, parameters))
  const found = new Set(rows.map((row) => row.reveals))
  if (listed.length === 0 && operation.facts.answersCredential === true) return 'credential'
  if (found.size > 0) return strictestReveals([...found])
  return effects.some((effect) => effect === 'read' || effect === 'list') ? 'data' : 'nothing'
}

export function strictestReveals(all: readonly Reveals[]): Reveals {
  return REVEALS_BY_STRICTNESS.findLast((each) => all.includes(each)) ?? 'nothing'
}

/** `yes` for reads; for the rest what the table says, else `unknown`. */
export function recoverableOf(
  service: Service,
  operation: Operation,
  effects: readonly Effect[],
  parameters: JsonObject,
): Recoverable {
  if (effects.every((effect) => effect === 'read' || effect === 'list')) return 'yes'
  const row = rowsOf(service, operation.name).recoverable.find((each) =>
    allHold(each.when, parameters),
  )
  return row?.recoverable ?? 'unknown'
}

const RECOVERABLE_WORST_FIRST: readonly Recoverable[] = ['no', 'unknown', 'from-backup', 'yes']

export function worstRecoverable(all: readonly Recoverable[]): Recoverable {
  return RECOVERABLE_WORST_FIRST.find((each) => all.includes(each)) ?? 'unknown'
}

/** JSON pointers (RFC 6901) of the values at the operation's mask paths. */
export function maskedPointersOf(operation: Operation, parameters: JsonObject): string[] {
  return (operation.facts.masks ?? []).flatMap((path) => pointers(parameters, path.split('.'), ''))
}

function pointers(value: Json, steps: readonly string[], pointer: string): string[] {
  const [step, ...rest] = steps
  if (step === undefined) return [pointer]
  const inner: [string, Json][] = []
  if (Array.isArray(value) && step === '*') {
    for (const [at, each] of value.entries()) inner.push([String(at), each])
  } else if (isObject(value)) {
    for (const [key, each] of Object.entries(value)) {
      if (step === '*' || step === key) inner.push([key, each])
    }
  }
  return inner.flatMap(([key, each]) => pointers(each, rest, `${pointer}/${escaped(key)}`))
}

function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}
