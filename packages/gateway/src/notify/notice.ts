// The noun Notice: what people are told of requests of one session. Names of operations, effects, environments
// and teams, and ids to look up; no parameter, no resource name, no word of an agent or of a comment (red
// team M2). Whatever text there is has gone through the one escaping function before it is in here.
import { escapeUntrusted, flagged } from '../lib/plain-text.ts'
import { requirementWords } from '../review/words.ts'
import type { RequestRow, RequestState } from '../state/store.ts'

/** Requests that one notice names; as many as a session may have open. */
export const NAMED_MAX = 20
/** Longest name of an operation, environment or person in a notice. */
const NAME_CHARS_MAX = 100
/** Environments or effects named of one request. */
const LISTED_MAX = 5

export type NoticeKind =
  | 'request.opened'
  | 'request.escalated'
  | 'request.closed'
  | 'request.revoked'
  | 'break-glass.opened'
  | 'break-glass.used'
  | 'break-glass.due'
  | 'break-glass.closed'
  | 'session.suspended'
  | 'test'

/** An operator who goes ahead alone: no reason and no resource, like everything in a notice. */
export interface NoticedGlass {
  readonly id: string
  readonly effects: readonly string[]
  readonly used: number
  readonly effectsMax: number
  readonly until: string
}

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
  /** Absent where it is about requests. */
  readonly breakGlass?: NoticedGlass
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
  return flagged(escapeUntrusted(name, NAME_CHARS_MAX))
}

function listed(names: readonly string[]): string[] {
  const first = names.slice(0, LISTED_MAX).map(shown)
  return names.length > LISTED_MAX ? [...first, `${names.length - LISTED_MAX} more`] : first
}

/** One line that says what this is about: the subject of a mail, the title in Slack. */
export function titleOf(notice: Notice): string {
  const { kind, requests, operator, team, breakGlass } = notice
  if (kind === 'test') return 'Seconder: a test message; nothing waits'
  if (kind === 'session.suspended')
    return `Seconder: a session of ${operator} is suspended, its keys were used from elsewhere`
  if (breakGlass) return `Seconder: break-glass: ${glassTitle(kind, operator, breakGlass)}`
  const [first] = requests
  const what =
    requests.length === 1
      ? `${first?.operation ?? ''} in ${first?.environments.join(', ') ?? ''}`
      : `${requests.length} requests of ${operator}'s session`
  if (kind === 'request.opened') return `Seconder: ${what} waits for a second person`
  if (kind === 'request.escalated')
    return `Seconder: ${what}: nobody has answered, ${team} is asked`
  if (kind === 'request.revoked') return `Seconder: ${what}: ${takenBack(first?.by ?? null)}`
  const states = [...new Set(requests.map(stateWords))]
  return `Seconder: ${what}: ${states.length === 1 ? states[0] : 'nothing left to do'}`
}

function glassTitle(kind: NoticeKind, operator: string, glass: NoticedGlass): string {
  const calls = `${glass.used} of ${glass.effectsMax} calls`
  switch (kind) {
    case 'break-glass.opened':
      return `${operator} goes ahead alone until ${glass.until.slice(11, 16)} UTC`
    case 'break-glass.used':
      return `${operator} made ${calls} alone`
    case 'break-glass.closed':
      return `two others have looked at what ${operator} did`
    default:
      return `two others must look at what ${operator} did alone (${calls})`
  }
}

/** What a message says of a break-glass below its title. */
export function glassLine({ effects, used, effectsMax }: NoticedGlass): string {
  return `${effects.join(', ')}: ${used} of ${effectsMax} calls made`
}

/** What is to be done about a session; null where the notice is about something else. */
export function sessionLine({ kind, session }: Notice): string | null {
  if (kind !== 'session.suspended') return null
  return `Nothing passes until its operator gives it new keys (seconder session resume ${session}) or ends it (seconder session close ${session}).`
}

function takenBack(by: string | null): string {
  return `the approval was taken back${by === null ? '' : ` by ${by}`} before it was used`
}

/** One line of each request. */
export function lineOf(request: NoticedRequest, kind: NoticeKind): string {
  const what = `${request.operation} (${request.effects.join(', ')}) in ${request.environments.join(', ')}`
  if (kind === 'request.closed') return `${what}: ${stateWords(request)}`
  if (kind === 'request.revoked') return `${what}: ${takenBack(request.by)}`
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
