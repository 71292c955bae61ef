// Audits an estate: whom each principal can become, what it can take down without a reviewer, who can
// change the gate or goes round it, and whom roles let in. Pure: no network, no credential, no clock.

import { PRODUCTION } from '@seconder/gateway/describe/environments'
import { Destructions } from './destruction.ts'
import type { Estate } from './estate.ts'
import { Examiner } from './examiner.ts'
import {
  type Audit,
  compare,
  countsOf,
  type Finding,
  type GraphEdge,
  type PrincipalRow,
  type Rounder,
  ranked,
} from './finding.ts'
import { type GateFacts, Limbs } from './gate.ts'
import { Graph } from './graph.ts'
import type { Organization } from './organization.ts'
import { Reach, type ReachFile } from './reach.ts'
import { subjectsOf } from './subject.ts'
import type { TrailUse } from './trail-use.ts'
import { trustFindings } from './trust-findings.ts'

export interface AuditQuestion {
  readonly estate: Estate
  readonly organization: Organization | null
  readonly gate: GateFacts
  /** Whether an ARN is an agent's, and whether it is named as somebody who goes on without the gate. */
  readonly isAgent: (arn: string, name: string) => boolean
  readonly isExcepted: (arn: string) => boolean
  /** ISO time at which requests would be made. */
  readonly now: string
  /** Recorded use, for what is not used. */
  readonly trail?: TrailUse
  readonly onPrincipal?: (done: number, of: number) => void
}

export interface Audited {
  readonly audit: Audit
  /** null where the export is not whole: a role behind the cut could be anything. */
  readonly reach: ReachFile | null
}

export function auditOf(question: AuditQuestion): Audited {
  const { estate, organization, gate, now } = question
  const subjects = subjectsOf(estate, organization, now)
  const graph = new Graph(subjects)
  const destructions = new Destructions(gate.environments)
  const reach = new Reach(graph, destructions, gate, estate.accounts)
  const examiner = new Examiner({
    graph,
    destructions,
    reach,
    limbs: new Limbs(gate, subjects),
    gate,
    isAgent: question.isAgent,
    isExcepted: question.isExcepted,
    trail: question.trail ?? null,
  })
  for (const subject of subjects.byArn.values()) graph.node(subject)
  graph.close()
  const principals: PrincipalRow[] = []
  const rounders: Rounder[] = []
  const findings: Finding[] = faultFindings(estate, organization)
  const all = [...subjects.byArn.values()]
  all.forEach((subject, index) => {
    const examined = examiner.examine(subject)
    principals.push(examined.row)
    findings.push(...examined.findings)
    if (examined.rounder) rounders.push(examined.rounder)
    question.onPrincipal?.(index + 1, all.length)
  })
  const trusts = trustFindings(all, examiner, gate, estate.accounts)
  findings.push(...trusts.findings)
  rounders.push(...trusts.rounders)
  const audit: Audit = {
    version: 1,
    accounts: [...estate.accounts].sort(),
    whole: estate.whole,
    faults: [...estate.faults, ...(organization?.faults ?? [])],
    limits: limitsOf(question),
    window: windowOf(question.trail),
    principals: principals.sort(byDanger),
    rounders: rounders.sort(byCertainty),
    findings: ranked(findings),
    edges: edgesOf(graph, principals),
    counts: countsOf(findings),
  }
  return { audit, reach: estate.whole ? reachFile(principals) : null }
}

/** Roles whose policies were all read; the gate takes any other as one that reaches production. */
function reachFile(principals: readonly PrincipalRow[]): ReachFile {
  const roles = principals
    .filter(({ kind, unread }) => kind === 'role' && unread.length === 0)
    .map(({ arn, environments }) => [arn, { environments }] as const)
    .sort(([a], [b]) => compare(a, b))
  return { version: 1, roles: Object.fromEntries(roles) }
}

