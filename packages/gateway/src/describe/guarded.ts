// Says of a change whether it reaches the gate's own limbs (red team M13) or accounts outside of the
// configuration (red team M8), and makes it `permissions` where it does. It only ever makes a call
// stricter: what cannot be told, or takes too long to compare, counts as reached. Pure.
import { EFFECTS_BY_STRICTNESS } from '@seconder/aws/call'
import { partiesOf } from '@seconder/aws/describe/parties'
import { type Glob, globOf, relation } from '@seconder/aws/iam/glob'
import type { Action, Effect, InnerCall } from './action.ts'

/** One thing that the gate stands on: an ARN or a pattern of ARNs, and what it is to the gate. */
export interface ProtectedRow {
  readonly arn: string
  readonly what: string
}

export interface GuardRules {
  /** Absent where nothing is known to be protected. */
  readonly protect?: readonly ProtectedRow[]
  /** Accounts that are the operator's own or trusted; absent where nobody configured any. */
  readonly accounts?: readonly string[]
}

/** Names kept of what is reached; the rest is counted in the last one. */
export const NAMED_MAX = 20
/** Characters times characters of patterns compared for one call; past it everything counts as reached. */
export const COMPARED_MAX = 20_000_000

/** Services in which a change of something that nobody can name may be one of the gate itself (M13). */
const WIDE = new Set(['iam', 'kms', 'organizations', 'sts'])
/**
 * Changes there whose unnamed thing is none that exists: a new key, and random bytes.
 * Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
 */
const TOUCHES_NOTHING = new Set(['kms:CreateKey', 'kms:GenerateRandom'])

const EVERYBODY = 'everybody'
const SOMEBODY = 'somebody of whom no account can be told'

/**
 * The Action with what it reaches beyond what it names. `inner` are the calls that it makes others do,
 * `contained` the plain names of things that a look-up found in it, as in a stack or a change set.
 */
export function guarded(
  action: Action,
  rules: GuardRules,
  inner: readonly InnerCall[] = action.innerCalls ?? [],
  contained: readonly string[] = [],
): Action {
  if (isLook(action.effects)) return action
  const ownLimbs =
    rules.protect === undefined ? [] : limbsOf(action, rules.protect, inner, contained)
  const outside = rules.accounts === undefined ? [] : outsideOf(action, rules.accounts, inner)
  if (ownLimbs.length === 0 && outside.length === 0) return action
  const effects = new Set<Effect>([...action.effects, 'permissions'])
  return {
    ...action,
    effects: EFFECTS_BY_STRICTNESS.filter((effect) => effects.has(effect)),
    ...(ownLimbs.length > 0 && { ownLimbs }),
    ...(outside.length > 0 && { outside }),
  }
}

function limbsOf(
  action: Action,
  protect: readonly ProtectedRow[],
  inner: readonly InnerCall[],
  contained: readonly string[],
): string[] {
  const calls = [action, ...inner.filter(({ effects }) => !isLook(effects))]
  const wide = calls.filter(({ operation, resources }) => {
    const service = operation.split(':', 1)[0] ?? ''
    const unnamed = resources.some(({ arn, resolved }) => arn === '*' && !resolved)
    return WIDE.has(service) && unnamed && !TOUCHES_NOTHING.has(operation)
  })
  const words = wide.map(({ operation }) => `whatever ${operation} changes: it names nothing`)
  const arns = new Set(calls.flatMap(({ resources }) => resources.map(({ arn }) => arn)))
  for (const name of contained) if (name.startsWith('arn:')) arns.add(name)
  return some([...new Set([...words, ...touched(arns, protect), ...namedLike(contained, protect)])])
}

/** Protected things that bear one of the names: what CloudFormation lists says no ARN of a role or a key. */
function namedLike(contained: readonly string[], protect: readonly ProtectedRow[]): string[] {
  const names = new Set(contained.map((name) => name.toLowerCase()))
  if (names.size === 0) return []
  return compiled(protect)
    .filter(({ tail }) => tail !== null && [...names].some((name) => tail.test(name)))
    .map(({ row }) => `${row.arn}: ${row.what}`)
}

