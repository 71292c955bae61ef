// The noun of `resolve`: what was looked up, read-only, about an Action before anybody is asked.
import type { JsonObject } from '../describe/action.ts'

/** What would become of a thing. Worst first; summaries are written in this order. `kept`: its stack
 * goes, it stays, by a deletion policy. */
export type Fate = 'deleted' | 'overwritten' | 'replaced' | 'changed' | 'created' | 'kept'

/** One thing the action would touch, as found by a look-up. Facts not learned are null and say so. */
export interface Finding {
  readonly type: string
  readonly name: string
  /** What it holds, in words with units, e.g. `1,204 items · 2.1 MB`; `–` = holds nothing by its
   * kind; null = could not look. */
  readonly holds: string | null
  readonly holdsData: boolean | null
  readonly protectedFromDeletion: boolean | null
  /** ISO time of the newest backup, `none`, for buckets and objects `versions on` or `versions off`,
   * `–` where backups do not apply, or null = could not look. */
  readonly lastBackup: string | null
  readonly undo: 'yes' | 'from-backup' | 'no' | 'unknown'
  /** Absent where only the action as a whole says it. */
  readonly fate?: Fate
  /** What would miss it, in words: `instance \`i-1\``, `stack \`shop\``. */
  readonly usedBy?: readonly string[]
  /** Plain sentences about it: its name, a final snapshot, a change of a setting. */
  readonly notes?: readonly string[]
}

export interface Evidence {
  /** Enters the digest and is checked again right before the effect. Names are values here, never
   * keys, so that no name can be taken for the mark `{unread: ...}`. */
  readonly binding: JsonObject
  /** For the reviewer only. */
  readonly findings: readonly Finding[]
  /** One plain sentence each: what could not be learned, and why. */
  readonly couldNotLook: readonly string[]
  /** One plain sentence each: where the credentials it would run under reach further than the call. */
  readonly wider?: readonly string[]
  /** Effects that the look-up added (e.g. destroy because a stack holds tables). */
  readonly addedEffects: readonly import('../describe/action.ts').Effect[]
  /** Roles that would really act, as looked up; `*` where one acts and could not be told. */
  readonly actsUnder?: readonly string[]
  /** What it would make others do, as found in what it starts; their worst counts as this action's. */
  readonly innerCalls?: readonly import('@seconder/aws/call').InnerCall[]
  /** For the reviewer: one sentence about what would be put there, and who saw it. */
  readonly content?: string
  /** For the reviewer: which environments each of `actsUnder` reaches. */
  readonly reaches?: readonly { readonly role: string; readonly environments: readonly string[] }[]
  /** Present where a tag of what it touches says that it is production: it counts as production. */
  readonly taggedProduction?: true
  /** What is there now, where a change can be shown against it; null or absent where it cannot. */
  readonly before?: JsonObject | null
}

export const NO_EVIDENCE: Evidence = {
  binding: {},
  findings: [],
  couldNotLook: [],
  addedEffects: [],
}
