// What let a recorded call come so far, and what held it: each factor in its own words with the entries that
// say it. No verdict, and nobody is blamed: that is for the people who read it.

import type { Finding } from '@seconder/gateway/resolve/evidence'
import type { Ask } from './asks.ts'
import { type Epoch, reachOf, roleNameOf } from './epochs.ts'
import type { Evidence, Factor } from './incident.ts'
import { closedWords, needed, roleArnOf, verdictWords } from './ledger-links.ts'
import type { LedgerRecord } from './ledger-record.ts'
import type { IamExport } from './role-excess.ts'
import { count, listed, named, policiesWords, shown, shownLong, span } from './words.ts'

type Bare = Omit<Factor, 'chains'>

/** The factors of one call, without the chain they belong to. */
export function factorsOf(
  ask: Ask,
  record: LedgerRecord,
  epoch: Epoch | null,
  iam: IamExport | null = null,
): Bare[] {
  return [
    roleFactor(ask, record, epoch),
    iam === null ? null : iamFactor(ask, record, epoch, iam),
    policyFactor(ask, epoch),
    ...reviewFactors(ask),
    ...documentFactors(ask),
    safeguardFactor(ask),
    outcomeFactor(ask),
  ].filter((factor): factor is Bare => factor !== null)
}

function wentOn({ fate }: Ask): boolean {
  return fate === 'happened' || fate === 'unknown' || fate === 'failed'
}

function roleFactor(ask: Ask, record: LedgerRecord, epoch: Epoch | null): Bare {
  const arn = roleArnOf(ask, record)
  const name = roleNameOf(epoch?.content ?? null, arn)
  const reach = reachOf(epoch?.content ?? null, arn)
  const used = [...(record.operationsOf.get(ask.main.entry.session)?.keys() ?? [])]
  const allowed =
    reach === null
      ? 'may ask for anything in production, and nothing in the epoch narrows it'
      : `may ask for anything in ${listed(reach.map(named))}`
  const did = `its session used ${listed(used.map(shown))}`
  const evidence = epoch === null ? [ask.main.evidence] : [epoch.evidence]
  if (epoch === null || epoch.content === null) {
    const unread = 'what it may ask for is not on record, the content of its epoch is not here'
    const says = `the role ${named(name)} made the call: ${unread}; ${did}`
    return { factor: 'role', did: 'let', says, brief: says, evidence }
  }
  return {
    factor: 'role',
    did: 'let',
    says: `the role ${named(name)} allowed it to be asked for: it ${allowed}; ${did}`,
    brief: `the role ${named(name)} may ask for anything in ${reach === null ? 'production' : listed(reach.map(named))}`,
    evidence,
  }
}

/** What the same keys could have done: IAM's part in it, which the gate narrows and a way round the gate does not. */
function iamFactor(ask: Ask, record: LedgerRecord, epoch: Epoch | null, iam: IamExport): Bare {
  const arn = roleArnOf(ask, record)
  const name = roleNameOf(epoch?.content ?? null, arn)
  const factor = (says: string): Bare => {
    return { factor: 'role', did: 'let', says, brief: says, evidence: [ask.main.evidence] }
  }
  const found = iam.excessOf(arn, usedByRole(arn, record))
  if (found === null) return factor(`what IAM allows ${named(name)} is not in ${shown(iam.from)}`)
  const { unused, destructive, used } = found
  const named8 = listed(destructive.map(shown), 8)
  const loss =
    destructive.length === 0
      ? 'none of which takes anything down'
      : `${destructive.length} of which take something down or hand rights on (${named8})`
  const part = iam.isWhole ? '' : '; part of the export could not be read'
  return factor(
    `IAM allowed ${named(name)} ${count(unused, 'kind')} of change beyond the ${used} used in this window, ${loss}, by ${shown(iam.from)}${part}`,
  )
}

