// The rows of our tables that can speak of one operation, found once and kept: a request then reads
// a handful of rows instead of whole tables.

import type { ActionRow, ActsRow, ArnRow, EffectRow, RecoverableRow, RevealsRow } from './model.ts'
import type { Service } from './service-index.ts'

export interface OperationRows {
  readonly actions: readonly ActionRow[]
  /** Rows without a list of operations are among them; their resource type decides. */
  readonly arns: readonly ArnRow[]
  readonly effects: readonly EffectRow[]
  readonly reveals: readonly RevealsRow[]
  readonly recoverable: readonly RecoverableRow[]
  /** Rows of what acts for others; they count as effects too (describe/effects.ts). */
  readonly acts: readonly ActsRow[]
  readonly isWrite: boolean
}

const kept = new WeakMap<Service, Map<string, OperationRows>>()

/** The rows for an operation name of the service's IAM prefix. */
export function rowsOf(service: Service, operation: string): OperationRows {
  let byName = kept.get(service)
  if (byName === undefined) {
    byName = new Map()
    kept.set(service, byName)
  }
  let rows = byName.get(operation)
  if (rows === undefined) {
    rows = select(service, operation)
    byName.set(operation, rows)
  }
  return rows
}

function select(service: Service, operation: string): OperationRows {
  const { tables } = service
  const names = (row: { readonly operation: string }): boolean => row.operation === operation
  return {
    actions: tables.actions.filter(names),
    arns: tables.arns.filter(
      (row) =>
        (row.operations === undefined || row.operations.includes(operation)) &&
        row.except?.includes(operation) !== true,
    ),
    effects: tables.effects.filter(names),
    reveals: tables.reveals.filter(names),
    recoverable: tables.recoverable.filter(names),
    acts: tables.acts.filter(names),
    isWrite: tables.writes.includes(operation),
  }
}
