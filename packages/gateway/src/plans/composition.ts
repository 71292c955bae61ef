// Makes the content of a plan's document from its recorded steps: what follows what, which steps are one
// replacement, the union of what policy asks, and one sentence, worst first. Pure.
import { EFFECTS_BY_STRICTNESS } from '@seconder/aws/call'
import type { SeatCount } from '../decide/decision.ts'
import { requirementOf, seatingOf } from '../decide/seats.ts'
import { type PlanItem, type PlanStep, stepDigest } from '../review/plan-document.ts'

/** A step as it was recorded, before it is known what stands before it. */
export type RecordedStep = Omit<PlanStep, 'follows' | 'digest'>

const CHANGES_NOTHING = new Set(['list', 'read', 'tag'])
const ENDS = new Set(['destroy', 'replace'])

/** The steps, each bound to what was found, or to the earlier ones that change all of what it touches. */
export function boundSteps(
  recorded: readonly RecordedStep[],
  bound: { readonly session: string; readonly roleArn: string; readonly epoch: number },
): PlanStep[] {
  const changedBy = new Map<string, number[]>()
  return recorded.map((step) => {
    const arns = step.action.resources.map(({ arn }) => arn)
    const isExact = step.action.resources.every(isExactly)
    const before = arns.map((arn) => changedBy.get(arn) ?? [])
    // One thing that no earlier step touches is enough for what was found to stay binding.
    const follows =
      isExact && before.every((steps) => steps.length > 0)
        ? [...new Set(before.flat())].sort(byNumber)
        : []
    if (!effectsOf(step).every((effect) => CHANGES_NOTHING.has(effect))) {
      for (const one of step.action.resources.filter(isExactly)) {
        changedBy.set(one.arn, [...(changedBy.get(one.arn) ?? []), step.number])
      }
    }
    return { ...step, follows, digest: stepDigest({ ...step, follows }, bound) }
  })
}

const byNumber = (a: number, b: number) => a - b

function isExactly({
  arn,
  resolved,
}: {
  readonly arn: string
  readonly resolved: boolean
}): boolean {
  return resolved && !/[*?]/.test(arn)
}

function effectsOf({ action, evidence }: Pick<PlanStep, 'action' | 'evidence'>): readonly string[] {
  return [...action.effects, ...evidence.addedEffects]
}

/** Steps in order; a thing that one step removes and the next one that touches it makes again is one item. */
export function itemsOf(steps: readonly PlanStep[]): PlanItem[] {
  const taken = new Set<number>()
  return steps.flatMap((step): PlanItem[] => {
    if (taken.has(step.number)) return []
    const again = effectsOf(step).some((effect) => ENDS.has(effect))
      ? steps.find((later) => later.number > step.number && makesAgain(step, later))
      : undefined
    if (!again || taken.has(again.number)) return [{ kind: 'step', steps: [step.number] }]
    taken.add(again.number)
    const resource = step.action.resources.find(isExactly)?.arn ?? ''
    return [{ kind: 'replace', steps: [step.number, again.number], resource }]
  })
}

function makesAgain(removed: PlanStep, later: PlanStep): boolean {
  const name = later.action.operation.slice(later.action.operation.indexOf(':') + 1)
  const gone = new Set(removed.action.resources.filter(isExactly).map(({ arn }) => arn))
  return (
    /^(Create|Put|Run|Register)/.test(name) &&
    later.action.resources.some(({ arn }) => gone.has(arn))
  )
}

/** Enough for every step at once: policies are monotone in approvals, so more than one of them asks is enough. */
export function unionOf(requirements: readonly (readonly SeatCount[])[]): SeatCount[] {
  const seating = seatingOf(requirements.flat())
  return seating === null ? [...new Set(requirements.flat())].sort() : requirementOf(seating)
}

export function worstOf(steps: readonly PlanStep[]): PlanStep {
  const rank = (step: PlanStep) =>
    Math.max(
      ...effectsOf(step).map((effect) =>
        (EFFECTS_BY_STRICTNESS as readonly string[]).indexOf(effect),
      ),
    )
  return steps.reduce((worst, step) => (rank(step) > rank(worst) ? step : worst))
}

export function summaryOf(steps: readonly PlanStep[], items: readonly PlanItem[]): string {
  const worst = worstOf(steps)
  const replaced = items.filter(({ kind }) => kind === 'replace').length
  const calls = steps.length === 1 ? 'one call' : `${steps.length} calls, in this order`
  const again = replaced === 0 ? '' : ` ${replaced} removed and made again.`
  return `${calls}.${again} Worst, step ${worst.number}: ${worst.summary}`
}
