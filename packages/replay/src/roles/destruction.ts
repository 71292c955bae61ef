// What a node can take down directly in AWS, by environment: every destructive action of the catalogue that
// its policies allow, where, and by which statement. No reviewer is on that way.

import type { Effect } from '@seconder/aws/call'
import type { EnvironmentRow } from '@seconder/gateway/config'
import { type Answer, exampleOf } from './asking.ts'
import { type CatalogueAction, catalogue, DESTRUCTIVE } from './catalogue.ts'
import type { Node } from './graph.ts'
import { onTypes } from './lending.ts'
import { environmentsTouched, inOrder } from './places.ts'

export interface Destroys {
  readonly action: string
  /** The strictest of what takes something down. */
  readonly effect: Effect
  readonly recoverable: boolean
  /** Where it certainly may, and where that depends on something. */
  readonly certain: readonly string[]
  readonly possible: readonly string[]
  readonly answer: Answer
}

export interface Destruction {
  readonly actions: readonly Destroys[]
  /** Environments in which something is certainly, or possibly, taken down. */
  readonly certain: readonly string[]
  readonly possible: readonly string[]
}

export class Destructions {
  readonly #rows: readonly EnvironmentRow[]
  readonly #kept = new Map<Node, Destruction>()
  readonly #placesOf = new Map<string, readonly string[]>()
  readonly #firsts = new Map<string, Map<Node, Answer | null>>()

  constructor(rows: readonly EnvironmentRow[]) {
    this.#rows = rows
  }

  of(node: Node): Destruction {
    const kept = this.#kept.get(node)
    if (kept) return kept
    const actions: Destroys[] = []
    for (const each of catalogue().destructive) {
      const found = this.#one(node, each)
      if (found) actions.push(found)
    }
    const certain = inOrder(this.#rows, new Set(actions.flatMap((each) => each.certain)))
    const possible = inOrder(this.#rows, new Set(actions.flatMap((each) => each.possible)))
    const made = { actions, certain, possible }
    this.#kept.set(node, made)
    return made
  }

  /** The first change in an environment that is certain, else one that depends on something. */
  changes(node: Node, wanted: string): Answer | null {
    const key = this.#firsts.get(wanted) ?? new Map<Node, Answer | null>()
    this.#firsts.set(wanted, key)
    const kept = key.get(node)
    if (kept !== undefined) return kept
    const found = this.#first(node, wanted)
    key.set(node, found)
    return found
  }

  #first(node: Node, wanted: string): Answer | null {
    const { destructive, byAction } = catalogue()
    let open: Answer | null = null
    for (const each of [...destructive, ...byAction.values()]) {
      const answer = this.#answer(node, each)
      if (answer === null) continue
      if (this.#certain(node, answer).includes(wanted)) return answer
      if (open === null && this.#environments(node, answer.may).includes(wanted)) {
        open = { ...answer, truth: 'unknown' }
      }
    }
    return open
  }

  /** Every environment that the node can change something in, certainly or possibly. */
  changed(node: Node): string[] {
    const all = new Set([...this.#rows.map(({ name }) => name), 'production'])
    const found = new Set<string>()
    for (const each of catalogue().byAction.values()) {
      if (found.size === all.size) break
      const answer = this.#answer(node, each)
      if (answer === null) continue
      for (const name of this.#certain(node, answer)) found.add(name)
      for (const name of this.#environments(node, answer.may)) found.add(name)
    }
    return inOrder(this.#rows, found)
  }

  #one(node: Node, each: CatalogueAction): Destroys | null {
    const answer = this.#answer(node, each)
    if (answer === null) return null
    return {
      action: each.action,
      effect: each.effects.find((effect) => DESTRUCTIVE.has(effect)) ?? 'destroy',
      recoverable: each.recoverable,
      certain: this.#certain(node, answer),
      possible: this.#environments(node, answer.may),
      answer,
    }
  }

  #environments(node: Node, patterns: readonly string[]): string[] {
    const { account } = node.asked.subject.identity
    return patterns.flatMap((pattern) => environmentsTouched(this.#rows, pattern, account))
  }

  /** Of what is certain for some of a pattern, one example counts: the rest may be denied. */
  #certain(node: Node, { on, partly }: Answer): string[] {
    return this.#environments(node, [...on, ...partly.map(exampleOf)])
  }

  #answer(node: Node, each: CatalogueAction): Answer | null {
    if (!node.asked.mentions(each.action)) return null
    const answer = onTypes(node.asked, each, this.#places(node.asked.subject.identity.account))
    return answer.truth === 'no' ? null : answer
  }

  /** Patterns of the environments of an account; what each of them answers is told apart. */
  #places(account: string): readonly string[] {
    let places = this.#placesOf.get(account)
    if (places === undefined) {
      const rows = this.#rows.filter(({ accounts }) => accounts.includes(account))
      places = [...new Set(rows.flatMap(({ arns }) => arns ?? []))]
      this.#placesOf.set(account, places)
    }
    return places
  }
}
