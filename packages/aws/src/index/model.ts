// The nouns of the compiled index: what one signing name can say on the wire, which IAM actions and
// resources exist for it, and our tables about it. Types only; build/compile-index.ts makes the
// values. The shape grammar is that of the API files of AWS SDK for JavaScript v2, less what nobody
// reads here.

import type { Effect, Reveals } from '../call.ts'

/** Where a REST member travels. Source: https://smithy.io/2.0/spec/http-bindings.html */
export type Location = 'uri' | 'querystring' | 'header' | 'headers' | 'statusCode'

export interface Shape {
  /** A key of `Model.shapes`; the other fields then only bind the member. */
  readonly shape?: string
  /** `string` where absent. */
  readonly type?: string
  readonly members?: Readonly<Record<string, Shape>>
  readonly member?: Shape
  readonly key?: Shape
  readonly value?: Shape
  readonly required?: readonly string[]
  readonly location?: Location
  readonly locationName?: string
  readonly queryName?: string
  readonly flattened?: boolean
  readonly payload?: string
  readonly xmlAttribute?: boolean
  readonly streaming?: boolean
  readonly jsonvalue?: boolean
  readonly document?: boolean
  readonly idempotencyToken?: boolean
}

export interface OperationModel {
  readonly method?: string
  readonly uri?: string
  readonly input?: Shape
  readonly deprecated?: boolean
  /**
   * The output model holds a member named like a key, token, password or signed URL (redteam C4).
   */
  readonly answersCredential?: boolean
  /**
   * Top-level idempotency tokens, left out of the parameters; less data/tables/kept-tokens.json.
   */
  readonly tokens?: readonly string[]
  /** Paths of members that hold a password, key or token (data/tables/masks.json). */
  readonly masks?: readonly string[]
}

/** `cbor` is a model whose newest protocol is Smithy RPC v2; it may speak the others as well. */
export type ModelProtocol = 'json' | 'query' | 'ec2' | 'rest-json' | 'rest-xml' | 'cbor'

export interface Model {
  readonly id: string
  readonly protocol: ModelProtocol
  readonly jsonVersion?: string
  readonly version: string
  readonly targetPrefix?: string
  /** What newer clients put in its place. */
  readonly otherTargets?: readonly string[]
  /** Which host of the signing name the API is at; absent where no source says. */
  readonly endpointPrefix?: string
  readonly operations: Readonly<Record<string, OperationModel>>
  readonly shapes: Readonly<Record<string, Shape>>
}

export type AccessLevel = 'Read' | 'List' | 'Write' | 'Tagging' | 'Permissions management'

/** One IAM action: its access level and resource types; a type that must be present ends in `*`. */
export interface IamAction {
  readonly level: AccessLevel
  readonly types: readonly string[]
}

export interface IamFacts {
  readonly actions: Readonly<Record<string, IamAction>>
  /** Access levels of the actions of other prefixes that our tables name for this one, by full name. */
  readonly others?: Readonly<Record<string, AccessLevel>>
  /** Resource type to ARN format, with `${Variable}` placeholders. */
  readonly resourceTypes: Readonly<Record<string, string>>
}

/**
 * A question about the parameters; `path` steps are member names, `*` (every element), `?` (every
 * key).
 */
export interface Condition {
  readonly path: string
  readonly is:
    | 'present'
    | 'absent'
    | 'lacking'
    | 'true'
    | 'false'
    | 'zero'
    | 'oneOf'
    | 'above'
    | 'matches'
  readonly values?: readonly (string | number)[]
}

export interface ActionRow {
  readonly operation: string
  /** Only for the model of this id, where two models of one prefix share an operation name. */
  readonly model?: string
  /** Replaces the action that has the operation's name. */
  readonly actions?: readonly string[]
  /** Comes in addition. */
  readonly add?: readonly string[]
  readonly when?: readonly Condition[]
  readonly source: string
}

