// The links of one chain, each said from the record with the entry that says it; where the record does not
// tell, the link says only that.

import type { Ask } from './asks.ts'
import { type Epoch, reachOf, roleNameOf } from './epochs.ts'
import type { Evidence, Link, LinkName } from './incident.ts'
import type { LedgerRecord, OpenedSession } from './ledger-record.ts'
import {
  clock,
  count,
  listed,
  moment,
  named,
  policiesWords,
  seats,
  shown,
  shownLong,
  span,
} from './words.ts'

export function linksOf(ask: Ask, record: LedgerRecord, epoch: Epoch | null): Link[] {
  return [
    ...sessionLinks(ask, record),
    roleLink(ask, record, epoch),
    policyLink(ask, epoch),
    requestLink(ask),
    ...reviewLinks(ask, record),
    grantLink(ask),
    callLink(ask),
    outcomeLink(ask),
  ].filter((link): link is Link => link !== null)
}

function link(name: LinkName, says: string, evidence: readonly Evidence[], known = true): Link {
  return { link: name, says, known, evidence }
}

function sessionLinks({ main }: Ask, record: LedgerRecord): Link[] {
  const { operator, agent, session } = main.entry
  const opened = record.sessions.get(session)
  if (opened === undefined) {
    const where = 'its opening is not in this ledger'
    return [
      link('operator', `${named(operator)}, as the call's entry says; ${where}`, [main.evidence]),
      link('agent', named(agent), [main.evidence]),
      link('session', named(session), [main.evidence]),
    ]
  }
  const { entry, evidence } = opened
  const how =
    entry.type === 'session-opened'
      ? 'who signed the opening of its session'
      : `behind session ${named(entry.parent)}, whose AssumeRole opened this one`
  const used = record.operationsOf.get(session) ?? new Map<string, number>()
  const calls = [...used.values()].reduce((sum, times) => sum + times, 0)
  return [
    link('operator', `${named(entry.operator)}, ${how}`, [evidence]),
    link('agent', `${named(entry.agent)}${versionWords(entry.agent)}`, [evidence]),
    link(
      'session',
      `${named(session)}, opened ${moment(entry.at)}; ${count(calls, 'call')} of ${count(used.size, 'operation')} in this window; ${taskWords(opened)}`,
      [evidence],
    ),
  ]
}

/** In the operator's words, signed; who sent it is never among its reviewers. */
function taskWords({ entry }: OpenedSession): string {
  if (entry.type !== 'session-opened') return 'its task is that of the session that opened it'
  const { task, instigators = [] } = entry
  const from = instigators.length === 0 ? '' : ` sent by ${listed(instigators.map(named))}`
  return task === undefined
    ? `no task is on record${from === '' ? '' : `,${from}`}`
    : `its task${from}, in the operator's signed words: “${shownLong(task)}”`
}

/** The version is part of the name that the operator gave, or is not known. */
function versionWords(agent: string): string {
  return /\d/.test(agent) ? ', as its operator named it' : ', as its operator named it; no version'
}

export function roleArnOf({ main, document }: Ask, record: LedgerRecord): string {
  const opened = record.sessions.get(main.entry.session)
  return opened?.entry.role ?? document?.frame.roleArn ?? main.entry.role
}

function roleLink(ask: Ask, record: LedgerRecord, epoch: Epoch | null): Link {
  const arn = roleArnOf(ask, record)
  const name = roleNameOf(epoch?.content ?? null, arn)
  const reach = reachOf(epoch?.content ?? null, arn)
  const evidence = [ask.main.evidence, ...(epoch === null ? [] : [epoch.evidence])]
  const used = [...(record.operationsOf.get(ask.main.entry.session)?.keys() ?? [])]
  const reaches =
    reach === null
      ? 'nothing in the epoch narrows it, so it counts as all of production'
      : `by the epoch it reaches ${listed(reach.map(named))}: every service and resource there`
  return link(
    'role',
    `${named(name)} (${shown(arn)}): ${reaches}; used here: ${listed(used.map(shown), 8)}`,
    evidence,
  )
}

function policyLink({ main, opened, document }: Ask, epoch: Epoch | null): Link {
  const { policies, epoch: number } = main.entry
  const version = epoch === null ? 'not in this ledger' : `version ${epoch.version.slice(0, 12)}`
  const asked = opened?.entry.requirement
  const says =
    asked !== undefined
      ? `${policiesWords(opened?.entry.policies ?? policies)} asked for ${seats(asked)}`
      : policies.length === 0
        ? 'no policy covered it'
        : `${policiesWords(policies)} answered without asking anybody`
  const reason = document === null ? '' : `: ${shownLong(document.frame.reason)}`
  const evidence = [main.evidence, ...(epoch === null ? [] : [epoch.evidence])]
  return link('policy', `${says} (epoch ${number}, ${version})${reason}`, evidence)
}

