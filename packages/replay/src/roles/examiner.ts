// Examines one principal: what it is, whom it becomes, and the findings about it.

import { PRODUCTION } from '@seconder/gateway/describe/environments'
import { BehindGate } from './behind-gate.ts'
import type { Destructions } from './destruction.ts'
import type { Finding, Fix, PrincipalRow, Rounder, Severity } from './finding.ts'
import { denyFix, limbFix, quoted, trimFix } from './fixes.ts'
import type { GateFacts, LimbChange, Limbs } from './gate.ts'
import { type Graph, type Node, type Way, waysFrom } from './graph.ts'
import type { Reach } from './reach.ts'
import type { RuleId } from './rules.ts'
import type { Subject } from './subject.ts'
import type { TrailUse } from './trail-use.ts'
import { trailFacts, unusedFinding } from './unused.ts'
import {
  dependsOf,
  howWords,
  placesIn,
  seenWords,
  sentence,
  stepOf,
  weightOf,
  wordsOfNode,
  worstFirst,
} from './words.ts'

export interface Examination {
  readonly graph: Graph
  readonly destructions: Destructions
  readonly reach: Reach
  readonly limbs: Limbs
  readonly gate: GateFacts
  readonly isAgent: (arn: string, name: string) => boolean
  readonly isExcepted: (arn: string) => boolean
  readonly trail: TrailUse | null
}

export interface Examined {
  readonly row: PrincipalRow
  readonly findings: readonly Finding[]
  readonly rounder: Rounder | null
}

/** What all findings about one principal share. */
interface About {
  readonly subject: Subject
  readonly node: Node
  readonly ways: ReadonlyMap<Node, Way>
  readonly row: PrincipalRow
}

export class Examiner {
  readonly #of: Examination
  readonly #behind: BehindGate

  constructor(of: Examination) {
    this.#of = of
    this.#behind = new BehindGate(of.graph, of.gate)
  }