/** Operations that need one action more where they send tags; the build makes ActionRows of them. */
export interface TagActionRow {
  readonly action: string
  /** The top-level member that holds the tags. */
  readonly member: string
  readonly operations: readonly string[]
  readonly source: string
}

export interface ArnRow {
  readonly type: string
  /** Operations it holds for; absent: every operation whose actions have the resource type. */
  readonly operations?: readonly string[]
  readonly except?: readonly string[]
  /** ARN variable to the members that hold it, first present wins; `member|form` names a form
   * of normalise.ts, `=text` is a constant, `A@B` is name A under path B. */
  readonly fill: Readonly<Record<string, readonly string[]>>
  /** ARN format where the IAM data's is not what the service uses. */
  readonly format?: string
  /** The ARN covers more than the thing; it is then not resolved. */
  readonly wide?: boolean
  /** The call touches none of the type, though its action is on one; `fill` is empty. */
  readonly none?: boolean
  /** The member that names another account as owner; where it is absent, the caller's. */
  readonly account?: string
  readonly when?: readonly Condition[]
  readonly source: string
}

export interface EffectRow {
  readonly operation: string
  readonly effect: Effect
  /** Replaces what verb, level and lists say, instead of joining it. */
  readonly instead?: boolean
  readonly when?: readonly Condition[]
  readonly source: string
}

export interface RevealsRow {
  readonly operation: string
  readonly reveals: Reveals
  readonly when?: readonly Condition[]
  readonly source: string
}

export interface RecoverableRow {
  readonly operation: string
  readonly recoverable: 'yes' | 'from-backup' | 'no' | 'unknown'
  readonly when?: readonly Condition[]
  readonly source: string
}

/** Names of the readers in src/inner-calls/acting.ts. */
export const READER_NAMES = [
  'alarm',
  'backup-plan',
  'batch-operation',
  'cloud-control',
  'document-name',
  'maintenance-task',
  'pipe',
  'remediation',
  'rule-targets',
  'schedule',
  'scheduled-scaling',
  'snapshot-lifecycle',
  'ssm-document',
  'state',
  'state-machine',
  'subscription',
] as const
export type ReaderName = (typeof READER_NAMES)[number]

/** An operation that stores or starts what later calls AWS or runs code (redteam H7, H8). */
export interface ActsRow {
  readonly operation: string
  /** What it counts as where not all of it can be read; `opaque` where absent. */
  readonly effect?: Effect
  /** As in EffectRow. */
  readonly instead?: boolean
  readonly when?: readonly Condition[]
  readonly reads?: ReaderName
  /** Paths of the members that name the role it acts under. */
  readonly named?: readonly string[]
  /** The kind of stored thing whose role acts where no such member is sent. */
  readonly holder?: string
  readonly source: string
}

/** A type of Cloud Control, and the calls of its own service that it stands for. */
export interface ControlledType {
  readonly sdk: string
  readonly create: string
  readonly update?: string
  readonly delete: string
  /** The member of `update` and `delete` that takes the identifier. */
  readonly id: string
  /** The member is a list of identifiers. */
  readonly list?: boolean
}

/** Our tables, cut down to one IAM prefix. */
export interface Tables {
  readonly actions: readonly ActionRow[]
  readonly arns: readonly ArnRow[]
  readonly writes: readonly string[]
  readonly effects: readonly EffectRow[]
  readonly reveals: readonly RevealsRow[]
  readonly recoverable: readonly RecoverableRow[]
  readonly acts: readonly ActsRow[]
  /** By CloudFormation type name; with Cloud Control's prefix alone. */
  readonly types?: Readonly<Record<string, ControlledType>>
}

/** Everything the index holds for one signing name. */
export interface ServiceBlock {
  readonly signingName: string
  /** IAM service prefix, such as `cloudwatch` for the signing name `monitoring`. */
  readonly prefix: string
  readonly models: readonly Model[]
  readonly iam: IamFacts
  readonly tables: Tables
}
