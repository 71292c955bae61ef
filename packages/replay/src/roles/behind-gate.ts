// Whether a role that the gate lends is behind the gate: its trust names the gate and nobody else, and none
// of the estate gets in. Whoever rules the account gets in everywhere; that is said of them.

import type { GateFacts } from './gate.ts'
import type { Graph } from './graph.ts'
import type { Subject } from './subject.ts'

export class BehindGate {
  readonly #graph: Graph
  readonly #gate: GateFacts
  readonly #kept = new Map<string, boolean>()

  constructor(graph: Graph, gate: GateFacts) {
    this.#graph = graph
    this.#gate = gate
  }

  holds(subject: Subject): boolean {
    const { arn } = subject.identity
    const { roles, own } = this.#gate
    if (!roles.includes(arn) || own === null) return false
    const kept = this.#kept.get(arn)
    if (kept !== undefined) return kept
    const answer = trustsOnly(subject, own) && !this.#isEntered(arn, own)
    this.#kept.set(arn, answer)
    return answer
  }

  #isEntered(arn: string, own: string): boolean {
    return [...this.#graph.subjects.byArn.values()].some((other) => {
      const { identity } = other
      if (identity.arn === own || identity.arn === arn || identity.serviceLinked) return false
      const node = this.#graph.node(other)
      if (this.#graph.rules(node) !== 'no') return false
      return this.#graph.edges(node).some(({ to }) => to.asked.subject.identity.arn === arn)
    })
  }
}

function trustsOnly({ trust }: Subject, own: string): boolean {
  if (trust === null) return false
  return trust.statements.every(({ effect, principals }) => {
    if (effect === 'deny') return true
    if (principals === null || principals.not || principals.everybody) return false
    return [...principals.named.values()].every((names) => [...names].every((name) => name === own))
  })
}
