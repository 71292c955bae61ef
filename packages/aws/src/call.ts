// The noun that packages/aws makes of a request: which AWS operation it is, every IAM action and
// resource it needs, and what it would do. Knowledge only: no environment, no person, no policy.

/** What a call does. `read list tag write` are closed lists that somebody looked at; see design 2.1. */
export type Effect =
  | 'read'
  | 'list'
  | 'tag'
  | 'write'
  | 'permissions'
  | 'stop'
  | 'replace'
  | 'destroy'
  | 'opaque'
  | 'unknown'

/** Effects from the mildest to the strictest. */
export const EFFECTS_BY_STRICTNESS: readonly Effect[] = [
  'list',
  'read',
  'tag',
  'write',
  'stop',
  'replace',
  'permissions',
  'opaque',
  'destroy',
  'unknown',
]

export type Reveals = 'nothing' | 'data' | 'secret' | 'credential'
export type Recoverable = 'yes' | 'from-backup' | 'no' | 'unknown'

export type Protocol =
  | 'awsJson1_0'
  | 'awsJson1_1'
  | 'awsQuery'
  | 'ec2Query'
  | 'restJson1'
  | 'restXml'
  | 's3'
  | 'rpcv2Cbor'

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

/** One resource a call touches. `arn` is exact, a pattern (`*`, `?`), or `*` where nothing is certain. */
export interface CallResource {
  readonly arn: string
  /** IAM resource type such as `table`, `object`, `stack`; `*` where unknown. */
  readonly type: string
  /** False when `arn` is wider than the thing really touched. */
  readonly resolved: boolean
  /** Only an inner call touches it: the caller itself needs no right on it. */
  readonly inner?: true
}

/** A call that the outer one makes others do: described by the same tables as a call on the wire. */
export interface InnerCall {
  /** `<iam prefix>:<API operation>`. */
  readonly operation: string
  /** Where it stands in the outer call: `Target`, `States.Drop`, `AlarmActions.0`. */
  readonly at: string
  /** The role it would run under as written, `*` where that is not certain, null where none is named. */
  readonly role: string | null
  readonly iamActions: readonly string[]
  readonly resources: readonly CallResource[]
  readonly effects: readonly Effect[]
  readonly reveals: Reveals
  readonly recoverable: Recoverable
  /** What is known of its input; dynamic members are left out, and the effects then say `opaque`. */
  readonly parameters: JsonObject
  readonly maskedPointers: readonly string[]
  /** The kind of stored thing whose role it would run under in turn (a function's, a machine's). */
  readonly holder?: string
}

/** One statement of SQL or PartiQL that a call runs, and what was read of it. */
export interface Statement {
  /** Where in the parameters it stands: `sql`, `Sqls.2`. */
  readonly at: string
  /** For people, without a subject: `deletes rows of orders that meet a condition; ...`. */
  readonly says: string
  readonly effects: readonly Effect[]
  /** Tables and the like, as it names them; what a view or function reaches in turn is not known. */
  readonly touches: readonly string[]
  /** Why it could not be read whole; its effects are then the strictest that it may have. */
  readonly unread?: string
}

export interface Call {
  /** IAM service prefix, e.g. `dynamodb`. */
  readonly service: string
  /** `<iam prefix>:<API operation>`, e.g. `cloudformation:DeleteStack`. */
  readonly operation: string
  /** API operation alone, e.g. `DeleteStack`. */
  readonly operationName: string
  readonly protocol: Protocol
  /** Which host of the signing name this API is at (`s3-control`); null where no source says. */
  readonly endpointPrefix: string | null
  readonly partition: string
  readonly region: string
  readonly account: string
  /**
   * Every IAM action the call needs, the main one first, dependents (iam:PassRole, ...) included, and
   * those of the inner calls.
   */
  readonly iamActions: readonly string[]
  /** Those that the caller itself needs; present where there are inner calls. */
  readonly ownActions?: readonly string[]
  /** What it makes others do, as far as that can be read; absent where it acts for nobody. */
  readonly innerCalls?: readonly InnerCall[]
  /** The kind of stored thing whose role acts, where the call does not name the role itself. */
  readonly holder?: string
  /** The SQL or PartiQL in it; absent where it holds none. */
  readonly statements?: readonly Statement[]
  readonly resources: readonly CallResource[]
  /** Not empty, without repeats, strictest last (see EFFECTS_BY_STRICTNESS). */
  readonly effects: readonly Effect[]
  readonly reveals: Reveals
  readonly recoverable: Recoverable
  /** Input members under their model names, idempotency tokens of the closed table left out. Fractions are decimal strings. */
  readonly parameters: JsonObject
  /**
   * Values of the idempotency tokens that were left out of `parameters`. They are in the payload, so
   * whoever compares payloads of two runs of one call takes them out there too.
   */
  readonly tokens: readonly string[]
  /** JSON pointers into `parameters` whose values are secrets (closed list of value positions). */
  readonly maskedPointers: readonly string[]
}
