// What OCSF 1.9.0 says of the classes that are exported: required attributes, numbers with their captions, and
// attributes that an event may have. Facts of the schema, taken by hand, so that no event is judged by our own code.
// Source: https://schema.ocsf.io/api/1.9.0/classes/{api_activity,authorize_session,entity_management,
// user_management,authentication,base_event}, /objects/{metadata,product,actor,user,iam_role,session,api,service,
// request,response,resource_details,network_endpoint,managed_entity,policy,authorization,ai_agent,delegation}

type Captions = Readonly<Record<number, string>>

export interface ClassFacts {
  readonly caption: string
  readonly category: readonly [number, string]
  readonly activities: Captions
  /** Beside those of every event. */
  readonly required: readonly string[]
  readonly atLeastOne: readonly string[]
  /** Beside those of every event. */
  readonly attributes: readonly string[]
}

const IAM = [3, 'Identity & Access Management'] as const
const CRUD = { 0: 'Unknown', 99: 'Other', 1: 'Create', 2: 'Read', 3: 'Update', 4: 'Delete' }

export const EVERY = {
  required: [
    'activity_id',
    'category_uid',
    'class_uid',
    'metadata',
    'severity_id',
    'time',
    'type_uid',
  ],
  attributes: [
    'activity_id',
    'activity_name',
    'category_name',
    'category_uid',
    'class_name',
    'class_uid',
    'message',
    'metadata',
    'severity',
    'severity_id',
    'status',
    'status_code',
    'status_detail',
    'status_id',
    'time',
    'type_name',
    'type_uid',
    'unmapped',
  ],
} as const

/** Attributes of a profile are there only where the event names it. */
export const PROFILES: Readonly<Record<string, readonly string[]>> = {
  security_control: [
    'action',
    'action_id',
    'authorizations',
    'disposition',
    'disposition_id',
    'is_alert',
    'policy',
  ],
  ai_operation: ['ai_agent', 'ai_model', 'delegation', 'message_context'],
}

export const CLASS_FACTS: Readonly<Record<number, ClassFacts>> = {
  0: {
    caption: 'Base Event',
    category: [0, 'Uncategorized'],
    activities: { 0: 'Unknown', 99: 'Other' },
    required: [],
    atLeastOne: [],
    attributes: [],
  },
  3002: {
    caption: 'Authentication',
    category: IAM,
    activities: { 0: 'Unknown', 99: 'Other', 1: 'Logon', 2: 'Logoff' },
    required: ['user'],
    atLeastOne: ['service', 'dst_endpoint'],
    attributes: ['actor', 'service', 'session', 'src_endpoint', 'dst_endpoint', 'user'],
  },
  3003: {
    caption: 'Authorize Session',
    category: IAM,
    activities: {
      0: 'Unknown',
      99: 'Other',
      1: 'Assign Privileges',
      2: 'Assign Groups',
      3: 'Assign Roles',
    },
    required: ['user'],
    atLeastOne: ['privileges', 'groups', 'iam_roles'],
    attributes: ['actor', 'groups', 'iam_roles', 'privileges', 'session', 'src_endpoint', 'user'],
  },
  3004: {
    caption: 'Entity Management',
    category: IAM,
    activities: {
      ...CRUD,
      5: 'Move',
      6: 'Enroll',
      7: 'Unenroll',
      8: 'Enable',
      9: 'Disable',
      10: 'Activate',
      11: 'Deactivate',
      12: 'Suspend',
      13: 'Resume',
    },
    required: ['entity'],
    atLeastOne: [],
    attributes: ['actor', 'comment', 'entity', 'src_endpoint', 'updated_entity'],
  },
  3007: {
    caption: 'User Management',
    category: IAM,
    activities: {
      0: 'Unknown',
      99: 'Other',
      1: 'Create',
      2: 'Update',
      3: 'Delete',
      4: 'Enable',
      5: 'Disable',
      16: 'Assign Roles',
      17: 'Remove Roles',
      18: 'Add Programmatic Credentials',
      19: 'Remove Programmatic Credentials',
    },
    required: ['user'],
    atLeastOne: [],
    attributes: ['actor', 'iam_roles', 'updated_user', 'user', 'src_endpoint'],
  },
  6003: {
    caption: 'API Activity',
    category: [6, 'Application Activity'],
    activities: CRUD,
    required: ['actor', 'api', 'src_endpoint'],
    atLeastOne: [],
    attributes: [
      'actor',
      'api',
      'dst_endpoint',
      'http_request',
      'http_response',
      'resources',
      'src_endpoint',
    ],
  },
}

