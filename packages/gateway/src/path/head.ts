// How a HEAD is decided: like the GET it stands for. A HEAD has no body, so the words of a held one
// would be lost; where the GET would be held the HEAD passes, and the GET that follows carries them.
import type { WireBody, WireRequest } from '@seconder/aws/wire-request'
import type { Decision } from '../decide/decision.ts'
import type { Action } from '../describe/action.ts'
import { isRead } from './facts.ts'

/** An allow that policy alone would have held. */
export type HeadDecision = Decision & { readonly softened?: 'review' }

/**
 * The Action of the GET that a HEAD stands for; undefined for any other method, and where no GET of that
 * kind is known.
 */
export function getTwin(
  request: WireRequest<WireBody>,
  describe: (twin: WireRequest<WireBody>) => Action,
): Action | undefined {
  if (request.method !== 'HEAD') return undefined
  try {
    return describe({ ...request, method: 'GET' })
  } catch {
    return undefined // no such GET: then nothing is softened
  }
}

const STRICTNESS: readonly Decision['answer'][] = ['allow', 'review', 'deny']

/**
 * The stricter answer of HEAD and GET; `review` becomes an allow that says so, where both only read and
 * neither shows a secret. A deny stays one (red team M14).
 */
export function headDecision(
  [head, own]: readonly [Action, Decision],
  [twin, its]: readonly [Action, Decision],
): HeadDecision {
  const rank = ({ answer }: Decision) => STRICTNESS.indexOf(answer)
  const strict = rank(its) > rank(own) ? its : own
  if (strict.answer !== 'review' || !isRead(head) || !isRead(twin)) return strict
  return { answer: 'allow', policies: strict.policies, softened: 'review' }
}

/** What an entry says of why a read passed. */
export function passedBy({ policies, softened }: HeadDecision): {
  policies: readonly string[]
  softened?: 'review'
} {
  return { policies, ...(softened && { softened }) }
}