/** The protected things that one of the names is, or may be. IAM tells no `A` from `a` in its names. */
function touched(arns: ReadonlySet<string>, protect: readonly ProtectedRow[]): string[] {
  const rows = compiled(protect)
  const found = new Set<string>()
  let compared = 0
  for (const arn of arns) {
    if (arn === '*') continue
    const lower = arn.toLowerCase()
    const parts = partsOf(lower)
    for (const one of rows) {
      if (!startsAlike(one.literal, lower)) continue
      compared += lower.length * one.row.arn.length
      if (compared > COMPARED_MAX) return ['too many names to tell which of them are protected']
      if (mayBe(one, parts, lower)) found.add(`${one.row.arn}: ${one.row.what}`)
    }
  }
  return [...found]
}

interface Compiled {
  readonly row: ProtectedRow
  readonly whole: Glob
  /** Partition, service, region, account and the rest: a `*` in one of them stands for no colon. */
  readonly parts: readonly Glob[]
  /** Its characters before the first wildcard. */
  readonly literal: string
  /** Its last name alone; null where that may be any. */
  readonly tail: Glob | null
}

const kept = new WeakMap<readonly ProtectedRow[], readonly Compiled[]>()

function compiled(protect: readonly ProtectedRow[]): readonly Compiled[] {
  let rows = kept.get(protect)
  if (rows === undefined) {
    rows = protect.map((row) => {
      const pattern = row.arn.toLowerCase()
      const parts = (partsOf(pattern) ?? []).map(globOf)
      const name = pattern.slice(Math.max(pattern.lastIndexOf('/'), pattern.lastIndexOf(':')) + 1)
      const tail = /^[*?]*$/.test(name) ? null : globOf(name)
      return { row, whole: globOf(pattern), parts, literal: literalOf(pattern), tail }
    })
    kept.set(protect, rows)
  }
  return rows
}

/** The parts of an ARN after `arn:`, the last of them whole; null for what is no ARN of six parts. */
function partsOf(arn: string): string[] | null {
  const [first, ...parts] = arn.split(':')
  return first === 'arn' && parts.length >= 5
    ? [...parts.slice(0, 4), parts.slice(4).join(':')]
    : null
}

function mayBe({ whole, parts }: Compiled, others: readonly string[] | null, arn: string): boolean {
  if (others === null || parts.length === 0) return relation(whole, globOf(arn)) !== 'no'
  return parts.every((part, index) => relation(part, globOf(others[index] ?? '')) !== 'no')
}

function literalOf(pattern: string): string {
  return /^[^*?]*/.exec(pattern)?.[0] ?? ''
}

/** False only where no text can match both. */
function startsAlike(literal: string, arn: string): boolean {
  const other = literalOf(arn)
  const length = Math.min(literal.length, other.length)
  return literal.slice(0, length) === other.slice(0, length)
}

function outsideOf(
  action: Action,
  accounts: readonly string[],
  inner: readonly InnerCall[],
): string[] {
  const own = new Set([...accounts, action.account])
  const changes = inner.filter(({ effects }) => !isLook(effects))
  const parties = [action, ...changes].flatMap(({ operation, parameters, resources }) => [
    ...partiesOf(operation, parameters).map(({ account }) => account),
    ...resources.map(({ arn }) => arn.split(':')[4] ?? '').filter((text) => /^\d{12}$/.test(text)),
  ])
  const names = parties
    .filter((account) => !own.has(account))
    .map((account) => (account === '*' ? EVERYBODY : account === '?' ? SOMEBODY : account))
  return some([...new Set(names)])
}

function isLook(effects: readonly Effect[]): boolean {
  return effects.every((effect) => effect === 'read' || effect === 'list')
}

function some(names: readonly string[]): string[] {
  if (names.length <= NAMED_MAX) return [...names]
  return [...names.slice(0, NAMED_MAX - 1), `and ${names.length - NAMED_MAX + 1} more`]
}
