// The form of an event of OCSF 1.9.0: class, activity and the numbers that must fit together. Captions are
// those of the schema. Source: https://schema.ocsf.io/1.9.0 (ocsf/ocsf-schema v1.9.0)
import { VERSION } from '../version.ts'

export const OCSF_VERSION = '1.9.0'

export type OcsfObject = { readonly [member: string]: unknown }

export const CLASSES = {
  base: { uid: 0, name: 'Base Event', category: 0, categoryName: 'Uncategorized' },
  authentication: iam(3002, 'Authentication'),
  authorizeSession: iam(3003, 'Authorize Session'),
  entityManagement: iam(3004, 'Entity Management'),
  userManagement: iam(3007, 'User Management'),
  apiActivity: {
    uid: 6003,
    name: 'API Activity',
    category: 6,
    categoryName: 'Application Activity',
  },
} as const

function iam<Uid extends number>(uid: Uid, name: string) {
  return { uid, name, category: 3, categoryName: 'Identity & Access Management' } as const
}

export const SEVERITY = {
  informational: [1, 'Informational'],
  low: [2, 'Low'],
  medium: [3, 'Medium'],
  high: [4, 'High'],
} as const

export const STATUS = {
  unknown: [0, 'Unknown'],
  success: [1, 'Success'],
  failure: [2, 'Failure'],
} as const

/** Action and disposition of the profile `security_control`. */
export const CONTROL = {
  allowed: { action_id: 1, action: 'Allowed', disposition_id: 1, disposition: 'Allowed' },
  approved: { action_id: 1, action: 'Allowed', disposition_id: 8, disposition: 'Approved' },
  blocked: { action_id: 2, action: 'Denied', disposition_id: 2, disposition: 'Blocked' },
  rejected: { action_id: 2, action: 'Denied', disposition_id: 25, disposition: 'Rejected' },
  unauthorized: { action_id: 2, action: 'Denied', disposition_id: 26, disposition: 'Unauthorized' },
  held: { action_id: 4, action: 'Modified', disposition_id: 14, disposition: 'Delayed' },
  observed: { action_id: 3, action: 'Observed', disposition_id: 17, disposition: 'Logged' },
} as const

export interface EventParts {
  readonly of: (typeof CLASSES)[keyof typeof CLASSES]
  /** Number and caption of the activity; 99 takes a name of our own. */
  readonly activity: readonly [number, string]
  readonly severity?: keyof typeof SEVERITY
  /** A status of our own where the schema has none. */
  readonly status: keyof typeof STATUS | { readonly other: string }
  readonly control?: keyof typeof CONTROL
  readonly message: string
  /** What links the events of one request or one call. */
  readonly correlation?: string | undefined
  readonly more: OcsfObject
  /** What the schema has no place for. */
  readonly unmapped?: OcsfObject
}

export interface EventPlace {
  readonly index: number
  readonly hash: string
  readonly type: string
  readonly at: string
}

export function ocsfEvent(parts: EventParts, { index, hash, type, at }: EventPlace): OcsfObject {
  const { of, activity, control, message, correlation, more, unmapped } = parts
  const [severityId, severity] = SEVERITY[parts.severity ?? 'informational']
  const [statusId, status] =
    typeof parts.status === 'string' ? STATUS[parts.status] : [99, parts.status.other]
  const profiles = [
    ...(control ? ['security_control'] : []),
    ...('ai_agent' in more ? ['ai_operation'] : []),
  ]
  return {
    class_uid: of.uid,
    class_name: of.name,
    category_uid: of.category,
    category_name: of.categoryName,
    activity_id: activity[0],
    activity_name: activity[1],
    type_uid: of.uid * 100 + activity[0],
    // Of what has a name of our own the schema says two things; it is optional.
    ...(activity[0] !== 99 && { type_name: `${of.name}: ${activity[1]}` }),
    time: timeOf(at),
    severity_id: severityId,
    severity,
    status_id: statusId,
    status,
    message,
    metadata: {
      version: OCSF_VERSION,
      product: { name: 'Seconder', vendor_name: 'Seconder', version: VERSION },
      ...(profiles.length > 0 && { profiles }),
      log_name: 'seconder-ledger',
      event_code: type,
      uid: hash,
      sequence: index,
      original_event_uid: String(index),
      original_time: at,
      ...(correlation && { correlation_uid: correlation }),
    },
    ...(control && { ...CONTROL[control], is_alert: severityId >= SEVERITY.medium[0] }),
    ...more,
    ...(unmapped && { unmapped }),
  }
}

/** Milliseconds of the epoch; 0 for an entry that says no time. */
function timeOf(at: string): number {
  const time = Date.parse(at)
  return Number.isNaN(time) ? 0 : time
}
