// What one resolver gives back, and how the parts become one Evidence: effects without repeats and in
// the order of strictness, findings worst first. Pure.
import { EFFECTS_BY_STRICTNESS } from '@seconder/aws/call'
import type { Action, Effect, JsonObject } from '../describe/action.ts'
import type { Evidence, Fate, Finding } from './evidence.ts'
import type { Look } from './look.ts'

export interface Part {
  readonly binding: JsonObject
  readonly findings: readonly Finding[]
  readonly addedEffects: readonly Effect[]
  readonly before: JsonObject | null
  readonly actsUnder?: Evidence['actsUnder']
  readonly innerCalls?: Evidence['innerCalls']
  readonly taggedProduction?: boolean
  readonly content?: string
}

export type Resolver = (action: Action, look: Look) => Promise<Part>

export const FATES_WORST_FIRST: readonly Fate[] = [
  'deleted',
  'overwritten',
  'replaced',
  'changed',
  'created',
  'kept',
]
const UNDO_WORST_FIRST: readonly Finding['undo'][] = ['no', 'unknown', 'from-backup', 'yes']

/** The Evidence of one part, with the sentences of what could not be learned. */
export function evidenceOf(part: Part, sentences: readonly string[]): Evidence {
  const added = new Set(part.addedEffects)
  return {
    binding: part.binding,
    findings: [...part.findings].sort(worstFirst),
    couldNotLook: sentences,
    addedEffects: EFFECTS_BY_STRICTNESS.filter((effect) => added.has(effect)),
    before: part.before,
    ...(part.actsUnder === undefined ? {} : { actsUnder: part.actsUnder }),
    ...(part.innerCalls === undefined ? {} : { innerCalls: part.innerCalls }),
    ...(part.taggedProduction === true ? { taggedProduction: true as const } : {}),
    ...(part.content === undefined ? {} : { content: part.content }),
  }
}

/** What holds data or may hold it, and cannot be undone, comes first; then by type and name. */
function worstFirst(a: Finding, b: Finding): number {
  return (
    fateRank(a) - fateRank(b) ||
    dataRank(a) - dataRank(b) ||
    UNDO_WORST_FIRST.indexOf(a.undo) - UNDO_WORST_FIRST.indexOf(b.undo) ||
    compare(a.type, b.type) ||
    compare(a.name, b.name)
  )
}

function fateRank(finding: Finding): number {
  return finding.fate === undefined ? 0 : FATES_WORST_FIRST.indexOf(finding.fate)
}

function dataRank(finding: Finding): number {
  return finding.holdsData === true ? 0 : finding.holdsData === null ? 1 : 2
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
