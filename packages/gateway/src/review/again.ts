// A thing that one request takes away and another one makes again, in whatever sessions of one operator (red team L1): the
// reviewer of either reads of the other. It only adds words: each call is judged alone.
import type { Action } from '../describe/action.ts'
import type { Evidence } from '../resolve/evidence.ts'
import type { TouchRow } from '../state/standing-store.ts'
import type { RequestRow, Store } from '../state/store.ts'
import { type AnyDocument, partsOf } from './plan-document.ts'

/** Things remembered of one request, and counterparts shown of one. */
export const TOUCHED_MAX = 50
export const AGAIN_SHOWN_MAX = 5

const ENDS: ReadonlySet<string> = new Set(['destroy', 'replace'])
const MAKES = /^(Create|Put|Run|Register|Restore|Import|Copy|Complete)/

/** The other half of a delete and recreate, as reviewers read it. */
export interface ShownAgain {
  readonly request: string
  readonly session: string
  readonly operation: string
  readonly resource: string
  /** What the other request does to it. */
  readonly does: 'removes' | 'makes'
  readonly at: string
}

/** What the calls of a document remove or make, by exact name. */
export function touchesOf(document: AnyDocument): Pick<TouchRow, 'does' | 'resource'>[] {
  const all = partsOf(document).flatMap(({ action, evidence }) => {
    const does = deedOf(action, evidence)
    if (does === null) return []
    return action.resources
      .filter(({ arn, resolved }) => resolved && !/[*?]/.test(arn))
      .map(({ arn: resource }) => ({ does, resource }))
  })
  const distinct = new Map(all.map((one) => [`${one.does} ${one.resource}`, one]))
  return [...distinct.values()].slice(0, TOUCHED_MAX)
}

function deedOf(action: Action, evidence: Evidence): TouchRow['does'] | null {
  if ([...action.effects, ...evidence.addedEffects].some((effect) => ENDS.has(effect))) {
    return MAKES.test(nameOf(action)) ? 'makes' : 'removes'
  }
  return MAKES.test(nameOf(action)) ? 'makes' : null
}

function nameOf({ operation }: Action): string {
  return operation.slice(operation.indexOf(':') + 1)
}

/** What is to be remembered of a request that was opened, for as long as it may live. */
export function touchRows(row: RequestRow, document: AnyDocument, grantMs: number): TouchRow[] {
  const untilMs = row.expiresAtMs + grantMs
  const { id: requestId, sessionId, operator, operation, openedAtMs: atMs } = row
  return touchesOf(document).map((one) => {
    return { ...one, requestId, sessionId, operator, operation, atMs, untilMs }
  })
}

/** What other requests of the operator, still alive, do to the same things the other way round. */
export async function againstOf(
  store: Pick<Store, 'touched'>,
  { request, operator }: { readonly request: string; readonly operator: string },
  touches: readonly Pick<TouchRow, 'does' | 'resource'>[],
  atMs: number,
): Promise<ShownAgain[]> {
  const found: TouchRow[] = []
  for (const { does, resource } of touches) {
    if (found.length >= AGAIN_SHOWN_MAX) break
    const other = does === 'makes' ? 'removes' : 'makes'
    found.push(...(await store.touched(operator, resource, other, atMs)))
  }
  return found
    .filter(({ requestId }) => requestId !== request)
    .slice(0, AGAIN_SHOWN_MAX)
    .map(shownAgain)
}

function shownAgain(row: TouchRow): ShownAgain {
  const { requestId: request, sessionId: session, operation, resource, does, atMs } = row
  return { request, session, operation, resource, does, at: new Date(atMs).toISOString() }
}
