// The request as a reviewer reads it, rendered from the review document alone: worst first, facts and
// the agent's claims never in one block. All text of others is escaped before it meets a terminal.

import type { Effect } from '@seconder/gateway/describe/action'
import { escapeUntrusted, quotedName } from '@seconder/gateway/lib/plain-text'
import type { Finding } from '@seconder/gateway/resolve/evidence'
import type { ShownAgain } from '@seconder/gateway/review/again'
import type { DocumentFrame, ReviewDocument } from '@seconder/gateway/review/document'
import type { ShownDenial } from '@seconder/gateway/review/standing'
import { requirementWords } from '@seconder/gateway/review/words'
import { taskLines } from './task-lines.ts'
import { type Tone, table, toned, wrap } from './terminal.ts'

const WIDTH = 96
/** Findings shown; the rest is counted and in `--json`. */
const FINDINGS_SHOWN_MAX = 40

/** Inner calls shown; the rest is counted and in `--json`. */
const INNER_CALLS_SHOWN_MAX = 40

/** Statements shown in words; the rest is counted and in `--json`. */
const STATEMENTS_SHOWN_MAX = 40

/** What will be sent is never cut: code hidden in a cut would be signed unseen (red team C9). */
const WHOLE_CHARS = 20_000_000

/** Names longer than this are cut in the middle; `--json` has them whole. */
const NAME_CHARS = 400
/** The same in a table. */
const NAME_WIDTH = 40

const SHAPE: Record<Effect, string> = {
  list: '○',
  read: '○',
  tag: '●',
  write: '●',
  stop: '▣',
  replace: '◧',
  permissions: '◆',
  opaque: '◌',
  destroy: '■',
  unknown: '?',
}

const BAND: Record<string, Tone[]> = { production: ['red', 'bold'], staging: ['yellow', 'bold'] }

/** Lines for a terminal. `shown` is the hash that the reviewer will sign. */
export function renderDocument(
  document: ReviewDocument,
  shown: string,
  approved: readonly string[],
): string {
  const { context } = document
  const open = ` · open until ${safe(document.expiresAt.slice(11, 16))} UTC`
  const lines = [
    ...renderCall(document, open, saidBefore(document)),
    '',
    `Asked by    ${safe(context.agent)} for ${safe(context.operator)} (the operator, who may not approve)`,
    `            session ${safe(document.session)} · role ${safe(context.role)} · isolation ${safe(context.isolation)}`,
    ...taskLines(context),
    ...agentSays(document.agentSays),
    `Before this ${document.history.reads} reads, ${document.history.writes} writes, ${document.history.refused} refused`,
    `Why you     ${indented(safe(document.reason))}`,
    `Needs       ${safe(requirementWords(document.requirement))} (approved so far: ${namesOf(approved)})`,
    '',
    toned(
      'dim',
      `You sign digest ${hashWords(document.digest)}, shown document ${hashWords(shown)}: this action, once.`,
    ),
  ]
  return lines.join('\n')
}

type Call = Pick<ReviewDocument, 'action' | 'evidence' | 'summary'>

/** What one call would do, without who asks for it. */
export function renderCall(call: Call, open = '', said: readonly string[] = []): string[] {
  const { action, evidence } = call
  const environments = [...new Set(action.resources.map(({ environment }) => environment))]
  // A role stands once for each environment it reaches; it is named once.
  const resources = [...new Map(action.resources.map((one) => [one.arn, one])).values()]
  const reached = (evidence.reaches ?? []).flatMap((one) => one.environments)
  const found = (evidence.innerCalls ?? []).flatMap((inner) => inner.effects)
  const effects = [...new Set([...action.effects, ...evidence.addedEffects, ...found])].filter(
    (effect, _, all) => all.every(isLook) || !isLook(effect),
  )
  const strictest = action.effects.at(-1) ?? 'unknown'
  const band = [...new Set([...environments, ...reached])]
    .map((name) => toned(BAND[name] ?? ['bold'], safe(name).toUpperCase()))
    .join(' ')
  return [
    `${band} · ${safe(action.region)} · account ${accountWords(safe(action.account))}${open}`,
    '',
    `${SHAPE[strictest]} ${toned('bold', safe(effects.join(' + ')))}  ${safe(action.operation)}`,
    ...resources
      .slice(0, 10)
      .map(
        ({ arn, resolved }) =>
          `  ${quotedName(arn, NAME_CHARS)}${resolved ? '' : '  (wider than known: treated as production)'}`,
      ),
    ...more(resources.length - 10, 'resources'),
    ...beyond(call),
    ...said,
    '',
    ...wrap(safe(call.summary), WIDTH).map((line) => toned('bold', line)),
    '',
    ...findings(evidence.findings),
    ...statements(call),
    ...innerCalls(call),
    ...(evidence.reaches ?? []).map(
      ({ role, environments }) =>
        `  acts under ${quotedName(role, NAME_CHARS)}, which reaches ${safe(environments.join(', '))}`,
    ),
    ...evidence.couldNotLook.map((words) => `  could not look: ${indented(safe(words), 18)}`),
    ...(evidence.wider ?? []).map((words) => `  ${toned('bold', indented(safe(words), 4))}`),
    ...parameters(call),
  ]
}

/** What people said before about the same: their words, never the gate's. */
export function saidBefore({
  denied = [],
  again = [],
  changesAsked = [],
  session,
}: DocumentFrame): string[] {
  const words = ({ request, by, at, comment }: ShownDenial, what: string) =>
    `  ${safe(by)} ${what} (${safe(request)}, ${safe(at.slice(0, 16)).replace('T', ' ')} UTC)${comment === '' ? '' : `: “${safe(comment, 1_000)}”`}`
  return [
    ...denied.map((one) => toned('bold', words(one, 'denied the same'))),
    ...againLines(again, session),
    ...changesAsked.map((one) => words(one, 'asked this session for changes')),
  ]
}

