// The timeline of a ledger's window: reads folded, everything else one line with its entry. What people and
// agents wrote stands apart, as a quotation.

import type { Entry } from '@seconder/gateway/record/entry'
import type { Moment } from './incident.ts'
import { closedWords, outcomeWords, verdictWords } from './ledger-links.ts'
import type { FoldedReads, LedgerRecord, Placed } from './ledger-record.ts'
import { count, listed, named, policiesWords, seats, shown, thing } from './words.ts'

type Told = Omit<Moment, 'at' | 'evidence'>

/** In the order of the log; `session` limits it to one where it is not empty. */
export function timelineOf(record: LedgerRecord, session: string): Moment[] {
  const reads = record.reads
    .filter((folded) => folded.session.startsWith(session))
    .map((folded) => readsMoment(folded))
  const others = record.others.flatMap((placed) => {
    if (!isOf(placed, session, record)) return []
    const told = toldOf(placed.entry, record)
    return told === null ? [] : [{ at: placed.entry.at, ...told, evidence: [placed.evidence] }]
  })
  return [...reads, ...others].sort(
    (a, b) => (a.evidence[0]?.entry ?? 0) - (b.evidence[0]?.entry ?? 0),
  )
}

function readsMoment({ first, last, count: times, operations }: FoldedReads): Moment {
  return {
    at: first.entry.at,
    who: 'agent',
    says: `reads ${count(times, 'time')}: ${listed(operations.map(operationName), 8)}`,
    quote: null,
    evidence: times === 1 ? [first.evidence] : [first.evidence, last.evidence],
  }
}

function operationName(operation: string): string {
  return shown(operation)
}

/** What names no session belongs to all of them; a request's entries belong to its session. */
function isOf({ entry }: Placed, session: string, record: LedgerRecord): boolean {
  if (session === '') return true
  if ('session' in entry) return entry.session.startsWith(session)
  if ('request' in entry && entry.request !== null) {
    return record.opened.get(entry.request)?.entry.session.startsWith(session) ?? false
  }
  if (entry.type === 'outcome') {
    const intent = record.intents.find((one) => one.entry.effect === entry.effect)
    return intent?.entry.session.startsWith(session) ?? false
  }
  return true
}

function told(who: string, says: string, quote: string | null = null): Told {
  return { who, says, quote }
}

function toldOf(entry: Entry, record: LedgerRecord): Told | null {
  return callTold(entry) ?? reviewTold(entry, record) ?? gateTold(entry)
}

function callTold(entry: Entry): Told | null {
  switch (entry.type) {
    case 'session-opened':
      return told(
        'operator',
        `${named(entry.operator)} opens session ${named(entry.session)} for ${named(entry.agent)}`,
      )
    case 'child-session-opened':
      return told('agent', `opens child session ${named(entry.session)} by AssumeRole`)
    case 'session-closed':
      return told('operator', `session ${named(entry.session)} is closed`)
    case 'session-suspended':
      return told(
        'gate',
        `suspends session ${named(entry.session)}: its keys were used from elsewhere (${shown(entry.from)})`,
      )
    case 'session-resumed':
      return told(
        'operator',
        `${named(entry.operator)} gives session ${named(entry.session)} new keys`,
      )
    case 'refused':
      return told(
        'gate',
        `refuses ${entry.operation === null ? 'a call' : named(entry.operation)} (${shown(entry.code)})`,
      )
    case 'denied':
      return told(
        'gate',
        `denies ${named(entry.operation)} on ${things(entry.resources)} (${shown(entry.code)}; ${policiesWords(entry.policies)})`,
      )
    case 'intent':
      return told('gate', `sends ${named(entry.operation)} on ${things(entry.resources)} to AWS`)
    case 'outcome':
      return told('AWS', outcomeWords(entry.outcome, entry.at))
    default:
      return null
  }
}

