// The IAM action of an operation by its name alone, before parameters are read: the table's, or the
// action of the same name where the IAM data has one. Never a guess: else none.

import type { ActionRow } from '../index/model.ts'
import { rowsOf } from '../index/rows.ts'
import type { Service } from '../index/service-index.ts'

/**
 * `<prefix>:<Action>` names, the main one first; empty where nothing certain is known.
 * API Gateway's management actions are the HTTP methods. Source:
 * docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagement.html
 */
export function mainActionsOf(
  service: Service,
  model: string,
  operation: string,
  method: string,
): readonly string[] {
  const { prefix } = service
  if (prefix === 'apigateway') return [`apigateway:${method}`]
  for (const row of rowsOf(service, operation).actions) {
    if (row.actions === undefined || row.when !== undefined) continue
    if (isRowFor(row, model, operation)) return row.actions
  }
  return Object.hasOwn(service.iam.actions, operation) ? [`${prefix}:${operation}`] : []
}

/** True where the row speaks of this operation, and of this model where it names one. */
export function isRowFor(row: ActionRow, model: string, operation: string): boolean {
  return row.operation === operation && (row.model === undefined || row.model === model)
}
