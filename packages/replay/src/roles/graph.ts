// The graph of who can become whom: a node is a principal with what it has gained, an edge one way to act
// as another node, certain or depending on something. Edges are made when a node is first walked from and
// kept. Boundaries, SCPs, RCPs and explicit denies hold for every step.

import type { Truth } from '@seconder/aws/iam/truth'
import { Asked, type Evidence, type Gained } from './asking.ts'
import { Lending } from './lending.ts'
import type { Subject, Subjects } from './subject.ts'
import { Taking } from './taking.ts'

export interface Node {
  /** `ARN` or `ARN + what it gained`. */
  readonly id: string
  /** Its place among the nodes, in the order in which they were met. */
  readonly number: number
  readonly asked: Asked
}

export interface Edge {
  readonly from: Node
  readonly to: Node
  /** Never `no`. */
  readonly truth: Truth
  /** Ids of rows; the first is the best. */
  readonly rows: readonly string[]
  readonly about: string
  readonly dependsOn: readonly string[]
  readonly evidence: readonly Evidence[]
  /** What the best row asks for. */
  readonly uses: readonly Use[]
  /** One use of each row: without all of these the step is closed. */
  readonly cuts: readonly Use[]
}

export interface Use {
  readonly action: string
  readonly resource: string
}

/** What one row says of one step from a node. */
export type Found = Omit<Edge, 'from' | 'to' | 'rows' | 'cuts'> & { readonly row: string }

export class Graph {
  readonly subjects: Subjects
  readonly #nodes = new Map<string, Node>()
  readonly #edges = new Map<Node, readonly Edge[]>()
  readonly #walked = new Map<Node, readonly Edge[]>()
  #up: ReadonlySet<Node> | undefined
  /** Nodes with an edge to the node, as far as anybody has walked. */
  readonly #into = new Map<Node, Node[]>()
  readonly #admins = new Map<Node, Truth>()
  readonly #lending: Lending
  readonly #taking: Taking

  constructor(subjects: Subjects) {
    this.subjects = subjects
    this.#lending = new Lending(subjects)
    this.#taking = new Taking(subjects)
  }

  node(subject: Subject, gained: Gained = 'nothing'): Node {
    const id = `${subject.identity.arn}${wordsOf(gained)}`
    let node = this.#nodes.get(id)
    if (node === undefined) {
      const number = this.#nodes.size
      node = { id, number, asked: new Asked({ subject, gained }, this.subjects.groups) }
      this.#nodes.set(id, node)
    }
    return node
  }

  /** Ways out of a node. From one that rules its account unhindered only those that lead out of it. */
  edges(from: Node): readonly Edge[] {
    const kept = this.#edges.get(from)
    if (kept) return kept
    const edges = new Map<string, Edge>()
    const rules = this.rules(from) === 'yes'
    const add = (subject: Subject, gained: Gained, found: Found): void => {
      const to = this.node(subject, gained)
      if (to === from) return
      const before = edges.get(to.id)
      edges.set(to.id, before === undefined ? edgeOf(from, to, found) : joined(before, found))
    }
    // Whom nothing holds needs nobody else in his account; whom a deny or an SCP holds may become one
    // whom it does not.
    if (rules && !from.asked.isHeld()) this.#taking.acrossAccounts(from.asked, add)
    else {
      this.#taking.from(from.asked, add)
      this.#lending.from(from.asked, add)
    }
    const list = [...edges.values()]
    this.#edges.set(from, list)
    for (const { to } of list) {
      const into = this.#into.get(to)
      if (into) into.push(from)
      else this.#into.set(to, [from])
    }
    return list
  }

  /**
   * The edges that a walk takes. Who certainly becomes a ruler whom nothing holds needs nobody else in the
   * account: one such edge, and those to other accounts, stand for all.
   */
  walked(from: Node): readonly Edge[] {
    let walked = this.#walked.get(from)
    if (walked === undefined) {
      const edges = this.edges(from)
      const ruler = edges.find(({ truth, to }) => truth === 'yes' && this.#isFree(to))
      const { account } = from.asked.subject.identity
      const isAway = ({ to }: Edge) => to.asked.subject.identity.account !== account
      const takesAll = ruler === undefined || this.#isFree(from)
      walked = takesAll ? edges : [ruler, ...edges.filter(isAway)]
      this.#walked.set(from, walked)
    }
    return walked
  }

  #isFree(node: Node): boolean {
    return this.rules(node) === 'yes' && !node.asked.isHeld()
  }

