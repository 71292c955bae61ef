// Words and weights of what was found: steps of a way, who is meant, where it strikes, and what of it is
// worst.

import { PRODUCTION } from '@seconder/gateway/describe/environments'
import type { Destroys, Destruction } from './destruction.ts'
import { pathfinding } from './escalation.ts'
import type { PathStep, PrincipalRow } from './finding.ts'
import { FURTHER_EXISTING, FURTHER_LENDING } from './further-rows.ts'
import type { Edge, Node, Way } from './graph.ts'
import { SELF } from './identity-rows.ts'

const FURTHER = new Map(
  [...FURTHER_LENDING, ...FURTHER_EXISTING, ...SELF].map(({ id, source }) => [id, source]),
)

export function stepOf(edge: Edge): PathStep {
  const [row = ''] = edge.rows
  return {
    from: edge.from.id,
    to: edge.to.id,
    truth: edge.truth === 'yes' ? 'yes' : 'unknown',
    rows: edge.rows,
    about: edge.about,
    dependsOn: edge.dependsOn,
    evidence: edge.evidence,
    source: FURTHER.get(row) ?? pathfinding(row),
  }
}

export function dependsOf({ edges }: Way): string[] {
  return [...new Set(edges.flatMap(({ dependsOn }) => dependsOn))]
}

export function sentence({ edges }: Way): string {
  const steps = edges.map(({ about }) => about)
  const text = steps.join('; then ')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

/** `role ci`, or `itself with any policy`. */
export function wordsOfNode({ asked }: Node, start: Node): string {
  const { identity } = asked.subject
  const { gained } = asked.standing
  const own = identity.arn === start.asked.subject.identity.arn
  const who = own ? 'itself' : `${identity.kind} ${identity.name}`
  if (gained === 'nothing') return who
  if (typeof gained === 'object') return `${who} in group ${gained.group.split('/')[1]}`
  return gained === 'unbounded' ? `${who} without its boundary` : `${who} with any policy it likes`
}

/** Of a role that only the gate lends: its first step is one that a second person sees. */
export function seenWords({ behindGate }: PrincipalRow): string {
  return behindGate ? ' Its first step goes through the gate; what follows does not.' : ''
}

export function howWords(way: Way, node: Node, { behindGate }: PrincipalRow): string {
  if (way.steps === 0) return 'directly'
  return `by ${wordsOfNode(way.to, node)}${behindGate ? ', after a step that the gate sees' : ''}`
}

export function placesIn({ certain, possible }: Destruction): string {
  const names = [...new Set([...certain, ...possible])]
  return names.length === 0 ? 'in no environment' : `in ${names.join(', ')}`
}

/** What holds data and does not come back counts most. */
export function weightOf({ actions }: Destruction): number {
  let sum = 0
  for (const { recoverable, certain, possible, effect } of actions) {
    const place = certain.includes(PRODUCTION) ? 20 : possible.includes(PRODUCTION) ? 8 : 1
    sum += place * (effect === 'destroy' && !recoverable ? 3 : 1)
  }
  return sum
}

const HOLDING_DATA =
  /^(rds|dynamodb|s3|ec2|efs|elasticfilesystem|kms|backup|redshift|cloudformation|elasticache|es|logs|ecr|eks|docdb-elastic|secretsmanager|route53):/

export function worstFirst(actions: readonly Destroys[]): Destroys[] {
  const score = ({ action, answer, certain, effect }: Destroys) =>
    Number(answer.truth === 'yes') * 8 +
    Number(certain.includes(PRODUCTION)) * 4 +
    Number(HOLDING_DATA.test(action)) * 2 +
    Number(effect === 'destroy' || effect === 'replace')
  return [...actions].sort((a, b) => score(b) - score(a))
}