  examine(subject: Subject): Examined {
    const about = this.#about(subject)
    const { row } = about
    const findings: Finding[] = []
    if (row.unread.length > 0) findings.push(this.#unread(about))
    // What AWS lends to its own services nobody can assume; the gate and what it lends ask by themselves.
    if (row.serviceLinked || row.isGate) return { row, findings, rounder: null }
    findings.push(...this.#reaching(about))
    const unused = unusedFinding(row, subject.identity, this.#of.trail)
    if (unused) findings.push(unused)
    const editing = this.#editing(about)
    if (editing) findings.push(editing)
    const rounder = this.#rounder(about)
    if (rounder && this.#of.gate.configured) findings.push(this.#rounding(about, rounder))
    return { row, findings, rounder }
  }

  /** What it is, what it makes of itself, and what lies beyond that. */
  #reaching(about: About): Finding[] {
    const { row } = about
    if (row.rules === 'yes') {
      const further = this.#further(about, [about.node])
      return [this.#ruling(about), ...(further ? [further] : [])]
    }
    const top = bestWay(about, (node) => this.#of.graph.rules(node) === 'yes')
    const found = [
      row.rules === 'unknown' ? this.#ruling(about) : null,
      top && this.#escalation(about, top),
      row.rules === 'unknown' ? null : this.#destroying(about),
      this.#further(about, top ? [about.node, top.to] : [about.node]),
    ]
    return found.filter((each) => each !== null)
  }

  /** Environments of a role, for what is said of its trust. */
  environmentsOf(subject: Subject): string[] {
    return this.#of.reach.of(this.#of.graph.node(subject))
  }

  rulesSomewhere(subject: Subject): boolean {
    const { graph } = this.#of
    return [...waysFrom(graph, graph.node(subject)).keys()].some(
      (node) => graph.rules(node) === 'yes',
    )
  }

  isAgent({ identity }: Subject): boolean {
    return (
      this.#of.gate.roles.includes(identity.arn) || this.#of.isAgent(identity.arn, identity.name)
    )
  }

  #about(subject: Subject): About {
    const { graph, destructions, reach, gate } = this.#of
    const { identity } = subject
    const node = graph.node(subject)
    const ways = waysFrom(graph, node)
    const ruling = [...ways.values()].filter(({ to }) => to !== node && graph.rules(to) === 'yes')
    const row: PrincipalRow = {
      arn: identity.arn,
      name: identity.name,
      kind: identity.kind,
      account: identity.account,
      isAgent: this.isAgent(subject),
      isGate: identity.arn === gate.own,
      behindGate: this.#behind.holds(subject),
      serviceLinked: identity.serviceLinked,
      rules: graph.rules(node),
      reachesAdmin: ruling.some(({ truth }) => truth === 'yes')
        ? 'yes'
        : ruling.length > 0
          ? 'unknown'
          : 'no',
      rows: [...new Set(graph.edges(node).flatMap(({ rows }) => rows))].sort(),
      reaches: [...new Set([...ways.keys()].map(({ asked }) => asked.subject.identity.arn))].filter(
        (arn) => arn !== identity.arn,
      ),
      destroys: destructions.of(node),
      environments: reach.over(ways.keys()),
      unread: subject.unread,
      lastUsed: identity.lastUsed,
      trail: this.#of.trail && trailFacts(this.#of.trail, identity.arn, destructions.of(node)),
    }
    return { subject, node, ways, row }
  }

  #finding(
    about: About,
    rule: RuleId,
    severity: Severity,
    more: Pick<Finding, 'title' | 'words' | 'fix'> & Partial<Finding>,
  ): Finding {
    const { row } = about
    return {
      rule,
      severity,
      subject: row.arn,
      account: row.account,
      isAgent: row.isAgent,
      dependsOn: [],
      evidence: [],
      path: [],
      environments: row.environments,
      weight: weightOf(row.destroys),
      ...more,
    }
  }

  #unread(about: About): Finding {
    const { row } = about
    return this.#finding(about, 'roles/unread', 'high', {
      title: 'It could not be read whole',
      words: `${row.unread.join('; ')}. Nothing about it is certain: what is not found may still be there.`,
      fix: {
        words: 'Export again, whole, and mend policies that IAM itself would refuse.',
        command: 'aws iam get-account-authorization-details > authz.json',
      },
    })
  }

