// A plan as a reviewer reads it: its steps in order, each as a call by itself is shown, and what they are
// together. Rendered from the document alone, like every review.
import { escapeUntrusted, quotedName } from '@seconder/gateway/lib/plain-text'
import type { AnyDocument, PlanDocument } from '@seconder/gateway/review/plan-document'
import { requirementWords } from '@seconder/gateway/review/words'
import { hashWords, namesOf, renderCall, renderDocument, saidBefore } from './review-document.ts'
import { taskLines } from './task-lines.ts'
import { toned, wrap } from './terminal.ts'

const WIDTH = 96

/** Lines for a terminal, of a call or of a plan. */
export function renderAny(
  document: AnyDocument,
  shown: string,
  approved: readonly string[],
): string {
  return document.type === 'seconder-plan-document@v1'
    ? renderPlan(document, shown, approved)
    : renderDocument(document, shown, approved)
}

function renderPlan(document: PlanDocument, shown: string, approved: readonly string[]): string {
  const { context, steps } = document
  const minutes = Math.round(document.windowMs / 60_000)
  return [
    toned(
      'bold',
      `A plan of ${steps.length} calls, in this order, once each, within ${minutes} minutes`,
    ),
    ...saidBefore(document),
    '',
    ...wrap(safe(document.summary), WIDTH).map((line) => toned('bold', line)),
    ...document.items.flatMap((item) =>
      item.kind === 'replace'
        ? [`  steps ${item.steps.join(' and ')} replace ${quotedName(item.resource)}`]
        : [],
    ),
    '',
    ...steps.flatMap((step) => [
      toned('bold', `Step ${step.number} of ${steps.length}`),
      ...(step.follows.length > 0
        ? [
            `  meets what step ${step.follows.join(', ')} leaves: what is shown here is how it is now, and is not held to`,
          ]
        : []),
      ...renderCall(step),
      `  needs ${safe(requirementWords(step.requirement))}: ${safe(step.reason)}`,
      '',
    ]),
    `Asked by    ${safe(context.agent)} for ${safe(context.operator)} (the operator, who may not approve)`,
    `            session ${safe(document.session)} · role ${safe(context.role)}`,
    ...taskLines(context),
    'The agent says (a claim, not a fact):',
    ...wrap(safe(document.agentSays ?? ''), WIDTH - 4).map((line) => `  │ ${line}`),
    `Needs       ${safe(requirementWords(document.requirement))} (approved so far: ${namesOf(approved)})`,
    '',
    toned(
      'dim',
      `You sign digest ${hashWords(document.digest)}, shown document ${hashWords(shown)}: these calls, in order, once each.`,
    ),
  ].join('\n')
}

function safe(text: string): string {
  return escapeUntrusted(text, 20_000)
}