/** By every session of that role: what one of them did not use another one may have needed. */
function usedByRole(arn: string, record: LedgerRecord): Set<string> {
  const used = new Set<string>()
  for (const [session, operations] of record.operationsOf) {
    if (record.sessions.get(session)?.entry.role !== arn) continue
    for (const operation of operations.keys()) used.add(operation)
  }
  return used
}

function policyFactor(ask: Ask, epoch: Epoch | null): Bare {
  const { main, opened, intent } = ask
  const evidence = [main.evidence, ...(epoch === null ? [] : [epoch.evidence])]
  const bare = (did: Factor['did'], says: string): Bare => ({
    factor: 'policy',
    did,
    says,
    brief: says.replace(/^(policy|policies) .*? asked for/, 'policy asked for'),
    evidence,
  })
  if (intent !== null && intent.entry.breakGlass !== undefined) {
    return bare('let', 'break-glass was open, and the epoch lets it pass without a review')
  }
  if (intent !== null && intent.entry.observed !== null) {
    return bare(
      'let',
      `the environment was in \`observe\`: policy would have answered ${shown(intent.entry.observed)}, and it passed`,
    )
  }
  if (opened !== null) {
    const asked = `${policiesWords(opened.entry.policies)} asked for ${needed(ask)}`
    return wentOn(ask)
      ? bare('let', `${asked}, and that is what was signed`)
      : bare('held', `${asked} before anything could run`)
  }
  if (main.entry.type === 'denied') {
    const { policies } = main.entry
    return policies.length === 0
      ? bare('held', `no policy covered it, so the gate refused it (${shown(main.entry.code)})`)
      : bare('held', `${policiesWords(policies)} refused it (${shown(main.entry.code)})`)
  }
  const { policies } = main.entry
  return policies.length === 0
    ? bare('let', 'no policy covered it, and it passed')
    : bare('let', `${policiesWords(policies)} allowed it without asking anybody`)
}

function reviewFactors(ask: Ask): Bare[] {
  const { reviews, opened, document, closed, gone } = ask
  if (opened === null) return []
  const paper = document === null ? [] : [document.evidence]
  if (reviews.length === 0) {
    const state = closed === null ? 'it is still open' : `it was ${closedWords(closed.entry)}`
    const evidence = [(closed ?? opened).evidence]
    return [
      {
        factor: 'review',
        did: 'held',
        says: `nobody signed: ${state}`,
        brief: `nobody signed: ${state}`,
        evidence,
      },
    ]
  }
  return reviews.map(({ entry, evidence }) => {
    const after = span(opened.entry.at, entry.at)
    const seen = document === null ? missingWords(gone) : `“${shownLong(document.frame.summary)}”`
    return {
      factor: 'review',
      did: entry.verdict === 'approve' ? 'let' : 'held',
      says: `the reviewer ${verdictWords(entry.verdict)} ${after} after it was opened, having been shown ${seen}`,
      brief: `the reviewer ${verdictWords(entry.verdict)}, having been shown ${briefly(ask)}`,
      evidence: [evidence, ...paper],
    }
  })
}

function missingWords(gone: string | null): string {
  return gone === null
    ? 'a document that is not beside this ledger'
    : `a document that is not there any more: ${shownLong(gone)}`
}

/** The first sentences of what was shown. */
function briefly({ document, gone }: Ask): string {
  if (document === null) return missingWords(gone)
  const sentences = document.frame.summary.split('. ').slice(0, 3).join('. ')
  return `“${shownLong(sentences)}”`.replace(/([^.])”$/, '$1.”')
}