  /** Makes the edges of every node that anybody can get to; nodes that turn up on the way included. */
  close(): void {
    // A Map hands out what is added while it is walked.
    for (const node of this.#nodes.values()) this.edges(node)
  }

  /** Rulers, and everybody who gets to one; of a closed graph. */
  leadingToRulers(): ReadonlySet<Node> {
    this.#up ??= this.leadingTo(
      [...this.#nodes.values()].filter((node) => this.rules(node) === 'yes'),
    )
    return this.#up
  }

  /** The nodes themselves, and all from which somebody was found to get to one of them. */
  leadingTo(nodes: Iterable<Node>): ReadonlySet<Node> {
    const leading = new Set(nodes)
    // A Set hands out what is added while it is walked.
    for (const node of leading) for (const from of this.#into.get(node) ?? []) leading.add(from)
    return leading
  }

  /**
   * Whether it rules its account: it may change anybody's rights there and take down the main kinds of
   * things. Asked by examples, so that a deny that guards a few named things does not hide it.
   */
  rules(node: Node): Truth {
    const kept = this.#admins.get(node)
    if (kept) return kept
    let sum: Truth = 'yes'
    const { account, arn } = node.asked.subject.principal
    const partition = arn.split(':')[1] ?? 'aws'
    for (const [action, rest] of RULING) {
      const resource = `arn:${partition}:${rest.replace('ACCOUNT', account)}`
      const { truth } = node.asked.ask({ action, resource })
      if (truth === 'no') sum = 'no'
      else if (truth === 'unknown' && sum === 'yes') sum = 'unknown'
      if (sum === 'no') break
    }
    this.#admins.set(node, sum)
    return sum
  }
}

const RULING: readonly (readonly [action: string, rest: string])[] = [
  ['iam:PutRolePolicy', 'iam::ACCOUNT:role/*'],
  ['iam:UpdateAssumeRolePolicy', 'iam::ACCOUNT:role/*'],
  ['iam:AttachUserPolicy', 'iam::ACCOUNT:user/*'],
  ['iam:CreatePolicyVersion', 'iam::ACCOUNT:policy/*'],
  ['ec2:TerminateInstances', 'ec2:*:ACCOUNT:instance/*'],
  ['s3:DeleteBucket', 's3:::*'],
  ['rds:DeleteDBInstance', 'rds:*:ACCOUNT:db:*'],
  ['dynamodb:DeleteTable', 'dynamodb:*:ACCOUNT:table/*'],
]

const GAINED = {
  'any-policy': ' + any policy',
  unbounded: ' + no boundary',
  'any-policy-unbounded': ' + any policy + no boundary',
} as const

function wordsOf(gained: Gained): string {
  if (gained === 'nothing') return ''
  if (typeof gained === 'object') return ` + group ${gained.group.split('/')[1] ?? gained.group}`
  return GAINED[gained]
}

function edgeOf(from: Node, to: Node, { row, ...found }: Found): Edge {
  return { ...found, from, to, rows: [row], cuts: found.uses.slice(0, 1) }
}

/** Two rows lead to one place: the certain one, or that which depends on less, tells how. */
function joined(before: Edge, { row, ...found }: Found): Edge {
  if (before.rows.includes(row)) return before
  const better =
    (found.truth === 'yes' && before.truth !== 'yes') ||
    (found.truth === before.truth && found.dependsOn.length < before.dependsOn.length)
  const cuts = [...before.cuts, ...found.uses.slice(0, 1)]
  return better
    ? { ...before, ...found, cuts, rows: [row, ...before.rows] }
    : { ...before, cuts, rows: [...before.rows, row] }
}

/** A way from one node to another; each knows only its last step, so that thousands share the others. */
export class Way {
  readonly to: Node
  readonly truth: Truth
  /** How many edges it has. */
  readonly steps: number
  readonly #before: Way | null
  readonly #last: Edge | null

  constructor(to: Node, before: Way | null, last: Edge | null) {
    this.to = to
    this.#before = before
    this.#last = last
    this.steps = before === null ? 0 : before.steps + 1
    const isCertain = (before?.truth ?? 'yes') === 'yes' && (last?.truth ?? 'yes') === 'yes'
    this.truth = isCertain ? 'yes' : 'unknown'
  }

  get edges(): readonly Edge[] {
    const edges: Edge[] = []
    let way: Way | null = this
    while (way !== null) {
      if (way.#last !== null) edges.push(way.#last)
      way = way.#before
    }
    return edges.reverse()
  }
}

/** Nodes that one walk may reach; past it the walk ends. */
export const NODES_MAX = 100_000

/**
 * Every node that can be reached, by the best way: certain before depending, then the fewest steps. Behind a
 * ruler whom nothing holds his account is not walked: he stands for everybody in it.
 */
export function waysFrom(graph: Graph, start: Node): ReadonlyMap<Node, Way> {
  const ways = new Map<Node, Way>([[start, new Way(start, null, null)]])
  // By the number of a node: a walk looks at every edge, and most lead where it has been.
  const seen: boolean[] = []
  seen[start.number] = true
  const take = (way: Way, edges: readonly Edge[], certain: boolean): void => {
    for (const edge of edges) {
      if (seen[edge.to.number] === true || (certain && edge.truth !== 'yes')) continue
      seen[edge.to.number] = true
      ways.set(edge.to, new Way(edge.to, way, edge))
    }
  }
  // A Map hands out what is added while it is walked: breadth first.
  for (const [node, way] of ways) {
    if (ways.size > NODES_MAX) return ways
    take(way, graph.walked(node), true)
  }
  for (const [node, way] of ways) {
    if (ways.size > NODES_MAX) return ways
    take(way, graph.walked(node), false)
  }
  return ways
}
