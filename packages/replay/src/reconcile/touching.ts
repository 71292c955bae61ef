// Whether an entry and an event may be of the same things.

import { type TrailEvent, thingsOf } from '../trail/window.ts'
import type { Sent } from './ledger-side.ts'

/** What either side could not tell touches anything. */
export function touchesAlike({ resources }: Sent, event: TrailEvent): boolean {
  const things = thingsOf(event)
  if (things.length === 0 || resources.length === 0) return true
  return things.some((thing) => resources.some((arn) => alike(arn, thing)))
}

function alike(left: string, right: string): boolean {
  if (left === '*' || right === '*') return true
  const bare = (arn: string) => arn.replace(/(:stack\/[^/]+)\/.*$/, '$1')
  return bare(left) === bare(right) || /[*?]/.test(left) || /[*?]/.test(right)
}