/** What the document itself said to its readers. */
function documentFactors(ask: Ask): Bare[] {
  const { document, main } = ask
  if (document === null) return []
  const { context, agentSays, denied } = document.frame
  const couldNotLook = document.parts.flatMap(({ evidence }) => evidence.couldNotLook)
  const paper: readonly Evidence[] = [document.evidence]
  const factors: Bare[] = []
  if (agentSays !== null) {
    factors.push({
      factor: 'agent',
      did: 'let',
      says: `the agent gave as its reason “${shownLong(agentSays)}”; what it called was ${named(main.entry.operation)}`,
      brief: `the agent's reason for ${named(main.entry.operation)} was “${shown(agentSays)}”`,
      evidence: paper,
    })
  }
  if (couldNotLook.length > 0) {
    factors.push({
      factor: 'review',
      did: 'let',
      says: `not everything could be looked up, and the document said so: ${listed(couldNotLook.map((words) => shownLong(words)))}`,
      brief: '',
      evidence: paper,
    })
  }
  if (context.isolation === 'none') {
    factors.push({
      factor: 'gate',
      did: 'let',
      says: "the agent ran as the gate's own user: it could have read the gate's keys and gone round it",
      brief: '',
      evidence: paper,
    })
  }
  if (denied !== undefined && denied.length > 0) {
    factors.push({
      factor: 'review',
      did: 'held',
      says: `the same had been denied ${count(denied.length, 'time')} within a day, and the document said so`,
      brief: '',
      evidence: paper,
    })
  }
  return factors
}

export function isGone({ fate, holdsData, undo }: Finding): boolean {
  const goes = fate === 'deleted' || fate === 'overwritten' || fate === 'replaced'
  return goes && holdsData !== false && undo !== 'yes' && undo !== 'from-backup'
}

/** `bucket data (13 objects · 2.6 MB; versions off)`. */
export function findingWords({ type, name, holds, lastBackup }: Finding): string {
  const backup =
    lastBackup === 'none'
      ? 'no backup'
      : lastBackup === null
        ? 'backups unknown'
        : lastBackup === '–'
          ? ''
          : `backup ${lastBackup}`
  const held = holds === null ? 'what it holds is unknown' : holds === '–' ? '' : holds
  const both = [held, backup.replace(/^backup (versions)/, '$1')].filter((words) => words !== '')
  const beside = both.length === 0 ? '' : ` (${both.map((words) => shown(words)).join('; ')})`
  return `${shown(type)} ${named(name)}${beside}`
}

function safeguardFactor(ask: Ask): Bare | null {
  const gone = ask.findings.filter(isGone)
  if (gone.length === 0 || ask.document === null) return null
  const open = gone.filter(({ protectedFromDeletion }) => protectedFromDeletion === false)
  const protection =
    open.length === 0 ? '' : `; deletion protection is off for ${open.length} of them`
  const had = wentOn(ask)
    ? 'nothing at hand brings back'
    : 'had it run, nothing at hand would bring back'
  const all = ask.findings.length
  const some =
    gone.length === all ? 'all of it holds' : `${gone.length} of the ${all} things in it hold`
  return {
    factor: 'safeguard',
    did: 'let',
    says: `${had} ${listed(gone.map(findingWords))}${protection}`,
    brief: `${wentOn(ask) ? '' : 'had it run, '}${some} data, or may, that nothing at hand brings back`,
    evidence: [ask.document.evidence],
  }
}

function outcomeFactor({ fate, outcomes, main }: Ask): Bare | null {
  const evidence = outcomes.length === 0 ? [main.evidence] : outcomes.map((one) => one.evidence)
  const withheld = outcomes.find(({ entry }) => entry.outcome.result === 'withheld')
  if (withheld?.entry.outcome.result === 'withheld') {
    const says = `the gate withheld it before it was sent: ${shownLong(withheld.entry.outcome.detail)}`
    return { factor: 'gate', did: 'held', says, brief: says, evidence }
  }
  if (fate === 'unknown') {
    const says = 'AWS was asked and no answer is on record: it may or may not have happened'
    return { factor: 'outcome', did: 'let', says, brief: says, evidence }
  }
  const accepted = outcomes.some(({ entry }) => entry.outcome.result === 'accepted')
  const isFollowed = outcomes.some(
    ({ entry }) =>
      entry.outcome.result === 'confirmed' && entry.outcome.confirmed !== 'unconfirmed',
  )
  if (!accepted || isFollowed) return null
  const says = 'AWS accepted it and how it ended was never confirmed'
  return { factor: 'outcome', did: 'let', says, brief: says, evidence }
}
