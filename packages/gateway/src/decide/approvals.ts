// Which approvals a policy speaks of, and the proof that more of them never take an allow away. The
// search for the least approvals (decide.ts) is bounded and sound only because of that.
import type { SeatCount } from './decision.ts'
import { type Expression, partsOf } from './expression.ts'
import { parseSeatCount, SEATS_MAX } from './seats.ts'

const TESTS = new Set(['contains', 'containsAll', 'containsAny'])

export class ApprovalFault extends Error {
  readonly code: 'not_monotone' | 'seat_count_invalid'
  readonly help: string

  constructor(code: ApprovalFault['code'], message: string, help: string) {
    super(message)
    this.name = 'ApprovalFault'
    this.code = code
    this.help = help
  }
}

/** One `when` or `unless` of a policy. */
export interface Condition {
  readonly kind: 'when' | 'unless'
  readonly body: Expression
}

/**
 * The seat counts that a policy mentions, sorted; throws ApprovalFault `not_monotone` where more
 * approvals could turn an allow into a deny, and `seat_count_invalid` for a text that is none.
 *
 * INVARIANT: `approvedBy` is read only by `contains`, `containsAll` and `containsAny` with literal
 * seat counts, reached through nothing but `&&`, `||` and the branches of an `if`; in a permit
 * under `when`, in a forbid under `unless`. Each of these grows with the set, so a permit only
 * starts to match and a forbid only ceases to. `context` as a whole is not a value here: comparing
 * or storing it would carry `approvedBy` along unseen.
 */
export function mentionedSeatCounts(
  effect: 'permit' | 'forbid',
  conditions: readonly Condition[],
): SeatCount[] {
  const mentioned = new Set<SeatCount>()
  for (const { kind, body } of conditions) {
    const grows = effect === 'permit' ? kind === 'when' : kind === 'unless'
    walk(body, grows, mentioned)
  }
  return [...mentioned].sort()
}

/** `grows` says whether this position makes the whole more permissive when it becomes true. */
function walk(node: Expression, grows: boolean, mentioned: Set<SeatCount>): void {
  if (node.kind === 'call' && TESTS.has(node.name) && isApprovedBy(node.args[0])) {
    if (!grows) throw notMonotone('`approvedBy` is tested where being approved counts against')
    for (const seat of literalSeatCounts(node)) mentioned.add(seat)
    return
  }
  if (isApprovedBy(node)) {
    throw notMonotone('`approvedBy` is used other than by `contains`, `containsAll`, `containsAny`')
  }
  if (node.kind === 'variable' && node.name === 'context') {
    throw notMonotone('`context` is used as a whole')
  }
  if (node.kind === 'attribute' && node.left.kind === 'variable') return
  if (node.kind === 'if') {
    const [condition, then, otherwise] = node.parts
    walk(condition, false, mentioned)
    walk(then, grows, mentioned)
    walk(otherwise, grows, mentioned)
    return
  }
  const kept = node.kind === 'call' && (node.name === '&&' || node.name === '||')
  for (const part of partsOf(node)) walk(part, kept && grows, mentioned)
}

function isApprovedBy(node: Expression | undefined): boolean {
  return (
    node?.kind === 'attribute' &&
    node.attr === 'approvedBy' &&
    node.left.kind === 'variable' &&
    node.left.name === 'context'
  )
}

function literalSeatCounts(test: Expression & { kind: 'call' }): SeatCount[] {
  const right = test.args[1]
  const isSet = right?.kind === 'call' && right.name === 'Set'
  const items = isSet && test.name !== 'contains' ? right.args : right === undefined ? [] : [right]
  if (items.length === 0) {
    throw new ApprovalFault(
      'seat_count_invalid',
      `\`approvedBy.${test.name}\` is given an empty set`,
      'name at least one seat count, such as "sre:1"',
    )
  }
  return items.map((item) => {
    if (item.kind === 'text' && parseSeatCount(item.text) !== null) return item.text
    throw new ApprovalFault(
      'seat_count_invalid',
      item.kind === 'text'
        ? `\`${item.text}\` is not a seat count`
        : '`approvedBy` is compared with something that is not a literal text',
      `write <team>:<1..${SEATS_MAX}> in lower case, such as "sre:1" or "any:2"`,
    )
  })
}

function notMonotone(message: string): ApprovalFault {
  return new ApprovalFault(
    'not_monotone',
    message,
    'ask for approvals as `context.approvedBy.containsAll(["sre:1"])` in the `when` of a permit ' +
      'or the `unless` of a forbid, without `!` around it',
  )
}