export const ENUMS: Readonly<
  Record<string, { readonly sibling: string; readonly captions: Captions }>
> = {
  severity_id: {
    sibling: 'severity',
    captions: {
      0: 'Unknown',
      1: 'Informational',
      2: 'Low',
      3: 'Medium',
      4: 'High',
      5: 'Critical',
      6: 'Fatal',
    },
  },
  status_id: { sibling: 'status', captions: { 0: 'Unknown', 1: 'Success', 2: 'Failure' } },
  action_id: {
    sibling: 'action',
    captions: { 0: 'Unknown', 1: 'Allowed', 2: 'Denied', 3: 'Observed', 4: 'Modified' },
  },
  disposition_id: {
    sibling: 'disposition',
    captions: {
      0: 'Unknown',
      1: 'Allowed',
      2: 'Blocked',
      8: 'Approved',
      14: 'Delayed',
      17: 'Logged',
      25: 'Rejected',
      26: 'Unauthorized',
    },
  },
}

/** Attributes, those required, and of which at least one must be there, by the attribute that holds the object. */
export const OBJECTS: Readonly<
  Record<
    string,
    {
      readonly attributes: readonly string[]
      readonly required?: readonly string[]
      readonly atLeastOne?: readonly string[]
    }
  >
> = {
  metadata: {
    attributes: [
      'version',
      'product',
      'profiles',
      'log_name',
      'event_code',
      'uid',
      'sequence',
      'original_event_uid',
      'original_time',
      'correlation_uid',
      'labels',
    ],
    required: ['version', 'product'],
  },
  product: { attributes: ['name', 'vendor_name', 'version', 'uid'], required: ['name'] },
  actor: {
    attributes: ['user', 'session', 'iam_role', 'app_name', 'app_uid', 'authorizations', 'process'],
    atLeastOne: ['process', 'user', 'session', 'app_name', 'app_uid'],
  },
  user: {
    attributes: ['name', 'uid', 'type_id', 'groups'],
    atLeastOne: ['account', 'name', 'uid'],
  },
  session: { attributes: ['uid', 'issuer', 'created_time', 'expiration_time'] },
  iam_role: { attributes: ['name', 'uid'], atLeastOne: ['name', 'uid'] },
  iam_roles: { attributes: ['name', 'uid'], atLeastOne: ['name', 'uid'] },
  api: {
    attributes: ['operation', 'service', 'request', 'response', 'version'],
    required: ['operation'],
  },
  service: { attributes: ['name', 'uid', 'version', 'labels'] },
  request: { attributes: ['uid', 'flags', 'data'], required: ['uid'] },
  response: { attributes: ['code', 'error', 'error_message', 'message', 'flags'] },
  resources: { attributes: ['uid', 'name', 'type', 'labels'], atLeastOne: ['name', 'uid'] },
  src_endpoint: {
    attributes: ['uid', 'name', 'ip', 'hostname', 'svc_name'],
    atLeastOne: [
      'ip',
      'uid',
      'name',
      'hostname',
      'svc_name',
      'instance_uid',
      'interface_uid',
      'interface_name',
    ],
  },
  entity: { attributes: ['name', 'uid', 'type', 'version', 'data'], atLeastOne: ['name', 'uid'] },
  policy: { attributes: ['name', 'uid', 'version', 'desc', 'group'], atLeastOne: ['name', 'uid'] },
  authorizations: { attributes: ['decision', 'policy'] },
  ai_agent: {
    attributes: ['uid', 'name', 'instance_uid', 'type_id', 'type', 'version', 'ai_model'],
    required: ['uid'],
  },
  delegation: {
    attributes: ['uid', 'parent_uid', 'issuer_uid', 'created_time', 'expiration_time'],
    required: ['uid'],
  },
}

