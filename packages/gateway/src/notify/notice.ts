// The noun Notice: what people are told of requests of one session. Names of operations, effects, environments
// and teams, and ids to look up; no parameter, no resource name, no word of an agent or of a comment (red
// team M2). Whatever text there is has gone through the one escaping function before it is in here.
import { escapeUntrusted, hasMixedScripts } from '../lib/plain-text.ts'
import { requirementWords } from '../review/words.ts'
import type { RequestRow, RequestState } from '../state/store.ts'

/** Requests that one notice names; as many as a session may have open. */
export const NAMED_MAX = 20
/** Longest name of an operation, environment or person in a notice. */
const NAME_CHARS_MAX = 100
/** Environments or effects named of one request. */
const LISTED_MAX = 5

export type NoticeKind = 'request.opened' | 'request.escalated' | 'request.closed' | 'test'

export interface NoticedRequest {
  readonly id: string
  readonly state: RequestState
  readonly operation: string
  readonly effects: readonly string[]
  readonly environments: readonly string[]
  /** In words, such as `1 of sre`. */
  readonly needs: string
  readonly expiresAt: string
  /** Who closed it; null where nobody did. */
  readonly by: string | null
}

export interface Notice {
  readonly kind: NoticeKind
  readonly at: string
  /** Hash of the first entry of the gate's ledger. */
  readonly gate: string
  readonly session: string
  readonly operator: string
  /** The team that is asked because nobody answered; null in every other notice. */
  readonly team: string | null
  readonly requests: readonly NoticedRequest[]
}

/** What a review document says of a request, for whom it concerns. */
export interface Concern {
  readonly effects: readonly string[]
  readonly environments: readonly string[]
}

/** `instead` is what would be enough in place of what policy asks for first. */
export function noticedRequest(
  row: RequestRow,
  concern: Concern,
  instead: readonly string[] | null = null,
): NoticedRequest {
  const needs = requirementWords(row.requirement)
  return {
    id: row.id,
    state: row.state,
    operation: shown(row.operation),
    effects: listed(concern.effects),
    environments: listed(concern.environments),
    needs: shown(instead === null ? needs : `${needs}, or ${requirementWords(instead)}`),
    expiresAt: new Date(row.expiresAtMs).toISOString(),
    by: row.closedBy === null ? null : shown(row.closedBy),
  }
}

/** A name as it may be shown anywhere: one line, nothing invisible, cut in the middle. */
export function shown(name: string): string {
  const text = escapeUntrusted(name, NAME_CHARS_MAX)
  return hasMixedScripts(name) ? `${text} (mixed scripts)` : text
}

function listed(names: readonly string[]): string[] {
  const first = names.slice(0, LISTED_MAX).map(shown)
  return names.length > LISTED_MAX ? [...first, `${names.length - LISTED_MAX} more`] : first
}

/** One line that says what this is about: the subject of a mail, the title in Slack. */
export function titleOf({ kind, requests, operator, team }: Notice): string {
  if (kind === 'test') return 'Seconder: a test message; nothing waits'
  const [first] = requests
  const what =
    requests.length === 1
      ? `${first?.operation ?? ''} in ${first?.environments.join(', ') ?? ''}`
      : `${requests.length} requests of ${operator}'s session`
  if (kind === 'request.opened') return `Seconder: ${what} waits for a second person`
  if (kind === 'request.escalated')
    return `Seconder: ${what}: nobody has answered, ${team} is asked`
  const states = [...new Set(requests.map(stateWords))]
  return `Seconder: ${what}: ${states.length === 1 ? states[0] : 'nothing left to do'}`
}

/** One line of each request. */
export function lineOf(request: NoticedRequest, kind: NoticeKind): string {
  const what = `${request.operation} (${request.effects.join(', ')}) in ${request.environments.join(', ')}`
  if (kind === 'request.closed') return `${what}: ${stateWords(request)}`
  const until = request.expiresAt.slice(0, 16).replace('T', ' ')
  return `${what}: needs ${request.needs}, open until ${until} UTC`
}

/** What every message ends with. */
export const DECIDES_NOTHING =
  'This message decides nothing. Read the request in the console, and sign there or with the seconder command.'

function stateWords({ state, by }: NoticedRequest): string {
  const who = by === null ? '' : ` by ${by}`
  switch (state) {
    case 'approved':
      return `approved; the last to sign was ${by ?? 'unknown'}`
    case 'denied':
      return `denied${who}`
    case 'changes_requested':
      return `sent back${who}`
    case 'expired':
      return 'expired, nobody answered in time'
    case 'cancelled':
      return `cancelled${who}`
    case 'pending':
      return 'open'
  }
}