function faultFindings(estate: Estate, organization: Organization | null): Finding[] {
  const cut = estate.faults.filter(({ kind }) => kind !== 'unreadable_entry' && kind !== 'twice')
  const faults = [...cut, ...(organization?.faults ?? [])]
  return faults.map(({ kind, where, what }) => ({
    rule: 'roles/export-not-whole',
    severity: kind === 'organization' ? 'medium' : 'high',
    subject: where,
    account: '',
    isAgent: false,
    dependsOn: [],
    title:
      kind === 'organization'
        ? 'The organizations export is not usable'
        : 'The export is not whole',
    words: `${where}: ${what}. Whoever stands in what could not be read is in no answer below.`,
    evidence: [],
    path: [],
    environments: [],
    fix: {
      words: 'Export again, whole.',
      command: 'aws iam get-account-authorization-details > authz.json',
    },
    weight: 0,
  }))
}

function limitsOf({ estate, organization, gate, trail }: AuditQuestion): string[] {
  const limits = [
    'Policies on buckets, keys, queues and other resources are not in the export: what they grant or deny is not counted.',
    'Which instances, functions or builds run under a role is not in the export: such steps are said to depend on it.',
  ]
  if (organization === null) {
    limits.push(
      'No organizations export was given: service control policies may close some of this.',
    )
  } else {
    const missing = [...estate.accounts].filter((account) => !organization.levels.has(account))
    if (missing.length > 0) {
      limits.push(`Accounts that the organizations export does not have: ${missing.join(', ')}.`)
    }
  }
  if (gate.environments.length === 0) {
    limits.push('No environments are configured: everything counts as production.')
  }
  if (!gate.configured)
    limits.push('No seconder.yaml was given: no role is known to be behind the gate.')
  else if (gate.own === null) {
    limits.push(
      'Which principal the gate itself is was not said (--gate): it is judged like any other.',
    )
  }
  if (trail) limits.push(...trailLimits(trail))
  const unread = estate.faults.filter(({ kind }) => kind === 'unreadable_entry').length
  if (unread > 0) limits.push(`${unread} entries of the export could not be read; each is named.`)
  return limits
}

function trailLimits({ from, to, days, faults }: TrailUse): string[] {
  const window = `The trail is from ${from ?? '?'} to ${to ?? '?'}, ${days} days: what is used more seldom is not in it, and most data events are not either.`
  return faults === 0 ? [window] : [window, `${faults} files of the trail could not be read whole.`]
}

function windowOf(trail: TrailUse | undefined): Audit['window'] {
  return trail === undefined ? null : { from: trail.from, to: trail.to, days: trail.days }
}

function byDanger(a: PrincipalRow, b: PrincipalRow): number {
  return (
    Number(b.isAgent) - Number(a.isAgent) ||
    rank(b.rules) - rank(a.rules) ||
    rank(b.reachesAdmin) - rank(a.reachesAdmin) ||
    Number(b.destroys.certain.includes(PRODUCTION)) -
      Number(a.destroys.certain.includes(PRODUCTION)) ||
    b.destroys.actions.length - a.destroys.actions.length ||
    compare(a.arn, b.arn)
  )
}

function rank(truth: 'yes' | 'no' | 'unknown'): number {
  return truth === 'yes' ? 2 : truth === 'unknown' ? 1 : 0
}

function byCertainty(a: Rounder, b: Rounder): number {
  return (
    Number(a.excepted) - Number(b.excepted) ||
    Number(b.isAgent) - Number(a.isAgent) ||
    Number(b.certain) - Number(a.certain) ||
    compare(a.who, b.who)
  )
}

/** Edges between the principals as they are; what they gain on the way is left out. */
function edgesOf(graph: Graph, principals: readonly PrincipalRow[]): GraphEdge[] {
  return principals.flatMap(({ arn }) => {
    const subject = graph.subjects.byArn.get(arn)
    if (!subject) return []
    return graph.edges(graph.node(subject)).map(({ to, truth, rows }) => ({
      from: arn,
      to: to.asked.subject.identity.arn,
      truth: truth === 'yes' ? ('yes' as const) : ('unknown' as const),
      rows,
    }))
  })
}