type Found = Readonly<Record<string, unknown>>

/** What the schema has against an event, in words; empty where nothing. */
export function problemsOf(event: Found): string[] {
  const of = CLASS_FACTS[Number(event['class_uid'])]
  if (of === undefined) return [`class_uid ${String(event['class_uid'])} is no class`]
  const profiles = (event['metadata'] as { profiles?: string[] } | undefined)?.profiles ?? []
  const allowed = [
    ...EVERY.attributes,
    ...of.attributes,
    ...profiles.flatMap((name) => PROFILES[name] ?? [name]),
  ]
  const problems = [
    ...missing(event, [...EVERY.required, ...of.required], of.atLeastOne, 'event'),
    ...Object.keys(event)
      .filter((name) => !allowed.includes(name))
      .map((name) => `event: no attribute ${name}`),
    ...classProblems(event, of),
    ...objectProblems(event),
  ]
  for (const [name, { sibling, captions }] of Object.entries(ENUMS)) {
    const value = event[name]
    if (value === undefined) continue
    // 99 takes a name of the source, which must be there.
    const caption = value === 99 ? event[sibling] : captions[Number(value)]
    if (typeof caption !== 'string' || caption !== event[sibling])
      problems.push(`${name} ${String(value)}`)
  }
  return problems
}

function classProblems(event: Found, of: ClassFacts): string[] {
  const activity = Number(event['activity_id'])
  const name = activity === 99 ? event['activity_name'] : of.activities[activity]
  const expected: [string, unknown][] = [
    ['class_name', of.caption],
    ['category_uid', of.category[0]],
    ['category_name', of.category[1]],
    ['activity_name', typeof name === 'string' && name !== '' ? name : 'a name'],
    ['type_uid', Number(event['class_uid']) * 100 + activity],
    ['time', Number.isSafeInteger(event['time']) ? event['time'] : 'milliseconds'],
    ...(activity === 99
      ? []
      : [['type_name', `${of.caption}: ${String(name)}`] as [string, unknown]]),
  ]
  return expected
    .filter(([key, value]) => event[key] !== value)
    .map(([key]) => `${key} ${String(event[key])}`)
}

function objectProblems(holder: Found): string[] {
  return Object.entries(holder).flatMap(([name, value]) => {
    if (name === 'unmapped' || typeof value !== 'object' || value === null) return []
    const facts = OBJECTS[name]
    if (facts === undefined) return name === 'profiles' ? [] : [`no object ${name}`]
    return ([value].flat() as Found[]).flatMap((one) => [
      ...missing(one, facts.required ?? [], facts.atLeastOne ?? [], name),
      ...Object.keys(one)
        .filter((key) => !facts.attributes.includes(key))
        .map((key) => `${name}: no attribute ${key}`),
      ...objectProblems(one),
    ])
  })
}

function missing(
  holder: Found,
  required: readonly string[],
  atLeastOne: readonly string[],
  where: string,
): string[] {
  const has = (name: string) => holder[name] !== undefined && holder[name] !== null
  return [
    ...required.filter((name) => !has(name)).map((name) => `${where}: ${name} is missing`),
    ...(atLeastOne.length === 0 || atLeastOne.some(has)
      ? []
      : [`${where}: none of ${atLeastOne.join(', ')}`]),
  ]
}
