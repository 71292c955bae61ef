// The one way from an estate, a trail and the name of a role to its right size.

import { Asked } from './asking.ts'
import { catalogue, DESTRUCTIVE } from './catalogue.ts'
import type { Estate } from './estate.ts'
import type { GateFacts } from './gate.ts'
import type { Need } from './grants.ts'
import { keptStatements, seldomUsed } from './kept.ts'
import { onTypes } from './lending.ts'
import type { Organization } from './organization.ts'
import type { Removed, Sizing } from './report/sizing.ts'
import { rightSized } from './right-size.ts'
import { type Subject, subjectsOf } from './subject.ts'
import { type PrincipalUse, type TrailUse, useOfPrincipal } from './trail-use.ts'

export interface SizeRequest {
  readonly estate: Estate
  readonly organization: Organization | null
  readonly gate: GateFacts
  readonly trail: TrailUse
  /** ARN, or name where only one role bears it. */
  readonly role: string
  readonly as: 'managed' | 'inline'
  /** Trim also what is for emergencies by its name or tags. */
  readonly evenSeldom: boolean
  /** Used actions that shall be left out; absent = none. */
  readonly without?: (action: string) => boolean
  readonly now: string
}

/**
 * - `no_such_role`: nobody, or more than one, bears the name
 * - `seldom`: it is for emergencies or once a quarter, by its name or tags
 * - `not_in_trail`: the trail has no use of it
 * - `too_large`: no policy short enough keeps access levels
 */
export type Unsized =
  | { readonly refused: 'no_such_role' | 'not_in_trail'; readonly why: string }
  | { readonly refused: 'seldom' | 'too_large'; readonly why: string }

export function sizeRole(request: SizeRequest): Sizing | Unsized {
  const { estate, organization, now, trail, gate } = request
  const subjects = subjectsOf(estate, organization, now)
  const found = [...subjects.byArn.values()].filter(
    ({ identity }) => identity.arn === request.role || identity.name === request.role,
  )
  const [subject] = found
  if (subject === undefined || found.length > 1) {
    const why =
      found.length > 1 ? 'more than one bears that name: give the ARN' : 'not in the export'
    return { refused: 'no_such_role', why }
  }
  const seldom = seldomUsed(subject.identity)
  if (seldom !== null && !request.evenSeldom) {
    return { refused: 'seldom', why: `it is for what happens seldom, ${seldom}` }
  }
  const use = useOfPrincipal(trail, subject.identity.arn)
  if (use === undefined || use.calls.length === 0) {
    const window = `${trail.from ?? '?'} to ${trail.to ?? '?'}`
    return {
      refused: 'not_in_trail',
      why: `the trail (${window}) has no call of it that AWS let through`,
    }
  }
  const sized = rightSized({
    subject,
    use,
    as: request.as,
    without: request.without ?? (() => false),
    kept: keptStatements(estate, subject.identity),
    limbs: limbsOf(gate),
  })
  if ('tooLarge' in sized) {
    const why = `the policy is ${sized.tooLarge} characters too long, and shorter ones would allow more`
    return { refused: 'too_large', why }
  }
  const { principals: _, ...window } = trail
  const destroyed = destructiveOf(sized.needs)
  return { sized, use, trail: window, removed: removedOf(subject, use), destroyed }
}

function limbsOf({ protect, own, roles }: GateFacts): string[] {
  return [...new Set([...protect.map(({ arn }) => arn), ...(own ? [own] : []), ...roles])].sort()
}

function destructiveOf(needs: readonly Need[]): string[] {
  const { byAction } = catalogue()
  const found = needs.filter(({ action }) =>
    byAction.get(action.toLowerCase())?.effects.some((effect) => DESTRUCTIVE.has(effect)),
  )
  return [...new Set(found.map(({ action }) => action))].sort()
}

/** Changes that it may do, certainly or under conditions, and did not. */
function removedOf(subject: Subject, { lastByAction }: PrincipalUse): Removed[] {
  const asked = new Asked({ subject, gained: 'nothing' }, new Map())
  return [...catalogue().byAction.values()].flatMap((each): Removed[] => {
    if (lastByAction.has(each.action.toLowerCase()) || !asked.mentions(each.action)) return []
    if (onTypes(asked, each).truth === 'no') return []
    return [{ action: each.action, destructive: each.effects.some((e) => DESTRUCTIVE.has(e)) }]
  })
}
