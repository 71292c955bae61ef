// Finds what was deleted and made again under the same name: the deed of December. Events come in the
// order of time; only calls that happened, and that somebody made, are told to it.

import type { KnownCall } from '../store/known-call.ts'
import { type Deed, RECREATED_LISTED_MAX, type Recreated } from './report.ts'

/** A thing made again later than this is taken for a new one. */
export const RECREATED_WITHIN_SECONDS = 7 * 86_400
/** Deleted things remembered at once; past it the oldest are forgotten. */
const REMEMBERED_MAX = 200_000

const DELETES = /^(?:Delete|Terminate|Remove|Destroy|Drop|Deregister|Release)(.+)$/
const CREATES = /^(?:Create|Run|Register|Restore|Import|Allocate|Launch)(.+)$/
/** What makes a stack again without CreateStack. Source: CloudFormation API reference, CreateChangeSet. */
const CHANGE_SET = 'cloudformation:CreateChangeSet'

/** False for an operation that neither deletes nor makes anything, by its name. */
export function mayMake(operation: string): boolean {
  const name = operation.slice(operation.indexOf(':') + 1)
  return operation === CHANGE_SET || DELETES.test(name) || CREATES.test(name)
}

/** What of a call is needed: its noun and the names it touches. */
export interface Making {
  readonly does: 'deletes' | 'creates'
  readonly keys: readonly { readonly noun: string; readonly thing: string }[]
}

/** Null for a call that neither deletes nor makes anything that has a name. */
export function makingOf(known: KnownCall): Making | null {
  if (known.is !== 'call') return null
  const { operation, operationName, resources, effects } = known.meaning
  const deleted = effects.includes('destroy') ? DELETES.exec(operationName)?.[1] : undefined
  const created = operation === CHANGE_SET ? 'Stack' : CREATES.exec(operationName)?.[1]
  const noun = deleted ?? created
  if (noun === undefined) return null
  const things = resources
    .filter(({ arn, type, inner }) => arn !== '*' && type !== 'object' && inner !== true)
    .map(({ arn }) => arn.replace(/(:stack\/[^/]+)\/.*$/, '$1'))
    .filter((arn) => !/[*?]/.test(arn))
  if (things.length === 0) return null
  const keys = [...new Set(things)].map((thing) => ({ noun, thing }))
  return { does: deleted === undefined ? 'creates' : 'deletes', keys }
}

interface Remembered {
  readonly seconds: number
  readonly noun: string
  readonly deed: () => Deed
  /** The deed is told already. */
  readonly isSettled: boolean
}

export class Recreations {
  readonly found: Recreated[] = []
  #count = 0
  readonly #deleted = new Map<string, Remembered>()

  get count(): number {
    return this.#count
  }

  see(making: Making, seconds: number, deed: () => Deed): void {
    if (making.does === 'deletes') this.#remember(making, seconds, deed)
    else this.#compare(making, seconds, deed)
  }

  #remember({ keys }: Making, seconds: number, deed: () => Deed): void {
    for (const { noun, thing } of keys) {
      this.#deleted.delete(thing)
      this.#deleted.set(thing, { seconds, noun, deed, isSettled: false })
    }
    for (const thing of this.#deleted.keys()) {
      if (this.#deleted.size <= REMEMBERED_MAX) return
      this.#deleted.delete(thing)
    }
  }

  /**
   * What is remembered is told now, and what is too old at `seconds` is forgotten: after this no deed that was
   * given before is asked for, so that a slice of the trail need not be kept for it.
   */
  settle(seconds: number): void {
    for (const [thing, remembered] of this.#deleted) {
      if (seconds - remembered.seconds > RECREATED_WITHIN_SECONDS) this.#deleted.delete(thing)
      else if (!remembered.isSettled) {
        const told = remembered.deed()
        this.#deleted.set(thing, { ...remembered, deed: () => told, isSettled: true })
      }
    }
  }

  #compare({ keys }: Making, seconds: number, created: () => Deed): void {
    for (const { noun, thing } of keys) {
      const before = this.#deleted.get(thing)
      // `RestoreDBInstanceFromDBSnapshot` makes what `DeleteDBInstance` took.
      if (before === undefined || !noun.startsWith(before.noun)) continue
      this.#deleted.delete(thing)
      const secondsBetween = seconds - before.seconds
      if (secondsBetween > RECREATED_WITHIN_SECONDS) continue
      this.#count++
      if (this.found.length >= RECREATED_LISTED_MAX) continue
      this.found.push({ thing, deleted: before.deed(), created: created(), secondsBetween })
    }
  }
}
