// What IAM allowed a role beyond what was used of it, from an export of IAM: what could have happened with the same
// keys, without anybody having changed a right.
import { Asked } from '../roles/asking.ts'
import { catalogue, DESTRUCTIVE } from '../roles/catalogue.ts'
import type { Estate } from '../roles/estate.ts'
import { onTypes } from '../roles/lending.ts'
import { type Subject, subjectsOf } from '../roles/subject.ts'

export interface RoleExcess {
  /** Kinds of change that it may make, certainly or under conditions, and did not in the window. */
  readonly unused: number
  /** Those among them that take something down or hand rights on, the certain ones first. */
  readonly destructive: readonly string[]
  /** Kinds of change that it made. */
  readonly used: number
}

export class IamExport {
  /** What it was read from, for the words. */
  readonly from: string
  readonly #roles: ReadonlyMap<string, Subject>
  /** Whether all of the export could be read. */
  readonly isWhole: boolean

  /** `now`: ISO time at which its conditions are looked at. */
  constructor(estate: Estate, from: string, now: string) {
    this.from = from
    this.isWhole = estate.whole
    this.#roles = subjectsOf(estate, null, now).byArn
  }

  /** Null where the export has no such role. `used`: IAM actions or operations of the window. */
  excessOf(arn: string, used: Iterable<string>): RoleExcess | null {
    const subject = this.#roles.get(arn)
    if (subject === undefined) return null
    const asked = new Asked({ subject, gained: 'nothing' }, new Map())
    const done = new Set([...used].map((action) => action.toLowerCase()))
    const destructive: { action: string; isCertain: boolean }[] = []
    let [unused, made] = [0, 0]
    for (const each of catalogue().byAction.values()) {
      if (done.has(each.action.toLowerCase())) made++
      else if (asked.mentions(each.action)) {
        const { truth } = onTypes(asked, each)
        if (truth === 'no') continue
        unused++
        if (!each.effects.some((effect) => DESTRUCTIVE.has(effect))) continue
        destructive.push({ action: each.action, isCertain: truth === 'yes' })
      }
    }
    destructive.sort(
      (a, b) => Number(b.isCertain) - Number(a.isCertain) || (a.action < b.action ? -1 : 1),
    )
    return { unused, destructive: destructive.map(({ action }) => action), used: made }
  }
}