/** The other half of a delete and recreate: a warning, and no more. */
export function againLines(again: readonly ShownAgain[], session: string): string[] {
  return again.map(({ request, session: other, operation, resource, does, at }) => {
    const where = other === session ? 'this session' : `session ${safe(other)} of the same operator`
    const what = does === 'makes' ? 'makes it again' : 'removes it'
    const when = `${safe(request)}, ${safe(at.slice(0, 16)).replace('T', ' ')} UTC`
    return toned(
      'bold',
      `  delete and recreate: ${safe(operation)} of ${where} ${what} (${when}): ${quotedName(resource, NAME_CHARS)}`,
    )
  })
}

/** What it reaches beyond the things it names: the gate itself, accounts of others. */
function beyond({ action: { ownLimbs = [], outside = [] } }: Call): string[] {
  return [
    ...ownLimbs.map((words) => `  touches the gate itself: ${indented(safe(words), 4)}`),
    ...outside.map((words) => `  reaches outside of your accounts: ${safe(words)}`),
  ].map((line) => toned('bold', line))
}

function findings(all: readonly Finding[]): string[] {
  if (all.length === 0) return []
  const word = (value: boolean | null) => (value === null ? 'could not look' : value ? 'yes' : 'no')
  const rows = all
    .slice(0, FINDINGS_SHOWN_MAX)
    .map((finding) => [
      `  ${safe(finding.type, 64)} ${quotedName(finding.name, NAME_WIDTH)}`,
      finding.holds === null ? 'could not look' : safe(finding.holds),
      word(finding.protectedFromDeletion),
      safe(finding.lastBackup ?? 'could not look'),
      safe(finding.undo),
    ])
  return [
    table(['  what', 'holds', 'protected', 'last backup', 'undo'], rows),
    ...more(all.length - FINDINGS_SHOWN_MAX, 'findings'),
  ]
}

/** What was read of its SQL; the text itself is whole under `With`. */
function statements({ action }: Call): string[] {
  const all = action.statements ?? []
  if (all.length === 0) return []
  const lines = all.slice(0, STATEMENTS_SHOWN_MAX).map(({ says, effects, at }) => {
    const strictest = effects.at(-1) ?? 'unknown'
    return `  ${SHAPE[strictest]} ${indented(`${safe(effects.join(' + '))}  ${safe(says)} (${safe(at)})`, 4)}`
  })
  return [
    toned('bold', 'Its SQL:'),
    ...lines,
    ...more(all.length - STATEMENTS_SHOWN_MAX, 'statements'),
    '',
  ]
}

/** What the call makes others do, now or later: in the call itself, or found in what it starts. */
function innerCalls({ action, evidence }: Call): string[] {
  const all = [...(action.innerCalls ?? []), ...(evidence.innerCalls ?? [])]
  if (all.length === 0) return []
  const lines = all.slice(0, INNER_CALLS_SHOWN_MAX).flatMap((inner) => {
    const strictest = inner.effects.at(-1) ?? 'unknown'
    const role = inner.role === null ? '' : ` under ${quotedName(inner.role, NAME_CHARS)}`
    return [
      `  ${SHAPE[strictest]} ${safe(inner.effects.join(' + '))}  ${safe(inner.operation)} (${safe(inner.at)})${role}`,
      ...inner.resources
        .filter(({ type }) => type !== 'role')
        .slice(0, 5)
        .map(({ arn }) => `      ${quotedName(arn, NAME_CHARS)}`),
    ]
  })
  return [
    toned('bold', 'It makes others do:'),
    ...lines,
    ...more(all.length - INNER_CALLS_SHOWN_MAX, 'calls'),
    '',
  ]
}

function parameters(document: Call): string[] {
  const before = 'before' in document.evidence ? document.evidence.before : null
  const text = safe(JSON.stringify(document.action.parameters), WHOLE_CHARS)
  const lines = ['', `With        ${wrap(text, WIDTH - 12).join('\n            ')}`]
  if (before)
    lines.push(
      `Before      ${wrap(safe(JSON.stringify(before), WHOLE_CHARS), WIDTH - 12).join('\n            ')}`,
    )
  return lines
}

function agentSays(claim: string | null): string[] {
  if (claim === null) return ['The agent gave no reason.']
  return [
    'The agent says (a claim, not a fact):',
    ...wrap(safe(claim, 1_000), WIDTH - 4).map((line) => `  │ ${line}`),
  ]
}

function indented(text: string, by = 12): string {
  return wrap(text, WIDTH - by).join(`\n${' '.repeat(by)}`)
}

/** Who approved so far. */
export function namesOf(approved: readonly string[]): string {
  return approved.length > 0 ? approved.map((name) => safe(name)).join(', ') : 'nobody'
}

/** The ends of a hash. */
export function hashWords(hash: string): string {
  return `${safe(hash.slice(0, 8))}…${safe(hash.slice(-4))}`
}

function isLook(effect: Effect): boolean {
  return effect === 'read' || effect === 'list'
}

function more(count: number, what: string): string[] {
  return count > 0 ? [`  … and ${count} more ${what} (see --json)`] : []
}

function safe(text: string, max = 400): string {
  return escapeUntrusted(text, max)
}

function accountWords(account: string): string {
  return account.replace(/^(\d{4})(\d{4})(\d{4})$/, '$1-$2-$3')
}
