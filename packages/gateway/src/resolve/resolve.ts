// The verb of this folder: Action in, Evidence out, by read-only look-ups upstream. It decides nothing,
// changes nothing, and ends by its deadline whatever the upstream does.
import type { Action } from '../describe/action.ts'
import { type ActingLook, lookAtActing } from './acting.ts'
import { resolveBucket } from './bucket-change.ts'
import { bucketOwners } from './bucket-owner.ts'
import { resolveExecuteChangeSet } from './change-set.ts'
import { type Evidence, NO_EVIDENCE } from './evidence.ts'
import { resolveItems } from './items.ts'
import { Look } from './look.ts'
import { memberAt, objectAt } from './member.ts'
import { resolveObjects } from './objects.ts'
import { evidenceOf, type Part, type Resolver } from './part.ts'
import { resolveRecords } from './records.ts'
import {
  resolveCreateStack,
  resolveDeleteStack,
  resolveRollback,
  resolveUpdateStack,
} from './stack.ts'
import { resolveTable } from './table-change.ts'
import { isTouching, resolveTouched, touchingOperations } from './touched.ts'
import { resolveComplete } from './upload.ts'
import type { Upstream } from './upstream.ts'

export { bindingRead, sameBinding } from './binding.ts'

export const DEFAULT_DEADLINE_MS = 3000
/** A whole stack may hold hundreds of things; its caller waits longer for people anyway. */
export const STACK_DEADLINE_MS = 8000

export function deadlineOf({ operation }: Action): number {
  return operation === 'cloudformation:DeleteStack' ? STACK_DEADLINE_MS : DEFAULT_DEADLINE_MS
}

export interface ResolveOptions {
  /** Milliseconds after which what is not known yet is said not to be known. */
  readonly deadlineMs: number
}

/** Operations with a look-up of their own; those of the tables come after. The rest says so. */
const RESOLVERS: Readonly<Record<string, Resolver>> = {
  'cloudformation:ContinueUpdateRollback': resolveRollback,
  'cloudformation:CreateChangeSet': resolveCreateStack,
  'cloudformation:CreateStack': resolveCreateStack,
  'cloudformation:DeleteStack': resolveDeleteStack,
  'cloudformation:ExecuteChangeSet': resolveExecuteChangeSet,
  'cloudformation:RollbackStack': resolveRollback,
  'cloudformation:UpdateStack': resolveUpdateStack,
  'dynamodb:BatchWriteItem': resolveItems,
  'dynamodb:DeleteItem': resolveItems,
  'dynamodb:DeleteTable': resolveTable,
  'dynamodb:PutItem': resolveItems,
  'dynamodb:TransactWriteItems': resolveItems,
  'dynamodb:UpdateContinuousBackups': resolveTable,
  'dynamodb:UpdateItem': resolveItems,
  'dynamodb:UpdateTable': resolveTable,
  'dynamodb:UpdateTimeToLive': resolveTable,
  'route53:ChangeResourceRecordSets': resolveRecords,
  's3:CompleteMultipartUpload': resolveComplete,
  's3:CopyObject': resolveObjects,
  's3:DeleteBucket': resolveBucket,
  's3:DeleteBucketLifecycle': resolveBucket,
  's3:DeleteObject': resolveObjects,
  's3:DeleteObjects': resolveObjects,
  's3:PutBucketLifecycle': resolveBucket,
  's3:PutBucketLifecycleConfiguration': resolveBucket,
  's3:PutBucketVersioning': resolveBucket,
  's3:PutObject': resolveObjects,
}

/**
 * What could be learned about an action before anybody is asked; NO_EVIDENCE for a read, of which
 * nothing is looked up. Whatever could not be learned is a sentence in `couldNotLook`, null in its
 * finding and `{unread}` in the binding; no failure of the upstream is ever an error.
 *
 * ResolveError `not_a_read` alone, and only by a bug of this folder; nothing was sent then.
 */
export async function resolve(
  action: Action,
  upstream: Upstream,
  options: ResolveOptions = { deadlineMs: deadlineOf(action) },
): Promise<Evidence> {
  if (action.effects.every((effect) => effect === 'read' || effect === 'list')) return NO_EVIDENCE
  const resolver = resolverOf(action)
  const look = new Look(upstream, options.deadlineMs)
  try {
    if (resolver === null) look.missed(`no look-up exists for ${missingIn(action)} yet`)
    const [part, acting, owners] = await Promise.all([
      resolver === null ? NOTHING_FOUND : resolver(action, look),
      action.door === 'aws' ? lookAtActing(action, look) : null,
      bucketOwners(action, look),
    ])
    const found = resolver !== null || acting !== null || owners !== null
    if (!found && action.holder === undefined) {
      return { ...NO_EVIDENCE, couldNotLook: look.sentences() }
    }
    const whole = withActing(withStackRole(action, part), acting)
    const binding = { ...whole.binding, ...owners }
    return evidenceOf({ ...whole, binding }, look.sentences())
  } finally {
    look.close()
  }
}

const NOTHING_FOUND: Part = { binding: {}, findings: [], addedEffects: [], before: null }

function withActing(part: Part, acting: ActingLook | null): Part {
  if (acting === null) return part
  const { binding, actsUnder, innerCalls } = acting
  return {
    ...part,
    binding: { ...part.binding, ...binding },
    actsUnder: [...(part.actsUnder ?? []), ...actsUnder],
    ...(innerCalls.length === 0 ? {} : { innerCalls }),
  }
}

/** The role that CloudFormation has stored with the stack acts; without one the caller's rights do. */
function withStackRole(action: Action, part: Part): Part {
  if (action.holder !== 'stack') return part
  const stack = objectAt(part.binding, 'stack')
  const role = memberAt(stack, 'roleArn')
  if (role === null && memberAt(stack, 'unread') === undefined) return { ...part, actsUnder: [] }
  return { ...part, actsUnder: [typeof role === 'string' ? role : '*'] }
}

function resolverOf(action: Action): Resolver | null {
  // A shell command or an MCP tool may be named like an operation; only the wire says one for certain.
  if (action.door !== 'aws') return null
  if (Object.hasOwn(RESOLVERS, action.operation)) return RESOLVERS[action.operation] ?? null
  return isTouching(action.operation) ? resolveTouched : null
}

/** The operation where the service is looked at otherwise, else the service. */
function missingIn(action: Action): string {
  const known = hasLookUps(action.service)
  return action.door === 'aws' && known ? action.operation : action.service
}

function hasLookUps(service: string): boolean {
  const named = (operation: string) => operation.startsWith(`${service}:`)
  return Object.keys(RESOLVERS).some(named) || touchingOperations().some(named)
}