function reviewTold(entry: Entry, record: LedgerRecord): Told | null {
  switch (entry.type) {
    case 'request-opened':
      return told(
        'agent',
        `asks for ${named(entry.operation)} on ${things(entry.resources)}: held as ${short(entry.request)}, needs ${seats(entry.requirement)}`,
      )
    case 'plan-opened':
      return told(
        'agent',
        `asks for a plan of ${count(entry.steps.length, 'step')}: held as ${short(entry.request)}`,
      )
    case 'review':
      return told(
        'reviewer',
        `${named(entry.reviewer)} ${verdictWords(entry.verdict)} (${short(entry.request)})`,
        commentOf(entry),
      )
    case 'request-closed': {
      const isSigned = (record.reviews.get(entry.request)?.length ?? 0) > 0
      // The signature is told already.
      if (isSigned && entry.by !== null) return null
      return told('gate', `${short(entry.request)} is ${closedWords(entry)}`)
    }
    case 'request-cancelled':
      return told('gate', `${short(entry.request)} is ${closedWords(entry)}`)
    case 'request-escalated':
      return told('gate', `asks ${named(entry.team)} too for ${short(entry.request)}`)
    case 'grant-made':
    case 'plan-approved':
      return told('gate', `the signatures make grant ${short(entry.grant)}, for once`)
    case 'grant-revoked':
      return told('gate', `grant ${short(entry.grant)} is taken back`, entry.why)
    case 'grant-expired':
      return told('gate', `grant ${short(entry.grant)} was not used in time`)
    case 'break-glass-opened':
      return told(
        'operator',
        `${named(entry.operator)} breaks the glass for ${listed(entry.effects.map(shown))} until ${shown(entry.until)}`,
        reasonOf(entry.act),
      )
    case 'break-glass-reviewed':
      return told('reviewer', `${named(entry.reviewer)} looked at the break-glass afterwards`)
    case 'redacted':
      return told(
        'people',
        `${listed(entry.by.map(named))} drop what was kept of a call`,
        entry.reason,
      )
    case 'retention-ended':
      return told(
        'gate',
        `drops ${count(entry.payloads.length, 'document')} older than ${count(entry.days, 'day')}, as epoch ${entry.epoch} says`,
      )
    case 'plan-stopped':
      return told('gate', `a plan stops at step ${entry.step ?? 'none'}`, entry.why)
    default:
      return null
  }
}

function gateTold(entry: Entry): Told | null {
  switch (entry.type) {
    case 'epoch-activated':
      return told('people', `epoch ${entry.epoch} is in force (${entry.version.slice(0, 12)})`)
    case 'gate-started':
      return told(
        'gate',
        entry.refusing === null
          ? `starts under epoch ${entry.epoch}`
          : `starts and refuses everything: ${shown(entry.refusing)}`,
      )
    case 'gate-restored':
      return told(
        'gate',
        `is restored from the back-up of ${shown(entry.backupAt)}: all sessions are closed, all approvals void`,
        entry.ledger === 'kept' ? null : `entries after ${entry.backupSize} may be lost`,
      )
    case 'people-changed':
      return told(
        'people',
        `members change: ${shown(entry.change.kind)} ${named(entry.change.person)}`,
      )
    case 'unverified':
      return told('gate', `refuses a call that nobody signed (${shown(entry.code)})`)
    default:
      return null // sign-ins, pages, signatures of others: the ledger has them
  }
}

function things(resources: readonly string[]): string {
  return listed(
    resources.map((arn) => named(thing(arn))),
    4,
  )
}

function short(id: string): string {
  return named(id.slice(0, 8))
}

function commentOf(entry: Extract<Entry, { type: 'review' }>): string | null {
  return memberOf(entry.act, 'comment')
}

function reasonOf(act: Extract<Entry, { type: 'review' }>['act']): string | null {
  return memberOf(act, 'reason')
}

/** A text of the signed statement; null where it has none. */
function memberOf(act: { readonly statement: string }, name: string): string | null {
  try {
    const statement = JSON.parse(act.statement) as Readonly<Record<string, unknown>>
    const value = statement[name]
    return typeof value === 'string' && value !== '' ? value : null
  } catch {
    return null // the verifier names a statement that is none
  }
}