function requestLink({ opened, document, intent, main }: Ask): Link {
  if (opened === null) {
    const observed = intent?.entry.observed
    const glass = intent?.entry.breakGlass
    if (glass !== undefined) {
      return link('request', `none: break-glass ${named(glass)} let it pass alone`, [main.evidence])
    }
    if (observed !== null && observed !== undefined) {
      const words = `none: \`observe\` let it pass where \`enforce\` would have answered ${shown(observed)}`
      return link('request', words, [main.evidence])
    }
    return link('request', 'none was opened', [main.evidence], false)
  }
  const { request, expiresAt, type } = opened.entry
  const kind = type === 'plan-opened' ? `plan ${named(request)}` : named(request)
  const paper =
    document === null
      ? 'the document that reviewers were shown is not beside this ledger'
      : `document ${document.evidence.id.slice(0, 12)}`
  return link(
    'request',
    `${kind}, opened ${clock(opened.entry.at)}, open until ${clock(expiresAt)}; ${paper}`,
    [opened.evidence, ...(document === null ? [] : [document.evidence])],
  )
}

const VERDICTS: Readonly<Record<string, string>> = {
  approve: 'approved',
  deny: 'denied',
  request_changes: 'asked for changes',
}

export function verdictWords(verdict: string): string {
  return VERDICTS[verdict] ?? shown(verdict)
}

function reviewLinks(ask: Ask, record: LedgerRecord): Link[] {
  const { reviews, opened, document, closed, intent } = ask
  const glass = record.breakGlassReviews.get(intent?.entry.breakGlass ?? '') ?? []
  if (glass.length > 0) {
    const who = listed(glass.map(({ entry }) => named(entry.reviewer)))
    const evidence = glass.map((one) => one.evidence)
    return [link('review', `nobody before it; ${who} looked at it afterwards`, evidence)]
  }
  if (reviews.length === 0) {
    if (opened === null) return [link('review', 'nobody was asked', [], false)]
    const state = closed === null ? 'is still open' : `was ${closedWords(closed.entry)}`
    const evidence = closed === null ? [opened.evidence] : [closed.evidence]
    return [link('review', `nobody signed; the request ${state}`, evidence)]
  }
  const summary = document === null ? null : shownLong(document.frame.summary)
  return reviews.map(({ entry, evidence }) => {
    const teams = record.teams.get(entry.reviewer) ?? []
    const of = teams.length === 0 ? '' : ` of ${listed(teams.map(shown))}`
    const after = opened === null ? '' : `, ${span(opened.entry.at, entry.at)} after it was opened`
    const seen = summary === null ? '' : `, having been shown: “${summary}”`
    const strength = entry.strength === 'hardware' ? 'proof of presence' : 'a key file'
    return link(
      'review',
      `${named(entry.reviewer)}${of} ${verdictWords(entry.verdict)} with ${strength}${after}${seen}`,
      [evidence, ...(document === null ? [] : [document.evidence])],
    )
  })
}

export function closedWords(entry: NonNullable<Ask['closed']>['entry']): string {
  if (entry.type === 'request-cancelled') return `cancelled by the ${shown(entry.by)}`
  return shown(entry.state).replaceAll('_', ' ')
}

function grantLink({ grant, opened }: Ask): Link | null {
  if (opened === null) return null
  if (grant === null) return link('grant', 'none was made: nothing could run', [opened.evidence])
  const { grant: id, reviewers, expiresAt } = grant.entry
  const by = listed(reviewers.map(named))
  const what = opened.entry.type === 'plan-opened' ? 'each step of the plan' : 'this call'
  return link('grant', `${named(id)} by ${by}, for ${what} once, until ${clock(expiresAt)}`, [
    grant.evidence,
  ])
}

function callLink({ intent, main, fate }: Ask): Link {
  const { operation, resources } = main.entry
  const what = `${named(operation)} on ${listed(resources.map(named), 4)}`
  if (intent === null || fate === 'refused')
    return link('call', `${what}: never sent to AWS`, [main.evidence])
  return link('call', `${what}, sent ${moment(intent.entry.at)}`, [intent.evidence])
}

function outcomeLink({ outcomes, fate, main }: Ask): Link {
  if (fate === 'held' || fate === 'refused') {
    return link('outcome', 'nothing was done', [main.evidence])
  }
  if (outcomes.length === 0) {
    return link('outcome', 'no outcome is on record: it may have happened', [main.evidence], false)
  }
  const says = outcomes.map(({ entry }) => outcomeWords(entry.outcome, entry.at)).join('; ')
  return link(
    'outcome',
    says,
    outcomes.map(({ evidence }) => evidence),
    fate !== 'unknown',
  )
}

export function outcomeWords(
  outcome: Ask['outcomes'][number]['entry']['outcome'],
  at: string,
): string {
  const when = clock(at)
  switch (outcome.result) {
    case 'succeeded':
      return `AWS answered ${outcome.status} at ${when}: done`
    case 'accepted':
      return `AWS accepted it at ${when}, to be done afterwards`
    case 'partial':
      return `AWS did a part of it at ${when}: ${count(outcome.failedCount, 'member')} failed`
    case 'failed':
      return `AWS refused it at ${when}: ${shown(outcome.errorCode)}`
    case 'confirmed':
      return outcome.confirmed === 'unconfirmed'
        ? `how it ended could not be confirmed by ${when}: ${shown(outcome.detail)}`
        : `looked up at ${when}: it ${outcome.confirmed} (${shown(outcome.detail)})`
    case 'withheld':
      return `never begun, as recorded at ${when}: ${shown(outcome.detail)}`
    case 'unknown':
      return `no answer by ${when}: it may or may not have happened`
  }
}

/** What it needed, in words; empty where nobody was asked. */
export function needed({ opened }: Ask): string {
  return opened === null ? '' : seats(opened.entry.requirement)
}
