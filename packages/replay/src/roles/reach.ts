// The highest environments that each role reaches, whatever it becomes on the way (red team H8): the file
// that the gate loads as `roleReach`. Whoever cannot be judged is left out of it, and counts as production.

import { parsePolicy, type Statement } from '@seconder/aws/iam/policy'
import { textOfUnits } from './asking.ts'
import { catalogue } from './catalogue.ts'
import type { Destructions } from './destruction.ts'
import { accountIn, partitionIn } from './estate.ts'
import type { GateFacts } from './gate.ts'
import type { Graph, Node } from './graph.ts'
import { waysFrom } from './graph.ts'
import { environmentsTouched, inOrder } from './places.ts'

export class Reach {
  readonly #graph: Graph
  readonly #destructions: Destructions
  readonly #facts: GateFacts
  /** Accounts of the configuration that no export is of. */
  readonly #unseen: readonly string[]
  readonly #changed = new Map<Node, readonly string[]>()
  /** How many environments there are; who reaches them all reaches no more. */
  readonly #names: number

  constructor(
    graph: Graph,
    destructions: Destructions,
    facts: GateFacts,
    seen: ReadonlySet<string>,
  ) {
    this.#graph = graph
    this.#destructions = destructions
    this.#facts = facts
    this.#names = new Set(['production', ...facts.environments.map(({ name }) => name)]).size
    const configured = facts.environments.flatMap(({ accounts }) => accounts)
    this.#unseen = [...new Set(configured)].filter((account) => !seen.has(account))
  }

  /** Environments in which it, or whoever it can become, can change something. */
  of(start: Node): string[] {
    return this.over(waysFrom(this.#graph, start).keys())
  }

  /** The same, of nodes that were walked to before. */
  over(nodes: Iterable<Node>): string[] {
    const found = new Set<string>()
    for (const node of nodes) {
      if (found.size === this.#names) break
      for (const name of this.changedBy(node)) found.add(name)
    }
    return inOrder(this.#facts.environments, found)
  }

  /** Environments that the node itself can change something in, accounts without an export included. */
  changedBy(node: Node): readonly string[] {
    const kept = this.#changed.get(node)
    if (kept) return kept
    const rows = this.#facts.environments
    const found = new Set(this.#destructions.changed(node))
    for (const account of this.#unseen) {
      if (mayEnter(node, account)) {
        const partition = partitionIn(node.asked.subject.identity.arn)
        const everything = `arn:${partition}:*:*:${account}:*`
        for (const name of environmentsTouched(rows, everything, account)) found.add(name)
      }
    }
    for (const name of this.#named(node)) found.add(name)
    const ordered = inOrder(rows, found)
    this.#changed.set(node, ordered)
    return ordered
  }

  /**
   * Things of other accounts that its policies name, and change: whether the policy of the thing lets it, no
   * export says.
   */
  #named({ asked }: Node): string[] {
    const { account: own } = asked.subject.identity
    return asked.policySet.identity.flatMap(({ statements }) =>
      statements.flatMap((statement) => {
        if (statement.effect === 'deny' || statement.resources === null) return []
        return statement.resources.patterns.flatMap(({ fixed }) => {
          const pattern = fixed === null ? '' : textOfUnits(fixed.units)
          const account = accountIn(pattern)
          if (account === '' || account === own || !changesThere(statement, pattern)) return []
          return environmentsTouched(this.#facts.environments, pattern, account)
        })
      }),
    )
  }
}

function changesThere({ actions }: Statement, pattern: string): boolean {
  const [, , service = ''] = pattern.split(':')
  const known = catalogue().byService.get(service) ?? [...catalogue().byAction.values()]
  return known.some(({ action }) => {
    const name = action.toLowerCase()
    return actions.patterns.some((each) => each.test(name)) !== actions.not
  })
}

/** Whether it could assume a role there that trusted it; whose trust nobody has seen. */
function mayEnter({ asked }: Node, account: string): boolean {
  if (!asked.mentions('sts:AssumeRole')) return false
  const { arn } = asked.subject.identity
  const statement = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: arn } }
  const trust = parsePolicy(
    { Version: '2012-10-17', Statement: [statement] },
    'trust',
    'a trust that nobody has seen',
  )
  const resource = `arn:${partitionIn(arn)}:iam::${account}:role/*`
  return asked.ask({ action: 'sts:AssumeRole', resource, account, trust, rcps: [] }).truth !== 'no'
}

export interface ReachFile {
  readonly version: 1
  readonly roles: Readonly<Record<string, { readonly environments: readonly string[] }>>
}