  #ruling(about: About): Finding {
    const { row } = about
    const isCertain = row.rules === 'yes'
    const severity = row.isAgent ? 'critical' : isCertain ? 'high' : 'medium'
    const [first] = row.destroys.actions
    return this.#finding(about, 'roles/rules-account', severity, {
      title: `It ${isCertain ? 'may' : 'may, under conditions,'} do anything in account ${row.account}`,
      words: [
        `It changes anybody's rights there and takes down ${row.destroys.actions.length} kinds of things,`,
        `${placesIn(row.destroys)}, and no reviewer is asked${row.behindGate ? ' but by the gate' : ''}.`,
      ].join(' '),
      dependsOn: isCertain ? [] : (first?.answer.dependsOn ?? []),
      evidence: first?.answer.evidence ?? [],
      fix: trimFix(row),
    })
  }

  #escalation(about: About, way: Way): Finding {
    const { row } = about
    const isCertain = way.truth === 'yes'
    const severity = (isCertain || row.isAgent) && !row.behindGate ? 'critical' : 'high'
    const to = wordsOfNode(way.to, about.node)
    return this.#finding(about, 'roles/escalates-to-admin', severity, {
      title: `It ${isCertain ? 'can' : 'may be able to'} make itself an administrator in ${way.steps === 1 ? 'one step' : `${way.steps} steps`}`,
      words: `${sentence(way)} It then is ${to}, who may do anything in the account.${seenWords(row)}`,
      dependsOn: dependsOf(way),
      evidence: way.edges[0]?.evidence ?? [],
      path: way.edges.map(stepOf),
      fix: this.#denyFix(about, null),
      weight: weightOf(this.#of.destructions.of(way.to)),
    })
  }

  #destroying(about: About): Finding | null {
    const { destroys, isAgent, behindGate } = about.row
    if (destroys.actions.length === 0) return null
    const isProduction = destroys.certain.includes(PRODUCTION)
    const mayBe = isProduction || destroys.possible.includes(PRODUCTION)
    const base: Severity = isProduction ? 'high' : mayBe ? 'medium' : 'low'
    const worst = base === 'high' && isAgent && !behindGate ? 'critical' : base
    const examples = worstFirst(destroys.actions).slice(0, 4)
    const [first] = examples
    const names = examples.map(({ action }) => action).join(', ')
    const more = destroys.actions.length - examples.length
    const certain = destroys.actions.filter(({ answer }) => answer.truth === 'yes')
    return this.#finding(about, 'roles/destroys', behindGate ? 'note' : worst, {
      title: behindGate
        ? `Through the gate it may take down ${destroys.actions.length} kinds of things`
        : `It may take down ${destroys.actions.length} kinds of things without a reviewer`,
      words: `${names}${more > 0 ? ` and ${more} more` : ''}, ${placesIn(destroys)}; ${certain.length} for certain.`,
      dependsOn: certain.length > 0 ? [] : (first?.answer.dependsOn ?? []),
      evidence: first?.answer.evidence ?? [],
      environments: [...new Set([...destroys.certain, ...destroys.possible])],
      fix: trimFix(about.row),
    })
  }

  /** Whom it becomes destroys where those who are known already do not: `known` are itself, and a ruler. */
  #further(about: About, known: readonly Node[]): Finding | null {
    const { destructions } = this.#of
    const all = known.map((node) => destructions.of(node))
    const places = new Set(all.flatMap(({ certain, possible }) => [...certain, ...possible]))
    const accounts = new Set(known.map(({ asked }) => asked.subject.identity.account))
    const count = Math.max(...all.map(({ actions }) => actions.length))
    const isWorse = (node: Node): boolean => {
      const { certain, possible, actions } = destructions.of(node)
      const isAway = !accounts.has(node.asked.subject.identity.account) && actions.length > 0
      return (
        isAway ||
        [...certain, ...possible].some((name) => !places.has(name)) ||
        actions.length > count
      )
    }
    const way = bestWay(about, isWorse)
    if (way === null) return null
    const there = destructions.of(way.to)
    const isProduction = [...there.certain, ...there.possible].includes(PRODUCTION)
    const severity: Severity = isProduction ? (way.truth === 'yes' ? 'high' : 'medium') : 'low'
    return this.#finding(about, 'roles/reaches-destruction', severity, {
      title: `It ${way.truth === 'yes' ? 'can' : 'may'} become ${wordsOfNode(way.to, about.node)}, who destroys more than it may itself`,
      words: `${sentence(way)} That one takes down ${there.actions.length} kinds of things, ${placesIn(there)}.`,
      dependsOn: dependsOf(way),
      evidence: way.edges[0]?.evidence ?? [],
      path: way.edges.map(stepOf),
      environments: [...new Set([...there.certain, ...there.possible])],
      fix: this.#denyFix(about, isWorse),
      weight: weightOf(there),
    })
  }

  /** Closes every first step that leads to a node of that kind; null: to a ruler. */
  #denyFix({ subject, node, ways }: About, fits: ((node: Node) => boolean) | null): Fix {
    const { graph } = this.#of
    const leading =
      fits === null ? graph.leadingToRulers() : graph.leadingTo([...ways.keys()].filter(fits))
    const steps = graph.edges(node).filter(({ to }) => to !== node && leading.has(to))
    const { kind, arn } = subject.identity
    const action = kind === 'user' ? 'iam:DeleteUserPolicy' : 'iam:DeleteRolePolicy'
    const keepsDeny = node.asked.ask({ action, resource: arn }).truth === 'no'
    return denyFix(subject.identity, steps, keepsDeny)
  }

  #editing(about: About): Finding | null {
    const { limbs } = this.#of
    if (limbs.size === 0) return null
    let found: { way: Way; changes: readonly LimbChange[] } | null = null
    for (const way of about.ways.values()) {
      const changes = limbs.changesBy(way.to)
      if (changes.length === 0) continue
      const isCertain = way.truth === 'yes' && changes[0]?.answer.truth === 'yes'
      if (found === null || isCertain) found = { way, changes }
      if (isCertain) break
    }
    if (found === null) return null
    const { way, changes } = found
    const [first] = changes
    const isCertain = way.truth === 'yes' && first?.answer.truth === 'yes'
    const others = new Set(changes.map(({ resource }) => resource)).size - 1
    const severity: Severity = isCertain || about.row.isAgent ? 'critical' : 'high'
    return this.#finding(about, 'roles/edits-the-gate', severity, {
      title: `It ${isCertain ? 'can' : 'may be able to'} change what the gate stands on`,
      words: [
        ...(way.steps > 0 ? [sentence(way)] : []),
        `${first?.action} on ${first?.resource} (${first?.what})${others > 0 ? ` and ${others} other limbs` : ''}:`,
        'whoever does that has no reviewer any more.',
      ].join(' '),
      dependsOn: [...new Set([...dependsOf(way), ...(first?.answer.dependsOn ?? [])])],
      evidence: first?.answer.evidence ?? [],
      path: way.edges.map(stepOf),
      fix: limbFix(changes, this.#of.gate),
      weight: 1_000_000,
    })
  }

  #rounder(about: About): Rounder | null {
    const { row, ways, node } = about
    const { destructions, isExcepted, gate } = this.#of
    let found: { way: Way; isCertain: boolean } | null = null
    for (const way of ways.values()) {
      // What only the gate lends is behind it, unless somebody else gets in.
      if (way.to === node && row.behindGate) continue
      if (way.to.asked.subject.identity.arn === gate.own && way.to !== node) {
        found ??= { way, isCertain: way.truth === 'yes' }
        continue
      }
      const change = destructions.changes(way.to, PRODUCTION)
      if (change === null) continue
      const isCertain = way.truth === 'yes' && change.truth === 'yes'
      if (found === null || isCertain) found = { way, isCertain }
      if (isCertain) break
    }
    if (found === null) return null
    const { way, isCertain } = found
    return {
      who: row.arn,
      kind: row.kind,
      certain: isCertain,
      how: howWords(way, node, row),
      isAgent: row.isAgent,
      excepted: isExcepted(row.arn),
    }
  }

  #rounding(about: About, { certain, how, excepted }: Rounder): Finding {
    const { isAgent, behindGate } = about.row
    const worst: Severity = isAgent ? 'critical' : certain ? 'high' : 'medium'
    const base: Severity = behindGate ? 'medium' : worst
    return this.#finding(about, 'roles/goes-round-the-gate', excepted ? 'note' : base, {
      title: `It ${certain ? 'can' : 'may'} act on production without the gate`,
      words: [
        how === 'directly' ? 'Directly' : how.replace(/^by/, 'By becoming'),
        excepted ? '; named as an exception' : '',
        '. Nothing of that is asked, signed or in the ledger.',
      ].join(''),
      fix: {
        words:
          'Apply the SCPs of `seconder init aws`, with --except for those who are meant to go on without the gate.',
        command: `seconder init aws --gate ${quoted(this.#of.gate.own ?? 'ROLE-ARN')} --out wall/`,
      },
    })
  }
}

/** The best way to a node that fits: certain, then short. */
function bestWay({ node, ways }: About, fits: (node: Node) => boolean): Way | null {
  let best: Way | null = null
  for (const way of ways.values()) {
    if (way.to === node || !fits(way.to)) continue
    if (best === null || better(way, best)) best = way
  }
  return best
}

function better(way: Way, than: Way): boolean {
  if (way.truth !== than.truth) return way.truth === 'yes'
  return way.steps < than.steps
}
