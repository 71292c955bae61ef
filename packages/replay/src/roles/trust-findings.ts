// Findings about whom roles let in, with what the role can do behind them, and those of them who go round
// the gate.

import { PRODUCTION } from '@seconder/gateway/describe/environments'
import type { Examiner } from './examiner.ts'
import { type Finding, lower, type Rounder, type Severity } from './finding.ts'
import type { GateFacts } from './gate.ts'
import type { Subject } from './subject.ts'
import { type TrustFault, trustFaults } from './trust.ts'

export function trustFindings(
  subjects: readonly Subject[],
  examiner: Examiner,
  gate: GateFacts,
  seen: ReadonlySet<string>,
): { findings: Finding[]; rounders: Rounder[] } {
  const configured = gate.environments.flatMap(({ accounts }) => accounts)
  const accounts = new Set([...seen, ...configured, ...gate.accounts])
  const findings: Finding[] = []
  const rounders = new Map<string, Rounder>()
  for (const subject of subjects) {
    if (subject.trust === null) continue
    const faults = trustFaults(subject.identity, subject.trust, { accounts })
    if (faults.length === 0) continue
    const environments = examiner.environmentsOf(subject)
    const rules = examiner.rulesSomewhere(subject)
    for (const fault of faults) {
      findings.push(findingOf(subject, fault, environments, rules, examiner))
      const goesRound = isSomebody(fault) && environments.includes(PRODUCTION)
      if (goesRound) rounders.set(`${fault.kind} ${fault.who}`, rounderOf(fault, subject))
    }
  }
  return { findings, rounders: [...rounders.values()] }
}

function isSomebody({ kind }: TrustFault): boolean {
  return kind === 'everybody' || kind === 'account' || kind === 'provider'
}

function rounderOf({ who, kind }: TrustFault, { identity }: Subject): Rounder {
  return {
    who,
    kind: kind === 'everybody' || kind === 'provider' ? kind : 'account',
    certain: true,
    how: `by role ${identity.name}`,
    isAgent: false,
    excepted: false,
  }
}

function findingOf(
  subject: Subject,
  fault: TrustFault,
  environments: readonly string[],
  rules: boolean,
  examiner: Examiner,
): Finding {
  const { identity } = subject
  const harmless = environments.length === 0
  const severity: Severity = harmless
    ? lower(fault.severity, 2)
    : environments.includes(PRODUCTION)
      ? fault.severity
      : lower(fault.severity)
  const what = rules
    ? 'Behind it is an administrator.'
    : harmless
      ? 'The role changes nothing.'
      : `The role changes things in ${environments.join(', ')}.`
  return {
    rule: fault.rule,
    severity,
    subject: identity.arn,
    account: identity.account,
    isAgent: examiner.isAgent(subject),
    dependsOn: [],
    title: fault.words,
    words: `${fault.words} ${what}`,
    evidence: [{ policy: `trust of ${identity.arn}`, statement: fault.statement }],
    path: [],
    environments,
    fix: fault.fix,
    weight: rules ? 500_000 : environments.length,
  }
}
