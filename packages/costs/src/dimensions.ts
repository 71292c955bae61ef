// The dimensions of Cost Explorer, and which column of the star answers each. What the model names
// and no FOCUS column holds is refused by name: an empty answer would look like a cost of zero.
// Source: botocore `botocore/data/ce/2017-10-25/service-2.json`, shape Dimension (35 keys); the
// mapping to FOCUS columns is ours.

import { FACT_KINDS, RESOURCE_KINDS } from './terms.ts'

export interface HeldDimension {
  readonly held: true
  /** SQL of the code, over `f` (fact) and `r` (resource). */
  readonly column: string
  readonly kind: number
}

export interface MissingDimension {
  readonly held: false
  /** `model`: no FOCUS column holds it. `elsewhere`: GetCostAndUsage never takes it. */
  readonly why: 'model' | 'elsewhere'
}

export type Dimension = HeldDimension | MissingDimension

function ofResource(column: keyof typeof RESOURCE_KINDS): HeldDimension {
  return { held: true, column: `r.${column}`, kind: RESOURCE_KINDS[column] }
}

const NOT_HELD: MissingDimension = { held: false, why: 'model' }
const ELSEWHERE: MissingDimension = { held: false, why: 'elsewhere' }

export const DIMENSIONS: Readonly<Record<string, Dimension>> = {
  AZ: ofResource('zone'),
  INSTANCE_TYPE: NOT_HELD,
  LINKED_ACCOUNT: ofResource('account'),
  PAYER_ACCOUNT: ofResource('payer'),
  LINKED_ACCOUNT_NAME: ELSEWHERE,
  OPERATION: ofResource('operation'),
  PURCHASE_TYPE: ofResource('purchase'),
  REGION: ofResource('region'),
  SERVICE: ofResource('service'),
  SERVICE_CODE: ELSEWHERE,
  USAGE_TYPE: ofResource('usage_type'),
  USAGE_TYPE_GROUP: NOT_HELD,
  RECORD_TYPE: { held: true, column: 'f.category', kind: FACT_KINDS.category },
  OPERATING_SYSTEM: NOT_HELD,
  TENANCY: NOT_HELD,
  SCOPE: NOT_HELD,
  PLATFORM: NOT_HELD,
  SUBSCRIPTION_ID: NOT_HELD,
  LEGAL_ENTITY_NAME: ofResource('issuer'),
  DEPLOYMENT_OPTION: NOT_HELD,
  DATABASE_ENGINE: NOT_HELD,
  CACHE_ENGINE: NOT_HELD,
  INSTANCE_TYPE_FAMILY: NOT_HELD,
  BILLING_ENTITY: ofResource('provider'),
  RESERVATION_ID: NOT_HELD,
  // A resource belongs to GetCostAndUsageWithResources alone.
  RESOURCE_ID: ELSEWHERE,
  RIGHTSIZING_TYPE: ELSEWHERE,
  SAVINGS_PLANS_TYPE: NOT_HELD,
  SAVINGS_PLAN_ARN: NOT_HELD,
  PAYMENT_OPTION: NOT_HELD,
  AGREEMENT_END_DATE_TIME_AFTER: ELSEWHERE,
  AGREEMENT_END_DATE_TIME_BEFORE: ELSEWHERE,
  INVOICING_ENTITY: ofResource('issuer'),
  ANOMALY_TOTAL_IMPACT_ABSOLUTE: ELSEWHERE,
  ANOMALY_TOTAL_IMPACT_PERCENTAGE: ELSEWHERE,
}

/** The dimension of that name, own entries of the table only. */
export function dimensionNamed(name: string): Dimension | undefined {
  return Object.hasOwn(DIMENSIONS, name) ? DIMENSIONS[name] : undefined
}

/** The names that can be grouped by, for the message that lists them. */
export const HELD_DIMENSIONS: readonly string[] = Object.entries(DIMENSIONS)
  .filter(([, dimension]) => dimension.held)
  .map(([name]) => name)
